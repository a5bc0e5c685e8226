"""Runs are computed once, tell how far they are, can be stopped, continued and measured again."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from decam.classifier import Classifier, Execution, TorchClassifier
from decam.errors import ModelError, SettingError
from decam.experiments.cells import CellKey
from decam.experiments.explain import explain_view
from decam.experiments.plan import MethodChoice, PictureChoice, Plan, fingerprint
from decam.experiments.status import Status
from decam.explanation import Progress, last
from decam.methods import METHODS
from decam.runs.service import Runs
from decam.runs.store import Store
from tests.runs.colours import ANOTHER, PATIENCE, Gate, a_plan, colours, running, wait_for
from tests.tools.colours import SIZE, views


@pytest.mark.slow
def test_a_run_ends_with_every_map_and_measurement_of_the_plan(runs: Runs) -> None:
    plan, pictures = a_plan(2, "random", "rise"), views(2)
    run = wait_for(runs, runs.start(plan, pictures, "ann"))
    assert (run.status, run.note, run.ahead, run.labels) == ("done", "", 0, ("red", "green", "blue"))
    assert [guesses[0][0] for guesses in run.predictions if guesses] == [0, 1]
    assert {cell: shown.state for cell, shown in run.cells.items()} == {
        CellKey(picture, method): "done" for picture in range(2) for method in range(2)
    }
    for cell, shown in run.cells.items():
        choice = plan.methods[cell.method]
        alone = last(explain_view(colours(), pictures[cell.question], choice.name, choice.settings, None, 0))
        assert shown.explanation is not None
        np.testing.assert_array_equal(shown.explanation.saliency, alone.saliency)
        assert set(shown.measurements) == {choice.key for choice in plan.metrics}
        assert all(one.curve is not None for one in shown.measurements.values())
    assert run.plan.execution == Execution()
    assert [choice.sha256 for choice in run.plan.pictures] == [fingerprint(view) for view in pictures]


def test_views_that_do_not_fit_the_plan_are_refused(runs: Runs) -> None:
    with pytest.raises(SettingError, match="2 images, but 1 views"):
        runs.start(a_plan(2, "random"), views(1))
    other = dataclasses.replace(a_plan(1, "random"), pictures=(PictureChoice("a.png", sha256="00"),))
    with pytest.raises(SettingError, match=r"'a.png' is not the image"):
        runs.start(other, views(1))


@pytest.mark.slow
def test_a_run_shows_its_progress_while_it_runs(runs: Runs, gate: Gate) -> None:
    run_id = runs.start(a_plan(1, "random", "occlusion"), views(1))
    first = wait_for(runs, run_id, running(CellKey(0, 1)))
    assert first.status == "running"
    assert first.cells[CellKey(0, 0)].explanation is not None
    assert runs.snapshot(run_id) is runs.snapshot(run_id)
    gate.steps.release(2)
    second = wait_for(runs, run_id, lambda run: run.cells[CellKey(0, 1)].step == 2)
    assert second.version > first.version
    assert second.cells[CellKey(0, 1)].total == 6
    assert len(second.cells[CellKey(0, 1)].frames) == 3
    saliency = second.cells[CellKey(0, 1)].saliency
    assert saliency is not None
    assert (saliency == 2).all()
    gate.open()
    assert wait_for(runs, run_id).status == "done"


@pytest.mark.slow
def test_stop_keeps_what_is_finished_and_resume_makes_the_rest(runs: Runs, gate: Gate) -> None:
    run_id = runs.start(a_plan(2, "random", "occlusion"), views(2))
    before = wait_for(runs, run_id, running(CellKey(0, 1)))
    runs.stop(run_id)
    gate.steps.release(1)
    stopped = wait_for(runs, run_id)
    assert stopped.status == "stopped"
    assert gate.closed == 1
    assert [stopped.cells[CellKey(p, m)].state for p in range(2) for m in range(2)] == ["stopped"] * 4
    for picture in range(2):
        assert stopped.cells[CellKey(picture, 0)].explanation is before.cells[CellKey(picture, 0)].explanation
    runs.resume(run_id)
    again = wait_for(runs, run_id, lambda run: run.status == "running")
    assert again.labels == before.labels == ("red", "green", "blue")
    gate.open()
    done = wait_for(runs, run_id)
    assert done.status == "done"
    assert all(shown.state == "done" for shown in done.cells.values())
    assert done.cells[CellKey(0, 0)].explanation is before.cells[CellKey(0, 0)].explanation
    runs.resume(run_id)
    assert wait_for(runs, run_id).status == "done"


@pytest.mark.slow
def test_waiting_runs_say_how_many_are_ahead_and_can_be_stopped(runs: Runs, gate: Gate) -> None:
    first = runs.start(a_plan(1, "occlusion"), views(1), "ann")
    wait_for(runs, first, running(CellKey(0, 0)))
    later = runs.start(a_plan(1, "random"), views(1), "ann")
    other = runs.start(a_plan(1, "random"), views(1), "bob")
    assert [runs.snapshot(run).ahead for run in (first, other, later)] == [0, 1, 2]
    assert runs.snapshot(later).status == "queued"
    runs.stop(other)
    assert runs.snapshot(other).status == "stopped"
    assert runs.snapshot(later).ahead == 1
    gate.open()
    assert wait_for(runs, later).status == "done"


@pytest.mark.slow
def test_a_metric_can_be_added_and_only_it_is_measured(runs: Runs, tmp_path: Path) -> None:
    run_id = runs.start(a_plan(1, "random", "rise"), views(1))
    before = wait_for(runs, run_id)
    runs.measure(run_id, [ANOTHER])
    after = wait_for(runs, run_id)
    for cell, shown in after.cells.items():
        assert shown.state == "done"
        assert list(shown.measurements) == [choice.key for choice in (*before.plan.metrics, ANOTHER)]
        assert shown.explanation is before.cells[cell].explanation
        for key, earlier in before.cells[cell].measurements.items():
            assert shown.measurements[key] is earlier
    runs.measure(run_id, [ANOTHER])
    assert wait_for(runs, run_id).plan.metrics == after.plan.metrics
    again = Store(tmp_path / "data")
    assert len(again.load(run_id).cells[CellKey(0, 0)].measurements) == 5
    again.close()


@pytest.mark.slow
def test_a_method_can_be_added_and_only_its_maps_are_made(runs: Runs, tmp_path: Path) -> None:
    run_id = runs.start(a_plan(2, "random"), views(2), "ann")
    before = wait_for(runs, run_id)
    added = [MethodChoice.default("rise", budget=32), MethodChoice.default("centre")]
    runs.explain(run_id, added)
    after = wait_for(runs, run_id)
    assert (after.status, [choice.name for choice in after.plan.methods]) == ("done", ["random", "rise", "centre"])
    assert set(after.cells) == {CellKey(picture, method) for picture in range(2) for method in range(3)}
    for cell, earlier in before.cells.items():
        assert after.cells[cell].explanation is earlier.explanation
        assert dict(after.cells[cell].measurements) == dict(earlier.measurements)
    for cell, shown in after.cells.items():
        choice = after.plan.methods[cell.method]
        alone = last(explain_view(colours(), views(2)[cell.question], choice.name, choice.settings, None, 0))
        assert shown.explanation is not None
        np.testing.assert_array_equal(shown.explanation.saliency, alone.saliency)
        assert set(shown.measurements) == {one.key for one in after.plan.metrics}
    runs.explain(run_id, added[:1])
    assert wait_for(runs, run_id).plan.methods == after.plan.methods, "what it has is not asked again"
    again = Store(tmp_path / "data")
    assert {cell: kept.evaluations for cell, kept in again.load(run_id).cells.items()} == {
        cell: shown.evaluations for cell, shown in after.cells.items()
    }
    (line,) = again.recent()
    assert (line.methods, line.facts) == (("random", "rise", "centre"), ("3 methods",))
    again.close()


@pytest.mark.slow
def test_a_method_added_while_a_run_runs_is_made_too_and_so_is_a_metric_beside_it(runs: Runs, gate: Gate) -> None:
    run_id = runs.start(a_plan(1, "random", "occlusion"), views(1))
    wait_for(runs, run_id, running(CellKey(0, 1)))
    runs.explain(run_id, [MethodChoice.default("centre")])
    runs.measure(run_id, [ANOTHER])
    assert runs.snapshot(run_id).cells[CellKey(0, 2)].state == "waiting"
    gate.open()
    run = wait_for(runs, run_id)
    assert run.status == "done"
    assert all(len(shown.measurements) == 5 and shown.state == "done" for shown in run.cells.values())
    assert len(run.cells) == 3


@pytest.mark.slow
def test_a_method_added_to_a_run_that_is_then_stopped_is_made_when_it_is_continued(runs: Runs, gate: Gate) -> None:
    run_id = runs.start(a_plan(1, "random", "occlusion"), views(1))
    wait_for(runs, run_id, running(CellKey(0, 1)))
    runs.explain(run_id, [MethodChoice.default("centre")])
    runs.stop(run_id)
    gate.open()
    stopped = wait_for(runs, run_id)
    assert (stopped.status, stopped.cells[CellKey(0, 2)].state) == ("stopped", "stopped")
    runs.resume(run_id)
    assert wait_for(runs, run_id).cells[CellKey(0, 2)].state == "done"


@pytest.mark.slow
def test_a_method_that_does_not_answer_the_runs_questions_is_refused_and_the_run_stays(runs: Runs) -> None:
    run_id = runs.start(a_plan(1, "random"), views(1))
    before = wait_for(runs, run_id)
    with pytest.raises(SettingError, match="explains classes, not images"):
        runs.explain(run_id, [MethodChoice.default("universal")])
    assert runs.snapshot(run_id).plan == before.plan and runs.snapshot(run_id).status == "done"


@pytest.mark.slow
def test_a_run_that_is_continued_just_as_it_ends_is_not_forgotten(tmp_path: Path) -> None:
    """The job leaves an ended run to the disk while a visitor adds a metric to it."""
    adding, store = threading.Event(), Store(tmp_path / "data")
    version, save_plan = store.version, store.save_plan

    def late_version(run_id: str) -> tuple[int, Status]:
        if threading.current_thread() is not threading.main_thread():
            adding.wait(0.5)
        return version(run_id)

    def slow_save_plan(run_id: str, plan: Plan) -> None:
        adding.set()
        time.sleep(0.2)
        save_plan(run_id, plan)

    store.version, store.save_plan = late_version, slow_save_plan  # type: ignore[method-assign]
    runs = Runs(store, colours)
    run_id = runs.start(a_plan(1, "random"), views(1))
    wait_for(runs, run_id)
    runs.measure(run_id, [ANOTHER])
    runs.stop(run_id)  # another process's run could not be stopped
    wait_for(runs, run_id)
    runs.close()


@pytest.mark.slow
def test_a_metric_added_while_a_run_runs_is_measured_too(runs: Runs, gate: Gate) -> None:
    run_id = runs.start(a_plan(1, "random", "occlusion"), views(1))
    wait_for(runs, run_id, running(CellKey(0, 1)))
    runs.measure(run_id, [ANOTHER])
    gate.open()
    run = wait_for(runs, run_id)
    assert run.status == "done"
    assert all(len(shown.measurements) == 5 and shown.state == "done" for shown in run.cells.values())


@pytest.mark.slow
def test_a_metric_added_to_a_stopped_run_makes_no_map(runs: Runs, gate: Gate) -> None:
    run_id = runs.start(a_plan(1, "random", "occlusion"), views(1))
    wait_for(runs, run_id, running(CellKey(0, 1)))
    runs.stop(run_id)
    gate.open()
    wait_for(runs, run_id)
    runs.measure(run_id, [ANOTHER])
    run = wait_for(runs, run_id)
    assert run.status == "stopped"
    assert (run.cells[CellKey(0, 0)].state, len(run.cells[CellKey(0, 0)].measurements)) == ("done", 5)
    assert (run.cells[CellKey(0, 1)].state, run.cells[CellKey(0, 1)].explanation) == ("stopped", None)


@pytest.mark.slow
def test_a_model_that_does_not_load_fails_the_run_with_its_sentence(tmp_path: Path) -> None:
    here = False

    def load(model: str, device: str) -> Classifier:
        if not here:
            raise ModelError("The weights are not here; download them first.")
        return colours(model, device)

    runs = Runs(Store(tmp_path), load)
    run_id = runs.start(a_plan(1, "random"), views(1))
    run = wait_for(runs, run_id)
    assert (run.status, run.note) == ("failed", "The weights are not here; download them first.")
    assert run.cells[CellKey(0, 0)].state == "failed"
    here = True
    runs.resume(run_id)
    run = wait_for(runs, run_id)
    assert (run.status, run.note) == ("done", "")
    runs.close()


@pytest.mark.slow
def test_failed_cells_are_tried_again_on_resume(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoiled(*_: object) -> Iterator[Progress]:
        yield Progress(0, 1, 0)
        raise ModelError("Not today.")

    with monkeypatch.context() as patch:
        patch.setitem(METHODS, "random", dataclasses.replace(METHODS["random"], run=spoiled))
        run_id = runs.start(a_plan(1, "random", "centre"), views(1))
        run = wait_for(runs, run_id)
        assert (run.status, run.cells[CellKey(0, 0)].state, run.cells[CellKey(0, 0)].error) == (
            "done",
            "failed",
            "Not today.",
        )
    runs.resume(run_id)
    run = wait_for(runs, run_id)
    assert (run.cells[CellKey(0, 0)].state, run.cells[CellKey(0, 0)].error) == ("done", "")


class Pool(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.mean(dim=(2, 3))


@pytest.mark.slow
def test_the_speed_used_is_written_down_and_used_again_and_the_model_is_left_as_it_was(tmp_path: Path) -> None:
    usual, planned = Execution("float32", True, 7, 1, "fastest"), Execution("float32", False, 5)
    classifier = TorchClassifier("pool", Pool(), ["r", "g", "b"], input_size=SIZE, execution=usual)
    used: list[Execution] = []
    answer = classifier.answer

    def watched(images: Tensor) -> Tensor:
        used.append(classifier.execution)
        return answer(images)

    classifier.answer = watched  # type: ignore[method-assign]  # watches which way the model is asked
    runs = Runs(Store(tmp_path), lambda _model, _device: classifier)
    first = runs.start(a_plan(1, "random"), views(1))
    assert wait_for(runs, first).plan.execution == usual
    second = runs.start(dataclasses.replace(a_plan(1, "random"), execution=planned), views(1))
    assert wait_for(runs, second).plan.execution == planned
    assert set(used) == {usual, planned}
    deadline = time.monotonic() + PATIENCE
    while classifier.execution != usual:
        assert time.monotonic() < deadline
    used.clear()
    runs.measure(second, [ANOTHER])
    wait_for(runs, second)
    assert set(used) == {planned}
    runs.close()


@pytest.mark.slow
def test_many_watchers_see_consistent_snapshots(runs: Runs) -> None:
    run_id = runs.start(a_plan(2, "random", "rise", "centre"), views(2))
    errors: list[str] = []

    def watch() -> None:
        last = runs.snapshot(run_id)
        while last.active:
            time.sleep(0.001)
            run = runs.snapshot(run_id)
            if run.version < last.version:
                errors.append("went back in time")
            for cell, shown in run.cells.items():
                if shown.state == "done" and (shown.explanation is None or len(shown.measurements) != 4):
                    errors.append(f"{cell} is done without its parts")
                if last.cells[cell].explanation is not None and shown.explanation is None:
                    errors.append(f"{cell} lost its map")
            last = run

    watchers = [threading.Thread(target=watch) for _ in range(4)]
    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        watcher.join(PATIENCE)
    assert not errors
    assert wait_for(runs, run_id).status == "done"


@pytest.mark.slow
def test_random_numbers_of_others_do_not_disturb_a_run(runs: Runs) -> None:
    run_id = runs.start(a_plan(1, "rise"), views(1))
    while runs.snapshot(run_id).active:
        torch.rand(3)
        np.random.default_rng().random(3)
    one = runs.snapshot(run_id).cells[CellKey(0, 0)].explanation
    other = wait_for(runs, runs.start(a_plan(1, "rise"), views(1))).cells[CellKey(0, 0)].explanation
    assert one is not None
    assert other is not None
    assert one.saliency.tobytes() == other.saliency.tobytes()
