"""Traces hold what happened, small."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from decam.evolution.differential_evolution import DifferentialEvolution, EvolutionSettings
from decam.evolution.generation import Generation
from decam.evolution.operators import STRATEGIES, Box
from decam.evolution.trace import Trace


def generations(strategy: str = "current-to-pbest/1") -> list[Generation]:
    how = EvolutionSettings(budget=0, control="shade", population=12, strategy=strategy)
    evolution = DifferentialEvolution(Box.of(0.0, 1.0, 20, dtype=torch.float32), how, seed=4)
    return [evolution.tell(-(evolution.ask() - 0.3).square().sum(1)) for _ in range(30)]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_mutants_can_be_made_again_from_the_parents_written_down(strategy: str) -> None:
    for generation in generations(strategy)[1:]:
        trace = Trace.of(generation, (4, 5))
        pool = np.concatenate([trace.targets, trace.others]).astype(np.float32)
        base, *ends = pool[trace.parents]
        moved = sum(first - second for first, second in zip(ends[::2], ends[1::2], strict=True))
        again = base + trace.weights[:, None, None] * moved
        inside = (again >= 0) & (again <= 1)
        np.testing.assert_allclose(trace.mutants.astype(np.float32)[inside], again[inside], atol=5e-3)


def test_the_population_after_selection_follows_from_what_is_written_down() -> None:
    for generation in generations():
        trace = Trace.of(generation, (4, 5))
        np.testing.assert_array_equal(
            trace.population.reshape(12, 20), generation.population.numpy().astype(np.float16)
        )
        np.testing.assert_array_equal(trace.fitness, generation.fitness.numpy())
        assert trace.best == int(generation.fitness.argmax())


def test_parents_from_the_archive_are_kept_once_each() -> None:
    traces = [Trace.of(generation, (4, 5)) for generation in generations()]
    assert any(len(trace.others) for trace in traces)
    for trace in traces[1:]:
        assert set(range(12, 12 + len(trace.others))) == set(trace.parents[trace.parents >= 12].tolist())


def test_a_generation_takes_a_few_kilobytes() -> None:
    assert all(Trace.of(generation, (4, 5)).nbytes < 12 * 20 * 2 * 4 for generation in generations())


def test_more_parents_than_16_bits_can_number_keep_their_numbers() -> None:
    count = 2**15 + 100
    how = EvolutionSettings(budget=0, control="shade", population=count, strategy="rand/1")
    evolution = DifferentialEvolution(Box.of(0.0, 1.0, 2, dtype=torch.float32), how, seed=4)
    for _ in range(2):
        generation = evolution.tell(-evolution.ask().square().sum(1))
    assert generation.bred is not None
    trace = Trace.of(generation, (1, 2))
    np.testing.assert_array_equal(trace.parents, generation.bred.parents().numpy())
