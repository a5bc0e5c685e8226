"""Who sees which run: links, owners, and the shared runs that a page makes for everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from decam.errors import NotYourRunError, SettingError, StoreError
from decam.experiments.cells import CellKey
from decam.experiments.grid import Grid
from decam.experiments.plan import MethodChoice
from decam.experiments.status import Status
from decam.runs.service import Runs
from decam.runs.snapshots import SYSTEM_OWNER, RunSnapshot
from decam.runs.store import Store
from tests.runs.colours import ANOTHER, Gate, a_plan, colours, running, wait_for
from tests.tools.colours import views


@pytest.mark.slow
def test_links_cannot_be_guessed(runs: Runs) -> None:
    links = {runs.start(a_plan(1, "random"), views(1)) for _ in range(5)}
    assert len(links) == 5
    assert min(map(len, links)) >= 20


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_shared_run_that_somebody_waits_for_has_their_turn_and_gives_way_to_nobody(runs: Runs, gate: Gate) -> None:
    first = runs.start(a_plan(1, "occlusion"), views(1), "ann")
    wait_for(runs, first, running(CellKey(0, 0)))
    second = runs.start(a_plan(1, "random"), views(1), "ann")
    shared = runs.shared_run("shared-1", a_plan(1, "occlusion", seed=1), views(1), asker="bob")
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Runs]:
    """The runs of a server whose visitors are strangers to each other."""
    made = Runs(Store(tmp_path / "private"), colours, private=True)
    yield made
    made.close()


CHANGES: dict[str, Callable[[Runs, str, str], object]] = {
    "stop": lambda runs, run, by: runs.stop(run, by),
    "resume": lambda runs, run, by: runs.resume(run, by=by),
    "resume as one who waits": lambda runs, run, by: runs.resume(run, by, by=by),
    "measure": lambda runs, run, by: runs.measure(run, [ANOTHER], by),
    "explain": lambda runs, run, by: runs.explain(run, [MethodChoice.default("centre")], by),
    "mark": lambda runs, run, by: runs.mark(run, 0, None, by),
    "extend": lambda runs, run, by: runs.extend(run, a_plan(1, "centre"), views(1), None, by),
    "describe": lambda runs, run, by: runs.describe(run, "Mine", "", by),
    "delete": lambda runs, run, by: runs.delete(run, by),
    "restore": lambda runs, run, by: runs.restore(run, by),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("by", ["bob", "", "@shared"])
def test_among_strangers_a_run_is_changed_by_its_owner_alone(
    private: Runs, change: Callable[[Runs, str, str], object], by: str
) -> None:
    run = private.start(a_plan(1, "random"), views(1), "ann")
    before = wait_for(private, run)
    with pytest.raises(NotYourRunError, match="belongs to somebody else"):
        change(private, run, by)
    after = private.snapshot(run)
    assert (after.plan, after.status, after.title, after.cells) == (
        before.plan,
        before.status,
        before.title,
        before.cells,
    )
    assert [one.id for one in private.recent("ann")] == [run]
    change(private, run, "ann")


@pytest.mark.slow
def test_a_stranger_can_neither_bring_back_a_deleted_run_nor_stop_one_that_goes_on(private: Runs, gate: Gate) -> None:
    run = private.start(a_plan(1, "occlusion"), views(1), "ann")
    wait_for(private, run, running(CellKey(0, 0)))
    with pytest.raises(NotYourRunError):
        private.stop(run, "bob")
    assert private.snapshot(run).active
    private.delete(run, "ann")
    with pytest.raises(NotYourRunError):
        private.restore(run, "bob")
    private.restore(run, "ann")
    gate.open()
    wait_for(private, run)


@pytest.mark.slow
def test_a_shared_run_is_nobodys_to_change_and_everybodys_to_wait_for(private: Runs, gate: Gate) -> None:
    private.shared_run("shared-3", a_plan(1, "occlusion"), views(1))
    wait_for(private, "shared-3", running(CellKey(0, 0)))
    for change in (private.stop, private.delete):
        with pytest.raises(NotYourRunError):
            change("shared-3", "bob")
    gate.open()
    wait_for(private, "shared-3")
    private.resume("shared-3", "bob")
    assert wait_for(private, "shared-3").status == "done"


@pytest.mark.slow
def test_on_a_server_for_one_person_whoever_opens_it_changes_every_run(runs: Runs) -> None:
    run = runs.start(a_plan(1, "random"), views(1), "ann")
    wait_for(runs, run)
    for change in CHANGES.values():
        change(runs, run, "bob")
        if runs.recent():
            wait_for(runs, run)
    assert runs.may_change("ann", "") and runs.may_change(SYSTEM_OWNER, "bob")


@pytest.mark.slow
def test_a_run_has_the_name_and_the_note_that_it_was_given_while_it_runs_and_after(
    runs: Runs, gate: Gate, tmp_path: Path
) -> None:
    run = runs.start(a_plan(2, "occlusion"), views(2))
    assert runs.snapshot(run).title == runs.recent()[0].title == "0.png +1"
    wait_for(runs, run, running(CellKey(0, 0)))
    runs.describe(run, "  Zwei\n Löwen ", "\n<b>Erste</b> Zeile  \nzweite\n")
    live, line = runs.snapshot(run), runs.recent()[0]
    assert (live.name, live.remark) == (line.name, line.remark) == ("Zwei Löwen", "<b>Erste</b> Zeile\nzweite")
    assert live.title == line.title == "Zwei Löwen"
    gate.open()
    assert wait_for(runs, run).title == "Zwei Löwen"
    runs.close()
    again = Runs(Store(tmp_path / "data"), colours)
    assert (again.snapshot(run).name, again.snapshot(run).remark) == (live.name, live.remark)
    again.describe(run, "", "")
    assert again.snapshot(run).title == again.recent()[0].title == "0.png +1"
    again.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "remark", "says"),
    [
        ("x" * 81, "", "has at most 80 characters, and this one has 81"),
        ("a\x07b", "", "one line of plain text"),
        ("a\u202eb", "", "one line of plain text"),
        ("", "x" * 2001, "has at most 2,000 characters, and this one has 2,001"),
        ("", "a\x00b", "plain text"),
    ],
)
def test_words_that_are_too_long_or_cannot_be_printed_are_refused(
    runs: Runs, name: str, remark: str, says: str
) -> None:
    run = runs.start(a_plan(1, "random"), views(1))
    wait_for(runs, run)
    runs.describe(run, "Before", "It stays.")
    with pytest.raises(SettingError, match=says):
        runs.describe(run, name, remark)
    assert (runs.snapshot(run).name, runs.snapshot(run).remark) == ("Before", "It stays.")


@pytest.mark.slow
def test_a_name_that_the_disk_refused_is_in_the_list_too(
    runs: Runs, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("The disk is full.")

    run = runs.start(a_plan(1, "occlusion"), views(1))
    wait_for(runs, run, running(CellKey(0, 0)))
    monkeypatch.setattr(Store, "save_cell", refuse)
    gate.open()
    assert "disk is full" in wait_for(runs, run).note
    runs.describe(run, "Unkept", "For the export")
    (line,) = runs.recent()
    assert (line.name, line.remark) == ("Unkept", "For the export")


@pytest.mark.slow
def test_a_search_finds_runs_by_name_note_model_method_and_picture(runs: Runs, gate: Gate) -> None:
    one = runs.start(a_plan(1, "random"), views(1))
    two = runs.start(a_plan(3, "grad-cam", "centre"), views(3))
    for run in (one, two):
        wait_for(runs, run)
    runs.describe(two, "Straße", "Für das Seminar")
    active = runs.start(a_plan(1, "occlusion"), views(1))
    wait_for(runs, active, running(CellKey(0, 0)))
    for words, expected in {
        "": [active, two, one],
        "  ": [active, two, one],
        "STRASSE": [two],
        "seminar straße": [two],
        "seminar random": [],
        "grad-cam": [two],
        "Grad-CAM": [two],
        "occlusion": [active],
        "colours": [active, two, one],
        "2.png": [two],
        "0.PNG": [active, two, one],
        "%": [],
        "_": [],
    }.items():
        assert [found.id for found in runs.recent(search=words)] == expected, words
    assert [found.id for found in runs.recent(search="0.png", limit=2)] == [active, two]
    gate.open()
    wait_for(runs, active)
