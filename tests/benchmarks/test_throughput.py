"""The pure parts of the benchmark of throughput; times are never tested."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from benchmarks import memory
from benchmarks.forwards import picture
from benchmarks.throughput import CELLS, IN_FLOAT32, STEPS, WORKS, Turn, rows, verdicts
from decam.classifier import Execution, TorchClassifier

NAMES = tuple(name for name in WORKS if name not in IN_FLOAT32.values())


def turn(bare: float, *rates: float) -> Turn:
    """What a turn found where float32 is what is fastest for Captum's methods too."""
    return Turn(bare, dict(zip(NAMES, rates, strict=True)))


def test_ratios_are_of_the_same_turn_and_told_by_their_medians() -> None:
    turns = [turn(100, 98, 90, 30, 20, 96), turn(200, 194, 180, 40, 80, 196), turn(100, 50, 40, 30, 20, 80)]
    lines = rows("net", turns, dict.fromkeys(("bare", *NAMES), "float32"), {"DE-CAM": ("10 MiB", "11 MiB")})
    assert lines[0] == "| net | bare forward pass | float32 | 100.0 (100.0 to 200.0) | | | | |"
    share, factor = "97.0% (50.0% to 98.0%)", "2.42 (1.67 to 3.27)"
    assert lines[1] == f"| net | DE-CAM | float32 | 98.0 (50.0 to 194.0) | {share} | {factor} | 10 MiB | 11 MiB |"
    assert len(lines) == 1 + len(NAMES)


def test_each_aim_is_met_or_missed_by_the_median() -> None:
    assert verdicts([turn(100, 98, 90, 30, 20, 96)]).count(": met") == 3
    missed = verdicts([turn(100, 96, 90, 50, 20, 95)])
    assert missed.count(": missed") == 3
    assert "curves cost +5.3%" in missed


def test_captums_methods_are_told_beside_both_precisions_where_they_differ() -> None:
    found = turn(100, 98, 90, 50, 60, 96)
    assert "1.63 times Captum's faster method (aim 2.5): missed, 1.63 times as it is in float32" in verdicts([found])
    found.rates.update(zip(IN_FLOAT32.values(), (35, 28), strict=True))
    assert "1.63 times Captum's faster method (aim 2.5): missed, 2.80 times as it is in float32" in verdicts([found])
    lines = rows("net", [found], dict.fromkeys(("bare", *WORKS), "a setting"), {})
    assert [line.split(" | ")[1] for line in lines] == ["bare forward pass", *WORKS]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_every_work_counts_what_it_asks(embedded: TorchClassifier, name: str) -> None:
    before = embedded.execution
    evaluations, seconds = WORKS[name](embedded, picture(embedded), Execution(batch_size=8), 200)
    embedded.configure(before)
    least, most = (2 * (STEPS + 1), 2 * (STEPS + 1)) if name == "curves" else (150, 2 * (CELLS**2 + 1))
    assert least <= evaluations <= most
    assert seconds > 0


@pytest.mark.slow
def test_memory_that_some_work_takes_is_seen_and_what_was_there_before_is_not() -> None:
    held = np.ones(2**22)

    def work() -> None:
        taken = np.ones(2**23)
        time.sleep(0.1)  # the watcher is let to look, however busy the machine is
        assert taken.sum() + held.sum() > 0

    peak = memory.above(work, torch.device("cpu"))
    if peak is None:
        pytest.skip("this system does not show a process's resident set")
    assert peak == pytest.approx(8 * 2**23, rel=0.2)
