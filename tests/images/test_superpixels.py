"""Exactly as many regions as asked for, which cover the picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.errors import SettingError
from decam.images.scenes.scene import scene
from decam.images.superpixels import superpixels


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.integers(1, 80), st.integers(9, 40), st.integers(9, 40), st.integers(0, 100), st.booleans())
def test_there_are_as_many_regions_as_asked_for(count: int, height: int, width: int, seed: int, even: bool) -> None:
    """In noise, where many are found, and in an even picture, where one is."""
    drawn = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    view = np.full_like(drawn, 128) if even else drawn
    regions = superpixels(view, count)
    assert regions.shape == (height, width)
    assert np.array_equal(np.unique(regions), np.arange(count))


@pytest.mark.slow
def test_regions_keep_to_the_objects_edges_better_than_a_grid_does() -> None:
    def strayed(regions: np.ndarray, mask: np.ndarray) -> float:
        """Pixels on the wrong side of their region's majority, as a share of the object."""
        inside = np.bincount(regions.ravel(), weights=mask.ravel())
        outside = np.bincount(regions.ravel()) - inside
        return float(np.minimum(inside, outside).sum() / mask.sum())

    rows = np.arange(128) // 16
    grid = rows[:, None] * 8 + rows
    drawn = [scene(seed) for seed in range(4, 10)]
    own = np.mean([strayed(superpixels(each.image, 64), each.masks[0]) for each in drawn])
    assert own < 0.5 * np.mean([strayed(grid, each.masks[0]) for each in drawn])


def test_the_same_picture_has_the_same_regions() -> None:
    view = scene(5).image
    np.testing.assert_array_equal(superpixels(view, 40), superpixels(view.copy(), 40))


@pytest.mark.parametrize("count", [0, 101])
def test_a_number_of_regions_that_cannot_be_is_refused(count: int) -> None:
    with pytest.raises(SettingError, match=rf"10×10 pixels cannot have {count} regions"):
        superpixels(np.zeros((10, 10, 3), dtype=np.uint8), count)
