"""What the browser is sent of a generation is enough to draw all of it."""

from __future__ import annotations

import base64
import itertools
import json

import numpy as np
import torch

from decam.evolution.differential_evolution import DifferentialEvolution, EvolutionSettings
from decam.evolution.operators import Box
from decam.evolution.trace import Trace
from decam.ui.shared.generations import STEPS, Moment, sent, within


def moments(count: int = 20) -> list[Moment]:
    how = EvolutionSettings(budget=0, control="shade", population=10)
    evolution = DifferentialEvolution(Box.of(-1.0, 2.0, 12, dtype=torch.float32), how, seed=0)
    traces = [Trace.of(evolution.tell(-evolution.ask().square().sum(1)), (3, 4)) for _ in range(count)]
    return [Moment(number, 10 * number, trace) for number, trace in enumerate(traces, start=1)]


def test_grids_and_crossings_come_back_from_what_is_sent() -> None:
    for moment in moments():
        trace, data = moment.trace, json.loads(json.dumps(sent(moment), allow_nan=False))
        entries = np.frombuffer(base64.b64decode(data["grids"]), "<u2").reshape(-1, 3, 4)
        grids = data["low"] + entries * ((data["high"] - data["low"]) / STEPS)
        whole = np.concatenate([trace.targets, trace.others, trace.mutants]).astype(np.float64)
        np.testing.assert_allclose(grids, whole, atol=3 / STEPS)
        bits = np.unpackbits(np.frombuffer(base64.b64decode(data["crossed"]), np.uint8))[: trace.crossed.size]
        np.testing.assert_array_equal(bits.reshape(trace.crossed.shape), trace.crossed)
        assert [data["individuals"], data["others"], data["trials"]] == [10, len(trace.others), len(trace.mutants)]


def test_a_look_at_a_running_search_is_bounded_even_and_ends_at_the_newest() -> None:
    all_of_them = moments(40)
    some = within(all_of_them, 6_000)
    assert some[-1] is all_of_them[-1]
    assert sum(moment.trace.nbytes for moment in some) <= 6_000
    assert len({b.number - a.number for a, b in itertools.pairwise(some)}) == 1
    assert len(within(all_of_them, 1)) == 1
    assert within(all_of_them, 10**9) == all_of_them
