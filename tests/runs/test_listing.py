"""Who sees which run: links, owners, and the shared runs that a page makes for everybody."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from decam.errors import StoreError
from decam.experiments.cells import CellKey
from decam.experiments.grid import Grid
from decam.experiments.status import Status
from decam.runs.service import Runs
from decam.runs.snapshots import SYSTEM_OWNER, RunSnapshot
from decam.runs.store import Store
from tests.runs.colours import ANOTHER, Gate, a_plan, colours, running, wait_for
from tests.tools.colours import views


def test_links_cannot_be_guessed(runs: Runs) -> None:
    links = {runs.start(a_plan(1, "random"), views(1)) for _ in range(5)}
    assert len(links) == 5
    assert min(map(len, links)) >= 20


def test_a_shared_run_is_made_once_listed_for_nobody_and_gone_on_with(runs: Runs, gate: Gate, tmp_path: Path) -> None:
    plan = a_plan(1, "occlusion")
    assert runs.shared_run("field-1", plan, views(1)) == runs.shared_run("field-1", plan, views(1)) == "field-1"
    assert runs.recent() == runs.recent(SYSTEM_OWNER) == []
    gate.open()
    assert wait_for(runs, "field-1").status == "done"
    made = runs.snapshot("field-1").created
    runs.close()
    again = Runs(Store(tmp_path / "data"), colours)
    again.shared_run("field-1", plan, views(1))
    assert again.snapshot("field-1").created == made
    assert again.recent() == []
    again.close()


def test_a_shared_run_of_an_earlier_version_is_listed_for_nobody_and_still_gives_way(
    runs: Runs, gate: Gate, tmp_path: Path
) -> None:
    plan, drawn = a_plan(1, "random", "occlusion"), views(1)
    store = Store(tmp_path / "data")
    store.add(RunSnapshot("field-0", datetime.now(UTC), Status.INTERRUPTED, Grid.empty(plan, drawn), owner="@house"))
    store.close()
    assert runs.snapshot("field-0").owner == SYSTEM_OWNER
    assert runs.recent() == runs.recent("@house") == runs.recent(SYSTEM_OWNER) == []
    assert runs.shared_run("field-0", plan, drawn) == "field-0"
    wait_for(runs, "field-0", running(CellKey(0, 1)))
    assert runs.recent() == runs.recent("@house") == []
    visitor = runs.start(a_plan(1, "random"), views(1), "ann")
    gate.steps.release()
    assert wait_for(runs, visitor).status == "done"
    gate.open()
    assert wait_for(runs, "field-0").status == "done"
    assert [summary.id for summary in runs.recent()] == [visitor]


def test_a_shared_run_gives_way_to_a_visitors_and_keeps_the_maps_it_has(runs: Runs, gate: Gate) -> None:
    shared = runs.shared_run("field-2", a_plan(1, "random", "occlusion"), views(1))
    wait_for(runs, shared, running(CellKey(0, 1)))
    visitor = runs.start(a_plan(1, "random"), views(1), "ann")
    gate.steps.release()
    assert wait_for(runs, visitor).status == "done"
    first = wait_for(runs, shared, running(CellKey(0, 1))).cells[CellKey(0, 0)].explanation
    assert gate.closed == 1
    gate.open()
    done = wait_for(runs, shared)
    assert done.status == "done"
    assert done.cells[CellKey(0, 0)].explanation is first


def test_a_shared_run_that_somebody_waits_for_has_their_turn_and_gives_way_to_nobody(runs: Runs, gate: Gate) -> None:
    first = runs.start(a_plan(1, "occlusion"), views(1), "ann")
    wait_for(runs, first, running(CellKey(0, 0)))
    second = runs.start(a_plan(1, "random"), views(1), "ann")
    shared = runs.shared_run("shared-1", a_plan(1, "occlusion"), views(1), asker="bob")
    assert [runs.snapshot(link).ahead for link in (first, shared, second)] == [0, 1, 2]
    gate.steps.release(6)
    assert wait_for(runs, first).status == "done"
    wait_for(runs, shared, running(CellKey(0, 0)))
    third = runs.start(a_plan(1, "random"), views(1), "cleo")
    gate.open()
    assert wait_for(runs, third).status == "done"
    assert wait_for(runs, shared).status == "done"
    assert gate.closed == 2, "it was made once, without giving way"
    assert runs.recent("bob") == []


def test_a_shared_run_that_was_stopped_is_gone_on_with_for_whoever_waits_for_it(runs: Runs, gate: Gate) -> None:
    link = runs.shared_run("shared-2", a_plan(1, "occlusion"), views(1))
    wait_for(runs, link, running(CellKey(0, 0)))
    runs.stop(link)
    gate.steps.release()
    assert wait_for(runs, link).status == "stopped"
    runs.shared_run("shared-2", a_plan(1, "occlusion"), views(1))
    assert runs.snapshot(link).status == "stopped"
    gate.open()
    runs.shared_run("shared-2", a_plan(1, "occlusion"), views(1), asker="bob")
    assert wait_for(runs, link).status == "done"


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
        runs.measure(run_id, [ANOTHER])


@pytest.mark.slow
def test_more_runs_than_are_remembered_are_all_still_there(runs: Runs) -> None:
    links = [runs.start(a_plan(1, "random"), views(1)) for _ in range(12)]
    for run_id in links:
        assert wait_for(runs, run_id).status == "done"
    for run_id in links:
        assert runs.snapshot(run_id).cells[CellKey(0, 0)].explanation is not None
