"""Limits of maps: percentiles counted by hand, both signs alike, and no map lost to a few pixels or to none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from decam.metrics.scales import limits_of, shared_limits

any_map = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
)


def test_the_top_hundredth_of_an_unsigned_map_lies_beyond_its_limits() -> None:
    saliency = np.random.default_rng(0).permutation(np.arange(1000.0)).reshape(25, 40).astype(np.float32)
    # Of 1000 values at most 10 are above: those from 990 on, so that 990 is the 991st, at place 0.99 · 999 rounded up.
    assert limits_of(saliency + 5, signed=False) == (5.0, 995.0)
    assert limits_of(saliency + 5, signed=False, extremes=True) == (5.0, 1004.0)


def test_a_signed_map_reaches_as_far_on_both_sides_as_99_percent_of_its_sizes() -> None:
    sizes = np.arange(1000.0)
    saliency = np.where(sizes % 2, sizes, -sizes).reshape(40, 25).astype(np.float32)
    assert limits_of(saliency, signed=True) == (-990.0, 990.0)
    assert limits_of(saliency, signed=True, extremes=True) == (-999.0, 999.0)


@pytest.mark.slow
@given(any_map, st.booleans())
def test_at_most_a_hundredth_is_clipped_and_limits_are_in_order(saliency: np.ndarray, signed: bool) -> None:
    low, high = limits_of(saliency, signed)
    finite = saliency[np.isfinite(saliency)].astype(np.float64)
    assert low <= high and (not signed or low == -high)
    assert ((finite < low) | (finite > high)).sum() <= 0.01 * finite.size
    if finite.size <= 100:
        assert (low, high) == limits_of(saliency, signed, extremes=True)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("rest", [0.0, 1e-7])
def test_a_map_that_is_nothing_but_a_few_pixels_ends_at_their_highest(signed: bool, rest: float) -> None:
    saliency = np.full((100, 100), rest, np.float32)
    saliency[50, :99] = np.linspace(0.5, 2.0, 99)
    assert limits_of(saliency, signed) == (-2.0 if signed else np.float32(rest), 2.0)


@pytest.mark.parametrize(("value", "signed", "limits"), [(0, True, (0, 0)), (3, False, (3, 3)), (-3, True, (-3, 3))])
def test_constant_maps_have_the_limits_of_their_value(value: float, signed: bool, limits: tuple[float, float]) -> None:
    assert limits_of(np.full((30, 30), value, np.float32), signed) == limits


def test_shared_limits_clip_of_no_map_more_than_alone() -> None:
    rng = np.random.default_rng(1)
    maps = [rng.normal(size=(50, 50)) * scale for scale in (1, 5, 0.1)]
    low, high = shared_limits(maps, signed=True)
    assert high == max(np.sort(np.abs(one).ravel())[int(np.ceil(0.99 * 2499))] for one in maps) == -low
    assert shared_limits([], signed=False) == shared_limits([np.full((2, 2), np.nan)], signed=True) == (0.0, 0.0)
