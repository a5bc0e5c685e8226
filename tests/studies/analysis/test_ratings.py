"""Means, spreads and intervals of ratings by hand, by the formula of Student's interval, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from decam.errors import SettingError
from decam.studies.analysis.ratings import by_condition, t_interval

RATINGS = [5, 4, 1, 2, 3, 3, 1, 5]
CONDITIONS = ["b", "b", "a", "a", "b", "b", "a", "a"]
PEOPLE = ["p", "p", "p", "p", "q", "q", "q", "q"]


def test_means_and_counts_of_each_condition_in_the_order_given() -> None:
    first, second = by_condition(RATINGS, CONDITIONS, PEOPLE, 5, order=("b", "a"))
    assert (first.condition, first.answers, first.participants) == ("b", 4, 2)
    assert first.counts == (0, 0, 2, 1, 1) and first.shares == (0, 0, 0.5, 0.25, 0.25)
    assert first.bootstrap.value == first.by_t.value == 3.75
    assert second.counts == (2, 1, 0, 0, 1) and second.bootstrap.value == 2.25
    assert second.deviation == pytest.approx(np.std([1, 2, 1, 5], ddof=1))


def test_the_t_interval_is_scipys() -> None:
    values = np.array([3.0, 4.5, 2.0, 5.0, 3.5])
    found = t_interval(values)
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.value, found.low, found.high) == pytest.approx((3.6, low, high))
    assert math.isnan(t_interval(values[:1]).low)


def test_the_interval_by_t_rests_on_people_and_not_on_answers() -> None:
    (found,) = by_condition([2, 4] * 50 + [6, 6] * 50, ["x"] * 200, [0] * 100 + [1] * 100, 7)
    expected = t_interval(np.array([3.0, 6.0]))
    assert (found.by_t.low, found.by_t.high) == (expected.low, expected.high)


def test_a_condition_without_answers_is_left_out() -> None:
    found = by_condition([1, 2], ["a", "a"], [0, 1], 5, order=("a", "b"))
    assert [one.condition for one in found] == ["a"]


@pytest.mark.parametrize(("rating", "points"), [(0, 5), (6, 5), (2.5, 5), (math.nan, 5)])
def test_ratings_outside_the_scale_are_refused(rating: float, points: int) -> None:
    with pytest.raises(SettingError, match="must be one of the points 1 to 5"):
        by_condition([1, rating], ["a", "a"], [0, 1], points)


def test_a_scale_of_one_point_is_refused() -> None:
    with pytest.raises(SettingError, match="2 to 101 points, not 1"):
        by_condition([1], ["a"], [0], 1)
