"""Runs while they run, the list of recent ones, and who may see which."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from decam.experiments.cells import CellKey
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.methods import METHODS
from decam.ui import state
from tests.pages.visitor import ENDLESS_BUDGET, Visitor, abandoned

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
    assert visitor.app.sidebar.button(key=f"run-{newer}").help == "Embedded: Random map, Centre Gaussian"
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


def test_a_deleted_run_is_gone_with_its_files_and_its_link(server: Path) -> None:
    visitor = Visitor()
    older, newer = quick_run(visitor, "scene-arrow"), quick_run(visitor, "scene-star")
    visitor.delete(older)
    assert (visitor.recent, visitor.run) == ([newer], newer)
    assert [folder.name for folder in (server / "runs").iterdir()] == [newer]
    assert "There is no run" in Visitor(older).errors[0]
    visitor.delete(newer)
    assert (visitor.recent, visitor.run, visitor.grid) == ([], "", {})
    assert visitor.cards == ["Arrow", "Star"], "its pictures can be explained again"


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


def test_on_a_shared_server_strangers_see_a_run_by_its_link_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DECAM_SHARED", "1")
    visitor = Visitor()
    run = quick_run(visitor, "scene-star")
    assert visitor.look().recent == [run]
    assert Visitor().recent == []
    guest = Visitor(run)
    assert guest.grid == visitor.grid
    assert guest.recent == []
    assert not guest.has("button", f"delete-comparison-{run}")


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
