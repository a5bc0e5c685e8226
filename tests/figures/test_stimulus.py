"""Stimuli of equal area: exactly so many pixels, the highest ones, and the same ones each time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decam.errors import SettingError
from decam.figures.overlays import MID_GREY
from decam.figures.stimulus import Display, RawMap, area_of, drawn, ends_of, enlarged, shared_ends, shown_places

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 12))
MAPS = SIZES.flatmap(lambda size: arrays(np.float32, size, elements=st.integers(-3, 3).map(float)))


@pytest.mark.slow
@given(MAPS, st.integers(1, 99))
def test_exactly_the_wanted_number_of_pixels_is_shown_and_none_is_lower_than_a_hidden_one(saliency, area) -> None:
    shown = shown_places(RawMap(saliency), saliency.shape, area / 100)
    assert shown.sum() == round(area / 100 * saliency.size)
    if shown.any() and not shown.all():
        assert saliency[shown].min() >= saliency[~shown].max()


@pytest.mark.slow
@given(MAPS, st.integers(1, 49))
def test_a_larger_area_holds_the_smaller_one(saliency, area) -> None:
    raw = RawMap(saliency)
    small, large = (shown_places(raw, saliency.shape, share / 100) for share in (area, 2 * area))
    assert not (small & ~large).any()


def test_ties_are_settled_the_same_way_each_time_and_prefer_no_side() -> None:
    flat = RawMap(np.zeros((64, 64), np.float32))
    shown = shown_places(flat, (64, 64), 0.25)
    np.testing.assert_array_equal(shown, shown_places(flat, (64, 64), 0.25))
    halves = (slice(32), slice(32, 64))
    quarters = [shown[rows, columns].sum() for rows in halves for columns in halves]
    # 1024 of 4096 places drawn without preference: a quarter of the picture expects 256, with a deviation of 12.
    assert all(abs(count - 256) < 5 * 12 for count in quarters)


def test_values_that_are_no_numbers_are_shown_last_and_infinite_ones_first() -> None:
    saliency = np.array([[np.nan, 1.0, 2.0], [np.inf, -np.inf, 0.0]], np.float32)
    np.testing.assert_array_equal(
        shown_places(RawMap(saliency), (2, 3), 0.5), [[False, True, True], [True, False, False]]
    )


@pytest.mark.slow
@given(st.integers(1, 99), st.sampled_from([128, 160, 224]), st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_the_area_can_be_counted_in_the_pixels_even_of_a_grey_picture(area: int, size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    view = np.full((96, 64, 3), MID_GREY, np.uint8)  # nothing tells this picture from its cover
    raw = RawMap(rng.random((12, 8)).astype(np.float32))
    large = enlarged(view, size)
    pixels = drawn(large, raw, Display(view="area", area=area, size=size))
    height, width = pixels.shape[:2]
    counted = sum(tuple(pixel) != MID_GREY for pixel in pixels.reshape(-1, 3).tolist())
    assert (height, counted) == (size, round(area / 100 * height * width))
    assert area_of(pixels) == pytest.approx(counted / (height * width), abs=1e-12)
    assert np.abs(pixels.astype(int) - large).max() <= 1


def test_a_silent_map_shows_as_much_as_any_other_whatever_its_noise_says() -> None:
    view, noise = np.zeros((128, 128, 3), np.uint8), np.random.default_rng(0).random((128, 128)).astype(np.float32)
    pictures = [drawn(view, RawMap(one, silent=True), Display(view="area", size=128)) for one in (noise, -noise)]
    np.testing.assert_array_equal(*pictures)
    assert area_of(pictures[0]) == round(0.1 * 128 * 128) / 128**2


def test_one_scale_holds_for_all_maps_of_a_method_and_flat_ones_do_not_widen_it() -> None:
    rng = np.random.default_rng(1)
    maps = [RawMap((rng.random((20, 20)) * reach).astype(np.float32)) for reach in (1, 5)]
    silent = RawMap(np.full((20, 20), 900, np.float32), silent=True)
    low, high = shared_ends([*maps, silent])
    ends = [ends_of(one, "limits") for one in maps]
    assert (low, high) == (min(one for one, _ in ends), max(one for _, one in ends))
    view = np.zeros((20, 20, 3), np.uint8)
    display = Display(view="map", scale="method")
    # Where both maps have one value, both have one colour.
    maps[0].saliency[3, 4] = maps[1].saliency[3, 4] = 0.7
    first, second = (drawn(view, one, display, (low, high)) for one in maps)
    np.testing.assert_array_equal(first[3, 4], second[3, 4])
    assert shared_ends([silent]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"area": 0}, "area is 0, but must lie between 1 and 99"),
        ({"area": 100}, "area is 100, but must lie between 1 and 99"),
        ({"area": 5.5}, "area must be a whole number, not 5.5"),
        ({"view": "contour"}, "view is 'contour', but must be one of: overlay, map, masked, area"),
        ({"size": 5000}, "size is 5000, but must lie between 128 and 1024"),
    ],
)
def test_a_look_that_cannot_be_is_a_sentence(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        Display.from_mapping(given)
