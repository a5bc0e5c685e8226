"""Scores of maps against clicks beside closed forms, loops, and SciPy."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from decam.errors import SettingError
from decam.studies.analysis.click_scores import SCORES

auc_judd, nss, cc, kl, sim, spearman = (SCORES[name].run for name in ("auc-judd", "nss", "cc", "kl", "sim", "spearman"))
FEW = arrays(np.float64, (4, 5), elements=st.integers(-3, 3).map(float))
CLICKED = arrays(np.float64, (4, 5), elements=st.sampled_from([0.0, 0.0, 0.0, 1.0, 2.0])).filter(lambda a: a.any())


def plain_auc(saliency: np.ndarray, weights: np.ndarray) -> float:
    """Judd's curve, threshold by threshold."""
    clicked = [(s, w) for s, w in zip(saliency.flat, weights.flat, strict=True) if w > 0]
    others = [s for s, w in zip(saliency.flat, weights.flat, strict=True) if w == 0]
    if not others:
        return 0.5
    curve = [(0.0, 0.0)]
    for threshold in sorted({s for s, _ in clicked}, reverse=True):
        hits = sum(w for s, w in clicked if s >= threshold) / sum(w for _, w in clicked)
        curve.append((sum(s >= threshold for s in others) / len(others), hits))
    curve.append((1.0, 1.0))
    return sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(curve))


@pytest.mark.slow
@settings(max_examples=100)
@given(FEW, CLICKED)
def test_auc_judd_is_the_curve_drawn_by_hand(saliency: np.ndarray, weights: np.ndarray) -> None:
    found = auc_judd(saliency, weights)
    assert found == pytest.approx(plain_auc(saliency, weights))
    assert 0 <= found <= 1
    assert auc_judd(3 * saliency + 1, weights) == pytest.approx(found), "only the order counts"


def test_auc_judd_in_closed_form() -> None:
    saliency = np.arange(100.0).reshape(10, 10)
    one = np.zeros((10, 10))
    one[9, 9] = 1
    assert auc_judd(saliency, one) == 1
    lone = np.zeros((10, 10))
    lone[0, 0] = 1
    assert auc_judd(saliency, lone) == pytest.approx(0.5)
    assert auc_judd(np.ones((10, 10)), one) == 0.5
    every = np.ones((10, 10))
    assert auc_judd(saliency, every) == 0.5


def test_auc_of_many_clicks_is_the_chance_that_a_clicked_pixel_is_above_another() -> None:
    generator = np.random.default_rng(0)
    saliency = generator.normal(size=(60, 60))
    weights = (generator.random((60, 60)) < 0.3 + 0.2 * (saliency > 0)).astype(float)
    expected = stats.mannwhitneyu(saliency[weights > 0], saliency[weights == 0]).statistic
    expected /= (weights > 0).sum() * (weights == 0).sum()
    assert auc_judd(saliency, weights) == pytest.approx(expected, abs=1e-3)


@pytest.mark.slow
@settings(max_examples=60)
@given(FEW, CLICKED)
def test_nss_is_the_mean_z_score_at_clicks(saliency: np.ndarray, weights: np.ndarray) -> None:
    found = nss(saliency, weights)
    if np.ptp(saliency) == 0:
        assert math.isnan(found)
        return
    scores = stats.zscore(saliency.ravel())
    repeated = np.repeat(scores, weights.ravel().astype(int))
    assert found == pytest.approx(repeated.mean(), abs=1e-9)


def test_nss_in_closed_form() -> None:
    saliency = np.zeros((10, 10))
    saliency[3, 4] = 1  # mean 0.01, deviation √(0.01 · 0.99)
    assert nss(saliency, saliency) == pytest.approx(0.99 / math.sqrt(0.0099))
    assert nss(saliency, np.ones((10, 10))) == pytest.approx(0, abs=1e-12)


@pytest.mark.slow
@settings(max_examples=60)
@given(FEW, CLICKED)
def test_correlations_are_scipys(saliency: np.ndarray, density: np.ndarray) -> None:
    for ours, theirs in ((cc, stats.pearsonr), (spearman, stats.spearmanr)):
        found = ours(saliency, density)
        if np.ptp(saliency) == 0 or np.ptp(density) == 0:
            assert math.isnan(found)
        else:
            assert found == pytest.approx(theirs(saliency.ravel(), density.ravel()).statistic, abs=1e-9)


@pytest.mark.slow
@settings(max_examples=60)
@given(FEW, CLICKED)
def test_kl_and_sim_are_the_sums_written_out(saliency: np.ndarray, density: np.ndarray) -> None:
    shifted = saliency - saliency.min()
    given_share = shifted / shifted.sum() if shifted.any() else np.full((4, 5), 1 / 20)
    wanted = density / density.sum()
    assert sim(saliency, density) == pytest.approx(
        sum(min(p, q) for p, q in zip(given_share.flat, wanted.flat, strict=True))
    )
    tiny = np.finfo(float).eps
    total = sum(q * math.log(tiny + q / (tiny + p)) for p, q in zip(given_share.flat, wanted.flat, strict=True))
    assert kl(saliency, density) == pytest.approx(total, abs=1e-9)


def test_kl_and_sim_in_closed_form() -> None:
    density = np.array([[0.5, 0.5, 0.0, 0.0]])
    even = np.array([[7.0, 7.0, 7.0, 7.0]])
    assert kl(even, density) == pytest.approx(math.log(2))
    assert sim(even, density) == pytest.approx(0.5)
    assert kl(density, density) == pytest.approx(0) and sim(density, density) == pytest.approx(1)
    assert sim(1 - density, density) == 0 and kl(1 - density, density) > 30
    normal = [np.exp(-((np.arange(400) - mean) ** 2) / (2 * 20.0**2))[None] for mean in (180, 220)]
    assert kl(normal[0], normal[1]) == pytest.approx(40**2 / (2 * 20**2), rel=1e-3), "of two Gaussians"


@pytest.mark.parametrize("name", SCORES)
def test_a_map_of_the_clicks_scores_better_than_one_of_elsewhere(name: str) -> None:
    score = SCORES[name]
    rows, columns = np.indices((40, 40))
    right, wrong = (np.exp(-((rows - at) ** 2 + (columns - at) ** 2) / 50.0) for at in (10, 30))
    clicks = np.zeros((40, 40))
    clicks[9:12, 9:12] = 1
    second = clicks if score.takes == "weights" else right
    better, worse = score.run(right, second), score.run(wrong, second)
    assert score.direction * (better - worse) > 0
    assert score.low <= better <= score.high
    flat = score.run(np.ones((40, 40)), second)
    if name == "auc-judd":
        assert flat == score.chance
    elif score.chance == 0:
        assert math.isnan(flat)


@pytest.mark.parametrize("name", SCORES)
def test_bad_input_is_refused_in_sentences(name: str) -> None:
    run = SCORES[name].run
    with pytest.raises(SettingError, match="H×W alike"):
        run(np.ones((2, 3)), np.ones((3, 2)))
    with pytest.raises(SettingError, match="no clicks in this image"):
        run(np.ones((2, 2)), np.zeros((2, 2)))
    with pytest.raises(SettingError, match="not finite"):
        run(np.full((2, 2), np.nan), np.ones((2, 2)))
