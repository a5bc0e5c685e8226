"""Models on the page: the list, which of them is asked, and what happens where its weights are damaged."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from decam.models.catalogue import ENTRIES
from decam.models.sources.bundled import BUNDLED
from tests.pages.conftest import QUICK
from tests.pages.visitor import Visitor

pytestmark = pytest.mark.usefixtures("replaced_models")


# The list


def test_the_list_shows_for_every_model_what_it_is_and_whether_it_is_here() -> None:
    visitor = Visitor()
    box = visitor.app.selectbox(key="model")
    assert len(box.options) == len(ENTRIES)
    assert box.options[0] == "Shapes demo (built in)"
    assert box.options[list(ENTRIES).index("resnet18")] == "ResNet-18 (download 47 MB)"
    visitor.model("resnet18")
    facts = next(text for text in visitor.app.sidebar.caption.values if "parameters" in text)
    assert facts.startswith("11.7 M parameters · top-1 69.8\N{NO-BREAK SPACE}% · 47 MB to download · [about](https://")


def test_a_device_is_chosen_by_itself_and_shown() -> None:
    visitor = Visitor().sample("scene-star")
    assert visitor.app.selectbox(key="device").value
    assert any(
        text.startswith(("Computes in float32", "Computes in bfloat16")) for text in visitor.app.sidebar.caption.values
    )


# Which model is asked


@pytest.mark.usefixtures("quick_model")
def test_a_photograph_goes_to_the_imagenet_model_that_is_here_and_a_scene_to_the_embedded() -> None:
    visitor = Visitor()
    assert visitor.app.selectbox(key="model").value == "embedded"
    visitor.sample("chelsea")
    assert visitor.app.selectbox(key="model").value == QUICK
    assert len(visitor.card("Chelsea the cat").options) == 1000
    assert visitor.alerts == []
    visitor.press("new").sample("scene-star")
    assert visitor.app.selectbox(key="model").value == "embedded"
    visitor.press("new").upload(("cat.png", picture()))
    assert visitor.app.selectbox(key="model").value == QUICK


@pytest.mark.usefixtures("quick_model")
@pytest.mark.parametrize(("page", "key"), [("", "model"), ("methods", "field-model"), ("metrics", "metric-model")])
def test_under_a_photograph_on_a_model_of_shapes_one_click_asks_the_model_for_photographs(page: str, key: str) -> None:
    visitor = Visitor().sample("chelsea")
    if page:
        visitor.visit(page)
        picture = {"methods": "field-sample", "metrics": "metric-sample"}[page]
        visitor.app.session_state[picture] = "chelsea"
        visitor.look()
    visitor.app.selectbox(key=key).select("embedded")
    visitor.look().press("look-again")
    assert visitor.app.selectbox(key=key).value == QUICK
    assert not visitor.says("ten drawn shapes")


@pytest.mark.usefixtures("quick_model")
def test_a_model_that_the_visitor_chose_stays() -> None:
    visitor = Visitor().sample("chelsea").model("embedded").sample("coffee")
    assert visitor.app.selectbox(key="model").value == "embedded"
    visitor.model(QUICK).sample("chelsea", "coffee", "scene-star")
    assert visitor.app.selectbox(key="model").value == QUICK
    assert visitor.says("SqueezeNet 1.0 knows photos", "scenes")


def test_without_an_imagenet_model_the_page_says_what_the_embedded_one_cannot_know() -> None:
    visitor = Visitor().sample("chelsea")
    assert visitor.app.selectbox(key="model").value == "embedded"
    assert visitor.says("ten drawn shapes", "nothing else", "means nothing")
    assert visitor.offers("explain")


@pytest.mark.usefixtures("quick_model")
def test_a_class_of_imagenet_is_found_by_a_part_of_its_name_and_asked_about() -> None:
    visitor = Visitor().sample("chelsea").methods("random").quick()
    visitor.ask("Chelsea the cat", "Egyptian ca")
    visitor.explain()
    assert visitor.finish().grid["rows"][0]["label"] == "Egyptian cat"


# Weights that are damaged


def test_damaged_weights_are_told_with_the_remedy_and_the_others_still_work(quick_model: Path) -> None:
    quick_model.write_bytes(quick_model.read_bytes()[:5000])
    visitor = Visitor().sample("chelsea")
    (sentence,) = visitor.errors
    assert all(part in sentence for part in ("SqueezeNet 1.0", str(quick_model), "damaged", "delete that file"))
    assert not visitor.offers("explain")
    visitor.model("embedded")
    assert visitor.errors == []
    assert visitor.offers("explain")


@pytest.mark.usefixtures("quick_model", "unloaded")
@pytest.mark.parametrize(("content", "word"), [(None, "missing"), (b"", "damaged"), (b"rubbish" * 99, "damaged")])
def test_embedded_weights_that_cannot_be_used_are_told_with_the_remedy(
    content: bytes | None, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "embedded.safetensors"
    if content is not None:
        path.write_bytes(content)
    embedded_at(path, monkeypatch)
    visitor = Visitor().sample("scene-star")
    (sentence,) = visitor.alerts
    assert all(part in sentence for part in ("embedded model", str(path), word, "python -m decam.training"))
    assert not visitor.offers("explain")
    visitor.model(QUICK)
    assert visitor.errors == []
    assert visitor.cards == ["Star"]


def test_a_finished_run_is_shown_without_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restart: Callable[[], None]
) -> None:
    visitor = Visitor().sample("scene-star").methods("random").quick()
    run = visitor.explain()
    visitor.finish()
    restart()
    embedded_at(tmp_path / "gone.safetensors", monkeypatch)
    guest = Visitor(run)
    seen = [row | {"original": None} for row in visitor.grid["rows"]]
    assert guest.grid == visitor.grid | {"rows": seen}, "which part of the photo it saw only the model tells"
    assert all(row["original"] for row in visitor.grid["rows"])
    for tab in ("Convergence", "Metrics", "Export"):
        guest.tab(tab)
    guest.tab("Curves")
    assert guest.says("The image of a step needs the run's model")
    assert len(guest.app.get("plotly_chart")) == 2, "the curves themselves need no model"


def embedded_at(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the embedded model's weights be looked for in another place."""
    row = BUNDLED["embedded"]
    monkeypatch.setitem(BUNDLED, "embedded", replace(row, weights=replace(row.weights, path=path)))


def picture() -> bytes:
    """Some picture as a file."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()
