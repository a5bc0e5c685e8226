"""The browser scales and colours maps as Python does: its own code, run by Node on what the page is sent."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from decam.export.wire import map_file
from decam.figures import alone, limits_of, lut, masked, shared_limits, table_for
from decam.metrics.scales import Limits
from tests.tools import node

SIZE = (30, 20)
DRAWN = """(({ maps, signed, extremes, size, tables }) => {
  const limits = limitsOf(maps, signed, extremes);
  const drawn = maps.map((map) => ["map", "masked"].map((view) => {
    let kept = null;
    const data = new Uint8ClampedArray(4 * size.width * size.height);
    const context = { createImageData: () => ({ data }), putImageData: (image) => (kept = image.data) };
    const own = map.silent ? limitsOf([map], signed, extremes) : limits;
    compose({ ...size, getContext: () => context }, fieldOf(map, map.low, map.high, size), signed, own, tables, view);
    return Array.from(kept);
  }));
  return { limits, drawn, text: limitsText(maps, signed, limits) };
})(given)"""

pytestmark = node.needed


def sent(saliency: np.ndarray, signed: bool, silent: bool = False) -> dict[str, Any]:
    """A map as the page gets it, its PNG read as a canvas reads it."""
    file = map_file(saliency)
    pixels = np.asarray(Image.open(io.BytesIO(file.png)).convert("RGB")).astype(int)
    height, width = pixels.shape[:2]
    levels = (256 * pixels[..., 0] + pixels[..., 1]).ravel().tolist()
    return {
        "low": file.low, "high": file.high, "ends": limits_of(saliency, signed), "silent": silent,
        "width": width, "height": height, "levels": levels,
    }  # fmt: skip


def browser(maps: list[dict[str, Any]], signed: bool, extremes: bool) -> tuple[Limits, list[Any], str]:
    """Limits of the maps together, what the views Map and Masked draw of each, and what the page says of the limits."""
    given = {
        "maps": maps,
        "signed": signed,
        "extremes": extremes,
        "size": {"height": SIZE[0], "width": SIZE[1]},
        "tables": lut(table_for("magma", signed)).ravel().tolist(),
    }
    read = node.evaluate("compose, fieldOf, limitsOf, limitsText", "grid/grid_draw.js", DRAWN, given)
    return tuple(read["limits"]), [np.array(one).reshape(2, *SIZE, 4) for one in read["drawn"]], read["text"]


def heavy(seed: int, signed: bool) -> np.ndarray:
    """Values of which some are far larger than the others."""
    values = (np.random.default_rng(seed).standard_t(1.5, SIZE) * 0.05).astype(np.float32)
    return values if signed else np.abs(values)


@pytest.mark.slow
@pytest.mark.parametrize("extremes", [False, True])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_the_page_scales_and_colours_maps_as_the_export_does(signed: bool, extremes: bool, count: int) -> None:
    maps = [heavy(seed, signed) * (seed + 1) for seed in range(count)]
    limits, drawn, _ = browser([sent(one, signed) for one in maps], signed, extremes)
    assert limits == pytest.approx(shared_limits(maps, signed, extremes=extremes))
    table = lut(table_for("magma", signed)).astype(int)
    step = np.abs(np.diff(table, axis=0)).max()
    for saliency, (coloured, hidden) in zip(maps, drawn, strict=True):
        right = alone(saliency, SIZE, signed=signed, limits=limits)
        assert np.abs(coloured[..., :3] - right.astype(int)).max() <= 2 * step
        black = masked(np.zeros((*SIZE, 3), np.uint8), saliency, signed=signed, limits=limits)[..., 0]
        assert np.abs(128 * hidden[..., 3] / 255 - black).max() <= 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signed", "extremes", "text"),
    [
        (True, False, "±0.20, top 1 % clipped"),
        (True, True, "±2.0"),
        (False, False, "0 to 0.20, top 1 % clipped"),
        (False, True, "0 to 2.0"),
    ],
)
def test_the_page_says_between_which_values_its_colours_run(signed: bool, extremes: bool, text: str) -> None:
    saliency = np.zeros(SIZE, np.float32)
    saliency[5] = 0.2
    saliency[7, 3] = -2.0 if signed else 2.0
    assert browser([sent(saliency, signed)], signed, extremes)[2] == text


@pytest.mark.slow
@pytest.mark.parametrize("signed", [False, True])
def test_the_page_draws_a_silent_map_flat_and_leaves_the_scale_to_the_others(signed: bool) -> None:
    chance, map_ = 100 * heavy(1, signed), heavy(2, signed)
    limits, drawn, _ = browser([sent(chance, signed, silent=True), sent(map_, signed)], signed, False)
    assert limits == pytest.approx(limits_of(map_, signed))
    colour = lut(table_for("magma", signed))[128 if signed else 0]
    assert (drawn[0][0][..., :3] == colour).all()
    assert browser([sent(chance, signed, silent=True)], signed, False)[2] == "Flat: no evidence"


def test_what_is_left_after_clipping_is_sent_finely_enough_for_its_colours() -> None:
    saliency = np.linspace(0, 1, 600, dtype=np.float32).reshape(SIZE)
    saliency[0, 0] = 100.0
    one = sent(saliency, False)
    values = one["low"] + np.array(one["levels"]).reshape(SIZE) * (one["high"] - one["low"]) / 65535
    assert np.abs(values - saliency).max() <= 100 / 65535
