"""The brush between browser and server: both mean the same squares, and the browser gets what it draws."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from decam.errors import SettingError
from decam.experiments.covering import SIDE, squares
from decam.ui.components.brush import brush
from decam.ui.components.brush.brush import Answer, Painting, Rival, Tools
from tests.tools.node import evaluate, needed

TOP = np.eye(8, dtype=bool)


def painting() -> Painting:
    """A black picture, half of whose answer went from a star to a heart."""
    view = np.zeros((8, 8, 3), np.uint8)
    answers = [Answer("star", 0.25, 0.99), Answer("heart", 0.5, 0.01)]
    return Painting(view, view + 9, "star", answers, 0.125, Rival("DE-CAM", TOP, 0.5))


@needed
@pytest.mark.slow
def test_browser_and_server_mean_the_same_squares() -> None:
    rng = np.random.default_rng(3)
    covered = rng.random((SIDE, SIDE)) < 0.3
    expression = (
        "(() => { const cells = new Cells(given.side); cells.covered.set(given.covered); return cells.text(); })()"
    )
    given = {"side": SIDE, "covered": covered.astype(int).ravel().tolist()}
    text = evaluate("Cells", "brush/cells.js", expression, given)
    assert np.array_equal(squares(text), covered)


def test_the_browser_gets_json_with_the_class_asked_about_first() -> None:
    sent = brush.payload("key", painting())
    assert json.loads(json.dumps(sent)) == sent
    assert (sent["rows"], sent["columns"]) == (SIDE, SIDE)
    assert [one["label"] for one in sent["answers"]] == ["star", "heart"]
    assert sent["rival"] == {"title": "DE-CAM", "cover": "gEAgEAgEAgE=", "rows": 8, "columns": 8, "value": 0.5}
    assert sent["view"] != sent["filling"]
    assert sent["tools"] is None
    assert sent["notes"] == []


def test_regions_travel_as_a_picture_that_names_each_and_the_top_as_bits() -> None:
    regions = np.arange(64).reshape(8, 8) * 7
    sent = brush.payload(
        "key", replace(painting(), grain=(8, 8), tools=Tools(regions, TOP, "Hide it"), notes=("One.",))
    )
    assert json.loads(json.dumps(sent)) == sent
    assert (sent["tools"]["top"], sent["tools"]["says"]) == ("gEAgEAgEAgE=", "Hide it")
    png = base64.b64decode(sent["tools"]["regions"].split(",")[1])
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    assert np.array_equal(256 * pixels[..., 0] + pixels[..., 1], regions)
    assert sent["notes"] == ["One."]


def test_tools_of_another_grain_are_told() -> None:
    with pytest.raises(SettingError, match=r"is \(8, 8\), but the brush's squares are \(64, 64\)"):
        replace(painting(), tools=Tools(np.zeros((8, 8), np.int64), TOP, "Hide it"))
