"""Lines about equal areas: counted, at the edges of shapes known by hand, and none where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.figures.contours import AREAS, LINE, contoured, smoothed, top


@given(st.integers(0, 1000), st.sampled_from(AREAS))
def test_the_top_of_a_map_without_ties_has_its_share(seed: int, share: float) -> None:
    values = np.random.default_rng(seed).permutation(400).reshape(20, 20).astype(np.float32)
    found = top(values, share)
    assert found.sum() == 400 * share and values[found].min() > values[~found].max()


def test_equal_values_come_together_and_the_lowest_never() -> None:
    values = np.zeros((10, 10), np.float32)
    values[2:4] = 1
    for share in AREAS:
        assert (top(values, share) == (values > 0)).all()
    assert not top(np.ones((4, 4), np.float32), 0.5).any()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_lines_stand_where_a_disc_begins_whatever_the_unit(scale: float) -> None:
    down, across = np.mgrid[:100, :100]
    far = np.hypot(down - 50, across - 50)
    picture = np.full((100, 100, 3), 90, np.uint8)
    drawn = (contoured(picture, (-far * scale).astype(np.float32)) == LINE).all(axis=-1)
    # A disc of a share of 10,000 pixels has the radius √(share · 10,000 / π): 12.6, 25.2 and 39.9.
    radii = [np.sqrt(share * 10_000 / np.pi) for share in AREAS]
    nearest = np.abs(far[drawn][:, None] - radii).min(axis=1)
    assert nearest.max() < 1.5
    assert all((np.abs(far[drawn] - radius) < 1.5).any() for radius in radii)


def test_a_flat_map_has_no_lines_and_grains_are_smoothed_first() -> None:
    picture = np.full((50, 50, 3), 90, np.uint8)
    assert (contoured(picture, np.ones((50, 50), np.float32)) == picture).all()
    grain = np.zeros((50, 50), np.float32)
    grain[25, 25] = 1.0
    even = smoothed(grain, (50, 50))
    assert even[25, 25] == pytest.approx(1 / (2 * np.pi * 1.5**2), rel=0.05)  # a Gaussian of 3 % of the side
    assert even.sum() == pytest.approx(1.0, rel=1e-4)
