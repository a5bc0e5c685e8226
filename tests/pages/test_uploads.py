"""Uploads belong to the session: every page has them, with what was chosen for them, until they are removed."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from decam.images.scenes import scene as scenes
from decam.ui import state
from decam.ui.shared import ground_truth, targets, uploads
from decam.ui.shared.ground_truth import Given
from tests.pages.conftest import QUICK
from tests.pages.visitor import Visitor

pytestmark = pytest.mark.usefixtures("server")

BOX = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.5), (0.25, 0.5))
TRICKY = "my_cat_*1* [a](b) $x$ `c`.png"


def scene(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(scenes.scene(seed).image).save(buffer, "PNG")
    return buffer.getvalue()


def key(seed: int) -> str:
    return uploads.content_key(scene(seed))


@pytest.mark.parametrize("page", ["de_cam", "sanity", "metrics", "methods"])
def test_uploads_are_there_again_after_a_visit_to_another_page(page: str) -> None:
    visitor = Visitor().upload(("a.png", scene(1)), ("b.png", scene(2))).model("embedded")
    seen = visitor.picture("b.png")
    visitor.visit(page).visit("compare")
    assert visitor.cards == ["a.png", "b.png"]
    np.testing.assert_array_equal(visitor.picture("b.png"), seen)


def test_every_page_that_chooses_a_picture_offers_the_uploads() -> None:
    visitor = Visitor().upload(("a.png", scene(1)), ("b.png", scene(2))).model("embedded")
    for page in ("de_cam", "sanity"):
        visitor.visit(page)
        assert visitor.app.selectbox(key="searched").options == ["a.png", "b.png"]
        visitor.app.selectbox(key="searched").select_index(1)
        assert visitor.look().cards == ["b.png"]
    visitor.visit("metrics")
    assert visitor.app.selectbox(key="metric-sample").options[:3] == ["a.png", "b.png", "Star"]
    visitor.visit("methods").press(f"field-own-{key(2)}")
    assert visitor.cards == ["b.png"]


def test_classes_and_truths_go_with_the_content_and_not_with_the_place() -> None:
    visitor = Visitor().upload(("a.png", scene(1)), ("b.png", scene(2))).model("embedded")
    visitor.ask("b.png", "heart")
    visitor.app.session_state[ground_truth.key(key(2))] = Given(ground_truth.DRAWN, (BOX,))
    visitor.visit("sanity").visit("compare").press(f"remove-{key(1)}")
    assert visitor.cards == ["b.png"]
    assert "heart" in visitor.card("b.png").options[visitor.card("b.png").index]
    visitor.methods("random").quick().explain()
    visitor.finish()
    assert visitor.grid["rows"][0]["label"] == "heart"
    assert visitor.grid["rows"][0]["truth"], "the box that was drawn is shown"


@pytest.mark.slow
def test_what_was_drawn_is_there_for_every_model(quick_model: Path) -> None:
    assert quick_model
    wide = Image.new("RGB", (400, 200), "grey")
    wide.paste("white", (150, 50, 250, 150))
    buffer = io.BytesIO()
    wide.save(buffer, "PNG")
    visitor = Visitor().upload(("wide.png", buffer.getvalue())).model("embedded").methods("random").quick()
    box = ((0.375, 0.25), (0.625, 0.25), (0.625, 0.75), (0.375, 0.75))
    place = ground_truth.key(uploads.content_key(buffer.getvalue()))
    visitor.app.session_state[place] = Given(ground_truth.DRAWN, (box,))
    for model in ("embedded", QUICK):
        visitor.visit("compare").model(model).explain()
        visitor.finish()
        run = state.runs().snapshot(visitor.run)
        (truth,) = run.truths
        assert truth is not None
        object_there = run.views[0][..., 0] > 190
        assert (truth != object_there).mean() < 0.02, "it lies on the object, however the model crops its image"


def test_a_picture_that_is_removed_is_gone_from_every_page_with_what_was_chosen_for_it() -> None:
    visitor = Visitor().upload(("a.png", scene(1)), ("b.png", scene(2))).model("embedded")
    visitor.ask("b.png", "heart")
    visitor.app.session_state[ground_truth.key(key(2))] = Given(ground_truth.DRAWN, (BOX,))
    visitor.visit("sanity").press(f"remove-own-{key(2)}")
    for page in ("sanity", "de_cam", "compare"):
        assert visitor.visit(page).cards == ["a.png"]
    visitor.visit("metrics")
    assert "b.png" not in visitor.app.selectbox(key="metric-sample").options
    visitor.visit("compare").upload(("b.png", scene(2)))
    assert visitor.card("b.png").value == targets.PREDICTED
    assert ground_truth.key(key(2)) not in visitor.app.session_state


def test_a_picture_shown_on_the_metrics_page_may_be_removed_elsewhere() -> None:
    visitor = Visitor().upload(("a.png", scene(1))).visit("metrics")
    visitor.app.selectbox(key="metric-sample").select_index(0)
    visitor.look().visit("compare").press(f"remove-{key(1)}").visit("metrics")
    assert visitor.app.selectbox(key="metric-sample").value == "scene-star"


def test_the_same_picture_twice_is_one_and_the_page_says_so() -> None:
    visitor = Visitor().upload(("a.png", scene(1)), ("a.png", scene(1)))
    assert visitor.cards == ["a.png"]
    assert visitor.says("a.png is here already.")
    visitor.upload(("other name.png", scene(1)))
    assert visitor.cards == ["a.png"]
    assert visitor.says("other name.png is here already, as a.png.")


def test_what_was_refused_is_said_on_its_page_and_not_on_others() -> None:
    visitor = Visitor().upload(("letter.png", b"Dear Sir"), ("a.png", scene(1)))
    assert len(visitor.errors) == 1
    assert visitor.visit("sanity").errors == []
    assert visitor.visit("compare").errors == []


def test_the_session_holds_no_more_pictures_than_a_page_takes() -> None:
    visitor = Visitor().upload(*((f"{seed:02}.png", scene(seed)) for seed in range(16)))
    visitor.visit("sanity").visit("compare").upload(("more.png", scene(16)), ("00.png", scene(0)))
    assert len(visitor.cards) == 16
    assert visitor.says("At most 16 images at once", "left out more.png", "Remove others first")
    visitor.press(f"remove-{key(3)}").upload(("more.png", scene(16)))
    assert visitor.cards[-1] == "more.png"


def test_an_upload_is_set_aside_and_taken_back_with_one_click() -> None:
    visitor = Visitor().upload(("a.png", scene(1)), ("b.png", scene(2))).press(f"own-{key(1)}")
    assert visitor.cards == ["b.png"]
    assert visitor.press(f"own-{key(1)}").cards == ["a.png", "b.png"]


def test_a_run_that_is_opened_sets_uploads_aside_and_keeps_them() -> None:
    visitor = Visitor().sample("scene-star").methods("random").quick()
    run = visitor.explain()
    visitor.finish().sample("scene-star").upload(("a.png", scene(1))).press(f"run-{run}")
    assert visitor.cards == ["Star"]
    assert visitor.press(f"own-{key(1)}").cards == ["Star", "a.png"]


def test_begin_again_and_a_new_session_have_no_uploads() -> None:
    visitor = Visitor().upload(("a.png", scene(1))).press("new")
    assert not visitor.has("button", f"own-{key(1)}")
    assert Visitor().cards == []


def test_pictures_of_one_name_are_told_apart_where_one_is_chosen() -> None:
    visitor = Visitor().upload(("a.png", scene(1)), ("a.png", scene(2))).visit("de_cam")
    assert visitor.app.selectbox(key="searched").options == ["a.png", "a.png (2)"]


@pytest.mark.parametrize("page", ["compare", "de_cam", "sanity", "metrics"])
def test_no_label_that_is_read_as_it_stands_holds_marks_of_markdown(page: str) -> None:
    visitor = Visitor().upload((TRICKY, scene(1)), ("b.png", scene(2))).visit(page)
    read = [text for box in visitor.app.selectbox for text in (box.label, *box.options)]
    assert any(TRICKY in text for text in read)
    assert not [text for text in read if re.search(r"\\[^\w\s]", text)]


def test_every_button_beside_a_picture_names_it() -> None:
    visitor = Visitor().upload(("cat.png", scene(1))).model("embedded")
    labels = {button.key: button.label for button in visitor.app.button}
    assert labels[f"remove-{key(1)}"] == labels[f"remove-own-{key(1)}"] == "Remove cat.png"
    assert labels[f"truth-{key(1)}"] == "Ground truth *of cat.png*"
