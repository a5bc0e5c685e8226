"""Ranks, areas, lines and legends in the browser are those of Python: its own code, run by Node."""

from __future__ import annotations

import numpy as np
import pytest

from decam.figures import limits_of
from decam.figures.contours import AREAS, smoothed, top
from decam.figures.legend import ENDS, limits_text, meaning, value_text
from decam.metrics.scales import ranks
from decam.ui.text import percent
from tests.tools import node

pytestmark = node.needed

SIZE = (40, 30)


def a_map(seed: int, signed: bool) -> np.ndarray:
    """Values with a heavy tail, some of them equal, as a ReLU leaves them."""
    values = np.random.default_rng(seed).standard_t(1.5, SIZE).astype(np.float32)
    return np.where(np.abs(values) < 0.3, np.float32(0), values) if signed else np.maximum(values, 0)


@pytest.mark.slow
@pytest.mark.parametrize("signed", [False, True])
def test_ranks_are_those_of_python(signed: bool) -> None:
    saliency = a_map(0, signed)
    found = node.evaluate(
        "ranksOf", "grid/grid_rank.js", "Array.from(ranksOf(Float32Array.from(given.field), given.signed))",
        {"field": saliency.ravel().tolist(), "signed": signed},
    )  # fmt: skip
    np.testing.assert_allclose(np.reshape(found, SIZE), ranks(saliency, signed), atol=1e-6)


@pytest.mark.slow
def test_a_value_is_in_the_top_share_that_is_as_high() -> None:
    saliency = a_map(1, signed=True).ravel()
    code = "given.field.map((value) => topText(topShare(ordered(Float32Array.from(given.field)), Math.fround(value))))"
    found = node.evaluate("ordered, topShare, topText", "grid/grid_rank.js", code, {"field": saliency[:60].tolist()})
    few = saliency[:60]
    counted = [(few >= value).mean() for value in few]
    assert found == [f"top {max(1, int(np.ceil(100 * share - 1e-9)))} %" for share in counted]
    assert found[int(few.argmax())] == "top 2 %" and found[int(few.argmin())] == "top 100 %"


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 1.0])
def test_a_masked_picture_shows_the_share_asked_for(share: float) -> None:
    saliency = np.random.default_rng(2).permutation(1200).reshape(SIZE).astype(np.float32)
    code = """(() => {
      const data = new Uint8ClampedArray(4 * given.field.length);
      const context = { createImageData: () => ({ data }), putImageData: () => {} };
      const field = Float32Array.from(given.field);
      hide({ width: 30, height: 40, getContext: () => context }, field, ordered(field), given.share);
      return Array.from(data.filter((_, i) => i % 4 === 3));
    })()"""
    given = {"field": saliency.ravel().tolist(), "share": share}
    hidden = np.reshape(node.evaluate("hide, ordered", "grid/grid_rank.js", code, given), SIZE)
    assert (hidden == 0).sum() == 1200 * share and set(np.unique(hidden)) <= {0, 255}
    assert saliency[hidden == 0].min() >= 1200 * (1 - share)


@pytest.mark.slow
def test_lines_enclose_what_python_draws_them_about() -> None:
    saliency = a_map(3, signed=False)
    code = """(() => {
      const size = { height: 40, width: 30 };
      const even = smooth(Float32Array.from(given.field), size);
      return { even: Array.from(even), pieces: crossings(even, size, threshold(ordered(even), 0.2)) };
    })()"""
    names, given = "crossings, ordered, smooth, threshold", {"field": saliency.ravel().tolist()}
    found = node.evaluate(names, "grid/grid_rank.js", code, given)
    even = smoothed(saliency, SIZE)
    np.testing.assert_allclose(np.reshape(found["even"], SIZE), even, rtol=1e-4, atol=1e-5)
    inside = top(even, AREAS[1])
    for x0, y0, x1, y1 in found["pieces"]:  # the line runs between pixels of which one is inside and one is not
        for x, y in ((x0, y0), (x1, y1)):
            column, row = x - 0.5, y - 0.5
            first, last = np.floor(np.array([row, column]) - 1e-6), np.ceil(np.array([row, column]) + 1e-6)
            (top_row, left), (bottom, right) = np.maximum(first, 0).astype(int), last.astype(int) + 1
            beside = inside[top_row:bottom, left:right]
            assert beside.any() and not beside.all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_numbers_and_legends_are_written_alike(seed: int) -> None:
    chance = np.random.default_rng(seed)
    values = [*(chance.normal(size=200) * 10 ** chance.uniform(-5, 6, 200)).tolist(), 0.0, 99.95, -0.125, 999.6]
    found = node.evaluate(
        "valueText", "grid/grid_draw.js", "given.map((value) => [valueText(value), valueText(value, 2)])", values
    )
    assert found == [[value_text(value), value_text(value, 2)] for value in values]
    saliency = a_map(seed, signed=bool(seed % 2))
    low, high = limits_of(saliency, bool(seed % 2))
    given = {
        "map": {"low": float(saliency.min()), "high": float(saliency.max())},
        "signed": bool(seed % 2), "limits": [low, high],
    }  # fmt: skip
    code = "limitsText([given.map], given.signed, given.limits)"
    assert node.evaluate("limitsText", "grid/grid_draw.js", code, given) == limits_text(
        (low, high), bool(seed % 2), clipped=bool(saliency.min() < low or saliency.max() > high)
    )


@pytest.mark.slow
def test_probabilities_are_written_as_the_page_writes_them() -> None:
    shares = [0.0, 1.0, 0.784, 0.0996, 0.0321, 0.0042, 3.22e-5, 0.9996]
    assert node.evaluate("percentText", "grid/grid_draw.js", "given.map(percentText)", shares) == [
        percent(share) for share in shares
    ]


@pytest.mark.slow
def test_colours_mean_the_same_in_both() -> None:
    cases = [(table, bare) for table in ENDS for bare in (True, False)]
    given = [[list(ENDS[table]), table == "blue-orange", "lynx", bare] for table, bare in cases]
    found = node.evaluate("meaning", "grid/grid_draw.js", "given.map((each) => meaning(...each))", given)
    assert found == [meaning(table, table == "blue-orange", "lynx", bare=bare) for table, bare in cases]


@pytest.mark.slow
@pytest.mark.parametrize("narrow", [0.3, 0.003, 0.00003])
@pytest.mark.parametrize("centre", [0.97, 12.3, 0.00012, 45678.0, -0.5])
def test_the_ends_of_narrow_scales_are_written_alike(centre: float, narrow: float) -> None:
    limits = sorted((centre, centre * (1 + narrow)))
    given = {"map": {"low": limits[0], "high": limits[1]}, "limits": limits}
    found = node.evaluate("limitsText", "grid/grid_draw.js", "limitsText([given.map], false, given.limits)", given)
    assert found == limits_text((limits[0], limits[1]), False, clipped=False)
