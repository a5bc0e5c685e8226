"""Preference beside metrics: coefficients and p values beside SciPy and all orders, resamples one by one."""

from __future__ import annotations

import math
from itertools import permutations

import choix
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit

from decam.errors import SettingError
from decam.ranks import kendall, spearman
from decam.studies.analysis.correlation import (
    MetricValues,
    caution,
    least_telling,
    preference_and_metrics,
)
from decam.studies.analysis.preference import Comparisons, bradley_terry, comparisons

METHODS = ("a", "b", "c", "d", "e")
TRUE = np.array([1.2, 0.6, 0.0, -0.6, -1.2])
LINES = st.lists(st.integers(0, 4), min_size=5, max_size=5)


def study(people: int = 20, pictures: int = 6, each: int = 24, seed: int = 0) -> tuple[Comparisons, np.ndarray]:
    generator = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), each)
    first = generator.integers(5, size=len(who))
    second = (first + generator.integers(1, 5, size=len(who))) % 5
    won = generator.random(len(who)) < expit(TRUE[first] - TRUE[second])
    shown = generator.integers(pictures, size=len(who))
    return comparisons(METHODS, np.where(won, first, second), np.where(won, second, first), who), shown


def metric(values: np.ndarray, higher: bool = True) -> MetricValues:
    return MetricValues("insertion", "Insertion", higher, values)


@pytest.mark.slow
@settings(max_examples=60)
@given(st.lists(LINES, min_size=1, max_size=4), LINES)
def test_coefficients_are_scipys_with_ties_too(many: list[list[int]], one: list[int]) -> None:
    for ours, theirs in ((spearman, stats.spearmanr), (kendall, stats.kendalltau)):
        found = ours(np.array(many, dtype=float), np.array(one, dtype=float))
        for value, line in zip(found, many, strict=True):
            if len(set(line)) == 1 or len(set(one)) == 1:
                assert math.isnan(value)
            else:
                assert value == pytest.approx(theirs(line, one).statistic, abs=1e-12)


def test_a_metric_that_orders_as_people_do_has_correlation_one() -> None:
    answers, shown = study()
    own = [one.value for one in bradley_terry(answers, resamples=10).values]
    order = np.tile(stats.rankdata(own), (6, 1))
    better, worse = (
        preference_and_metrics(answers, shown, [metric(order, higher)], resamples=50).columns[0]
        for higher in (True, False)
    )
    assert better.spearman is not None and worse.spearman is not None and better.kendall is not None
    assert better.spearman.value.value == better.kendall.value.value == pytest.approx(1)
    assert worse.spearman.value.value == pytest.approx(-1), "less of it would be better"
    assert better.spearman.p == pytest.approx(2 / 120) and better.spearman.exact
    assert [one.value for one in better.means] == order[0].tolist()


@pytest.mark.slow
def test_the_p_value_is_the_share_of_all_orders() -> None:
    answers, shown = study()
    values = np.tile([3.0, 4.0, 1.0, 2.0, 2.0], (6, 1))
    column = preference_and_metrics(answers, shown, [metric(values)], resamples=20).columns[0]
    own = [one.value for one in bradley_terry(answers, resamples=10).values]
    for found, theirs in ((column.spearman, stats.spearmanr), (column.kendall, stats.kendalltau)):
        assert found is not None
        seen = theirs(values[0], own).statistic
        every = [theirs(order, own).statistic for order in permutations(values[0])]
        assert found.value.value == pytest.approx(seen)
        assert found.p == pytest.approx(np.mean([abs(one) >= abs(seen) - 1e-12 for one in every]))


def test_resamples_draw_people_and_pictures() -> None:
    answers, shown = study(people=5, pictures=3, each=60, seed=3)
    values = np.random.default_rng(1).normal(size=(3, 5))
    found = preference_and_metrics(answers, shown, [metric(values)], resamples=30, seed=8).columns[0].spearman
    people = np.random.default_rng(8).multinomial(5, np.full(5, 0.2), size=30)
    pictures = np.random.default_rng(9).multinomial(3, np.full(3, 1 / 3), size=30)
    expected = []
    for of_people, of_pictures in zip(people, pictures, strict=True):
        wins = np.zeros((5, 5))
        for winner, loser, who, seen in zip(answers.winners, answers.losers, answers.participants, shown, strict=True):
            wins[winner, loser] += of_people[who] * of_pictures[seen]
        strengths = choix.ilsr_pairwise_dense(wins, max_iter=10_000)
        expected.append(stats.spearmanr(of_pictures @ values, strengths).statistic)
    assert found is not None
    ends = np.quantile(expected, (0.025, 0.975))
    assert (found.value.low, found.value.high) == pytest.approx(tuple(ends), abs=1e-9)


def test_only_pictures_that_people_saw_count() -> None:
    answers, shown = study(pictures=3)
    values = np.vstack((np.tile(np.arange(5.0), (3, 1)), np.full((4, 5), 1000.0)))
    found = preference_and_metrics(answers, shown, [metric(values)], resamples=10)
    assert [one.value for one in found.columns[0].means] == [0, 1, 2, 3, 4]
    assert (found.pictures, found.participants) == (3, 20)


def test_methods_and_cells_without_a_value_are_left_out() -> None:
    answers, shown = study()
    values = np.tile(np.arange(5.0), (6, 1))
    values[:, 4] = math.nan
    values[0, 0] = math.nan
    column = preference_and_metrics(answers, shown, [metric(values)], resamples=30).columns[0]
    assert column.methods == 4 and column.spearman is not None and column.spearman.p >= 2 / 24
    assert math.isnan(column.means[4].value) and column.means[0].value == 0
    values[:, 2:] = math.nan
    assert preference_and_metrics(answers, shown, [metric(values)], resamples=10).columns[0].spearman is None
    flat = preference_and_metrics(answers, shown, [metric(np.ones((6, 5)))], resamples=10).columns[0]
    assert flat.spearman is None and flat.kendall is None


def test_more_than_eight_methods_are_shuffled() -> None:
    generator = np.random.default_rng(0)
    first = generator.integers(9, size=900)
    second = (first + generator.integers(1, 9, size=900)) % 9
    answers = comparisons([f"m{place}" for place in range(9)], first, second, np.arange(900) % 30)
    found = preference_and_metrics(
        answers, np.zeros(900, dtype=int), [metric(generator.normal(size=(1, 9)))], resamples=20
    )
    column = found.columns[0].spearman
    assert column is not None and not column.exact
    own = [one.value for one in found.strengths]
    theirs = stats.spearmanr([one.value for one in found.columns[0].means], own)
    assert column.value.value == pytest.approx(theirs.statistic)
    assert column.p == pytest.approx(theirs.pvalue, abs=0.03)


def test_the_caution_says_what_so_few_methods_can_tell() -> None:
    assert "has p = 0.33" not in caution(2) and "no rank correlation" in caution(2)
    assert "perfect agreement has p = 0.33" in caution(3)
    assert "perfect agreement has p = 0.083" in caution(4)
    assert least_telling(5) == pytest.approx(1.0)  # published critical values, two-sided 5 %
    assert least_telling(6) == pytest.approx(0.886, abs=5e-4)
    assert "from 0.89 on" in caution(6)
    assert least_telling(7) == pytest.approx(0.786, abs=5e-4)


@pytest.mark.slow
def test_the_caution_of_eight_and_more() -> None:
    assert least_telling(8) == pytest.approx(0.738, abs=5e-4)
    found = least_telling(12)
    assert found is not None
    t = found * math.sqrt(10 / (1 - found**2))
    assert 2 * stats.t.sf(t, 10) == pytest.approx(0.05)


def test_bad_input_is_refused_in_sentences() -> None:
    answers, shown = study()
    with pytest.raises(SettingError, match=r"images × 5 methods, but have shape \(6, 4\)"):
        preference_and_metrics(answers, shown, [metric(np.ones((6, 4)))])
    with pytest.raises(SettingError, match="no row 5 for an image that people saw, but 5 rows"):
        preference_and_metrics(answers, shown, [metric(np.ones((5, 5)))])
    with pytest.raises(SettingError, match="480 answers, 1 pictures"):
        preference_and_metrics(answers, [0], [metric(np.ones((6, 5)))])
