"""After a change of what is chosen, the maps that are shown say what they are of, and what to do."""

from __future__ import annotations

import json

import pytest

from decam.methods.de_cam.settings import VARIANTS
from decam.ui.components.grid.grid import Place
from tests.pages.visitor import Visitor, shown

pytestmark = pytest.mark.usefixtures("server")


def explained(*samples: str, methods: tuple[str, ...] = ("random", "centre")) -> Visitor:
    visitor = Visitor().sample(*samples).methods(*methods).quick()
    visitor.explain()
    return visitor.finish()


def dimmed(visitor: Visitor) -> set[Place]:
    return {(row, column) for row, column in visitor.grid["outdated"]}


def sentence(visitor: Visitor) -> str:
    found = [text for text in visitor.app.info.values if "again" in text or "yet" in text or "any more" in text]
    return shown(" ".join(found))


def test_a_grid_that_answers_what_is_chosen_says_nothing() -> None:
    visitor = explained("scene-star")
    assert (sentence(visitor), dimmed(visitor)) == ("", set())
    guest = Visitor(visitor.run)
    assert (sentence(guest), dimmed(guest)) == ("", set())
    guest.visit("de_cam").visit("compare")
    assert (sentence(guest), dimmed(guest)) == ("", set())


def test_a_page_that_searches_one_picture_leaves_the_runs_others_alone() -> None:
    visitor = explained("scene-star", "scene-arrow", methods=("de-cam", "random")).visit("de_cam")
    assert (sentence(visitor), dimmed(visitor)) == ("", set())
    visitor.ask("Star", "heart")
    assert sentence(visitor) == "The maps of Star are for *star*. Explain again for *heart*."
    assert dimmed(visitor) == {("0", "0"), ("0", "1")}
    visitor.ask("Star", "predicted")
    visitor.app.selectbox(key="searched").select_index(1)
    visitor.look()
    assert (sentence(visitor), dimmed(visitor)) == ("", set())


def test_another_class_is_said_with_both_names_and_the_maps_are_dimmed() -> None:
    visitor = explained("scene-star").ask("Star", "heart")
    assert sentence(visitor) == "These maps are for *star*. Explain again for *heart*."
    assert dimmed(visitor) == {("0", "0"), ("0", "1")}
    visitor.ask("Star", "predicted")
    assert (sentence(visitor), dimmed(visitor)) == ("", set())


def test_naming_the_class_that_was_predicted_changes_nothing() -> None:
    visitor = explained("scene-heart-ring").ask("Heart and ring", "ring")
    visitor.explain()
    visitor.finish()
    assert (sentence(visitor), dimmed(visitor)) == ("", set())


def test_of_two_pictures_only_the_one_that_changed_is_dimmed_and_named() -> None:
    visitor = explained("scene-star", "scene-arrow").ask("Arrow", "ring")
    assert sentence(visitor) == "The maps of Arrow are for *arrow*. Explain again for *ring*."
    assert dimmed(visitor) == {("1", "0"), ("1", "1")}


def test_another_model_dims_everything() -> None:
    visitor = explained("scene-star").model("small-vit")
    assert sentence(visitor) == "These maps are of *Shapes demo*. Explain again for *Small ViT*."
    assert len(dimmed(visitor)) == 2


def test_a_setting_is_said_with_both_values_and_dims_its_column() -> None:
    visitor = explained("scene-star", methods=("rise", "random"))
    before = visitor.app.number_input(key="setting:rise:budget").value
    visitor.app.number_input(key="setting:rise:budget").set_value(64)
    visitor.look()
    assert sentence(visitor) == f"The maps by RISE were made with *budget {before:,}*. Explain again for *budget 64*."
    column = next(one["key"] for one in visitor.grid["columns"] if one["title"] == "RISE")
    assert dimmed(visitor) == {("0", column)}


def test_methods_and_pictures_that_come_or_go_are_named() -> None:
    visitor = explained("scene-star").methods("random", "edges")
    assert "*Centre Gaussian* is not chosen any more." in sentence(visitor)
    assert "There are no maps by *Edge detector* yet." in sentence(visitor)
    assert len(dimmed(visitor)) == 1
    visitor.methods("random", "centre").sample("scene-arrow")
    assert sentence(visitor) == "There are no maps of *Arrow* yet."
    assert dimmed(visitor) == set()
    visitor.sample("scene-star")
    assert "*Star* is not chosen any more." in sentence(visitor)
    assert len(dimmed(visitor)) == 2


def test_another_seed_and_other_curves_are_said() -> None:
    visitor = explained("scene-star")
    visitor.app.number_input(key="seed").set_value(3)
    visitor.app.number_input(key="steps").set_value(9)
    visitor.look()
    assert "These maps were made with *seed 0*. Explain again for *seed 3*." in sentence(visitor)
    assert "Explain again to measure *Deletion* and *Insertion* as chosen now." in sentence(visitor)


def test_while_a_run_goes_on_it_is_said_too() -> None:
    visitor = Visitor().sample("scene-star").methods("de-cam").quick(50_000)
    visitor.explain()
    visitor.ask("Star", "heart")
    assert sentence(visitor) == "These maps are for *star*. Explain again for *heart*."
    visitor.press("stop").finish()


def test_when_no_picture_is_chosen_nothing_is_compared() -> None:
    visitor = explained("scene-star").sample("scene-star")
    assert (sentence(visitor), dimmed(visitor)) == ("", set())


def test_the_page_of_one_search_says_so_too() -> None:
    visitor = Visitor().visit("de_cam").sample("scene-star").quick()
    visitor.explain()
    visitor.finish()
    assert sentence(visitor) == ""
    visitor.ask("Star", "heart")
    assert sentence(visitor) == "These maps are for *star*. Explain again for *heart*."


def test_a_run_that_asks_a_method_several_times_is_taken_up_whole() -> None:
    visitor = Visitor().visit("de_cam").sample("scene-star").quick()
    visitor.app.session_state["variants"] = list(VARIANTS[:3])
    visitor.look().explain()
    visitor.finish()
    guest = Visitor(visitor.run)
    assert (sentence(guest), dimmed(guest)) == ("", set())
    again = next(box for box in guest.app.multiselect if box.label == "Same methods, other settings")
    assert [shown(title) for title in again.value] == ["DE-CAM · plain variant", "DE-CAM · random search variant"]
    again.unselect("DE-CAM · plain variant")
    guest.look()
    assert len(dimmed(guest)) == 1 and "*DE-CAM · plain variant* is not chosen any more." in sentence(guest)
    guest.methods("random")
    assert not [box for box in guest.app.multiselect if box.label == "Same methods, other settings"]


def test_a_check_says_so_too() -> None:
    visitor = Visitor().visit("sanity").sample("scene-star")
    visitor.app.session_state["checked"] = ("centre", "random")
    visitor.look().press("randomise").finish()
    assert sentence(visitor) == ""
    guest = Visitor()
    guest.app.query_params["sanity"] = visitor.app.query_params["sanity"]
    assert sentence(guest.visit("sanity")) == ""
    assert 'class="dc-outdated"' not in " ".join(guest.app.html.values)
    visitor.app.radio(key="sanity-mode").set_value("independent")
    visitor.look()
    assert "Randomise again" in sentence(visitor)
    visitor.app.radio(key="sanity-mode").set_value("cascading")
    visitor.look().ask("Star", "heart")
    assert sentence(visitor) == "These maps are for *star*. Randomise again for *heart*."
    assert " ".join(visitor.app.html.values).count('class="dc-outdated"') == 2 * 7


def test_a_gallery_says_so_too() -> None:
    visitor = Visitor().visit("class_maps")
    key = "setting:input-agnostic:budget:embedded"
    visitor.app.session_state["maps-classes-scenes"] = [0]
    visitor.look()
    if visitor.has("number_input", key):
        visitor.app.number_input(key=key).set_value(visitor.app.number_input(key=key).min)
        visitor.look()
    visitor.press("map-classes").finish()
    assert sentence(visitor) == ""
    guest = Visitor()
    guest.app.query_params["gallery"] = visitor.app.query_params["gallery"]
    assert sentence(guest.visit("class_maps")) == ""
    visitor.app.session_state["maps-classes-scenes"] = [1]
    visitor.look()
    assert "*disc* is not chosen any more." in sentence(visitor)
    assert "There are no maps of *square* yet." in sentence(visitor)
    sent = [json.loads(element.proto.json) for element in visitor.app.get("bidi_component")]
    assert [data["outdated"] for data in sent if "cards" in data] == [[["0", "0"]]]
