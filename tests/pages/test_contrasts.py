"""One class rather than another: chosen on the card, named in the results, told apart from other runs."""

from __future__ import annotations

import pytest

from decam.images.scenes.scene import CLASSES
from decam.ui.shared import targets
from tests.pages.visitor import Visitor

pytestmark = pytest.mark.usefixtures("server")


def contrast() -> Visitor:
    visitor = Visitor().sample("scene-heart-ring").methods("grad-cam", "finer-cam").quick()
    return visitor.ask("Heart and ring", "heart").rather_than("Heart and ring", "ring")


def test_maps_of_one_class_rather_than_another_are_made_named_and_kept() -> None:
    visitor = contrast()
    link = visitor.explain()
    visitor.finish()
    assert visitor.grid["rows"][0]["label"] == "heart rather than ring"
    assert visitor.cell("Grad-CAM")["state"] == "done"
    failed = visitor.cell("Finer-CAM")
    assert failed["state"] == "failed"
    assert "Grad-CAM tells it from the one you name" in failed["error"]
    guest = Visitor(link)
    assert guest.grid["rows"][0]["label"] == "heart rather than ring"
    box = next(box for box in guest.app.selectbox if "tell the target" in box.label)
    assert box.value == CLASSES.index("ring")
    assert not guest.says("These maps are for")


def test_maps_for_another_contrast_are_said_to_be_for_that() -> None:
    visitor = contrast()
    visitor.explain()
    visitor.finish().rather_than("Heart and ring", "any other class")
    assert visitor.says("These maps are for *heart rather than ring*", "again for *heart*")
    visitor.rather_than("Heart and ring", "star")
    assert visitor.says("again for *heart rather than star*")
    visitor.rather_than("Heart and ring", "ring")
    assert not visitor.says("These maps are for")


def test_the_class_asked_about_is_not_offered_as_the_other_one_and_is_dropped_when_it_becomes_that() -> None:
    visitor = Visitor().sample("scene-star")
    visitor.rather_than("Star", "ring").ask("Star", "ring")
    box = next(box for box in visitor.app.selectbox if "tell the target" in box.label)
    assert "rather than ring" not in box.options
    assert box.value == targets.OTHERS


@pytest.mark.parametrize("page", ["de_cam", "sanity"])
def test_every_page_that_explains_a_picture_can_ask_it(page: str) -> None:
    visitor = Visitor().sample("scene-star").visit(page)
    assert any("tell the target" in box.label for box in visitor.app.selectbox)
    visitor.rather_than("Star", "ring")
    visitor.visit("compare")
    box = next(box for box in visitor.app.selectbox if "tell the target" in box.label)
    assert box.value == CLASSES.index("ring"), "the choice goes along to the other pages"
