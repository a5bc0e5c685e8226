"""Runs while they run, the list of recent ones, and who may see which."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from decam.experiments.cells import CellKey
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.methods import METHODS
from decam.runs.store import Store
from decam.ui import state
from decam.web.browsers import COOKIE
from tests.pages.visitor import ENDLESS_BUDGET, Visitor, abandoned
from tests.studies.made import run, view

pytestmark = pytest.mark.usefixtures("server")


def quick_run(visitor: Visitor, *samples: str) -> str:
    """A run of samples that costs nothing."""
    visitor.sample(*samples).methods("random", "centre").quick()
    run = visitor.explain()
    visitor.finish()
    return run


def endless(visitor: Visitor) -> str:
    """A run of a sample whose search does not end by itself, seen searching."""
    visitor.sample("scene-star").methods("de-cam", "grad-cam").quick(ENDLESS_BUDGET)
    run = visitor.explain()
    visitor.until(lambda: visitor.cell("DE-CAM")["state"] == "running" or visitor.status.startswith("Waiting"))
    return run


def test_a_run_shows_its_progress_and_stop_keeps_what_is_finished() -> None:
    visitor = Visitor()
    endless(visitor)
    visitor.until(lambda: visitor.cell("DE-CAM")["map"])
    assert visitor.status.startswith("Running")
    map_of_grad_cam = visitor.cell("Grad-CAM")["map"]
    assert map_of_grad_cam, "what is cheap is there first"
    assert 0 < visitor.cell("DE-CAM")["progress"] < 1
    before = visitor.cell("DE-CAM")["evaluations"]
    visitor.until(lambda: visitor.cell("DE-CAM")["evaluations"] > before)
    assert not visitor.offers("explain")
    visitor.press("stop").finish()
    assert visitor.status.startswith("Stopped")
    assert visitor.states() == {"stopped"}
    assert visitor.cell("Grad-CAM")["map"] == map_of_grad_cam
    assert "1 of 2 maps" in visitor.status
    assert visitor.offers("continue")
    assert visitor.offers("explain")


def test_other_widgets_stay_usable_while_a_run_goes_on() -> None:
    visitor = Visitor()
    run = endless(visitor)
    visitor.sample("scene-arrow").methods("rise")
    visitor.ask("Arrow", "disc")
    assert visitor.cards == ["Star", "Arrow"]
    assert visitor.run == run
    assert visitor.status.startswith("Running")
    assert len(visitor.grid["rows"]) == 1, "the run is what it was when it began"


def test_the_link_finds_a_run_that_runs_and_anybody_with_it_can_stop_it() -> None:
    visitor = Visitor()
    guest = Visitor(endless(visitor))
    assert guest.status.startswith("Running")
    assert guest.cards == ["Star"]
    guest.press("stop").finish()
    assert visitor.look().status.startswith("Stopped")


def test_the_second_visitor_waits_and_sees_how_many_are_ahead() -> None:
    first, second = Visitor(), Visitor()
    endless(first)
    endless(second)
    assert second.status.startswith("Waiting")
    assert "1 run ahead of yours" in second.status
    assert first.look().status.startswith("Running")
    first.press("stop")
    second.until(lambda: second.status.startswith("Running"))


def test_recent_runs_are_listed_newest_first_and_open_with_all_they_were_made_from() -> None:
    visitor = Visitor()
    older = quick_run(visitor, "scene-arrow")
    time.sleep(0.01)
    newer = quick_run(visitor, "scene-star")
    assert visitor.look().recent == [newer, older]
    assert visitor.app.sidebar.button(key=f"run-{newer}").help == "Shapes demo: Random map, Centre Gaussian"
    visitor.methods("rise").press(f"run-{older}")
    assert visitor.run == older
    assert visitor.cards == ["Arrow"]
    assert [row["title"] for row in visitor.grid["rows"]] == ["Arrow"]
    assert visitor.chosen == {"random", "centre"}


def test_how_long_a_comparison_will_take_is_told_once_a_run_has_shown_it() -> None:
    visitor = Visitor().sample("scene-star").methods("de-cam").quick()
    assert visitor.picker["pace"] is None
    assert "1 map · 200 evaluations" in visitor.app.main.caption.values
    visitor.explain()
    visitor.finish().press("new").sample("scene-arrow")
    assert visitor.picker["pace"] > 0
    assert any(
        re.fullmatch(r"1 map · 200 evaluations · about [\d.]+ s", text) for text in visitor.app.main.caption.values
    )


def test_a_deleted_run_is_gone_with_its_link_and_later_with_its_files(server: Path) -> None:
    visitor = Visitor()
    older, newer = quick_run(visitor, "scene-arrow"), quick_run(visitor, "scene-star")
    visitor.delete(older)
    assert (visitor.recent, visitor.run) == ([newer], newer)
    assert "There is no run" in Visitor(older).errors[0]
    state.runs.clear()
    store = Store(server)
    assert store.remove_deleted(time.time()) is None
    store.close()
    assert [folder.name for folder in (server / "runs").iterdir()] == [newer]
    assert not visitor.look().has("button", f"undo-{older}")
    visitor.delete(newer)
    assert (visitor.recent, visitor.run, visitor.grid) == ([], "", {})
    assert visitor.cards == ["Arrow", "Star"], "its images can be explained again"


def test_a_deleted_run_comes_back_onto_the_page_that_showed_it_and_can_be_deleted_again() -> None:
    visitor = Visitor()
    run = quick_run(visitor, "scene-star")
    grid = visitor.look().grid
    visitor.press(f"delete-comparison-{run}")
    assert visitor.reads("You can undo this for 10 minutes")
    visitor.press(f"for-good-{run}")
    assert (visitor.run, visitor.recent, visitor.grid) == ("", [], {})
    assert Visitor().has("button", f"undo-{run}"), "another tab can undo it too"
    visitor.press(f"undo-{run}")
    assert (visitor.run, visitor.recent, visitor.grid) == (run, [run], grid)
    visitor.delete(run)
    assert visitor.recent == []


def test_what_another_tab_has_brought_back_can_be_deleted_again() -> None:
    visitor = Visitor()
    run = quick_run(visitor, "scene-star")
    visitor.delete(run)
    Visitor().press(f"undo-{run}")
    assert visitor.look().recent == [run]
    assert visitor.delete(run).recent == []


def test_undo_leaves_another_run_on_the_page() -> None:
    visitor = Visitor()
    older, newer = quick_run(visitor, "scene-arrow"), quick_run(visitor, "scene-star")
    visitor.delete(older).press(f"undo-{older}")
    assert (visitor.run, visitor.recent) == (newer, [newer, older])


def test_an_undo_that_comes_too_late_says_so(server: Path) -> None:
    visitor = Visitor()
    run = quick_run(visitor, "scene-star")
    visitor.delete(run)
    store = Store(server)
    store.remove_deleted(time.time() + 1)
    store.close()
    visitor.press(f"undo-{run}")
    assert visitor.says("There is no run", run)
    assert visitor.recent == []


def test_a_name_and_a_note_are_shown_as_they_were_typed_wherever_the_run_is() -> None:
    visitor = Visitor()
    run = quick_run(visitor, "scene-star")
    name, note = "<b>Stars</b> & *more*", "First line\n<script>alert(1)</script>"
    visitor.describing(run).app.text_input(key=f"name-{run}").set_value(name)
    visitor.app.text_area(key=f"remark-{run}").set_value(note)
    visitor.press(f"save-{run}")
    for one in (visitor, Visitor(run)):
        shown = "".join(element.proto.body for element in one.app.get("html"))
        assert "First line<br>&lt;script&gt;alert(1)&lt;/script&gt;" in shown
        assert "&lt;b&gt;Stars&lt;/b&gt; &amp; *more* · Compare" in shown
        assert any(text.startswith("**\\<b>Stars\\</b> & \\*more\\***") for text in one.app.main.markdown.values)
        label = one.app.button(key=f"run-{run}").label
        assert label.startswith("\\<b>Stars") and "First line" in label
        assert "Stars" in one.app.button(key=f"delete-comparison-{run}").label
    assert visitor.describing(run).app.text_area(key=f"remark-{run}").value == note
    visitor.app.text_input(key=f"name-{run}").set_value("")
    visitor.press(f"save-{run}")
    assert visitor.app.button(key=f"run-{run}").label.startswith("Star ")


def test_a_search_finds_runs_and_a_few_clicks_reach_all_of_them(server: Path) -> None:
    store = Store(server)
    for number in range(30):
        made = run(f"run{number:02}", {f"bird{number}.jpg": view(number, (224, 224))})
        store.add(replace(made, created=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)))
    store.describe("run03", "Owls", "for Tuesday")
    store.close()
    visitor = Visitor()
    newest = [f"run{number:02}" for number in reversed(range(30))]
    assert visitor.recent == newest[:12]
    assert visitor.press("more-runs").recent == newest[:24]
    assert visitor.press("more-runs").recent == newest
    assert not visitor.has("button", "more-runs")
    for words, expected in {"tuesday OWLS": ["run03"], "bird17": ["run17"], "nothing": []}.items():
        visitor.app.text_input(key="recent-search").set_value(words)
        assert visitor.look().recent == expected, words
    assert visitor.reads("No comparison has all of these words: nothing.")
    visitor.app.text_input(key="recent-search").set_value("")
    assert visitor.look().recent == newest[:12]


def test_a_question_names_the_run_and_no_deletes_nothing() -> None:
    visitor = Visitor()
    older, newer = quick_run(visitor, "scene-arrow"), quick_run(visitor, "scene-star")
    visitor.press(f"delete-comparison-{older}")
    assert visitor.offers(f"for-good-{older}")
    assert not visitor.has("button", f"for-good-{newer}"), "it can delete nothing but what it names"
    label = visitor.app.button(key=f"delete-comparison-{older}").label
    assert re.fullmatch(r"Delete comparison Arrow, \d\d:\d\d", label)
    visitor.press(f"cancel-{older}")
    assert not visitor.has("button", f"for-good-{older}")
    assert visitor.recent == [newer, older]


def test_a_run_that_is_gone_when_its_question_is_answered_is_told_and_no_other_goes() -> None:
    visitor = Visitor()
    older, newer = quick_run(visitor, "scene-arrow"), quick_run(visitor, "scene-star")
    visitor.press(f"delete-comparison-{older}")
    state.runs().delete(older)
    visitor.press(f"for-good-{older}")
    assert visitor.says("There is no run", older)
    assert visitor.recent == [newer]


def test_the_address_decides_which_run_fills_the_page() -> None:
    visitor = Visitor()
    older, newer = quick_run(visitor, "scene-arrow"), quick_run(visitor, "scene-star")
    visitor.methods("rise").press(f"run-{newer}")
    visitor.app.query_params["run"] = older  # what the browser's Back does
    visitor.look()
    assert [row["title"] for row in visitor.grid["rows"]] == visitor.cards == ["Arrow"]
    visitor.methods("centre").look()
    assert visitor.chosen == {"centre"}, "what is changed afterwards stays"
    visitor.app.query_params["run"] = newer
    visitor.look()
    assert visitor.cards == ["Arrow", "Star"]
    assert visitor.chosen == {"random", "centre"}


def test_a_run_can_be_deleted_while_it_runs() -> None:
    visitor = Visitor()
    run = endless(visitor)
    visitor.delete(run)
    assert (visitor.run, visitor.grid, visitor.recent) == ("", {}, [])
    other = Visitor().sample("scene-star").methods("random")
    other.explain()
    assert other.finish().status.startswith("Finished"), "the device is free again"


def test_on_a_server_for_one_person_every_tab_lists_every_run() -> None:
    run = quick_run(Visitor(), "scene-star")
    assert Visitor().recent == [run]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Says which browser opens the next page of a shared server, by the cookie that it has."""
    monkeypatch.setenv("DECAM_SHARED", "1")

    def be(name: str) -> None:
        monkeypatch.setattr(state, "cookies", lambda: {COOKIE: name[:1] * 43})

    return be


def test_on_a_shared_server_strangers_see_a_run_by_its_link_alone(browser: Callable[[str], None]) -> None:
    browser("ann")
    visitor = Visitor()
    run = quick_run(visitor, "scene-star")
    assert visitor.look().recent == [run]
    assert visitor.reads("Only this browser can change this run.")
    browser("bob")
    assert Visitor().recent == []
    guest = Visitor(run)
    assert guest.grid == visitor.grid
    assert guest.recent == []
    assert not guest.has("button", f"delete-comparison-{run}")
    assert guest.reads("This run belongs to somebody else.")
    assert not guest.describing(run).has("button", f"save-{run}")
    browser("ann")
    again = Visitor(run)
    assert again.recent == [run], "a browser that comes back owns what it made"
    again.delete(run)
    browser("bob")
    assert not Visitor().has("button", f"undo-{run}")


def test_on_a_shared_server_a_stranger_stops_nothing_and_starts_a_run_of_their_own(
    browser: Callable[[str], None],
) -> None:
    browser("ann")
    visitor = Visitor()
    run = endless(visitor)
    browser("bob")
    guest = Visitor(run)
    assert guest.reads("This run belongs to somebody else.")
    assert not guest.offers("stop") and guest.offers("explain")
    assert not guest.has("button", "add-to-run")
    visitor.press("stop").finish()
    assert visitor.offers("continue")
    guest.look()
    assert guest.status.startswith("Stopped") and not guest.offers("continue")
    guest.methods("random")
    assert guest.explain() != run
    assert guest.finish().reads("Only this browser can change this run.")


@pytest.mark.parametrize("act", ["stop", "continue", "delete", "save"])
def test_a_button_that_a_page_drew_for_the_owner_does_nothing_for_a_stranger(
    act: str, browser: Callable[[str], None]
) -> None:
    browser("ann")
    visitor = Visitor()
    run = endless(visitor)
    if act != "stop":
        visitor.press("stop").finish()
    if act == "save":
        visitor.describing(run)
    if act == "delete":
        visitor.press(f"delete-comparison-{run}")
    before = state.runs().snapshot(run)
    visitor.app.session_state["owner"] = "somebody else"
    visitor.press({"delete": f"for-good-{run}", "save": f"save-{run}"}.get(act, act))
    assert visitor.says("This run belongs to somebody else.") or (act == "continue" and not visitor.offers("continue"))
    after = state.runs().snapshot(run)
    assert (after.status, after.title) == (before.status, before.title)
    state.runs().stop(run, before.owner)


def test_a_finished_run_is_there_after_a_restart(restart: Callable[[], None]) -> None:
    visitor = Visitor()
    run = quick_run(visitor, "scene-star")
    restart()
    guest = Visitor(run)
    assert guest.grid == visitor.grid
    assert guest.status.startswith("Finished")
    assert guest.recent == [run]


@pytest.mark.parametrize("link", ["__a__b__", "-a_-_b-", "_"])
def test_a_run_is_shown_whatever_its_link_is_made_of(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_urlsafe", lambda _: link)
    visitor = Visitor()
    assert quick_run(visitor, "scene-star") == link
    assert Visitor(link).grid == visitor.grid


def test_a_run_whose_server_was_killed_is_interrupted_and_can_be_continued(server: Path) -> None:
    methods = [MethodChoice.default("random"), MethodChoice.default("centre")]
    plan = comparison.plan("embedded", "cpu", [PictureChoice("Star")], methods)
    abandoned(server, plan)
    visitor = Visitor("abandoned")
    assert visitor.status.startswith("Interrupted: the server ended before the run did")
    assert visitor.states() == {"stopped"}
    visitor.press("continue").finish()
    assert visitor.status.startswith("Finished")
    assert visitor.states() == {"done"}


def test_a_run_of_a_model_that_is_no_longer_known_fails_with_a_sentence(server: Path) -> None:
    abandoned(server, comparison.plan("lenet", "cpu", [PictureChoice("Star")], [MethodChoice.default("random")]))
    visitor = Visitor("abandoned")
    assert visitor.cards == ["Star"]
    visitor.press("continue").finish()
    assert visitor.status.startswith("Failed")
    assert visitor.says("There is no model 'lenet'")


def test_a_constant_map_says_so_beside_the_map(monkeypatch: pytest.MonkeyPatch) -> None:
    def flat(*_: object) -> object:
        yield from ()
        return np.full((128, 128), 3, np.float32)

    monkeypatch.setitem(METHODS, "random", replace(METHODS["random"], run=flat))
    visitor = Visitor()
    quick_run(visitor, "scene-star")
    assert "constant" in visitor.cell("Random map")["notes"][0]
    assert visitor.cell("Centre Gaussian")["notes"] == []


def test_a_method_that_fails_costs_its_own_cells_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        yield from ()
        raise ZeroDivisionError

    monkeypatch.setitem(METHODS, "random", replace(METHODS["random"], run=broken))
    visitor = Visitor()
    run = quick_run(visitor, "scene-star")
    assert visitor.cell("Random map")["state"] == "failed"
    assert visitor.cell("Random map")["error"].endswith(".")
    assert visitor.cell("Centre Gaussian")["state"] == "done"
    assert state.runs().snapshot(run).cells[CellKey(0, 1)].explanation is not None
