"""A run takes the maps that earlier runs in its store have made from the same things."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from decam.experiments import reuse
from decam.experiments.cells import CellKey
from decam.runs.service import Runs
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import Store
from tests.runs.colours import ANOTHER, Gate, a_check, a_plan, colours, layered, wait_for
from tests.tools.colours import views


def made(run: RunSnapshot) -> list[CellKey]:
    """The maps that a run made itself."""
    return [key for key, cell in run.cells.items() if cell.explanation is not None and not cell.reused]


@pytest.mark.slow
def test_of_a_larger_run_only_what_is_missing_is_made_and_a_later_process_says_so(runs: Runs, tmp_path: Path) -> None:
    first = wait_for(runs, runs.start(a_plan(1, "rise"), views(1)))
    second = wait_for(runs, runs.start(a_plan(2, "centre", "rise"), views(2)))
    assert made(second) == [CellKey(0, 0), CellKey(1, 0), CellKey(1, 1)]
    before, after = first.cells[CellKey(0, 0)], second.cells[CellKey(0, 1)]
    assert before.explanation is not None and after.explanation is not None
    np.testing.assert_array_equal(after.explanation.saliency, before.explanation.saliency)
    assert (after.evaluations, after.spent) == (before.evaluations, 0)
    assert after.measurements.keys() == before.measurements.keys()
    assert len(after.frames) == len(before.frames)
    runs.delete(first.id)
    again = Runs(Store(tmp_path / "data"), colours)
    kept = again.snapshot(second.id)
    assert kept.cells[CellKey(0, 1)].reused, "a copy, which outlives the run that it is of"
    np.testing.assert_array_equal(kept.cells[CellKey(0, 1)].saliency, before.saliency)
    curve = next(one.curve for one in kept.cells[CellKey(0, 1)].measurements.values() if one.curve is not None)
    assert curve.shares.size
    assert kept.grid.evaluations == second.grid.evaluations
    again.close()


@pytest.mark.slow
def test_a_map_that_is_damaged_or_failed_is_made_again(runs: Runs, tmp_path: Path) -> None:
    first = wait_for(runs, runs.start(a_plan(1, "rise"), views(1)))
    (tmp_path / "data" / "runs" / first.id / "map-00-00.npz").write_bytes(b"")
    second = wait_for(runs, runs.start(a_plan(1, "rise"), views(1)))
    assert made(second) == [CellKey(0, 0)]
    third = wait_for(runs, runs.start(a_plan(1, "rise"), views(1)))
    assert made(third) == [], "the second one's is whole"


@pytest.mark.slow
def test_a_reused_map_is_measured_by_what_the_earlier_run_did_not_ask(runs: Runs) -> None:
    wait_for(runs, runs.start(a_plan(1, "rise"), views(1)))
    plan = a_plan(1, "rise")
    second = wait_for(runs, runs.start(dataclasses.replace(plan, metrics=(*plan.metrics, ANOTHER)), views(1)))
    assert made(second) == []
    assert second.cells[CellKey(0, 0)].answers(second.plan.metric_keys(0))


@pytest.mark.slow
def test_what_a_run_would_take_is_known_before_it_starts(runs: Runs) -> None:
    first = wait_for(runs, runs.start(a_plan(1, "rise"), views(1)))
    known = reuse.made_from(first.plan, CellKey(0, 0), first.grid.target_of(0))
    assert runs.made([known, "0" * 64, ""]) == {known}
    assert runs.made([known] * 1000) == {known}


@pytest.mark.slow
def test_on_a_server_for_many_nobody_takes_a_strangers_map(tmp_path: Path) -> None:
    runs = Runs(Store(tmp_path / "data"), colours, private=True)
    first = wait_for(runs, runs.start(a_plan(1, "rise"), views(1), "ann"))
    known = reuse.made_from(first.plan, CellKey(0, 0), first.grid.target_of(0))
    assert (runs.made([known], "ann"), runs.made([known], "bob")) == ({known}, frozenset())
    assert made(wait_for(runs, runs.start(a_plan(1, "rise"), views(1), "bob")))
    assert not made(wait_for(runs, runs.start(a_plan(1, "rise"), views(1), "ann")))
    shared = wait_for(runs, runs.shared_run("shared-centre", a_plan(1, "centre"), views(1)))
    assert made(shared)
    assert not made(wait_for(runs, runs.start(a_plan(1, "centre"), views(1), "bob")))
    runs.close()


@pytest.mark.slow
def test_a_map_in_the_making_is_waited_for_by_nobody(runs: Runs, gate: Gate) -> None:
    run = runs.start(a_plan(1, "occlusion"), views(1))
    gate.steps.release(2)
    runs.stop(run)
    gate.open()
    assert made(wait_for(runs, run)) == []
    again = wait_for(runs, runs.start(a_plan(1, "occlusion"), views(1)))
    assert made(again) == [CellKey(0, 0)]


@pytest.mark.slow
def test_a_check_of_random_weights_takes_maps_of_an_earlier_check_and_its_verdict_is_the_same(tmp_path: Path) -> None:
    runs = Runs(Store(tmp_path / "data"), layered)
    first = wait_for(runs, runs.start(a_check("gradient"), views(1)))
    second = wait_for(runs, runs.start(a_check("gradient", "centre"), views(1)))
    assert made(second) == [key for key in sorted(second.cells) if key.method == 1]
    for key, cell in first.cells.items():
        values = {name: one.value for name, one in cell.measurements.items()}
        assert {name: one.value for name, one in second.cells[key].measurements.items()} == values
    assert made(wait_for(runs, runs.start(a_check("gradient", seed=1), views(1))))
    runs.close()
