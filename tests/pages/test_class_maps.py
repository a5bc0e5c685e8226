"""The page of class maps: what it shows of a gallery in every state, and how one comes back to it."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from decam.experiments.kinds import class_maps, comparison
from decam.experiments.kinds.class_maps import targets_of
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.explanation import Unit
from decam.export import zip_bytes
from decam.methods import CLASS_METHODS
from decam.runs.snapshots import RunSnapshot
from decam.ui import state
from decam.ui.runs import gallery
from tests.experiments.class_level import BROKEN, NAME, PULL
from tests.pages.test_sanity import kept
from tests.pages.visitor import Visitor

pytestmark = pytest.mark.usefixtures("server")
CLASSES = "maps-classes-scenes"


@pytest.fixture(autouse=True)
def _pull(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CLASS_METHODS, NAME, PULL)


def visitor(link: str | None = None) -> Visitor:
    """A visitor who went on to the page, or came there by a link, and asks the method of these tests."""
    arrived = Visitor()
    arrived.app.session_state["mapped"] = (NAME,)
    if link is not None:
        arrived.app.query_params["gallery"] = link
    return arrived.go("class_maps").look()


def asking(*classes: int) -> Visitor:
    arrived = visitor()
    arrived.app.session_state[CLASSES] = list(classes)
    return arrived.look()


def link(of: Visitor) -> str:
    """The run that the address names."""
    return str(of.app.query_params.get("gallery", ""))


def run(of: Visitor) -> RunSnapshot:
    """That run as it is now."""
    return state.runs().snapshot(link(of))


def cards(of: Visitor) -> list[dict[str, Any]]:
    """The cards of the gallery as they are sent; empty where there is none."""
    return next((data["cards"] for data in of._components_data if "cards" in data), [])


def titles(of: Visitor) -> list[str]:
    return [card["title"] for card in cards(of)]


def worths(of: Visitor) -> list[Any]:
    return [picture["cell"]["worth"] for card in cards(of) for picture in card["pictures"]]


def test_a_stranger_reads_what_a_class_map_is_and_can_start_at_once() -> None:
    arrived = visitor()
    assert any(text.startswith("A class map is the small change") for text in arrived.app.markdown.values)
    assert arrived.app.multiselect(key=CLASSES).value == [0, 1, 2, 3]
    assert arrived.offers("map-classes") and cards(arrived) == []
    assert "4 maps · 48 evaluations" in arrived.app.caption.values


def test_the_gallery_has_a_card_a_class_with_what_each_map_is_worth() -> None:
    arrived = asking(0, 3).press("map-classes").finish()
    assert arrived.status.startswith("Finished")
    assert titles(arrived) == ["disc", "star"]
    assert [len(card["pictures"]) for card in cards(arrived)] == [1, 1]
    assert all(worth.items() >= {"fidelity": 0.9, "baseline": 0.1, "control": 0.2}.items() for worth in worths(arrived))
    picture = cards(arrived)[0]["pictures"][0]
    assert [value for _, value in picture["points"]] == pytest.approx([1 / 3, 2 / 3, 1], abs=1e-4)
    assert len(picture["film"]["evaluations"]) == 3
    assert picture["cell"]["pattern"] and picture["title"] == "", "one map a card needs no name"
    assert arrived.alerts == []


def test_seeds_models_and_methods_stand_beside_each_other_on_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CLASS_METHODS, "other", dataclasses.replace(PULL, name="other", title="Other"))
    arrived = asking(4)
    arrived.app.session_state["mapped"] = (NAME, "other")
    arrived.app.session_state["maps-seeds"] = 2
    beside = arrived.app.multiselect(key="maps-beside").options[0]
    arrived.look().app.multiselect(key="maps-beside").select(beside)
    arrived.look().press("map-classes").finish()
    names = [picture["title"] for picture in cards(arrived)[0]["pictures"]]
    assert len(names) == len(set(names)) == 2 * 2 * 2
    assert names[0] == "Shapes demo · seed 0 · Pull" and names[-1] == f"{beside} · seed 1 · Other"


def test_a_class_that_fails_says_why_on_its_card_and_the_others_are_there() -> None:
    arrived = asking(1, BROKEN).press("map-classes").finish()
    states = {card["title"]: card["pictures"][0]["cell"] for card in cards(arrived)}
    assert states["triangle"]["error"] == "This class has no map."
    assert states["square"]["worth"]["fidelity"] == 0.9


def test_a_gallery_opens_by_its_link_after_a_restart_with_what_it_was_made_from(restart: Callable[[], None]) -> None:
    arrived = asking(5, 7)
    arrived.app.number_input(key="seed").set_value(3)
    arrived.look().press("map-classes").finish()
    before, there = cards(arrived), link(arrived)
    restart()
    back = visitor(there)
    assert titles(back) == titles(arrived) and worths(back) == worths(arrived)
    assert [card["pictures"][0]["points"] for card in cards(back)] == [card["pictures"][0]["points"] for card in before]
    assert back.app.multiselect(key=CLASSES).value == [5, 7]
    assert back.app.number_input(key="seed").value == 3
    assert back.app.session_state["mapped"] == (NAME,)


def test_all_classes_are_asked_at_one_switch() -> None:
    arrived = visitor()
    arrived.app.toggle(key="maps-all-scenes").set_value(True)
    arrived.look().press("map-classes").finish()
    assert len(cards(arrived)) == 10
    assert targets_of(run(arrived).plan) == tuple((index,) for index in range(10))
    back = visitor(link(arrived))
    assert back.app.toggle(key="maps-all-scenes").value is True


def test_many_classes_are_shown_a_page_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "A_PAGE", 4)
    arrived = visitor()
    arrived.app.toggle(key="maps-all-scenes").set_value(True)
    arrived.look().press("map-classes").finish()
    assert titles(arrived) == ["disc", "square", "triangle", "star"]
    arrived.app.selectbox(key=f"maps-part-{arrived.app.query_params['gallery']}").select_index(2)
    assert titles(arrived.look()) == ["hexagon", "arrow"]


def test_a_unit_of_a_layer_is_asked_about_in_place_of_a_class() -> None:
    arrived = visitor()
    arrived.app.session_state["maps-about"] = "A unit"
    arrived.look().app.number_input(key="maps-channel").set_value(2)
    arrived.look().press("map-classes").finish()
    (unit,) = targets_of(run(arrived).plan)
    assert isinstance(unit, Unit) and unit.channel == 2
    assert titles(arrived) == [str(unit)]
    back = visitor(link(arrived))
    assert back.app.number_input(key="maps-channel").value == 2
    assert back.app.selectbox(key="maps-layer").value == unit.layer


def test_a_method_that_needs_what_the_model_does_not_give_says_so_and_offers_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deep = dataclasses.replace(PULL, name="deep", title="Deep", needs=frozenset({"attention"}), instead=NAME)
    monkeypatch.setitem(CLASS_METHODS, "deep", deep)
    arrived = visitor()
    arrived.app.session_state["mapped"] = ("deep",)
    arrived.look()
    assert arrived.says("Deep needs the model's attention")
    assert not arrived.offers("map-classes")
    arrived.press("instead-deep")
    assert arrived.alerts == [] and arrived.offers("map-classes")


def test_nothing_can_start_without_a_class_or_without_a_method() -> None:
    assert not asking().offers("map-classes")
    arrived = visitor()
    arrived.app.session_state["mapped"] = ()
    assert not arrived.look().offers("map-classes")


def test_a_gallery_that_was_interrupted_can_be_continued(server: Any) -> None:
    plan = class_maps.plan(["embedded"], "cpu", [0, 1], [MethodChoice.default(NAME)])
    back = visitor(kept(server, "killed", plan))
    assert back.status.startswith("Interrupted") and titles(back) == ["class 0", "class 1"]
    assert back.press("continue").finish().status.startswith("Finished")
    assert titles(back) == ["disc", "square"] and all(worths(back))


@pytest.mark.parametrize("bad", ["nonsense", "../../etc/passwd", "%00"])
def test_a_link_that_leads_nowhere_says_so_and_offers_a_way_on(bad: str) -> None:
    arrived = visitor(bad)
    assert arrived.says("There is no run")
    arrived.press("leave-run")
    assert arrived.alerts == [] and link(arrived) == ""


def test_links_to_runs_of_other_kinds_lead_on_to_their_pages(server: Any) -> None:
    other = comparison.plan("embedded", "cpu", [PictureChoice("Star")], [MethodChoice.default("random")])
    assert visitor(kept(server, "other", other)).says("This link leads to a comparison. The Compare page shows it.")
    plan = class_maps.plan(["embedded"], "cpu", [0], [MethodChoice.default(NAME)])
    arrived = Visitor(kept(server, "maps", plan))
    assert arrived.says("This link leads to a gallery. The What the model looks for page shows it.")
    arrived.press("open-on-its-page")
    assert link(arrived) == "maps" and titles(arrived) == ["class 0"]


def test_earlier_galleries_are_listed_opened_and_deleted() -> None:
    arrived = asking(0).press("map-classes").finish().look()
    there = link(arrived)
    assert arrived.recent == [there]
    arrived.press("new")
    assert link(arrived) == "" and cards(arrived) == []
    arrived.press(f"run-{there}")
    assert titles(arrived) == ["disc"]
    arrived.delete(there, "gallery")
    assert arrived.recent == [] and visitor(there).says("There is no run")


def test_the_download_holds_every_pattern_and_the_settings() -> None:
    arrived = asking(0, 3).press("map-classes").finish()
    assert "Download ZIP" in {element.proto.label for element in arrived.app.get("download_button")}
    with zipfile.ZipFile(io.BytesIO(zip_bytes(run(arrived).grid))) as archive:
        names = archive.namelist()
    assert len([name for name in names if name.startswith("patterns/")]) == 2 and "settings.json" in names


def test_where_a_map_answers_in_a_picture_is_shown_for_the_map_that_is_chosen() -> None:
    arrived = asking(0, 3).press("map-classes").finish()
    assert any("Choose a sample" in text for text in arrived.app.caption.values)
    arrived.sample("scene-star")
    assert arrived.grid["columns"][0]["title"] == "Likeness to disc"
    (cell,) = arrived.grid["cells"]
    assert cell["map"] and -1 <= cell["low"] <= cell["high"] <= 1
    assert "No clear answer here" in arrived.grid["rows"][0]["note"], "random numbers are found nowhere"
