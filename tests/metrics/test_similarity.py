"""Similarities of maps beside scipy, scikit-image, plain loops and closed forms."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from skimage.feature import hog
from skimage.metrics import structural_similarity

from decam.errors import MethodError, SettingError
from decam.metrics.similarity import SIMILARITIES, get, hog_similarity, matrix_of, ranks, spearman, ssim, top_overlap

# Few values, so that many tie, as in maps of superpixels.
FEW = arrays(np.float32, (9, 11), elements=st.integers(-3, 3).map(float))


def varied(saliency: np.ndarray) -> bool:
    return bool(saliency.min() < saliency.max())


def noise(seed: int, shape: tuple[int, int] = (64, 80)) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def scaled(saliency: np.ndarray) -> np.ndarray:
    wide = saliency.astype(np.float64)
    return (wide - wide.min()) / (wide.max() - wide.min())


@pytest.mark.slow
@settings(max_examples=25)
@given(FEW)
def test_ranks_are_those_of_scipy(values: np.ndarray) -> None:
    np.testing.assert_array_equal(ranks(values), stats.rankdata(values).reshape(values.shape))


@pytest.mark.slow
@settings(max_examples=25)
@given(FEW, FEW, st.booleans())
def test_spearman_is_that_of_scipy(first: np.ndarray, second: np.ndarray, absolute: bool) -> None:
    pair = [np.abs(one) if absolute else one for one in (first, second)]
    found = spearman(first, second, absolute=absolute)
    if varied(pair[0]) and varied(pair[1]):
        assert found == pytest.approx(stats.spearmanr(pair[0].ravel(), pair[1].ravel()).statistic, abs=1e-12)
    else:
        assert np.isnan(found)


@pytest.mark.parametrize("shape", [(64, 80), (7, 9), (30, 7)])
def test_ssim_is_that_of_scikit_image_on_maps_scaled_to_one(shape: tuple[int, int]) -> None:
    first, second = noise(0, shape), noise(0, shape) + noise(1, shape)
    expected = structural_similarity(scaled(first), scaled(second), data_range=1)
    assert ssim(first, second) == pytest.approx(expected, abs=1e-9)


def test_ssim_is_the_mean_over_windows_written_out() -> None:
    first, second = noise(2, (12, 10)), noise(3, (12, 10))
    a, b = scaled(first), scaled(second)
    values = []
    for row in range(12 - 6):
        for column in range(10 - 6):
            x, y = (one[row : row + 7, column : column + 7].ravel() for one in (a, b))
            covariance = np.cov(x, y)
            values.append(
                (2 * x.mean() * y.mean() + 1e-4)
                * (2 * covariance[0, 1] + 9e-4)
                / ((x.mean() ** 2 + y.mean() ** 2 + 1e-4) * (covariance[0, 0] + covariance[1, 1] + 9e-4))
            )
    assert ssim(first, second) == pytest.approx(np.mean(values), abs=1e-9)


def test_hog_similarity_is_the_correlation_of_scikit_images_features() -> None:
    first, second = noise(4, (112, 112)), noise(4, (112, 112)) + noise(5, (112, 112))
    features = [hog(scaled(one), 9, (8, 8), (3, 3)) for one in (first, second)]
    assert hog_similarity(first, second) == pytest.approx(np.corrcoef(*features)[0, 1], abs=1e-9)


def test_top_overlap_is_the_overlap_of_sets_where_no_pixels_tie() -> None:
    first, second = noise(6, (20, 10)), noise(7, (20, 10)) + noise(6, (20, 10))
    tops = [set(np.argsort(-one.ravel())[:20].tolist()) for one in (first, second)]
    assert top_overlap(first, second) == pytest.approx(len(tops[0] & tops[1]) / len(tops[0] | tops[1]))
    tops = [set(np.argsort(-one.ravel())[:50].tolist()) for one in (first, second)]
    assert top_overlap(first, second, share=0.25) == pytest.approx(len(tops[0] & tops[1]) / len(tops[0] | tops[1]))


def test_pixels_that_tie_at_the_edge_of_the_top_count_in_part() -> None:
    one_peak = np.zeros((10, 10), np.float32)
    one_peak[0, 0] = 1
    other = np.zeros((10, 10), np.float32)
    other[9, 9] = 1
    # Each map's top 10: its peak, and 9 of the 99 others at 1/11 each; 98 others and the two peaks are shared in part.
    shared = 98 / 11 + 2 / 11
    assert top_overlap(one_peak, other) == pytest.approx(shared / (20 - shared))
    assert top_overlap(one_peak, one_peak) == pytest.approx(1)


@pytest.mark.parametrize("name", SIMILARITIES)
def test_a_map_is_wholly_like_itself_at_any_scale(name: str) -> None:
    saliency = noise(8)
    assert get(name).between(saliency, saliency) == pytest.approx(1)
    assert get(name).between(saliency, 7 * saliency + 3) == pytest.approx(1, abs=1e-4)


def test_closed_forms_of_a_map_and_its_negative() -> None:
    saliency = noise(9)
    assert spearman(saliency, -saliency) == pytest.approx(-1)
    assert spearman(saliency, -saliency, absolute=True) == pytest.approx(1)
    assert top_overlap(saliency, -saliency) == 0
    assert hog_similarity(saliency, -saliency) == pytest.approx(1)  # outlines have no sign
    assert ssim(saliency, -saliency) < 0


@settings(max_examples=25)
@given(st.permutations(range(99)), FEW.filter(varied), FEW.filter(varied))
@pytest.mark.slow
def test_measures_of_ranks_do_not_care_where_a_pixel_is(
    order: list[int], first: np.ndarray, second: np.ndarray
) -> None:
    moved = [one.ravel()[order].reshape(one.shape) for one in (first, second)]
    for measure in (spearman, top_overlap):
        assert measure(*moved) == pytest.approx(measure(first, second), abs=1e-12)


@pytest.mark.parametrize("name", SIMILARITIES)
@settings(max_examples=25)
@given(first=arrays(np.float32, (16, 16), elements=st.integers(-9, 9).map(float)), seed=st.integers(0, 99))
@pytest.mark.slow
def test_every_measure_is_symmetric_and_within_its_range(name: str, first: np.ndarray, seed: int) -> None:
    row, second = get(name), noise(seed, (16, 16))
    one, two = row.between(first, second), row.between(second, first)
    np.testing.assert_equal(one, two)
    assert np.isnan(one) or row.low <= one <= 1


@pytest.mark.parametrize("name", SIMILARITIES)
@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_a_map_that_is_constant_or_not_finite_has_no_similarity_and_nothing_is_warned(name: str, bad: float) -> None:
    flat = np.full((32, 32), bad, np.float32)
    holed = noise(0, (32, 32))
    holed[3, 4] = bad
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = matrix_of(get(name), [flat, noise(1, (32, 32)), holed, noise(2, (32, 32))])
        assert np.isnan(get(name).between(np.sign(noise(1, (32, 32))), noise(2, (32, 32)), absolute=True))
    assert np.isnan(found[0]).all() and np.isnan(found[:, 0]).all()
    assert np.isfinite(found[2, 1]) == (bad == 0)
    assert np.isfinite(found[1, 3]) and found[1, 1] == pytest.approx(1)


def test_maps_too_small_for_a_window_have_no_similarity() -> None:
    small = [noise(seed, (2, 9)) for seed in (0, 1)]
    assert np.isnan(ssim(*small)) and np.isnan(hog_similarity(*small))
    assert np.isfinite(spearman(*small))


def test_what_cannot_be_compared_is_refused_with_a_sentence() -> None:
    with pytest.raises(SettingError, match=r"different shapes cannot be compared \(\(2, 3\), \(3, 2\)\)"):
        spearman(np.zeros((2, 3), np.float32), np.zeros((3, 2), np.float32))
    with pytest.raises(SettingError, match=r"must be H×W, not of shape \(4,\)"):
        ssim(np.zeros(4, np.float32), np.zeros(4, np.float32))
    for share in (0, 1.2, np.nan):
        with pytest.raises(SettingError, match="must lie above 0"):
            top_overlap(noise(0), noise(1), share=share)
    with pytest.raises(MethodError, match="There is no similarity 'mse'; there are: spearman, ssim, hog, top-overlap"):
        get("mse")


@pytest.mark.parametrize("name", SIMILARITIES)
def test_a_row_says_what_it_compares(name: str) -> None:
    row = SIMILARITIES[name]
    assert row.name == name and row.title and row.formula and row.reference and row.url.startswith("http")
    assert row.summary.endswith(".")
