"""Layers laid over each other as a browser does, against the overlay and the contours that Python draws."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from decam.figures.contours import contoured
from decam.figures.layers import grey_png, heat_png, lines_png
from decam.figures.legend import scale_of
from decam.figures.overlays import overlay

SIDE = 24


def over(below: np.ndarray, png: bytes, opacity: float) -> np.ndarray:
    """A layer over a picture by the usual rule: colour × alpha + below × (1 − alpha)."""
    layer = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"), np.float64)
    alpha = opacity * layer[..., 3:] / 255
    mixed: np.ndarray = layer[..., :3] * alpha + below * (1 - alpha)
    return mixed


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 999), st.floats(0, 1), st.booleans(), st.booleans())
def test_grey_and_heat_over_a_picture_look_as_the_overlay(
    seed: int, opacity: float, signed: bool, coarse: bool
) -> None:
    rng = np.random.default_rng(seed)
    view = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    saliency = rng.normal(size=(6, 6) if coarse else (SIDE, SIDE)).astype(np.float32)
    scale = scale_of(saliency, signed)
    beneath = over(view.astype(np.float64), grey_png(view), opacity)
    seen = over(beneath, heat_png(scale, signed, "viridis", (SIDE, SIDE)), opacity)
    wanted = overlay(view, saliency, signed=signed, colours="viridis", opacity=opacity, limits=scale.limits)
    # Of an unsigned map the colours are the same. Its cover, the grey picture and the overlay are rounded, each by half
    # a level at most: 1.5 in all. A signed map has 127 covers on each side of zero, whose colours are rounded too.
    assert np.abs(seen - wanted).max() <= (6 if signed else 1.51)
    assert np.abs(seen - wanted).mean() <= 1


@pytest.mark.parametrize("seed", range(3))
def test_lines_over_a_picture_are_its_contours(seed: int) -> None:
    view = np.full((SIDE, SIDE, 3), 40, np.uint8)
    saliency = np.random.default_rng(seed).random((SIDE, SIDE)).astype(np.float32)
    np.testing.assert_array_equal(over(view, lines_png(saliency, (SIDE, SIDE)), 1.0), contoured(view, saliency))
