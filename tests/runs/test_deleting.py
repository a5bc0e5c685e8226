"""A deleted run is hidden at once, comes back as it was, and is gone for good later, whatever is killed between."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from decam.errors import NoSuchRunError, StoreError
from decam.experiments.cells import CellKey
from decam.experiments.plan import MethodChoice, Plan
from decam.experiments.status import Status
from decam.runs.service import Runs
from decam.runs.store import Store, files
from decam.runs.sweeping import Sweeper
from tests.runs.colours import ANOTHER, PATIENCE, ROOT, Gate, a_check, a_plan, colours, layered, running, wait_for
from tests.tools.colours import views


@pytest.fixture
def short(tmp_path: Path) -> Iterator[Runs]:
    """Runs that are gone for good a moment after they are deleted."""
    made = Runs(Store(tmp_path / "data"), colours, undo_seconds=0.05)
    yield made
    made.close()


def contents(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file of a folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("plan", [a_plan(2, "random", "centre"), a_check("edges")], ids=["comparison", "check"])
def test_a_restored_run_is_what_it_was_bit_for_bit(plan: Plan, tmp_path: Path) -> None:
    runs = Runs(Store(tmp_path), colours if plan.kind == "comparison" else layered)
    run = runs.start(plan, views(len(plan.pictures)), "ann")
    before = wait_for(runs, run)
    until(lambda: not runs._memory.holds(run))
    kept, listed = contents(tmp_path / "runs"), runs.recent("ann")
    runs.delete(run)
    assert runs.recent() == runs.recent(kind=plan.kind) == []
    for ask in (runs.snapshot, runs.stop, runs.resume, runs.delete, lambda one: runs.describe(one, "a", "b")):
        with pytest.raises(NoSuchRunError):
            ask(run)
    assert [one.id for one in runs.deleted("ann", kind=plan.kind)] == [run]
    assert runs.deleted("bob") == []
    runs.restore(run)
    assert runs.deleted() == []
    assert runs.recent("ann") == listed
    assert contents(tmp_path / "runs") == kept
    after = runs.snapshot(run)
    assert (after.status, after.note, after.plan) == (before.status, before.note, before.plan)
    for key, cell in after.cells.items():
        assert cell.explanation is not None and before.cells[key].explanation is not None
        assert cell.explanation.saliency.tobytes() == before.cells[key].explanation.saliency.tobytes()
    runs.close()


@pytest.mark.slow
def test_a_run_that_is_deleted_while_it_is_computed_comes_back_stopped_and_goes_on(runs: Runs, gate: Gate) -> None:
    run = runs.start(a_plan(1, "random", "occlusion"), views(1))
    first = wait_for(runs, run, running(CellKey(0, 1))).cells[CellKey(0, 0)].explanation
    runs.delete(run)
    assert runs.recent() == []
    gate.steps.release()
    until(lambda: not runs._memory.holds(run))
    assert runs.recent() == []
    runs.restore(run)
    stopped = runs.snapshot(run)
    assert (stopped.status, stopped.cells[CellKey(0, 1)].state) == ("stopped", "stopped")
    runs.resume(run)
    gate.open()
    done = wait_for(runs, run)
    assert done.status == "done"
    again = done.cells[CellKey(0, 0)].explanation
    assert first is not None and again is not None
    np.testing.assert_array_equal(again.saliency, first.saliency)


@pytest.mark.slow
def test_undo_before_a_run_has_stopped_shows_it_at_once(runs: Runs, gate: Gate) -> None:
    run = runs.start(a_plan(1, "occlusion"), views(1))
    wait_for(runs, run, running(CellKey(0, 0)))
    runs.delete(run)
    runs.restore(run)
    assert [one.id for one in runs.recent()] == [run]
    gate.open()
    assert wait_for(runs, run).status == "stopped"


@pytest.mark.slow
@pytest.mark.parametrize("plan", [a_plan(1, "occlusion"), a_plan(1, "random")], ids=["computed", "finished"])
def test_after_a_while_it_is_gone_with_its_files(plan: Plan, short: Runs, gate: Gate, tmp_path: Path) -> None:
    run = short.start(plan, views(1))
    wait_for(short, run, lambda one: not one.active or running(CellKey(0, 0))(one))
    short.delete(run)
    gate.open()
    until(lambda: not any((tmp_path / "data" / "runs").iterdir()))
    until(lambda: not short._memory.holds(run))
    with pytest.raises(NoSuchRunError):
        short.restore(run)
    assert short.recent() == short.deleted() == []


@pytest.mark.slow
def test_a_run_that_was_restored_stays_after_that_while(runs: Runs, tmp_path: Path) -> None:
    run = runs.start(a_plan(1, "random"), views(1))
    wait_for(runs, run)
    runs.delete(run)
    runs.restore(run)
    runs.close()
    later = Store(tmp_path / "data")
    assert later.remove_deleted(time.time() + 1000) is None
    assert [one.id for one in later.recent()] == [run]
    later.close()


@pytest.mark.slow
@pytest.mark.parametrize("slow", ["mark_deleted", "save_status"])
def test_a_run_deleted_while_it_ends_is_hidden_and_stays_hidden(
    slow: str, runs: Runs, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, through = threading.Event(), threading.Event()
    usual = getattr(Store, slow)

    def slowly(*arguments: object) -> None:
        reached.set()
        assert through.wait(PATIENCE)
        usual(*arguments)

    run = runs.start(a_plan(1, "occlusion"), views(1))
    wait_for(runs, run, running(CellKey(0, 0)))
    monkeypatch.setattr(Store, slow, slowly)
    if slow == "mark_deleted":
        deleting = threading.Thread(target=runs.delete, args=(run,))
        deleting.start()
        assert reached.wait(PATIENCE)
        gate.open()
        through.set()
        deleting.join()
    else:
        gate.open()
        assert reached.wait(PATIENCE)
        runs.delete(run)
        through.set()
    for _ in range(2):
        assert runs.recent() == []
        with pytest.raises(NoSuchRunError):
            runs.snapshot(run)
        until(lambda: not runs._memory.holds(run))


@pytest.mark.slow
def test_a_run_that_goes_on_by_itself_does_not_go_on_once_it_is_deleted(
    runs: Runs, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its job has ended and the next one, for what was added meanwhile, is not in the queue yet."""
    threads: list[threading.Thread] = []
    usual = Store.save_status

    def deleting(store: Store, run_id: str, status: Status, note: str = "") -> None:
        if status is Status.QUEUED and not threads:
            threads.append(threading.Thread(target=runs.delete, args=(run_id,)))
            threads[0].start()
            threads[0].join(0.5)  # done by then, if nothing keeps it waiting
        usual(store, run_id, status, note)

    run = runs.start(a_plan(1, "occlusion"), views(1))
    wait_for(runs, run, running(CellKey(0, 0)))
    runs.explain(run, [MethodChoice.default("occlusion", fill="black")])
    monkeypatch.setattr(Store, "save_status", deleting)
    gate.steps.release(6)  # to the end of the first map
    until(lambda: threads and not threads[0].is_alive())
    gate.open()
    until(lambda: not runs._memory.holds(run))
    runs.restore(run)
    assert runs.snapshot(run).status == "stopped"


@pytest.mark.slow
def test_a_deleted_run_that_the_disk_refused_is_continued_by_nobody(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("The folder is read-only.")

    monkeypatch.setattr(Store, "add", refuse)
    run = runs.start(a_plan(1, "random"), views(1))
    wait_for(runs, run)
    runs.delete(run)
    with pytest.raises(NoSuchRunError):
        runs.resume(run)
    assert not runs._memory._lives[run].active
    runs.restore(run)
    assert runs.snapshot(run).status == "done"


@pytest.mark.slow
def test_where_the_disk_refuses_nothing_is_deleted_and_the_run_goes_on(
    runs: Runs, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("The folder is read-only.")

    monkeypatch.setattr(Store, "mark_deleted", refuse)
    run = runs.start(a_plan(1, "occlusion"), views(1))
    wait_for(runs, run, running(CellKey(0, 0)))
    with pytest.raises(StoreError, match="read-only"):
        runs.delete(run)
    gate.open()
    assert wait_for(runs, run).status == "done"


@pytest.mark.slow
@pytest.mark.parametrize("where", ["before the files", "between files and row"])
def test_who_is_killed_while_a_run_is_removed_leaves_it_hidden_and_the_next_one_removes_it(
    where: str, runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, other = (runs.start(a_plan(1, "random"), views(1)) for _ in range(2))
    wait_for(runs, run)
    wait_for(runs, other)
    runs.delete(run)
    usual = files.remove_folder

    def killed(path: Path) -> None:
        if where != "before the files":
            usual(path)
        raise KeyboardInterrupt

    store = Store(tmp_path / "data")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(files, "remove_folder", killed)
        store.remove_deleted(time.time() + 1)
    for ask in (store.load, store.version, store.restore, store.claim):
        with pytest.raises(NoSuchRunError):
            ask(run)
    assert store.deleted() == []
    store.remove_deleted(time.time() - 1000)
    assert [folder.name for folder in (tmp_path / "data" / "runs").iterdir()] == [other]
    with pytest.raises(NoSuchRunError):
        store.owner(run)
    store.close()


PROGRAM = """
import sys, time
from pathlib import Path
from decam.runs.service import Runs
from decam.runs.store import Store
from tests.runs.colours import a_plan, colours, wait_for
from tests.tools.colours import views

runs = Runs(Store(Path(sys.argv[1])), colours)
links = [runs.start(a_plan(1, "random", "centre"), views(1), "ann") for _ in range(3)]
for link in links:
    wait_for(runs, link)
runs.delete(links[0])
runs.delete(links[1])
runs.restore(links[1])
print(*links, flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_a_kill_neither_loses_what_was_undone_nor_brings_back_what_was_deleted(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    deleted, undone, other = process.stdout.readline().split()
    process.kill()
    process.communicate(timeout=PATIENCE)
    after = Runs(Store(tmp_path), colours)
    assert [one.id for one in after.recent()] == [other, undone]
    assert [one.id for one in after.deleted()] == [deleted], "it was deleted a moment ago"
    assert all(cell.explanation is not None for cell in after.snapshot(undone).cells.values())
    after.close()
    later = Runs(Store(tmp_path), colours, undo_seconds=0.0)
    assert [one.id for one in later.recent()] == [other, undone]
    assert later.deleted() == []
    assert {folder.name for folder in (tmp_path / "runs").iterdir()} == {other, undone}
    later.close()


@pytest.mark.slow
def test_no_map_of_a_deleted_run_is_taken_for_another(runs: Runs) -> None:
    run = wait_for(runs, runs.start(a_plan(1, "rise"), views(1)))
    runs.delete(run.id)
    again = wait_for(runs, runs.start(a_plan(1, "rise"), views(1)))
    assert not again.cells[CellKey(0, 0)].reused
    runs.delete(again.id)
    runs.restore(run.id)
    third = wait_for(runs, runs.start(a_plan(1, "rise"), views(1)))
    assert third.cells[CellKey(0, 0)].reused


@pytest.mark.slow
def test_the_link_of_a_deleted_shared_run_can_be_used_again(runs: Runs) -> None:
    runs.shared_run("check-1", a_plan(1, "random"), views(1))
    wait_for(runs, "check-1")
    until(lambda: not runs._memory.holds("check-1"))
    runs.delete("check-1")
    assert runs.deleted() == []
    runs.shared_run("check-1", a_plan(2, "centre"), views(2))
    made = wait_for(runs, "check-1")
    assert made.status == "done" and len(made.cells) == 2 and not made.note


@pytest.mark.slow
def test_what_is_added_to_a_run_while_it_is_deleted_is_kept_for_its_return(runs: Runs, gate: Gate) -> None:
    run = runs.start(a_plan(1, "random", "occlusion"), views(1))
    wait_for(runs, run, running(CellKey(0, 1)))
    runs.measure(run, [ANOTHER])
    runs.delete(run)
    gate.open()
    until(lambda: not runs._memory.holds(run))
    runs.restore(run)
    assert ANOTHER in runs.snapshot(run).plan.metrics


def test_a_sweeper_looks_again_for_what_was_deleted_while_it_swept() -> None:
    swept, busy, through = [], threading.Event(), threading.Event()

    def remove(before: float) -> float | None:
        swept.append(before)
        if len(swept) == 1:
            busy.set()
            assert through.wait(PATIENCE)
        return None

    sweeper = Sweeper(remove, 0.01)
    sweeper.expect()
    assert busy.wait(PATIENCE)
    sweeper.expect()
    through.set()
    until(lambda: len(swept) == 2)
    sweeper.close()
    sweeper.expect()
    assert sweeper._timer is None or not sweeper._timer.is_alive()


def test_a_sweeper_asks_a_disk_that_refused_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def remove(before: float) -> float | None:
        asked.append(before)
        if len(asked) == 1:
            raise StoreError("The folder is read-only.")
        return None

    monkeypatch.setattr("decam.runs.sweeping._AGAIN_SECONDS", 0.01)
    sweeper = Sweeper(remove, 1000.0)
    sweeper.begin()
    sweeper.begin()
    until(lambda: len(asked) == 2)
    sweeper.close()
