"""Localisation on hand-made masks, against plain loops, scikit-image and their known behaviour."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.filters import threshold_otsu

from decam.metrics import METRICS
from decam.metrics.localisation import EMPTY, EVERYWHERE, NOTHING, POINTS, UNMARKED, otsu
from decam.metrics.scales import CONSTANT
from tests.tools.cases import SIZE, case, constant, run, values, view

NAMES = [row.name for row in METRICS.values() if row.family == "localisation"]
RANKING = ["pointing-game", "iou", "relevance-rank", "localisation-auc"]
SMALL = (5, 4)
COARSE = arrays(np.float32, SMALL, elements=st.integers(-4, 4).map(float))
TRUTH = arrays(np.bool_, SMALL).filter(lambda mask: 0 < mask.sum() < mask.size)
SOME = settings(max_examples=40)


def scored(saliency: np.ndarray, truth: np.ndarray, name: str, **chosen: float) -> float:
    judged = case(constant(0.5, truth.shape), view(size=truth.shape), [np.asarray(saliency, np.float32)], truth)
    return values(judged, name, **chosen)[0]


def square() -> np.ndarray:
    truth = np.zeros(SIZE, bool)
    truth[2:6, 3:8] = True
    return truth


def slow(saliency: np.ndarray, truth: np.ndarray, name: str) -> list[float]:
    """The definitions, one pixel and one threshold at a time; all values that are right, where several are."""
    pairs = list(zip(saliency.ravel().tolist(), truth.ravel().tolist(), strict=True))
    inside, outside = [v for v, t in pairs if t], [v for v, t in pairs if not t]

    def overlap(taken: list[bool]) -> float:
        both = sum(a and t for a, (_, t) in zip(taken, pairs, strict=True))
        return both / (sum(taken) + len(inside) - both)

    match name:
        case "pointing-game":
            top = [t for v, t in pairs if v == max(saliency.ravel())]
            return [sum(top) / len(top)]
        case "energy-inside":
            whole = sum(max(v, 0) for v, _ in pairs)
            return [sum(max(v, 0) for v in inside) / whole if whole else math.nan]
        case "relevance-mass":
            whole = sum(abs(v) for v, _ in pairs)
            return [sum(abs(v) for v in inside) / whole if whole else math.nan]
        case "iou":
            return [max(overlap([v >= cut for v, _ in pairs]) for cut in {v for v, _ in pairs})]
        case "iou-otsu":
            return [overlap([v > cut for v, _ in pairs]) for cut in cuts([v for v, _ in pairs])] or [math.nan]
        case "relevance-rank":
            return [expected_hits(pairs, len(inside)) / len(inside)]
        case _:
            wins = sum((a > b) + (a == b) / 2 for a in inside for b in outside)
            return [wins / (len(inside) * len(outside))]


def expected_hits(pairs: list[tuple[float, bool]], room: int) -> float:
    """How many of the first pixels lie inside, on average over all orders among equals."""
    hits = 0.0
    for value in sorted({v for v, _ in pairs}, reverse=True):
        level = [t for v, t in pairs if v == value]
        hits += sum(level) * min(room, len(level)) / len(level)
        room -= min(room, len(level))
    return hits


def cuts(values: list[float]) -> list[float]:
    """The cuts with the highest variance between the two groups: several where they are equally good."""

    def between(cut: float) -> float:
        low, high = [v for v in values if v <= cut], [v for v in values if v > cut]
        return len(low) * len(high) * (sum(low) / len(low) - sum(high) / len(high)) ** 2

    possible = sorted(set(values))[:-1]
    best = max(map(between, possible), default=0)
    return [cut for cut in possible if between(cut) > best * (1 - 1e-6)]


@pytest.mark.slow
@SOME
@given(saliency=COARSE, truth=TRUTH)
def test_values_are_those_of_plain_loops(saliency: np.ndarray, truth: np.ndarray) -> None:
    for name in NAMES:
        got = scored(saliency, truth, name)
        assert any(np.isclose(got, one, atol=1e-9, equal_nan=True) for one in slow(saliency, truth, name)), name


@pytest.mark.parametrize("name", NAMES)
def test_a_map_that_is_the_object_is_perfect_and_one_beside_it_is_not(name: str) -> None:
    truth = square()
    assert scored(truth, truth, name) == 1.0
    assert scored(~truth, truth, name) <= 0.5


def test_otsus_threshold_is_scikit_images_up_to_its_bins() -> None:
    chance = np.random.default_rng(0)
    hills = np.concatenate([chance.normal(0, 1, 3000), chance.normal(4, 0.7, 1500)])
    assert otsu(hills[None])[0] == pytest.approx(threshold_otsu(hills), abs=2 * np.ptp(hills) / 256)


def test_hand_made_values() -> None:
    truth = square()  # 20 of 120 pixels
    half = np.zeros(SIZE)
    half[2:4, 3:8] = 1  # 10 of them
    expected = {"pointing-game": 1, "energy-inside": 1, "relevance-mass": 1, "iou": 0.5, "iou-otsu": 0.5}
    assert {name: scored(half, truth, name) for name in expected} == expected
    assert scored(half, truth, "relevance-rank") == pytest.approx((10 + 10 * 10 / 110) / 20)
    assert scored(half, truth, "localisation-auc") == pytest.approx(0.75)


def test_negative_values_are_no_energy_but_they_are_mass() -> None:
    truth, saliency = square(), np.zeros(SIZE)
    saliency[2, 3], saliency[0, 0] = 1, -3
    assert scored(saliency, truth, "energy-inside") == 1.0
    assert scored(saliency, truth, "relevance-mass") == 0.25


def test_a_tolerance_lets_a_near_miss_hit() -> None:
    saliency = np.zeros(SIZE)
    saliency[2, 9] = 1  # two pixels right of the object, on a side of 12
    assert scored(saliency, square(), "pointing-game") == 0
    assert scored(saliency, square(), "pointing-game", tolerance=0.16) == 0
    assert scored(saliency, square(), "pointing-game", tolerance=0.17) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_constant_map_has_a_defined_value(name: str) -> None:
    (found,) = run(case(constant(0.5), view(), [np.full(SIZE, 2, np.float32)], square()), name)
    if name == "iou-otsu":
        assert math.isnan(found.value)
        assert found.note == CONSTANT
    else:
        assert found.value == pytest.approx(0.5 if name == "localisation-auc" else 1 / 6)


@pytest.mark.parametrize(("name", "note"), [("energy-inside", NOTHING), ("relevance-mass", EMPTY)])
def test_a_map_of_zeros_has_no_energy(name: str, note: str) -> None:
    (found,) = run(case(constant(0.5), view(), [np.zeros(SIZE, np.float32)], square()), name)
    assert math.isnan(found.value)
    assert found.note == note


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("everything", [False, True])
def test_an_empty_or_a_full_truth_has_a_defined_value(name: str, everything: bool) -> None:
    saliency = np.random.default_rng(0).random(SIZE).astype(np.float32)
    (found,) = run(case(constant(0.5), view(), [saliency], np.full(SIZE, everything)), name)
    if not everything:
        assert math.isnan(found.value)
        assert found.note == UNMARKED
    elif name == "localisation-auc":
        assert math.isnan(found.value)
        assert found.note == EVERYWHERE
    elif name == "iou-otsu":
        assert 0 < found.value < 1
    else:
        assert found.value == pytest.approx(1)


@pytest.mark.slow
@SOME
@given(saliency=COARSE, truth=TRUTH)
def test_metrics_of_the_order_do_not_change_under_monotone_maps(saliency: np.ndarray, truth: np.ndarray) -> None:
    for name in RANKING:
        assert scored(np.exp(saliency) - 3, truth, name) == pytest.approx(scored(saliency, truth, name)), name


@pytest.mark.slow
@SOME
@given(saliency=COARSE, truth=TRUTH, scale=st.sampled_from([1e-37, 1e-3, 1e37]))
def test_the_unit_of_a_map_does_not_count(saliency: np.ndarray, truth: np.ndarray, scale: float) -> None:
    for name in NAMES:
        got, expected = scored(saliency * scale, truth, name), slow(saliency, truth, name)
        assert any(np.isclose(got, one, rtol=1e-5, equal_nan=True) for one in expected), name


def test_the_overlaps_curve_has_every_threshold_of_a_small_map() -> None:
    saliency = np.array([[4, 3, 3], [1, 0, -2]], np.float32)
    truth = np.array([[True, True, False], [False, True, False]])
    (found,) = run(case(constant(0.5, (2, 3)), view(size=(2, 3)), [saliency], truth), "iou")
    # At or above 4: one pixel, a hit, of 3 in the union; above that come 3 (two pixels, one hit), 1, 0 and −2.
    assert found.curve.shares == pytest.approx(np.array([1, 3, 4, 5, 6]) / 6)
    assert found.curve.values == pytest.approx(np.array([1 / 3, 2 / 4, 2 / 5, 3 / 5, 3 / 6]))
    assert found.value == pytest.approx(0.6) and found.curve.top is None


@pytest.mark.slow
@SOME
@given(saliency=COARSE, truth=TRUTH)
def test_points_of_the_overlaps_curve_are_thresholds_and_the_best_is_the_value(
    saliency: np.ndarray, truth: np.ndarray
) -> None:
    (found,) = run(case(constant(0.5, SMALL), view(size=SMALL), [saliency], truth), "iou")
    overlaps = {
        float(np.mean(saliency >= cut)): (truth & (saliency >= cut)).sum() / (truth | (saliency >= cut)).sum()
        for cut in np.unique(saliency)
    }
    assert (np.diff(found.curve.shares) > 0).all()
    for share, value in zip(found.curve.shares, found.curve.values, strict=True):
        near = min(overlaps, key=lambda known: abs(known - share))
        assert near == pytest.approx(share) and overlaps[near] == pytest.approx(value)
    assert found.curve.values.max() == pytest.approx(found.value)


def test_the_overlaps_curve_of_a_large_map_is_thinned_but_keeps_the_best_and_the_ends() -> None:
    size = (60, 50)
    truth = np.zeros(size, bool)
    truth[10:30, 5:25] = True
    saliency = np.random.default_rng(0).random(size).astype(np.float32) + truth
    (found,) = run(case(constant(0.5, size), view(size=size), [saliency], truth), "iou")
    assert POINTS <= len(found.curve.shares) <= POINTS + 1
    assert found.curve.values.max() == pytest.approx(found.value) == 1
    assert found.curve.shares[0] == pytest.approx(1 / 3000) and found.curve.shares[-1] == 1


def test_the_overlaps_curve_begins_at_the_highest_threshold_where_that_misses_the_object() -> None:
    saliency = np.array([[6, 5, 4], [3, 2, 1]], np.float32)
    truth = np.array([[False, False, False], [False, False, True]])
    (found,) = run(case(constant(0.5, (2, 3)), view(size=(2, 3)), [saliency], truth), "iou")
    assert found.curve.shares == pytest.approx(np.arange(1, 7) / 6)
    assert found.curve.values == pytest.approx([0, 0, 0, 0, 0, 1 / 6])
