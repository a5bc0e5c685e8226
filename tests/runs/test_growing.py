"""A run that has ended takes ground truths, pictures and methods, and computes only what depends on them."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from decam.errors import SettingError
from decam.experiments.cells import CellKey
from decam.experiments.events import Event, Measured
from decam.experiments.grid import Grid
from decam.experiments.plan import MetricChoice
from decam.metrics import METRICS
from decam.metrics.base import Measurement
from decam.runs.plans import settled
from decam.runs.service import Runs
from decam.runs.store import Store
from tests.runs.colours import Gate, a_check, a_plan, colours, layered, running, wait_for
from tests.tools.colours import SIZE, views
from tests.tools.waiting import wait_until

BLIND = MetricChoice.default("deletion", steps=4, fill="mean")
POINTING = MetricChoice.default("pointing-game")
FIRST = CellKey(0, 0)


def half() -> np.ndarray:
    """The upper half of a picture."""
    truth = np.zeros(SIZE, bool)
    truth[: SIZE[0] // 2] = True
    return truth


def share_of_highest(saliency: np.ndarray, truth: np.ndarray) -> float:
    """The pointing game by hand: how much of the map's highest places lies on the object."""
    return float(truth[saliency == saliency.max()].mean())


@pytest.mark.slow
def test_a_truth_given_afterwards_is_measured_at_once_and_nothing_else_is(runs: Runs, tmp_path: Path) -> None:
    run = runs.start(a_plan(2, "random", metrics=(BLIND, POINTING)), views(2))
    before = wait_for(runs, run)
    assert np.isnan(before.cells[FIRST].measurements[POINTING.key].value)
    runs.mark(run, 0, half())
    after = wait_for(runs, run)
    assert after.status == "done"
    np.testing.assert_array_equal(after.truths[0], half())
    assert after.truths[1] is None
    saliency = after.cells[FIRST].saliency
    assert saliency is not None
    assert after.cells[FIRST].measurements[POINTING.key].value == share_of_highest(saliency, half())
    assert after.cells[FIRST].measurements[BLIND.key] == before.cells[FIRST].measurements[BLIND.key]
    np.testing.assert_array_equal(saliency, before.cells[FIRST].saliency)
    assert np.isnan(after.cells[CellKey(1, 0)].measurements[POINTING.key].value)
    again = Runs(Store(tmp_path / "data"), colours)
    kept = again.snapshot(run)
    np.testing.assert_array_equal(kept.truths[0], half())
    assert kept.cells[FIRST].measurements[POINTING.key].value == share_of_highest(saliency, half())
    again.close()


@pytest.mark.slow
def test_a_truth_may_be_changed_and_taken_away(runs: Runs, tmp_path: Path) -> None:
    run = runs.start(a_plan(1, "random", metrics=(POINTING,)), views(1), truths=[half()])
    wait_for(runs, run)
    runs.mark(run, 0, ~half())
    changed = wait_for(runs, run)
    saliency = changed.cells[FIRST].saliency
    assert saliency is not None
    assert changed.cells[FIRST].measurements[POINTING.key].value == share_of_highest(saliency, ~half())
    runs.mark(run, 0, None)
    gone = wait_for(runs, run)
    assert gone.truths == (None,)
    assert "ground truth" in gone.cells[FIRST].measurements[POINTING.key].note
    again = Runs(Store(tmp_path / "data"), colours)
    assert again.snapshot(run).truths == (None,)
    again.close()


@pytest.mark.slow
@pytest.mark.parametrize("stopped", [False, True])
def test_a_truth_that_comes_while_the_run_goes_on_is_kept_at_once(
    runs: Runs, gate: Gate, tmp_path: Path, stopped: bool
) -> None:
    run = runs.start(a_plan(1, "random", "occlusion", metrics=(POINTING,)), views(1), truths=[~half()])
    wait_for(runs, run, running(CellKey(0, 1)))
    runs.mark(run, 0, half())
    going = runs.snapshot(run)
    assert going.active
    np.testing.assert_array_equal(going.truths[0], half())
    other = Runs(Store(tmp_path / "data"), colours)
    np.testing.assert_array_equal(other.snapshot(run).truths[0], half(), "on the disk, should the server be killed now")
    if stopped:
        runs.stop(run)
    gate.open()
    ended = wait_for(runs, run)
    np.testing.assert_array_equal(ended.truths[0], half())
    if stopped:
        assert POINTING.key not in ended.cells[FIRST].measurements
        runs.resume(run)
        ended = wait_for(runs, run)
    for seen in (ended, other.snapshot(run)):
        for key, cell in seen.cells.items():
            saliency = ended.cells[key].saliency
            assert saliency is not None
            assert cell.measurements[POINTING.key].value == share_of_highest(saliency, half())
    other.close()


@pytest.mark.slow
def test_what_is_measured_by_a_truth_that_has_changed_since_is_not_kept(runs: Runs, gate: Gate) -> None:
    """The run that goes on measures by the truth that it began with; that must not be taken for the new one's."""
    run = runs.start(a_plan(1, "occlusion", metrics=(BLIND, POINTING)), views(1), truths=[~half()])
    wait_for(runs, run, running(FIRST))
    told: list[bool] = []
    store = runs._store
    save = store.save_measurements

    def watched(run_id: str, choice: str, measurements: Mapping[CellKey, Measurement]) -> None:
        told.append(choice == POINTING.key and bool(measurements))
        save(run_id, choice, measurements)

    store.save_measurements = watched  # type: ignore[method-assign]
    runs.mark(run, 0, half())
    gate.open()
    ended = wait_for(runs, run)
    assert sum(told) == 1, "once, by the new truth"
    saliency = ended.cells[FIRST].saliency
    assert saliency is not None
    assert ended.cells[FIRST].measurements[POINTING.key].value == share_of_highest(saliency, half())


@pytest.mark.slow
def test_a_truth_that_comes_while_a_measurement_is_being_written_is_not_followed_by_the_old_one(
    runs: Runs, tmp_path: Path
) -> None:
    """The run is stopped right then, so that only what the disk keeps tells what is still to be measured."""
    record = runs._recorder.record
    marking: list[threading.Thread] = []

    def interrupted(run_id: str, event: Event, grid: Grid) -> None:
        if not marking and isinstance(event, Measured) and event.metric == POINTING.key:
            mark = threading.Thread(target=runs.mark, args=(run_id, 0, half()))
            mark.start()
            marking.append(mark)
            mark.join(0.3)  # whole in between where nothing holds it back
            runs.stop(run_id)
        record(run_id, event, grid)

    runs._recorder.record = interrupted  # type: ignore[method-assign]
    run = runs.start(a_plan(1, "random", metrics=(POINTING,)), views(1), truths=[~half()])
    wait_until(lambda: bool(marking))
    marking[0].join()
    wait_for(runs, run)
    runs.close()
    again = Runs(Store(tmp_path / "data"), colours)
    again.resume(run)
    ended = wait_for(again, run)
    again.close()
    saliency = ended.cells[FIRST].saliency
    assert saliency is not None
    np.testing.assert_array_equal(ended.truths[0], half())
    assert ended.cells[FIRST].measurements[POINTING.key].value == share_of_highest(saliency, half())


@pytest.mark.slow
@pytest.mark.parametrize(("picture", "shape"), [(1, SIZE), (-1, SIZE), (0, (3, 3))])
def test_a_truth_that_does_not_fit_is_refused_in_a_sentence(runs: Runs, picture: int, shape: tuple[int, int]) -> None:
    run = runs.start(a_plan(1, "random"), views(1))
    wait_for(runs, run)
    with pytest.raises(SettingError, match=r"This run has 1 images|The ground truth has shape"):
        runs.mark(run, picture, np.ones(shape, bool))


@pytest.mark.slow
def test_every_metric_that_needs_a_truth_is_measured_anew_and_no_other(runs: Runs) -> None:
    metrics = tuple(MetricChoice.default(name) for name, row in METRICS.items() if row.family == "localisation")
    assert metrics
    run = runs.start(a_plan(1, "random", metrics=(BLIND, *metrics)), views(1), truths=[half()])
    before = wait_for(runs, run)
    runs.mark(run, 0, ~half())
    after = wait_for(runs, run)
    same = {key for key, one in before.cells[FIRST].measurements.items() if after.cells[FIRST].measurements[key] is one}
    assert same == {BLIND.key}


@pytest.mark.slow
def test_methods_pictures_and_metrics_are_added_under_the_same_link_and_only_they_are_made(
    runs: Runs, tmp_path: Path
) -> None:
    run = runs.start(a_plan(1, "random", metrics=(BLIND,)), views(1), truths=[half()])
    before = wait_for(runs, run)
    runs.extend(run, a_plan(3, "centre", "random", metrics=(BLIND, POINTING)), views(3), [None, None, ~half()])
    after = wait_for(runs, run)
    assert after.status == "done"
    assert [choice.name for choice in after.plan.methods] == ["random", "centre"]
    assert [picture.name for picture in after.plan.pictures] == ["0.png", "1.png", "2.png"]
    assert after.cells[FIRST].explanation is before.cells[FIRST].explanation
    np.testing.assert_array_equal(after.truths[0], half())
    np.testing.assert_array_equal(after.truths[2], ~half())
    assert len(after.cells) == 6
    assert all(cell.answers([BLIND.key, POINTING.key]) for cell in after.cells.values())
    assert after.predictions[2] is not None
    again = Runs(Store(tmp_path / "data"), colours)
    kept = again.snapshot(run)
    assert kept.plan == after.plan
    np.testing.assert_array_equal(kept.views[2], views(3)[2])
    assert again.recent()[0].methods == ("random", "centre")
    assert again.recent()[0].pictures == ("0.png", "1.png", "2.png")
    again.close()


@pytest.mark.slow
def test_to_a_check_methods_are_added(tmp_path: Path) -> None:
    runs = Runs(Store(tmp_path / "data"), layered)
    run = runs.start(a_check("gradient"), views(1))
    wait_for(runs, run)
    runs.extend(run, a_check("gradient", "centre"), views(1))
    after = wait_for(runs, run)
    assert after.status == "done"
    assert len(after.plan.methods) == 2
    with pytest.raises(SettingError, match="asks other questions"):
        runs.extend(run, a_check("gradient", mode="independent"), views(1))
    runs.close()


@pytest.mark.slow
def test_what_one_run_cannot_hold_is_refused_in_a_sentence(runs: Runs) -> None:
    run = runs.start(a_plan(1, "random"), views(1))
    wait_for(runs, run)
    wanted = settled(a_plan(2, "random"), views(2), [None, None])
    other = dataclasses.replace(wanted.versions, torch="0.1")
    for noun, plan in (
        ("seed", a_plan(2, "random", seed=1)),
        ("device", dataclasses.replace(wanted, device="meta")),
        ("versions", dataclasses.replace(wanted, versions=other)),
        ("kind", dataclasses.replace(wanted, kind="benchmark")),
    ):
        with pytest.raises(SettingError, match=f"another {noun}"):
            runs.extend(run, plan, views(2))
    assert len(runs.snapshot(run).cells) == 1


@pytest.mark.slow
def test_a_run_holds_one_class_of_each_picture(runs: Runs) -> None:
    run = runs.start(a_plan(1, "random"), views(1))
    predicted = wait_for(runs, run).grid.target_of(0)
    assert predicted is not None
    for class_ in range(3):
        wanted = a_plan(1, "random", "centre", targets=[class_])
        if class_ == predicted:
            runs.extend(run, wanted, views(1))
            assert len(wait_for(runs, run).cells) == 2
        else:
            with pytest.raises(SettingError, match="nothing for another class can be added"):
                runs.extend(run, wanted, views(1))
    with pytest.raises(SettingError, match=r"This run explains [a-z]+ in 0\.png, so nothing for another class"):
        runs.extend(run, a_plan(1, "random", "edges", against=[(predicted + 1) % 3]), views(1))
    runs.extend(run, a_plan(1, "random", "centre", "edges"), views(1))
    assert len(wait_for(runs, run).cells) == 3, "the class that is predicted is the same one, unsaid"


@pytest.mark.slow
def test_a_run_of_one_class_rather_than_another_takes_nothing_for_the_class_alone(runs: Runs) -> None:
    run = runs.start(a_plan(1, "random", targets=[0], against=[1]), views(1))
    wait_for(runs, run)
    for against in (None, 2):
        with pytest.raises(SettingError, match=r"explains [a-z]+ rather than [a-z]+ in 0\.png, so nothing"):
            runs.extend(run, a_plan(1, "random", "edges", targets=[0], against=[against]), views(1))
    runs.extend(run, a_plan(1, "random", "edges", targets=[0], against=[1]), views(1))
    assert [cell.explanation.against for cell in wait_for(runs, run).cells.values() if cell.explanation] == [1, 1]


@pytest.mark.slow
def test_nothing_is_added_to_a_run_that_goes_on(runs: Runs, gate: Gate) -> None:
    run = runs.start(a_plan(1, "occlusion"), views(1))
    wait_for(runs, run, running(FIRST))
    with pytest.raises(SettingError, match="goes on"):
        runs.extend(run, a_plan(1, "occlusion", "random"), views(1))
    gate.open()
    wait_for(runs, run)
