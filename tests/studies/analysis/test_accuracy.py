"""Accuracy beside Wilson's formula, exact binomial tails, counts by hand and simulated coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from decam.errors import SettingError
from decam.studies.analysis.accuracy import by_condition, calibration, differences, wilson


def test_wilson_by_the_formula() -> None:
    found = wilson(8, 10)
    z = 1.959963984540054
    middle = (0.8 + z**2 / 20) / (1 + z**2 / 10)
    reach = z / (1 + z**2 / 10) * math.sqrt(0.8 * 0.2 / 10 + z**2 / 400)
    assert (found.low, found.high) == pytest.approx((middle - reach, middle + reach))


@pytest.mark.slow
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys_and_holds_the_share(counts: tuple[int, int]) -> None:
    right, answers = counts
    found = wilson(right, answers)
    theirs = stats.binomtest(right, answers).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_accuracy_of_each_condition_by_hand() -> None:
    right = [True] * 9 + [False] * 3 + [True] * 2 + [False] * 6
    conditions = ["map"] * 12 + ["none"] * 8
    people = [0] * 6 + [1] * 6 + [2] * 8
    found, none = by_condition(right, conditions, people, 0.25)
    assert (found.condition, found.answers, found.right, found.participants) == ("map", 12, 9, 2)
    exact = [math.comb(12, k) * 0.25**k * 0.75 ** (12 - k) for k in range(13)]
    assert found.p == pytest.approx(sum(chance for chance in exact if chance <= exact[9] * (1 + 1e-7)))
    assert found.bootstrap.value == 0.75 and (found.bootstrap.low, found.bootstrap.high) == (0.5, 1.0)
    assert found.beyond_chance and none.right == 2
    assert not none.bootstrap.known and not none.beyond_chance, "one person has no spread between people"


def test_differences_are_to_the_reference_and_within_people() -> None:
    right = np.array([1, 1, 1, 0] * 10, dtype=bool)
    conditions = np.array(["a", "a", "b", "b"] * 10)
    (found,) = differences(right, conditions, np.repeat(np.arange(10), 4), "b")
    assert (found.first, found.second) == ("a", "b")
    assert (found.difference.value, found.difference.low, found.difference.high) == (0.5, 0.5, 0.5)


def test_calibration_counts_by_confidence() -> None:
    found = calibration([1, 0, 1, 1, 0, 0], [5, 5, 5, 3, 3, 1], [0, 1, 2, 0, 1, 2])
    assert [(one.confidence, one.answers, one.accuracy.value) for one in found.levels] == [
        (1, 1, 0.0),
        (3, 2, 0.5),
        (5, 3, pytest.approx(2 / 3)),
    ]
    assert found.gap.value == pytest.approx((5 + 5 + 3) / 3 - (5 + 3 + 1) / 3)


def test_bad_input_is_refused_in_sentences() -> None:
    with pytest.raises(SettingError, match="3 right of 2 answers is no share"):
        wilson(3, 2)
    with pytest.raises(SettingError, match="Chance is 1, but must lie above 0 and below 1"):
        by_condition([True], ["a"], [0], 1.0)
    with pytest.raises(SettingError, match="reference 'c' has no answers; there are: a, b"):
        differences([True, False], ["a", "b"], [0, 1], "c")
    with pytest.raises(SettingError, match="1 right, 2 conditions"):
        by_condition([True], ["a", "b"], [0], 0.5)


@pytest.mark.slow
def test_intervals_cover_a_difference_between_conditions() -> None:
    generator = np.random.default_rng(1)
    people = np.repeat(np.arange(40), 12)
    conditions = np.tile([0, 1], 240)
    covered, rounds = 0, 300
    for number in range(rounds):
        skill = generator.normal(0, 0.15, 40)[people]
        chance = np.clip(0.5 + skill + 0.1 * conditions, 0, 1)
        right = generator.random(480) < chance
        truth = 0.1
        (found,) = differences(right, conditions, people, 0, resamples=400, seed=number)
        covered += found.difference.low <= truth <= found.difference.high
    assert 0.90 <= covered / rounds <= 0.985
