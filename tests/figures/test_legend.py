"""Legends by hand, numbers as a browser writes them, and equal words for equal scales."""

from __future__ import annotations

import numpy as np
import pytest

from decam.figures.colours import COLOURS
from decam.figures.legend import ENDS, SILENT, limits_text, meaning, scale_of, value_text
from decam.figures.overlays import FLAT


@pytest.mark.parametrize(
    ("value", "text", "two"),
    [
        (0.0, "0.00", "0.0"),
        (-0.25, "−0.250", "−0.25"),
        (0.125, "0.125", "0.13"),
        (12.34, "12.3", "12"),
        (99.96, "100", "100"),
        (123.4, "123", "123"),
        (0.0001, "1.0e−4", "1.0e−4"),
        (-123456.0, "−1.2e+5", "−1.2e+5"),
    ],
)
def test_values_have_few_digits_and_a_real_minus(value: float, text: str, two: str) -> None:
    assert value_text(value) == text and value_text(value, 2) == two


def test_a_scale_says_its_ends_and_whether_the_top_is_clipped() -> None:
    saliency = np.full((10, 30), 0.1, np.float32)
    saliency[0, :10] = 0.21
    saliency[5, 5] = -2.0
    scale = scale_of(saliency, signed=True)
    assert scale.limits == (-np.float32(0.21), np.float32(0.21)) and scale.text == "±0.21, top 1 % clipped"
    assert scale_of(saliency, signed=True, extremes=True).text == "±2.0"
    assert scale_of(np.abs(saliency), signed=False, limits=(0.0, 4.0)).text == "0 to 4.0"
    assert limits_text((-1.0, 0.5), False, clipped=True) == "−1.0 to 0.50, top 1 % clipped"


@pytest.mark.parametrize("signed", [False, True])
def test_by_rank_the_ends_are_shares_and_a_flat_map_says_that_it_is_flat(signed: bool) -> None:
    saliency = np.array([[0.0, -5.0], [1.0, 2.0]], np.float32)
    scale = scale_of(saliency, signed, by_rank=True)
    expected = [[0.0, -1.0], [1 / 3, 2 / 3]] if signed else [[1 / 3, 0.0], [2 / 3, 1.0]]
    np.testing.assert_allclose(scale.values, expected, rtol=1e-6)
    assert scale.limits == ((-1.0, 1.0) if signed else (0.0, 1.0))
    assert scale.text == ("by rank of |value|: ±100 %" if signed else "by rank: 0 to 100 %")
    assert scale_of(np.ones((3, 3), np.float32), signed, by_rank=True).text == SILENT
    silent = scale_of(saliency, signed, silent=True, by_rank=True)
    assert silent.text == SILENT and silent.limits == FLAT


def test_every_table_says_in_words_what_its_ends_mean() -> None:
    assert set(ENDS) == set(COLOURS)
    assert meaning("cividis", False, "lynx") == "Yellow speaks most for lynx, the bare image least"
    assert meaning("cividis", False, "lynx", bare=False) == "Yellow speaks most for lynx, dark blue least"
    assert meaning("cividis", True, "lynx") == "Orange speaks for lynx, blue against it"


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ((0.9712, 0.9748), "0.971 to 0.975"),
        ((0.9749, 0.9751), "0.9749 to 0.9751"),
        ((12.31, 12.44), "12.31 to 12.44"),
        ((1.211e-4, 1.239e-4), "1.211e−4 to 1.239e−4"),
        ((0.412, 0.447), "0.41 to 0.45"),
        ((-0.00001, 0.02), "0 to 0.020"),
    ],
)
def test_the_ends_of_a_narrow_scale_are_told_apart(limits: tuple[float, float], text: str) -> None:
    assert limits_text(limits, False, False) == text
    low, high = (float(end.replace("−", "-")) for end in text.split(" to "))
    assert max(abs(low - limits[0]), abs(high - limits[1])) <= (limits[1] - limits[0]) / 4
