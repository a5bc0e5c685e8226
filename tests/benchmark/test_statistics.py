"""Intervals, paired differences and rankings against numbers found by hand, SciPy, and the plain bootstrap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import spearmanr

from decam.benchmark.statistics import bootstrap, means, of_means, paired, within
from decam.errors import SettingError
from decam.ranks import spearman

NAN = math.nan


def test_the_interval_is_scipys() -> None:
    values = np.random.default_rng(3).normal(0.05, 0.1, 16)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=10_000, rng=1).confidence_interval
    ours = bootstrap(values)
    assert ours.value == pytest.approx(values.mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.003)


@pytest.mark.slow
def test_the_interval_of_many_values_is_the_normal_one() -> None:
    values = np.random.default_rng(4).normal(0.0, 1.0, 400)
    ours = bootstrap(values)
    reach = 1.96 * values.std() / 20
    assert (ours.low, ours.high) == pytest.approx((values.mean() - reach, values.mean() + reach), abs=0.01)


def test_the_interval_is_the_same_each_time_and_unknown_for_one_value() -> None:
    assert bootstrap([0.1, 0.4, -0.2]) == bootstrap([0.1, 0.4, -0.2])
    alone = bootstrap([0.25])
    assert alone.value == 0.25 and not alone.known and f"{alone:+.2f}" == "+0.25"


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(SettingError, match="at least one value"):
        bootstrap([])


def test_differences_are_taken_by_name_in_the_order_of_the_names() -> None:
    one, other = {"q": 3.0, "only one": 9.0, "p": 1.0}, {"p": 0.5, "q": 1.0, "only other": 4.0}
    assert paired(one, other) == [0.5, 2.0]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=12))
@pytest.mark.slow
def test_the_rank_correlation_is_scipys_with_ties_too(pairs: list[tuple[int, int]]) -> None:
    one, other = np.array(pairs, np.float64).T
    (found,) = spearman(one[None], other[None])
    if len(set(one)) == 1 or len(set(other)) == 1:
        assert math.isnan(found)
    else:
        np.testing.assert_allclose(found, spearmanr(one, other).statistic, atol=1e-12)


def test_means_leave_out_what_a_metric_says_nothing_of() -> None:
    values = np.array([[1.0, 0.25, NAN], [3.0, NAN, NAN], [5.0, 0.75, NAN]])
    first, second, nothing = means(values)
    assert first is not None and (first.value, first.low, first.high) == (3.0, 1.0, 5.0)
    assert second is not None and (second.value, second.low, second.high) == (0.5, 0.25, 0.75)
    assert nothing is None


def test_intervals_are_those_of_the_plain_bootstrap() -> None:
    values = np.random.default_rng(3).normal(size=60)
    (found,) = means(values[:, None])
    plain = bootstrap(values)
    assert found is not None
    np.testing.assert_allclose((found.value, found.low, found.high), (plain.value, plain.low, plain.high), atol=0.02)


def test_the_correlation_of_means_ranks_the_means_over_scenes() -> None:
    one = np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 7.0]])  # means 3, 2, 4
    other = np.array([[2.0, 1.0, 3.0], [2.0, 1.0, 3.0]])
    found = of_means(one, other)
    assert found is not None
    assert found.value == 1.0
    assert found.low == pytest.approx(-0.5)  # the first scene drawn twice: 3, 2, 1 against 2, 1, 3


def test_the_correlation_within_a_scene_is_the_mean_over_scenes_that_rank_at_all() -> None:
    one = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [5.0, 5.0, 5.0], [1.0, NAN, 2.0]])
    other = np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    found = within(one, other)
    assert found is not None
    assert found.value == pytest.approx((1.0 + 0.5) / 2)


def test_fewer_than_three_methods_are_no_ranking() -> None:
    two = np.array([[1.0, 2.0], [1.0, 2.0]])
    assert of_means(two, two) is None
    assert within(two, two) is None
    assert of_means(two[:0], two[:0]) is None
