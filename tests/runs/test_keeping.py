"""Runs are kept before they are shown, and survive what may happen to them."""

from __future__ import annotations

import dataclasses
import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from decam.errors import StoreError
from decam.experiments.cells import Cell, CellKey
from decam.runs.queue import Queue
from decam.runs.service import Runs, RunSnapshot
from decam.runs.store import Store
from tests.runs.colours import ANOTHER, PATIENCE, ROOT, Gate, a_plan, colours, running, wait_for
from tests.tools import postgresql
from tests.tools.colours import views


@pytest.mark.slow
def test_a_finished_run_is_the_same_after_a_restart(tmp_path: Path) -> None:
    first = Runs(Store(tmp_path), colours)
    run_id = first.start(a_plan(2, "de-cam", "random"), views(2), "ann")
    before = wait_for(first, run_id)
    first.close()
    second = Runs(Store(tmp_path), colours)
    after = second.snapshot(run_id)
    assert second.snapshot(run_id) is after
    second.close()
    assert plain(after) == plain(before)
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
        assert values(shown) == values(known)
    assert any(frame.curves for frame in after.cells[CellKey(0, 0)].frames)


def plain(run: RunSnapshot) -> RunSnapshot:
    """A run without what cannot be compared at once, or need not be the same."""
    return dataclasses.replace(run, grid=dataclasses.replace(run.grid, cells={}, views=()), version=0)


def values(cell: Cell) -> dict[str, float]:
    return {key: one.value for key, one in cell.measurements.items()}


PROGRAM = """
import dataclasses, sys, time
from pathlib import Path
from decam.explanation import Progress
from decam.methods import METHODS
from decam.runs.service import Runs
from decam.runs.store import Store
from tests.runs.colours import a_plan, colours
from tests.tools.colours import views

def slow(*_):
    while True:
        time.sleep(0.01)
        yield Progress(0, 1, 0)

METHODS["occlusion"] = dataclasses.replace(METHODS["occlusion"], run=slow)
runs = Runs(Store(Path(sys.argv[1])), colours)
run = runs.start(a_plan(1, "random", "occlusion"), views(1), "ann")
while not any(cell.state == "running" for cell in runs.snapshot(run).cells.values()):
    time.sleep(0.01)
print(run, flush=True)
time.sleep(600)
"""


class Server:
    """A process that computes a run whose second map never ends, and is killed in the end."""

    def __init__(self, directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(directory)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        self.run_id = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate(timeout=PATIENCE)


@pytest.mark.slow
def test_a_run_of_a_killed_process_is_interrupted_and_can_be_continued_elsewhere(runs: Runs, tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        run_id = server.run_id
        there = runs.snapshot(run_id)
        assert there.status == "running"
        assert there.cells[CellKey(0, 0)].explanation is not None
        for act in (runs.stop, runs.resume, runs.delete, lambda run: runs.measure(run, [ANOTHER])):
            with pytest.raises(StoreError, match="another process"):
                act(run_id)
        mine = runs.start(a_plan(1, "random"), views(1), "bob")
        assert wait_for(runs, mine).status == "done", "two servers work in one directory side by side"
        assert [run.id for run in runs.recent()] == [mine, run_id]
        draft = tmp_path / "data" / "runs" / run_id / ".map-00-01.npz.0a1b2c3d.part"
        draft.write_bytes(b"half a map, as a process leaves it that is killed while it writes")
    left = runs.snapshot(run_id)
    assert (left.status, runs.recent("ann")[0].status) == ("interrupted", "interrupted")
    assert left.cells[CellKey(0, 0)].explanation is not None
    assert left.cells[CellKey(0, 1)].state == "stopped"
    runs.resume(run_id)
    done = wait_for(runs, run_id)
    assert done.status == "done"
    assert done.owner == "ann"
    assert not draft.exists()
    assert all(shown.state == "done" for shown in done.cells.values())
    kept, earlier = done.cells[CellKey(0, 0)].explanation, left.cells[CellKey(0, 0)].explanation
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
            assert kept.cells[cell].measurements.keys() >= shown.measurements.keys()
        if not run.active:
            assert kept.status == run.status
            break
    other.close()


@pytest.mark.slow
def test_a_disk_that_fills_up_costs_nothing_but_the_keeping(
    runs: Runs, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = runs.start(a_plan(1, "random", "occlusion"), views(1))
    wait_for(runs, run_id, running(CellKey(0, 1)))

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
    assert runs.snapshot(run_id).cells[CellKey(0, 1)].explanation is not None
    runs.measure(run_id, [ANOTHER])
    assert len(wait_for(runs, run_id).cells[CellKey(0, 1)].measurements) == 5


FULL = """
import resource, sys, threading
from pathlib import Path
from decam.runs.service import Runs
from decam.runs.store import Store
from tests.runs.colours import a_plan, colours, wait_for
from tests.tools.colours import views

runs = Runs(Store(Path(sys.argv[1])), colours)
wait_for(runs, runs.start(a_plan(1, "random"), views(1)))
largest = max(path.stat().st_size for path in Path(sys.argv[1]).iterdir())
resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 60_000, resource.RLIM_INFINITY))
run_id = runs.start(a_plan(3, "random", "rise", "centre"), views(3), "ann")
run = wait_for(runs, run_id)
print(run_id, run.status, sum(cell.state == "done" for cell in run.cells.values()), "not being kept" in run.note)
runs.close()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_files_that_can_grow_no_further_end_the_keeping_and_what_was_kept_is_whole(tmp_path: Path) -> None:
    """The system refuses to let any file grow, which the database's log would in the middle of the run."""
    answer = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout.split()
    run_id, *rest = answer
    assert rest == ["done", "9", "True"]
    store = Store(tmp_path)
    kept = store.load(run_id)
    assert kept.status == "interrupted"
    assert not any(cell.state == "failed" for cell in kept.cells.values()), "no map is damaged"
    assert any(cell.explanation is None for cell in kept.cells.values())
    store.close()
    runs = Runs(Store(tmp_path), colours)
    runs.resume(run_id)
    assert wait_for(runs, run_id).status == "done"
    runs.close()


@pytest.mark.slow
@pytest.mark.usefixtures("postgresql")
def test_a_database_server_that_goes_away_costs_nothing_but_the_keeping(tmp_path: Path, gate: Gate) -> None:
    programs = postgresql.find()
    assert programs is not None
    server = postgresql.PostgreSQL(programs).start()
    runs = Runs(Store(tmp_path, server.make_database()), colours)
    try:
        run_id = runs.start(a_plan(1, "random", "occlusion"), views(1))
        wait_for(runs, run_id, running(CellKey(0, 1)))
    finally:
        server.stop()
    gate.open()
    run = wait_for(runs, run_id)
    assert run.status == "done"
    assert "not being kept on disk" in run.note
    assert "cannot be reached" in run.note
    assert [summary.id for summary in runs.recent()] == [run_id]
    assert "cannot be reached" in runs.trouble
    runs.close()


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
    with pytest.raises(StoreError, match="There is no run"):
        runs.snapshot(run_id)
    runs.restore(run_id)
    assert runs.snapshot(run_id).cells == run.cells, "it is in memory, as before"
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
