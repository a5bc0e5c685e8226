"""The gallery's data: the way to a map on one strip, its curve, and what the browser is sent."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from decam.experiments.history import Frame
from decam.export.wire import GridCell
from decam.methods.class_level.display import shown
from decam.ui.components.gallery.gallery import (
    MOMENTS,
    POINTS,
    GalleryCard,
    GalleryPicture,
    film,
    payload,
    points,
)
from decam.ui.components.live import LiveRun


def frames(count: int, *, pictured: bool = True) -> list[Frame]:
    """Moments that can be told apart by their grey: the number of the moment."""
    return [
        Frame(10 * i, {"fidelity": i / count}, pattern=np.full((4, 5, 3), i % 256, np.uint8) if pictured else None)
        for i in range(count)
    ]


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.parametrize("count", [2, 7, MOMENTS, MOMENTS + 1, 120])
def test_a_film_holds_evenly_many_moments_in_their_order_from_the_first_to_the_last(count: int) -> None:
    made = film(frames(count))
    assert made is not None
    kept = [evaluations // 10 for evaluations in made.evaluations]
    assert len(kept) == min(count, MOMENTS) and (kept[0], kept[-1]) == (0, count - 1)
    gaps = np.diff(kept)
    assert gaps.min() >= 1 and gaps.max() - gaps.min() <= 1
    strip = pixels(made.png)
    assert strip.shape == (4 * len(kept), 5, 3)
    assert strip[::4, 0, 0].tolist() == kept


@pytest.mark.parametrize("some", [[], frames(1), frames(9, pictured=False)])
def test_where_there_is_no_way_there_is_no_film(some: list[Frame]) -> None:
    assert film(some) is None


def test_a_curve_has_every_value_that_was_reported_or_evenly_many_of_them() -> None:
    few = [*frames(3), Frame(99, {"norm": 1.0})]
    assert points(few) == [(0, 0.0), (10, 1 / 3), (20, 2 / 3)]
    many = points(frames(1000))
    assert len(many) == POINTS and many[0] == (0, 0.0) and many[-1] == (9990, 0.999)


def test_what_the_browser_is_sent_is_json_with_the_pattern_as_it_is_shown() -> None:
    pattern = np.random.default_rng(0).normal(size=(3, 6, 6)).astype(np.float32)
    worth = {"fidelity": 0.97, "baseline": 0.1, "control": float("nan"), "norm": 3.0}
    cell = GridCell("4", "1", saliency=np.ones((6, 6), np.float32), pattern=pattern, worth=worth, notes=("Careful.",))
    cards = [GalleryCard("0", "<b>star</b>", (GalleryPicture(cell, "seed 1", [(8, 0.123456789)], film(frames(3))),))]
    sent = payload(cards, (6, 6), key="g", live=LiveRun("/live/x", "7"), selected=("4", "1"))
    assert json.loads(json.dumps(sent, allow_nan=False)) == json.loads(json.dumps(sent))
    (card,) = sent["cards"]
    (picture,) = card["pictures"]
    assert (card["title"], picture["title"], picture["points"]) == ("<b>star</b>", "seed 1", [(8, 0.12346)])
    assert picture["cell"]["worth"] == {"fidelity": 0.97, "baseline": 0.1, "control": None, "norm": 3.0}
    assert picture["cell"]["notes"] == ["Careful."]
    assert picture["cell"]["map"] is None, "the pattern alone is drawn"
    head, data = picture["cell"]["pattern"].split(",", 1)
    assert head == "data:image/png;base64"
    assert np.array_equal(pixels(base64.b64decode(data)), shown(pattern))
    assert picture["film"]["evaluations"] == [0, 10, 20]
    assert sent["live"] == {"url": "/live/x", "version": "7"}


def test_a_map_that_has_not_begun_is_sent_empty() -> None:
    sent = payload([GalleryCard("0", "star", (GalleryPicture(GridCell("0", "0")),))], (6, 6), key="g", activation=True)
    picture = sent["cards"][0]["pictures"][0]
    assert (picture["cell"]["pattern"], picture["film"], picture["points"]) == (None, None, [])
    assert sent["activation"] and sent["live"] is None
