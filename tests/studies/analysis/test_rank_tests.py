"""Rank tests beside SciPy's, formulas by hand, and Holm's correction by hand."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from decam.errors import SettingError
from decam.studies.analysis.rank_tests import between, holm, within


def long(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    people, conditions = np.indices(table.shape)
    return table.ravel(), conditions.ravel(), people.ravel()


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.9, 0.8]) == (1.0, 1.0)
    corrected = holm([0.01, math.nan, 0.02])
    assert corrected[0] == pytest.approx(0.02) and math.isnan(corrected[1]) and corrected[2] == pytest.approx(0.02)
    assert holm([]) == ()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_rejects_what_the_step_down_rule_rejects(p_values: list[float]) -> None:
    corrected = holm(p_values)
    for level in (0.01, 0.05, 0.2):
        rejected = set()
        for step, place in enumerate(np.argsort(p_values, kind="stable")):
            if (len(p_values) - step) * p_values[place] > level:
                break
            rejected.add(int(place))
        assert {place for place, p in enumerate(corrected) if p <= level} == rejected


def test_friedman_and_wilcoxon_are_scipys() -> None:
    table = np.random.default_rng(3).integers(1, 8, (25, 4)).astype(float)
    found = within(*long(table))
    expected = stats.friedmanchisquare(*table.T)
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert found.effect == pytest.approx(found.statistic / (25 * 3))
    raw = []
    for pair in found.pairs:
        gaps = table[:, pair.first] - table[:, pair.second]
        theirs = stats.wilcoxon(gaps[gaps != 0])
        assert (pair.statistic, pair.compared) == (theirs.statistic, 25)
        assert pair.p == pytest.approx(theirs.pvalue, abs=0.03), "SciPy's is an approximation here, for ties"
        raw.append(pair.p)
    assert [pair.p_holm for pair in found.pairs] == pytest.approx(holm(raw))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-4, 4).filter(bool), min_size=1, max_size=9))
def test_the_signed_rank_test_is_that_of_all_signs(gaps: list[int]) -> None:
    pair = within(*long(np.stack([np.array([*gaps, 0, 0]), np.zeros(len(gaps) + 2)], axis=1).astype(float))).pairs[0]
    ranked = stats.rankdata(np.abs(gaps))
    every = np.array([ranked @ signs for signs in product((0, 1), repeat=len(gaps))])
    seen = ranked @ (np.array(gaps) > 0)
    tails = np.mean(every <= seen + 1e-9), np.mean(every >= seen - 1e-9)
    assert pair.p == pytest.approx(min(1, 2 * min(tails)))
    assert pair.statistic == min(seen, ranked.sum() - seen)


@pytest.mark.parametrize("people", [30, 50, 51, 80])
def test_without_ties_the_signed_rank_test_is_scipys(people: int) -> None:
    table = np.random.default_rng(people).normal((0, 0.3), size=(people, 2))
    theirs = stats.wilcoxon(table[:, 0], table[:, 1], method="exact" if people <= 50 else "asymptotic")
    pair = within(*long(table)).pairs[0]
    assert (pair.statistic, pair.p) == pytest.approx((theirs.statistic, theirs.pvalue))


def test_kendalls_w_is_one_where_all_agree_and_its_formula_else() -> None:
    same = np.tile([1.0, 2.0, 3.0, 4.0], (6, 1))
    assert within(*long(same)).effect == pytest.approx(1)
    table = np.array([[1, 2, 3], [2, 1, 3], [1, 3, 2], [1, 2, 3]], dtype=float)
    sums = table.sum(axis=0)  # 5, 8, 11 are ranks already
    w = 12 * ((sums - sums.mean()) ** 2).sum() / (16 * (27 - 3))
    assert within(*long(table)).effect == pytest.approx(w)


def test_two_conditions_are_the_sign_test() -> None:
    table = np.array([[1, 2]] * 9 + [[2, 1]] * 3, dtype=float)
    found = within(*long(table))
    assert found.statistic == pytest.approx((9 - 3) ** 2 / 12)
    assert found.pairs[0].effect == pytest.approx(-0.5)


def test_only_complete_participants_count_and_their_answers_are_averaged_first() -> None:
    ratings = [1, 3, 5, 2, 2, 4, 7]
    conditions = ["a", "a", "b", "a", "b", "b", "a"]
    people = ["p", "p", "p", "q", "q", "q", "r"]
    found = within(ratings, conditions, people)
    assert (found.participants, found.left_out) == (2, 1)
    assert found.pairs[0].effect == -1  # 2 < 5 and 2 < 3


def test_kruskal_and_mann_whitney_are_scipys() -> None:
    generator = np.random.default_rng(5)
    groups = [generator.integers(1, 8, size) for size in (12, 15, 9)]
    ratings = np.concatenate(groups)
    found = between(ratings, np.repeat([0, 1, 2], [12, 15, 9]), np.arange(36))
    expected = stats.kruskal(*groups)
    assert (found.statistic, found.p, found.effect) == pytest.approx(
        (expected.statistic, expected.pvalue, expected.statistic / 35)
    )
    pair = found.pairs[0]
    theirs = stats.mannwhitneyu(groups[0], groups[1])
    assert (pair.statistic, pair.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    above = np.mean(np.sign(groups[0][:, None] - groups[1][None, :]))
    assert pair.effect == pytest.approx(above)


def test_nothing_to_rank_is_said_and_not_tested() -> None:
    flat = within(*long(np.full((5, 3), 4.0)))
    assert math.isnan(flat.p) and "rated all conditions alike" in flat.note
    assert all(math.isnan(pair.p) for pair in flat.pairs)
    same = between([4, 4, 4], ["a", "a", "b"], [0, 1, 2])
    assert math.isnan(same.p) and "same mean rating" in same.note


def test_bad_designs_are_refused_in_sentences() -> None:
    with pytest.raises(SettingError, match="two or more conditions"):
        within([1, 2], ["a", "a"], [0, 1])
    with pytest.raises(SettingError, match="1 participant"):
        within([1, 2, 3], ["a", "b", "a"], [0, 0, 1])
    with pytest.raises(SettingError, match="rated two conditions; use the test within"):
        between([1, 2], ["a", "b"], [0, 0])
    with pytest.raises(SettingError, match="no ratings; leave it out"):
        between([1, 2], ["a", "b"], [0, 1], order=("a", "b", "c"))
