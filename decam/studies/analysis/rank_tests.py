"""Rank tests of ratings: Friedman and Wilcoxon within participants, Kruskal–Wallis and Mann–Whitney between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from decam.errors import SettingError
from decam.intervals import Values
from decam.numerals import several
from decam.studies.analysis.resampling import conditions_of, numbers, per_participant, same_length

MOST_EXACT = 50  # differences up to which the signed rank test is exact


@dataclass(frozen=True)
class Pair:
    """Two conditions compared: the statistic of the test, its p value, and p after Holm's correction.

    `effect` is in [−1, 1], positive where the first condition is rated higher: the rank-biserial correlation (Kerby
    2014). `compared` says how many participants the test rests on.
    """

    first: Any
    second: Any
    statistic: float
    p: float
    p_holm: float
    effect: float
    compared: int


@dataclass(frozen=True)
class RankTest:
    """A test over all conditions and the tests of all pairs of them.

    `effect` is Kendall's W for Friedman and ε² for Kruskal–Wallis, both in [0, 1]. `participants` is how many the
    test rests on, `left_out` how many lacked a condition. `note` says what could not be tested, else "".
    """

    name: str
    conditions: tuple[Any, ...]
    statistic: float
    p: float
    effect: float
    participants: int
    left_out: int
    pairs: tuple[Pair, ...]
    note: str = ""


def within(
    ratings: ArrayLike, conditions: ArrayLike, participants: ArrayLike, *, order: Sequence[Any] = ()
) -> RankTest:
    """Friedman's test of the participants' mean ratings by condition, and Wilcoxon's signed rank test of each pair.

    Only participants who rated every condition count. Kendall's W is Friedman's χ² / (n (k − 1)). With two conditions
    Friedman's test is the sign test, which is then what is given. Wilcoxon leaves out differences of zero, and is
    exact up to 50 others, ties or not; SciPy tries all signs only up to 13, and takes a second for it. Raises
    SettingError for fewer than two conditions or fewer than two complete participants.
    """
    names, table = _table(ratings, conditions, participants, order)
    complete = table[np.isfinite(table).all(axis=1)]
    if len(complete) < 2:
        raise SettingError(
            f"{several(len(complete), 'participant')} rated all {len(names)} conditions; a test within participants "
            "needs two."
        )
    statistic, p = _friedman(complete)
    found = _pairs(names, [(one, other) for one, other in combinations(complete.T, 2)], _signed_rank)
    effect = statistic / (len(complete) * (len(names) - 1))
    note = "" if math.isfinite(statistic) else "Every participant rated all conditions alike, so no order can differ."
    return RankTest("Friedman", names, statistic, p, effect, len(complete), len(table) - len(complete), found, note)


def between(
    ratings: ArrayLike, conditions: ArrayLike, participants: ArrayLike, *, order: Sequence[Any] = ()
) -> RankTest:
    """Kruskal and Wallis' test of the participants' mean ratings, and Mann and Whitney's of each pair of conditions.

    For designs in which each participant sees one condition. ε² is H / (n − 1). Raises SettingError for a participant
    with two conditions, fewer than two conditions, or a condition without participants.
    """
    names, table = _table(ratings, conditions, participants, order)
    if (np.isfinite(table).sum(axis=1) > 1).any():
        raise SettingError("A participant rated two conditions; use the test within participants.")
    groups = [column[np.isfinite(column)] for column in table.T]
    if not all(len(group) for group in groups):
        raise SettingError("A condition has no ratings; leave it out of the order.")
    everyone = np.concatenate(groups)
    flat = bool((everyone == everyone[0]).all())
    statistic, p = (math.nan, math.nan) if flat else map(float, stats.kruskal(*groups))
    found = _pairs(names, list(combinations(groups, 2)), _rank_sum)
    note = "All participants gave the same mean rating, so no order can differ." if flat else ""
    return RankTest(
        "Kruskal–Wallis", names, statistic, p, statistic / (len(everyone) - 1), len(everyone), 0, found, note
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P values corrected for that many tests, step down (Holm 1979); NaN values are no tests and stay."""
    array = np.asarray(p_values, dtype=np.float64)
    real = np.flatnonzero(np.isfinite(array))
    ordered = real[np.argsort(array[real], kind="stable")]
    factors = np.arange(len(ordered), 0, -1)
    array[ordered] = np.maximum.accumulate(np.minimum(1, factors * array[ordered]))
    return tuple(array.tolist())


def _table(
    ratings: ArrayLike, conditions: ArrayLike, participants: ArrayLike, order: Sequence[Any]
) -> tuple[tuple[Any, ...], Values]:
    same_length(ratings=ratings, conditions=conditions, participants=participants)
    names, places = conditions_of(conditions, order)
    if len(names) < 2:
        raise SettingError("A test compares two or more conditions, but there is one.")
    values = numbers(ratings, "ratings")
    return names, per_participant(values, participants, places, len(names), lambda own: float(own.mean()))


def _friedman(complete: Values) -> tuple[float, float]:
    """χ² corrected for ties, and its p value (Friedman 1937; Conover 1999, section 5.8)."""
    people, count = complete.shape
    ranked = stats.rankdata(complete, axis=1)
    expected = people * count * (count + 1) ** 2 / 4
    spread = float((ranked**2).sum()) - expected
    if spread <= 1e-12:
        return math.nan, math.nan
    statistic = (count - 1) * (float((ranked.sum(axis=0) ** 2).sum()) - people * expected) / spread
    return statistic, float(stats.chi2.sf(statistic, count - 1))


def _signed_rank(first: Values, second: Values) -> tuple[float, float, float, int]:
    gaps = first - second
    gaps = gaps[np.abs(gaps) > 1e-12]  # means of equal ratings differ by rounding
    if not len(gaps):
        return math.nan, math.nan, 0.0, len(first)
    ranked = stats.rankdata(np.abs(gaps))
    above, whole = float(ranked[gaps > 0].sum()), float(ranked.sum())
    exact = len(gaps) <= MOST_EXACT
    p = _signed_rank_p(ranked, above) if exact else float(stats.wilcoxon(gaps).pvalue)
    return min(above, whole - above), p, 2 * above / whole - 1, len(first)


def _signed_rank_p(ranked: Values, above: float) -> float:
    """Twice the smaller tail of the sum of positive ranks, if each sign is a fair coin's; ties are no hindrance.

    The distribution is built rank by rank, in halves, for ranks that are shared end in .5.
    """
    halves = np.rint(2 * ranked).astype(np.int64)
    chance = np.zeros(int(halves.sum()) + 1)
    chance[0] = 1
    for rank in halves:
        moved = np.zeros_like(chance)
        moved[rank:] = chance[: len(chance) - rank]
        chance = (chance + moved) / 2
    seen = round(2 * above)
    return float(min(1.0, 2 * min(chance[: seen + 1].sum(), chance[seen:].sum())))


def _rank_sum(first: Values, second: Values) -> tuple[float, float, float, int]:
    found = stats.mannwhitneyu(first, second)
    effect = 2 * float(found.statistic) / (len(first) * len(second)) - 1
    return float(found.statistic), float(found.pvalue), effect, len(first) + len(second)


def _pairs(
    names: tuple[Any, ...],
    columns: Sequence[tuple[Values, Values]],
    test: Callable[[Values, Values], tuple[float, float, float, int]],
) -> tuple[Pair, ...]:
    found = [test(one, other) for one, other in columns]
    corrected = holm([p for _, p, _, _ in found])
    return tuple(
        Pair(first, second, statistic, p, p_holm, effect, compared)
        for (first, second), (statistic, p, effect, compared), p_holm in zip(
            combinations(names, 2), found, corrected, strict=True
        )
    )
