"""The DE-CAM page: what it shows of a search in every state, and the landscapes beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from decam.experiments.cells import Cell
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice, Plan
from decam.experiments.status import CellState
from decam.methods.de_cam.settings import VARIANTS
from decam.ui import state
from decam.ui.runs.search import thinned, words_of
from tests.pages.visitor import ENDLESS_BUDGET, FEW_STEPS, Visitor, abandoned

pytestmark = pytest.mark.usefixtures("server")
BUDGET = 600


def visitor(run: str | None = None) -> Visitor:
    """A visitor who went on to the DE-CAM page."""
    arrived = Visitor(run)
    arrived.go("de_cam")
    return arrived.look()


def chosen(budget: int = BUDGET, variants: tuple[str, ...] = VARIANTS[:1]) -> Visitor:
    """One who has chosen a sample and a cheap search."""
    arrived = visitor().sample("scene-star").quick(budget)
    arrived.app.session_state["variants"] = list(variants)
    return arrived.look()


def sent(of: Visitor, name: str = "generations") -> dict[str, Any]:
    """What the browser is sent of a search or a walk."""
    found = (dict(json.loads(element.proto.json)) for element in of.app.get("bidi_component"))
    return next((data for data in found if name in data), {})


def lines(of: Visitor) -> dict[str, tuple[list[int], list[float]]]:
    """The lines of the chart of maps on the way: evaluations and values by the methods' titles."""
    (chart,) = of.app.get("plotly_chart")
    traces = json.loads(chart.proto.spec)["data"]
    return {trace["name"]: (trace["x"], trace["y"]) for trace in traces}


def test_before_a_picture_is_chosen_there_are_samples_and_no_button() -> None:
    arrived = visitor()
    assert not arrived.offers("explain")
    assert arrived.has("button", "welcome-scene-star")
    assert sent(arrived) == {}


def test_a_search_shows_all_its_generations_once_it_has_finished() -> None:
    arrived = chosen()
    arrived.explain()
    arrived.finish()
    shown = sent(arrived)
    assert arrived.status.startswith("Finished")
    assert shown["words"] == "" and shown["finished"]
    assert [each["number"] for each in shown["generations"]] == list(range(1, shown["last"] + 1))
    first, *later = shown["generations"]
    assert (first["trials"], first["recipe"]) == (0, [])
    assert {each["trials"] for each in later} == {16}
    assert all(len(each["asked"]) == 2 and len(each["parents"]) == len(each["recipe"]) for each in later)
    assert {group["title"] for group in shown["charts"]["groups"]} >= {"Fitness", "F and CR", "Diversity", "Accepted"}
    assert shown["certainty"] is None, "nobody asked how sure the map is"
    assert shown["filling"], "the fill that the model saw is sent too"


def test_a_finished_search_opens_by_its_link_after_a_restart(restart: Callable[[], None]) -> None:
    arrived = chosen()
    run = arrived.explain()
    arrived.finish()
    before = sent(arrived)
    restart()
    guest = visitor(run)
    assert guest.run == run
    assert sent(guest)["generations"] == before["generations"]


def test_variants_run_side_by_side_and_each_says_what_there_is_to_watch() -> None:
    arrived = chosen(variants=VARIANTS)
    arrived.explain()
    arrived.finish()
    assert [column["title"] for column in arrived.grid["columns"]] == [
        f"DE-CAM · {variant} variant" for variant in VARIANTS
    ]
    for place, variant in enumerate(VARIANTS):
        arrived.app.session_state[f"search-shown-{arrived.run}"] = place
        shown = sent(arrived.look())
        if variant == "seed only":
            assert shown["generations"] == [] and "no generations" in shown["words"]
        else:
            bred = shown["generations"][1]
            assert bool(bred["recipe"]) == (variant != "random search")
            assert [asked["share"] == 0 for asked in bred["asked"]].count(True) == (2 if variant == "plain" else 0)


def test_a_search_that_runs_is_watched_stopped_and_continued() -> None:
    arrived = chosen(ENDLESS_BUDGET)
    run = arrived.explain()
    arrived.until(lambda: len(sent(arrived).get("generations", ())) > 2)
    assert not sent(arrived)["finished"]
    arrived.press("stop").finish()
    assert arrived.status.startswith("Stopped")
    assert arrived.offers("continue")
    assert arrived.run == run


def test_a_search_that_may_end_early_says_at_most_what_it_costs_and_then_how_sure_its_map_is() -> None:
    arrived = chosen()
    assert not any("at most 600" in caption.value for caption in arrived.app.caption)
    arrived.app.number_input(key="setting:de-cam:settled").set_value(0.9)
    assert any("1 map · at most 600 evaluations" in caption.value for caption in arrived.look().app.caption)
    arrived.explain()
    arrived.finish()
    certainty = sent(arrived)["certainty"]
    assert certainty["picture"] and "29 % or more" in certainty["caption"]
    assert [note.split(" ±")[0][:39] for note in certainty["notes"]] == [
        "This search of 600 evaluations was too ",
        "A place's rank is known to",
    ]


def test_rivals_are_made_beside_a_search_on_request_with_as_many_evaluations() -> None:
    arrived = chosen()
    run = arrived.explain()
    arrived.finish()
    assert arrived.grid == {}, "a search alone needs no grid"
    assert arrived.app.session_state[f"rivals-{run}"] == ["greedy-regions", "rise", "cma-es"]
    before = sent(arrived)["generations"]
    arrived.app.session_state[f"rivals-{run}"] = ["rise", "hsic"]
    assert any("2 maps · 1,200 evaluations" in caption.value for caption in arrived.look().app.caption)
    arrived.press("compare-rivals").finish()
    assert (arrived.run, arrived.status.split(" ")[0]) == (run, "Finished")
    assert [column["title"] for column in arrived.grid["columns"]] == ["DE-CAM", "RISE", "HSIC"]
    assert arrived.states() == {"done"}
    for method in ("DE-CAM", "RISE", "HSIC"):
        assert arrived.cell(method)["evaluations"] == BUDGET
        assert all(value is not None for value in arrived.cell(method)["values"]), "deletion and insertion"
    assert sent(arrived)["generations"] == before, "the search is not made again"
    assert arrived.app.session_state[f"rivals-{run}"] == [], "what is there is not offered again"
    assert not arrived.offers("compare-rivals")
    assert arrived.grid["outdated"] == [] and not arrived.app.info, "nobody left out what the page does not offer"
    arrived.ask("Star", "heart")
    assert sorted(arrived.grid["outdated"]) == [["0", "0"], ["0", "1"], ["0", "2"]]
    assert any("These maps are for *star*." in shown for shown in arrived.app.info.values)


def test_a_rival_that_cannot_spend_as_much_says_so() -> None:
    arrived = chosen(ENDLESS_BUDGET)
    run = arrived.explain()
    arrived.until(lambda: len(sent(arrived).get("generations", ())) > 1)
    arrived.app.session_state[f"rivals-{run}"] = ["aise", "rise"]
    captions = [caption.value for caption in arrived.look().app.caption]
    assert any("AISE takes a budget of at most 6,000." in words and "RISE takes" not in words for words in captions)
    arrived.press("stop").finish()


def test_a_run_that_was_deleted_meanwhile_gets_no_rivals_and_the_page_says_why() -> None:
    arrived = chosen()
    run = arrived.explain()
    arrived.finish()
    state.runs().delete(run)
    arrived.press("compare-rivals")
    assert any("There is no run" in error for error in arrived.errors)


def test_maps_on_the_way_are_measured_on_request_and_rivals_that_come_later_too() -> None:
    arrived = chosen()
    run = arrived.explain()
    arrived.finish()
    offer = next(caption.value for caption in arrived.app.caption if "How good was each map" in caption.value)
    assert f"at most {2 * 8 * (FEW_STEPS + 1)} evaluations for 1 map." in offer
    arrived.press("measure-anytime").finish()
    assert set(lines(arrived)) == {"DE-CAM"}
    arrived.app.session_state[f"rivals-{run}"] = ["rise"]
    arrived.look().press("compare-rivals").finish()
    drawn = lines(arrived)
    assert set(drawn) == {"DE-CAM", "RISE"}
    for x, y in drawn.values():
        assert x == sorted(x) and 2 <= len(x) <= 8 and x[-1] == BUDGET
        assert all(-1 <= value <= 1 for value in y)
    deletion, insertion = arrived.cell("DE-CAM")["values"]
    assert drawn["DE-CAM"][1][-1] == pytest.approx(insertion - deletion, abs=1e-4), "the last point is the finished map"
    for shown, value in (("insertion", insertion), ("deletion", deletion)):
        arrived.app.session_state[f"anytime-by-{run}"] = shown
        assert lines(arrived.look())["DE-CAM"][1][-1] == pytest.approx(value, abs=1e-4)
    assert any("not counted into the methods" in caption.value for caption in arrived.app.caption)
    assert arrived.cell("DE-CAM")["evaluations"] == BUDGET


def test_a_search_says_where_it_could_have_stopped_or_why_it_could_not() -> None:
    short = chosen()
    short.explain()
    short.finish()
    assert sent(short)["charts"]["stop"] is None
    assert sent(short)["stopping"].startswith("This search of 600 evaluations was too short to stop early.")
    arrived = chosen(3000)
    arrived.explain()
    arrived.finish()
    shown = sent(arrived)
    assert shown["charts"]["stop"] in shown["charts"]["places"][:-1]
    assert shown["stopping"].startswith(f"This search could have stopped after {shown['charts']['stop']:,} of 3,000")
    arrived.go("compare").look()
    captions = [caption.value for caption in arrived.tab("Convergence").app.caption]
    assert any(words.startswith("This search could have stopped after") for words in captions)


def test_a_search_that_was_to_end_by_itself_leaves_it_to_its_notes_whether_it_did() -> None:
    arrived = chosen()
    arrived.app.number_input(key="setting:de-cam:settled").set_value(0.9)
    arrived.look().explain()
    arrived.finish()
    assert (sent(arrived)["charts"]["stop"], sent(arrived)["stopping"]) == (None, "")


def test_rivals_of_a_model_that_is_not_here_cannot_be_made_and_the_page_says_so(server: Path) -> None:
    abandoned(server, searched("lenet"))
    arrived = visitor("abandoned")
    assert any("There is no model 'lenet'" in error for error in arrived.errors)
    assert not arrived.offers("compare-rivals")


def test_no_variant_leaves_nothing_to_explain() -> None:
    assert not chosen(variants=()).offers("explain")


def test_settings_pictures_and_the_run_are_taken_along_from_page_to_page() -> None:
    arrived = Visitor().sample("scene-star").methods("de-cam", "random").quick(400)
    run = arrived.explain()
    arrived.finish()
    arrived.go("de_cam")
    arrived.look()
    assert (arrived.run, arrived.cards) == (run, ["Star"])
    assert arrived.app.number_input(key="setting:de-cam:budget").value == 400
    assert arrived.app.number_input(key="steps").value == FEW_STEPS
    assert sent(arrived)["generations"], "a run of Compare with a search in it opens here"
    arrived.app.number_input(key="setting:de-cam:budget").set_value(500)
    arrived.look().go("compare")
    arrived.look()
    assert arrived.app.number_input(key="setting:de-cam:budget").value == 500
    assert arrived.run == run


def test_a_run_without_a_search_says_so() -> None:
    arrived = Visitor().sample("scene-star").methods("random").quick()
    run = arrived.explain()
    arrived.finish()
    assert visitor(run).says("This run has no DE-CAM search, only Random map")


def test_a_link_to_no_run_says_so() -> None:
    assert "There is no run" in visitor("no-such-run").errors[0]


def test_of_several_pictures_one_is_searched() -> None:
    arrived = visitor().sample("scene-star", "scene-arrow").quick(BUDGET)
    assert len(arrived.cards) == 1
    box = arrived.app.selectbox(key="searched")
    box.select_index(1)
    assert arrived.look().cards == ["Arrow"]


@pytest.mark.parametrize("page", ["compare", "de_cam", "sanity"])
def test_the_card_is_folded_beside_maps_and_comes_back_with_more(page: str) -> None:
    arrived = Visitor().visit(page).sample("scene-star")
    assert arrived.app.button(key="fold").label == "More"
    arrived.press("fold")
    assert arrived.app.button(key="fold").label == "Less"


def test_without_its_weights_a_model_cannot_be_asked_and_the_page_says_what_to_do() -> None:
    arrived = visitor().sample("scene-star").model("squeezenet1_0")
    assert arrived.says("not on this machine yet")
    assert not arrived.offers("explain")


def test_an_interrupted_search_can_be_continued_here(server: Path) -> None:
    abandoned(server, searched("embedded"))
    arrived = visitor("abandoned")
    assert arrived.status.startswith("Interrupted")
    assert "only finished ones are kept" in sent(arrived)["words"]
    arrived.press("continue").finish()
    assert sent(arrived)["generations"]


def test_a_failed_search_says_why(server: Path) -> None:
    abandoned(server, searched("lenet"))
    arrived = visitor("abandoned")
    arrived.press("continue").finish()
    assert arrived.status.startswith("Failed")
    assert "There is no model 'lenet'" in sent(arrived)["words"]


def test_landscapes_are_walked_at_once_and_every_control_changes_the_walk() -> None:
    arrived = visitor()
    arrived.app.session_state["tab"] = "Landscapes"
    before = sent(arrived.look(), "minimisers")
    assert len(before["minimisers"]) == 4 and len(before["generations"]) > 10
    for kind, key, value in (
        ("selectbox", "walk-landscape", "rastrigin"),
        ("selectbox", "walk-control", "jde"),
        ("selectbox", "walk-strategy", "best/1"),
        ("selectbox", "walk-crossover", "exp"),
        ("slider", "walk-weight", 0.8),
        ("slider", "walk-rate", 0.3),
        ("number_input", "walk-population", 30),
        ("number_input", "walk-generations", 20),
        ("number_input", "walk-seed", 5),
    ):
        widget = getattr(arrived.app, kind)(key=key)
        assert widget.help and widget.help.endswith(".")
        widget.set_value(value)
        after = sent(arrived.look(), "minimisers")
        assert after["generations"] != before["generations"], key
        before = after
    assert len(before["generations"]) == 20


def test_before_its_first_generation_every_variant_says_what_comes() -> None:
    cell, frames = Cell(CellState.RUNNING), ()
    said = {variant: words_of(cell, frames, variant) for variant in VARIANTS}
    assert said["seeded"] == said["random search"] and "Random masks first" in said["seeded"]
    assert "first generation is being judged" in said["plain"] and "no population" in said["seed only"]


def test_generations_that_cannot_all_be_looked_at_are_counted() -> None:
    assert thinned(40, 40) == ""
    assert thinned(40, 120).startswith("40 of 120 generations can be looked at")


def searched(model: str) -> Plan:
    """A plan of one search."""
    return comparison.plan(model, "cpu", [PictureChoice("Star")], [MethodChoice.default("de-cam")])
