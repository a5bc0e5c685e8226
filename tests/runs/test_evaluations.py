"""What a run has asked the model is kept with it: a later process tells the same cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from decam.classifier import Classifier, wrap
from decam.errors import ModelError
from decam.experiments.cells import CellKey
from decam.experiments.plan import MetricChoice
from decam.explanation import Question
from decam.methods import METHODS
from decam.runs.service import Runs
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import Store
from tests.runs.colours import ANOTHER, a_plan, wait_for
from tests.tools.colours import LABELS, SIZE, brightness, views

AGAIN = MetricChoice.default("seed-agreement", seeds=2)


class Counting:
    """A loader of models whose images are counted, whoever loads one."""

    def __init__(self) -> None:
        self.answered = 0

    def __call__(self, _model: str = "colours", _device: str = "cpu") -> Classifier:
        return wrap(self._answer, labels=LABELS, input_size=SIZE)

    def _answer(self, images: Tensor) -> Tensor:
        self.answered += len(images)
        return brightness(images)


@pytest.fixture
def model() -> Counting:
    return Counting()


@pytest.fixture
def counted(model: Counting, tmp_path: Path) -> Iterator[Runs]:
    made = Runs(Store(tmp_path / "data"), model)
    yield made
    made.close()


def costs(run: RunSnapshot) -> dict[tuple[CellKey, str], tuple[int, bool]]:
    return {
        (key, name): (one.evaluations, one.reused)
        for key, cell in run.cells.items()
        for name, one in cell.measurements.items()
    }


def reopened(tmp_path: Path, run: RunSnapshot) -> RunSnapshot:
    store = Store(tmp_path / "data")
    try:
        return store.load(run.id)
    finally:
        store.close()


def same_after_reopening(tmp_path: Path, run: RunSnapshot) -> None:
    kept = reopened(tmp_path, run)
    assert costs(kept) == costs(run)
    assert dict(kept.grid.further) == dict(run.grid.further)
    assert kept.grid.predictions == run.grid.predictions
    assert (kept.grid.evaluations, kept.grid.metric_evaluations) == (run.grid.evaluations, run.grid.metric_evaluations)


@pytest.mark.slow
def test_a_run_that_is_measured_later_counts_on_and_a_later_process_says_the_same(
    counted: Runs, model: Counting, tmp_path: Path
) -> None:
    plan = a_plan(2, "random", "rise")
    run = wait_for(counted, counted.start(plan, views(2)))
    before = run.grid.metric_evaluations
    assert run.grid.evaluations == model.answered
    counted.measure(run.id, [ANOTHER, AGAIN])
    run = wait_for(counted, run.id)
    assert run.grid.evaluations == model.answered
    assert run.grid.metric_evaluations > before > 0
    same_after_reopening(tmp_path, run)


@pytest.mark.slow
def test_maps_of_an_earlier_run_come_with_measurements_that_cost_this_one_nothing(
    counted: Runs, model: Counting, tmp_path: Path
) -> None:
    first = wait_for(counted, counted.start(a_plan(1, "rise"), views(1)))
    model.answered = 0
    plan = a_plan(1, "rise")
    asking = dataclasses.replace(plan, metrics=(*plan.metrics, ANOTHER))
    second = wait_for(counted, counted.start(asking, views(1)))
    cell = second.cells[CellKey(0, 0)]
    assert cell.reused and second.grid.evaluations == model.answered
    assert [one.reused for one in cell.measurements.values()] == [True] * len(plan.metrics) + [False]
    known = first.cells[CellKey(0, 0)].measurements
    assert all(cell.measurements[key].evaluations == one.evaluations for key, one in known.items())
    same_after_reopening(tmp_path, second)


@pytest.mark.slow
def test_a_map_that_failed_keeps_its_cost_with_the_run_and_so_does_one_whose_image_is_asked_about_again(
    counted: Runs, model: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = METHODS["rise"]

    def broken(question: Question, settings: Any, seed: int) -> Iterator[Any]:
        yield from usual.run(question, settings, seed)
        raise ModelError("It ends here.")

    with monkeypatch.context() as patch:
        patch.setitem(METHODS, "rise", dataclasses.replace(usual, run=broken))
        run = wait_for(counted, counted.start(a_plan(1, "centre", "rise"), views(1)))
    spent = usual.cost(usual.settings(), model())
    assert run.cells[CellKey(0, 1)].error == "It ends here."
    assert dict(run.grid.further) == {0: spent} and run.grid.evaluations == model.answered
    same_after_reopening(tmp_path, run)
    later = Runs(Store(tmp_path / "data"), model)
    later.resume(run.id)
    run = wait_for(later, run.id)
    later.close()
    assert run.status == "done" and dict(run.grid.further) == {0: spent + 1}
    assert run.grid.evaluations == model.answered
    same_after_reopening(tmp_path, run)


@pytest.mark.slow
def test_a_ground_truth_that_moves_leaves_the_cost_of_everything_else(
    counted: Runs, model: Counting, tmp_path: Path
) -> None:
    plan = a_plan(1, "centre")
    asking = dataclasses.replace(plan, metrics=(*plan.metrics, MetricChoice.default("pointing-game")))
    truth = np.zeros(SIZE, bool)
    truth[:5] = True
    run = wait_for(counted, counted.start(asking, views(1), truths=[truth]))
    counted.mark(run.id, 0, ~truth)
    run = wait_for(counted, run.id)
    assert run.grid.complete and run.grid.evaluations == model.answered
    same_after_reopening(tmp_path, run)
