"""Runs are computed once, watched by many, kept before they are shown, and survive what may happen to them."""

from __future__ import annotations

import dataclasses
import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from decam.api import explain_view, last
from decam.classifier import Classifier, Speed, TorchClassifier, wrap
from decam.errors import ModelError, SettingError, StoreError
from decam.events import Cell
from decam.explanation import Progress
from decam.jobs import Queue
from decam.methods import METHODS
from decam.plan import MethodChoice, PictureChoice, Plan, fingerprint
from decam.runs import Runs, RunSnapshot
from decam.snapshots import Status
from decam.store import Store

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60.0
SIZE = (24, 24)


def brightness(images: Tensor) -> Tensor:
    light = images.mean(dim=(2, 3)) + 1e-3
    return light / light.sum(dim=1, keepdim=True)


def colours(_model: str = "colours", _device: str = "cpu") -> Classifier:
    return wrap(brightness, labels=["red", "green", "blue"], input_size=SIZE)


def views(count: int) -> list[np.ndarray]:
    drawn = np.random.default_rng(1).integers(0, 100, (count, *SIZE, 3), dtype=np.uint8)
    for number, view in enumerate(drawn):
        view[:, :, number % 3] += 120
    return list(drawn)


def a_plan(count: int, *methods: str) -> Plan:
    chosen = tuple(MethodChoice.default(name) for name in methods)
    return Plan("colours", "cpu", tuple(PictureChoice(f"{n}.png") for n in range(count)), chosen, steps=4)


def wait_for(
    runs: Runs, run_id: str, condition: Callable[[RunSnapshot], bool] = lambda run: not run.active
) -> RunSnapshot:
    deadline = time.monotonic() + PATIENCE
    while not condition(run := runs.snapshot(run_id)):
        assert time.monotonic() < deadline, f"waited too long: {run}"
        time.sleep(0.005)
    return run


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    made = Runs(Store(tmp_path / "data"), colours)
    yield made
    made.close()


class Gate:
    """A method that pauses after every event until it is let through; endless until then."""

    def __init__(self) -> None:
        self.steps = threading.Semaphore(0)
        self.closed = 0

    def run(self, *_: object) -> Iterator[Progress]:
        try:
            for number in range(6):
                yield Progress(number, 6, number, saliency=np.full((4, 4), number, np.float32))
                assert self.steps.acquire(timeout=PATIENCE)
        finally:
            self.closed += 1
        return np.random.default_rng(3).random(SIZE, dtype=np.float32)

    def open(self) -> None:
        self.steps.release(10_000)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Makes "occlusion" a method that waits; cells before it are finished when it shows its first event."""
    made = Gate()
    monkeypatch.setitem(METHODS, "occlusion", dataclasses.replace(METHODS["occlusion"], run=made.run))
    yield made
    made.open()


def running(cell: Cell) -> Callable[[RunSnapshot], bool]:
    return lambda run: run.cells[cell].state == "running"


def test_a_run_ends_with_every_map_and_curve_of_the_plan(runs: Runs) -> None:
    plan, pictures = a_plan(2, "random", "rise"), views(2)
    run = wait_for(runs, runs.start(plan, pictures, "ann"))
    assert (run.status, run.note, run.ahead, run.labels) == ("done", "", 0, ("red", "green", "blue"))
    assert [guesses[0][0] for guesses in run.predictions if guesses] == [0, 1]
    assert {cell: shown.state for cell, shown in run.cells.items()} == {
        Cell(picture, method): "done" for picture in range(2) for method in range(2)
    }
    for cell, shown in run.cells.items():
        choice = plan.methods[cell.method]
        alone = last(explain_view(colours(), pictures[cell.picture], choice.name, choice.settings, None, 0))
        assert shown.explanation is not None
        np.testing.assert_array_equal(shown.explanation.saliency, alone.saliency)
        assert [curves.fills for curves in shown.curves] == list(plan.fills)
    assert run.plan.speed == Speed()
    assert [choice.sha256 for choice in run.plan.pictures] == [fingerprint(view) for view in pictures]


def test_links_cannot_be_guessed(runs: Runs) -> None:
    links = {runs.start(a_plan(1, "random"), views(1)) for _ in range(5)}
    assert len(links) == 5
    assert min(map(len, links)) >= 20


def test_views_that_do_not_fit_the_plan_are_refused(runs: Runs) -> None:
    with pytest.raises(SettingError, match="2 pictures, but 1 views"):
        runs.start(a_plan(2, "random"), views(1))
    other = dataclasses.replace(a_plan(1, "random"), pictures=(PictureChoice("a.png", sha256="00"),))
    with pytest.raises(SettingError, match=r"'a.png' is not the picture"):
        runs.start(other, views(1))


def test_a_run_shows_its_progress_while_it_runs(runs: Runs, gate: Gate) -> None:
    run_id = runs.start(a_plan(1, "random", "occlusion"), views(1))
    first = wait_for(runs, run_id, running(Cell(0, 1)))
    assert first.status == "running"
    assert first.cells[Cell(0, 0)].explanation is not None
    assert runs.snapshot(run_id) is runs.snapshot(run_id)
    gate.steps.release(2)
    second = wait_for(runs, run_id, lambda run: run.cells[Cell(0, 1)].step == 2)
    assert second.version > first.version
    assert second.cells[Cell(0, 1)].total == 6
    assert len(second.cells[Cell(0, 1)].frames) == 3
    saliency = second.cells[Cell(0, 1)].saliency
    assert saliency is not None
    assert (saliency == 2).all()
    gate.open()
    assert wait_for(runs, run_id).status == "done"


def test_stop_keeps_what_is_finished_and_resume_makes_the_rest(runs: Runs, gate: Gate) -> None:
    run_id = runs.start(a_plan(2, "random", "occlusion"), views(2))
    before = wait_for(runs, run_id, running(Cell(0, 1)))
    runs.stop(run_id)
    gate.steps.release(1)
    stopped = wait_for(runs, run_id)
    assert stopped.status == "stopped"
    assert gate.closed == 1
    assert [stopped.cells[Cell(p, m)].state for p in range(2) for m in range(2)] == ["stopped"] * 4
    for picture in range(2):
        assert stopped.cells[Cell(picture, 0)].explanation is before.cells[Cell(picture, 0)].explanation
    runs.resume(run_id)
    again = wait_for(runs, run_id, lambda run: run.status == "running")
    assert again.labels == before.labels == ("red", "green", "blue")
    gate.open()
    done = wait_for(runs, run_id)
    assert done.status == "done"
    assert all(shown.state == "done" for shown in done.cells.values())
    assert done.cells[Cell(0, 0)].explanation is before.cells[Cell(0, 0)].explanation
    runs.resume(run_id)
    assert wait_for(runs, run_id).status == "done"


def test_waiting_runs_say_how_many_are_ahead_and_can_be_stopped(runs: Runs, gate: Gate) -> None:
    first = runs.start(a_plan(1, "occlusion"), views(1), "ann")
    wait_for(runs, first, running(Cell(0, 0)))
    later = runs.start(a_plan(1, "random"), views(1), "ann")
    other = runs.start(a_plan(1, "random"), views(1), "bob")
    assert [runs.snapshot(run).ahead for run in (first, other, later)] == [0, 1, 2]
    assert runs.snapshot(later).status == "queued"
    runs.stop(other)
    assert runs.snapshot(other).status == "stopped"
    assert runs.snapshot(later).ahead == 1
    gate.open()
    assert wait_for(runs, later).status == "done"


def test_a_pair_of_fills_can_be_added_and_only_its_curves_are_computed(runs: Runs, tmp_path: Path) -> None:
    run_id = runs.start(a_plan(1, "random", "rise"), views(1))
    before = wait_for(runs, run_id)
    runs.measure(run_id, [("black", "noise")])
    after = wait_for(runs, run_id)
    for cell, shown in after.cells.items():
        assert shown.state == "done"
        assert [curves.fills for curves in shown.curves] == [*before.plan.fills, ("black", "noise")]
        assert shown.explanation is before.cells[cell].explanation
        assert shown.curves[0] is before.cells[cell].curves[0]
    runs.measure(run_id, [("black", "noise")])
    assert wait_for(runs, run_id).plan.fills == after.plan.fills
    with pytest.raises(SettingError, match="green"):
        runs.measure(run_id, [("green", "noise")])
    again = Store(tmp_path / "data")
    assert len(again.load(run_id).cells[Cell(0, 0)].curves) == 3
    again.close()


@pytest.mark.slow
def test_a_run_that_is_continued_just_as_it_ends_is_not_forgotten(tmp_path: Path) -> None:
    """The job leaves an ended run to the disk while a visitor adds a pair of fills to it."""
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
    runs.measure(run_id, [("black", "noise")])
    runs.stop(run_id)  # another process's run could not be stopped
    wait_for(runs, run_id)
    runs.close()


def test_a_pair_added_while_a_run_runs_is_measured_too(runs: Runs, gate: Gate) -> None:
    run_id = runs.start(a_plan(1, "random", "occlusion"), views(1))
    wait_for(runs, run_id, running(Cell(0, 1)))
    runs.measure(run_id, [("black", "noise")])
    gate.open()
    run = wait_for(runs, run_id)
    assert run.status == "done"
    assert all(len(shown.curves) == 3 and shown.state == "done" for shown in run.cells.values())


def test_a_pair_added_to_a_stopped_run_makes_no_map(runs: Runs, gate: Gate) -> None:
    run_id = runs.start(a_plan(1, "random", "occlusion"), views(1))
    wait_for(runs, run_id, running(Cell(0, 1)))
    runs.stop(run_id)
    gate.open()
    wait_for(runs, run_id)
    runs.measure(run_id, [("black", "noise")])
    run = wait_for(runs, run_id)
    assert run.status == "stopped"
    assert (run.cells[Cell(0, 0)].state, len(run.cells[Cell(0, 0)].curves)) == ("done", 3)
    assert (run.cells[Cell(0, 1)].state, run.cells[Cell(0, 1)].explanation) == ("stopped", None)


def test_a_finished_run_is_the_same_after_a_restart(tmp_path: Path) -> None:
    first = Runs(Store(tmp_path), colours)
    run_id = first.start(a_plan(2, "de-cam", "random"), views(2), "ann")
    before = wait_for(first, run_id)
    first.close()
    second = Runs(Store(tmp_path), colours)
    after = second.snapshot(run_id)
    assert second.snapshot(run_id) is after
    second.close()
    plain = {"cells": {}, "views": (), "version": 0}
    assert dataclasses.replace(after, **plain) == dataclasses.replace(before, **plain)
    for cell, shown in after.cells.items():
        known = before.cells[cell]
        assert (shown.state, shown.evaluations, len(shown.frames)) == (
            known.state,
            known.evaluations,
            len(known.frames),
        )
        assert shown.explanation is not None
        assert known.explanation is not None
        assert shown.explanation.saliency.tobytes() == known.explanation.saliency.tobytes()
        for one, other in zip(shown.frames, known.frames, strict=True):
            assert dict(one.curves) == dict(other.curves)
            np.testing.assert_array_equal(one.saliency, other.saliency)
        assert [curves.deletion.auc for curves in shown.curves] == [curves.deletion.auc for curves in known.curves]
    assert any(frame.curves for frame in after.cells[Cell(0, 0)].frames)


PROGRAM = """
import dataclasses, sys, time
from pathlib import Path
import numpy as np
from decam.classifier import wrap
from decam.explanation import Progress
from decam.methods import METHODS
from decam.plan import MethodChoice, PictureChoice, Plan
from decam.runs import Runs
from decam.store import Store

def slow(*_):
    while True:
        time.sleep(0.01)
        yield Progress(0, 1, 0)

METHODS["occlusion"] = dataclasses.replace(METHODS["occlusion"], run=slow)
def brightness(images):
    light = images.mean(dim=(2, 3)) + 1e-3
    return light / light.sum(dim=1, keepdim=True)
classifier = wrap(brightness, labels=["red", "green", "blue"], input_size=(24, 24))
runs = Runs(Store(Path(sys.argv[1])), lambda model, device: classifier)
plan = Plan("colours", "cpu", (PictureChoice("a.png"),),
            tuple(MethodChoice.default(name) for name in ("random", "occlusion")), steps=4)
run = runs.start(plan, [np.full((24, 24, 3), 90, np.uint8)], "ann")
while not any(cell.state == "running" for cell in runs.snapshot(run).cells.values()):
    time.sleep(0.01)
print(run, flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_a_run_of_a_killed_process_is_interrupted_and_can_be_continued_elsewhere(runs: Runs, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "data")], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        run_id = process.stdout.readline().strip()
        there = runs.snapshot(run_id)
        assert there.status == "running"
        assert there.cells[Cell(0, 0)].explanation is not None
        for act in (runs.stop, runs.resume, runs.delete, lambda run: runs.measure(run, [("black", "noise")])):
            with pytest.raises(StoreError, match="another process"):
                act(run_id)
        process.kill()
        process.wait(PATIENCE)
    left = runs.snapshot(run_id)
    assert (left.status, runs.recent()[0].status) == ("interrupted", "interrupted")
    assert left.cells[Cell(0, 0)].explanation is not None
    assert left.cells[Cell(0, 1)].state == "stopped"
    runs.resume(run_id)
    done = wait_for(runs, run_id)
    assert done.status == "done"
    assert done.owner == "ann"
    assert all(shown.state == "done" for shown in done.cells.values())
    kept, earlier = done.cells[Cell(0, 0)].explanation, left.cells[Cell(0, 0)].explanation
    assert kept is not None
    assert earlier is not None
    assert kept.seconds == earlier.seconds
    np.testing.assert_array_equal(kept.saliency, earlier.saliency)


@pytest.mark.slow
def test_what_a_snapshot_shows_as_finished_is_on_disk(runs: Runs, tmp_path: Path) -> None:
    run_id = runs.start(a_plan(3, "random", "rise", "centre"), views(3))
    other = Store(tmp_path / "data")
    while True:
        run = runs.snapshot(run_id)
        kept = other.load(run_id)
        for cell, shown in run.cells.items():
            if shown.explanation is not None:
                explanation = kept.cells[cell].explanation
                assert explanation is not None
                np.testing.assert_array_equal(explanation.saliency, shown.explanation.saliency)
            assert len(kept.cells[cell].curves) >= len(shown.curves)
        if not run.active:
            assert kept.status == run.status
            break
    other.close()


def test_a_disk_that_fills_up_costs_nothing_but_the_keeping(
    runs: Runs, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = runs.start(a_plan(1, "random", "occlusion"), views(1))
    wait_for(runs, run_id, running(Cell(0, 1)))

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    gate.open()
    run = wait_for(runs, run_id)
    assert run.status == "done"
    assert all(shown.state == "done" for shown in run.cells.values())
    assert "not being kept on disk" in run.note
    assert "no space left" in run.note
    assert "no space left" in runs.trouble
    monkeypatch.undo()
    assert runs.recent()[0].status == "done"
    assert runs.snapshot(run_id).cells[Cell(0, 1)].explanation is not None
    runs.measure(run_id, [("black", "noise")])
    assert len(wait_for(runs, run_id).cells[Cell(0, 1)].curves) == 3


def test_without_a_usable_directory_runs_live_in_memory_and_say_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    runs = Runs(Store(tmp_path / "file" / "data"), colours)
    run_id = runs.start(a_plan(1, "random"), views(1), "ann")
    run = wait_for(runs, run_id)
    assert run.status == "done"
    assert "not being kept on disk" in run.note
    assert "DECAM_DATA" in run.note
    assert [(summary.id, summary.status) for summary in runs.recent("ann")] == [(run_id, "done")]
    assert runs.recent("bob") == []
    assert runs.trouble
    runs.delete(run_id)
    assert runs.recent() == []
    with pytest.raises(StoreError, match="Cannot write"):
        runs.snapshot(run_id)
    runs.close()


def test_a_damaged_database_is_said_and_runs_go_on(tmp_path: Path) -> None:
    (tmp_path / "runs.sqlite").write_text("not a database at all, sorry " * 50)
    runs = Runs(Store(tmp_path), colours)
    run = wait_for(runs, runs.start(a_plan(1, "random"), views(1)))
    assert run.status == "done"
    assert "is damaged" in run.note
    assert len(runs.recent()) == 1
    assert "is damaged" in runs.trouble
    runs.close()


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
    assert run.cells[Cell(0, 0)].state == "failed"
    here = True
    runs.resume(run_id)
    run = wait_for(runs, run_id)
    assert (run.status, run.note) == ("done", "")
    runs.close()


def test_failed_cells_are_tried_again_on_resume(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoiled(*_: object) -> Iterator[Progress]:
        yield Progress(0, 1, 0)
        raise ModelError("Not today.")

    with monkeypatch.context() as patch:
        patch.setitem(METHODS, "random", dataclasses.replace(METHODS["random"], run=spoiled))
        run_id = runs.start(a_plan(1, "random", "centre"), views(1))
        run = wait_for(runs, run_id)
        assert (run.status, run.cells[Cell(0, 0)].state, run.cells[Cell(0, 0)].error) == (
            "done",
            "failed",
            "Not today.",
        )
    runs.resume(run_id)
    run = wait_for(runs, run_id)
    assert (run.cells[Cell(0, 0)].state, run.cells[Cell(0, 0)].error) == ("done", "")


class Pool(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.mean(dim=(2, 3))


def test_the_speed_used_is_written_down_and_used_again_and_the_model_is_left_as_it_was(tmp_path: Path) -> None:
    usual, planned = Speed("float32", True, 7, 1, "fastest"), Speed("float32", False, 5)
    classifier = TorchClassifier("pool", Pool(), ["r", "g", "b"], input_size=SIZE, speed=usual)
    used: list[Speed] = []
    answer = classifier.answer

    def watched(images: Tensor) -> Tensor:
        used.append(classifier.speed)
        return answer(images)

    classifier.answer = watched  # type: ignore[method-assign]  # watches which way the model is asked
    runs = Runs(Store(tmp_path), lambda _model, _device: classifier)
    first = runs.start(a_plan(1, "random"), views(1))
    assert wait_for(runs, first).plan.speed == usual
    second = runs.start(dataclasses.replace(a_plan(1, "random"), speed=planned), views(1))
    assert wait_for(runs, second).plan.speed == planned
    assert set(used) == {usual, planned}
    deadline = time.monotonic() + PATIENCE
    while classifier.speed != usual:
        assert time.monotonic() < deadline
    used.clear()
    runs.measure(second, [("black", "noise")])
    wait_for(runs, second)
    assert set(used) == {planned}
    runs.close()


def test_deleted_runs_are_gone_even_while_they_run(runs: Runs, gate: Gate, tmp_path: Path) -> None:
    finished = runs.start(a_plan(1, "random"), views(1))
    wait_for(runs, finished)
    active = runs.start(a_plan(1, "occlusion"), views(1))
    wait_for(runs, active, running(Cell(0, 0)))
    for run_id in (finished, active):
        runs.delete(run_id)
    gate.open()
    deadline = time.monotonic() + PATIENCE
    while runs.recent() or any((tmp_path / "data" / "runs").iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for run_id in (finished, active):
        with pytest.raises(StoreError, match="There is no run"):
            runs.snapshot(run_id)


@pytest.mark.parametrize("slow", ["delete", "save_status"])
def test_a_run_deleted_while_it_ends_is_gone_at_once_and_stays_gone(
    slow: str, runs: Runs, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, through = threading.Event(), threading.Event()
    usual = getattr(Store, slow)

    def slowly(*arguments: object) -> None:
        reached.set()
        assert through.wait(PATIENCE)
        usual(*arguments)

    run = runs.start(a_plan(1, "occlusion"), views(1))
    wait_for(runs, run, running(Cell(0, 0)))
    monkeypatch.setattr(Store, slow, slowly)
    if slow == "delete":
        runs.delete(run)
        gate.open()
        assert reached.wait(PATIENCE)
    else:
        gate.open()
        assert reached.wait(PATIENCE)
        runs.delete(run)
    assert runs.recent() == []
    with pytest.raises(StoreError, match="There is no run"):
        runs.snapshot(run)
    through.set()
    monkeypatch.undo()
    runs.close()
    assert runs.recent() == []


def test_a_deleted_run_whose_files_cannot_be_removed_is_listed_again(
    runs: Runs, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("The folder is read-only.")

    monkeypatch.setattr(Store, "delete", refuse)
    run = runs.start(a_plan(1, "occlusion"), views(1))
    wait_for(runs, run, running(Cell(0, 0)))
    runs.delete(run)
    gate.open()
    deadline = time.monotonic() + PATIENCE
    while not runs.recent():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert wait_for(runs, run).status == "stopped"


def test_a_house_run_is_made_once_listed_for_nobody_and_gone_on_with(runs: Runs, gate: Gate, tmp_path: Path) -> None:
    plan = a_plan(1, "occlusion")
    assert runs.house("field-1", plan, views(1)) == runs.house("field-1", plan, views(1)) == "field-1"
    assert runs.recent() == runs.recent("@house") == []
    gate.open()
    assert wait_for(runs, "field-1").status == "done"
    made = runs.snapshot("field-1").created
    runs.close()
    again = Runs(Store(tmp_path / "data"), colours)
    again.house("field-1", plan, views(1))
    assert again.snapshot("field-1").created == made
    assert again.recent() == []
    again.close()


def test_a_house_run_gives_way_to_a_visitors_and_keeps_the_maps_it_has(runs: Runs, gate: Gate) -> None:
    house = runs.house("field-2", a_plan(1, "random", "occlusion"), views(1))
    wait_for(runs, house, running(Cell(0, 1)))
    visitor = runs.start(a_plan(1, "random"), views(1), "ann")
    gate.steps.release()
    assert wait_for(runs, visitor).status == "done"
    first = wait_for(runs, house, running(Cell(0, 1))).cells[Cell(0, 0)].explanation
    assert gate.closed == 1
    gate.open()
    done = wait_for(runs, house)
    assert done.status == "done"
    assert done.cells[Cell(0, 0)].explanation is first


def test_owners_list_their_own_runs_and_links_open_any(runs: Runs) -> None:
    mine = runs.start(a_plan(1, "random"), views(1), "ann")
    theirs = runs.start(a_plan(1, "random"), views(1), "bob")
    wait_for(runs, theirs)
    wait_for(runs, mine)
    assert [run.id for run in runs.recent("ann")] == [mine]
    assert [run.id for run in runs.recent(None)] == [theirs, mine]
    assert [run.id for run in runs.recent(limit=1)] == [theirs]
    assert runs.snapshot(theirs).owner == "bob"
    assert runs.recent("ann")[0].pictures == ("0.png",)


@pytest.mark.parametrize("run_id", ["nothing", "", "../runs.sqlite"])
def test_a_link_that_leads_nowhere_is_a_sentence(runs: Runs, run_id: str) -> None:
    for ask in (runs.snapshot, runs.stop, runs.resume, runs.delete):
        with pytest.raises(StoreError, match="There is no run"):
            ask(run_id)
    with pytest.raises(StoreError, match="There is no run"):
        runs.measure(run_id, [("black", "noise")])


@pytest.mark.slow
def test_more_runs_than_are_remembered_are_all_still_there(runs: Runs) -> None:
    links = [runs.start(a_plan(1, "random"), views(1)) for _ in range(12)]
    for run_id in links:
        assert wait_for(runs, run_id).status == "done"
    for run_id in links:
        assert runs.snapshot(run_id).cells[Cell(0, 0)].explanation is not None


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
                if shown.state == "done" and (shown.explanation is None or len(shown.curves) != 2):
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
def test_two_queues_of_one_process_may_share_a_directory(tmp_path: Path) -> None:
    one, two = Runs(Store(tmp_path), colours, Queue()), Runs(Store(tmp_path), colours, Queue())
    links = [runs.start(a_plan(1, "random", "rise"), views(1)) for _ in range(3) for runs in (one, two)]
    for runs in (one, two):
        for run_id in links:
            assert wait_for(runs, run_id).status == "done"
        assert len(runs.recent()) == 6
    one.close()
    two.close()


def test_random_numbers_of_others_do_not_disturb_a_run(runs: Runs) -> None:
    run_id = runs.start(a_plan(1, "rise"), views(1))
    while runs.snapshot(run_id).active:
        torch.rand(3)
        np.random.default_rng().random(3)
    one = runs.snapshot(run_id).cells[Cell(0, 0)].explanation
    other = wait_for(runs, runs.start(a_plan(1, "rise"), views(1))).cells[Cell(0, 0)].explanation
    assert one is not None
    assert other is not None
    assert one.saliency.tobytes() == other.saliency.tobytes()
