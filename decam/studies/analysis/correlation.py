"""Human preference beside faithfulness metrics, of the same pictures and methods: do they agree?"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from decam.errors import SettingError
from decam.intervals import Interval, Values, drawn, percentiles, weighted_means
from decam.numerals import several
from decam.ranks import kendall, spearman
from decam.studies.analysis.preference import ALPHA, Comparisons, bradley_terry, cells, resampled_strengths
from decam.studies.analysis.resampling import Indices, same_length, sample

LEAST = 3  # methods that a rank correlation needs
MOST_EXACT = 8  # methods up to which all orders are tried: 8! = 40,320
SHUFFLES = 20_000
RESAMPLES = 1000
CHUNK = 200  # resamples at a time
LEVEL_OF_TEST = 0.05


@dataclass(frozen=True, eq=False)
class MetricValues:
    """A metric's values of the cells that people saw: pictures × methods, NaN where it has none."""

    name: str
    title: str
    higher_is_better: bool
    values: Values


@dataclass(frozen=True)
class RankCorrelation:
    """A rank correlation in [−1, 1], 1 where people and metric put the methods in one order; better is up for both.

    The interval is over people and pictures. `p` is of the hypothesis that every order of methods is as likely,
    two-sided: `exact` says that all orders were tried, else 20,000 random ones.
    """

    value: Interval
    p: float
    exact: bool


@dataclass(frozen=True)
class Column:
    """A metric's mean of each method with its interval over pictures, and its correlations with preference.

    Correlations are None where fewer than three methods have values, or where either side puts all of them alike.
    """

    name: str
    title: str
    higher_is_better: bool
    means: tuple[Interval, ...]
    methods: int
    spearman: RankCorrelation | None
    kendall: RankCorrelation | None


@dataclass(frozen=True)
class PreferenceTable:
    """Strengths of the methods beside each metric. `caution` says in a sentence how little few methods can say."""

    methods: tuple[str, ...]
    strengths: tuple[Interval, ...]
    columns: tuple[Column, ...]
    participants: int
    pictures: int
    note: str
    caution: str


def preference_and_metrics(
    answers: Comparisons,
    pictures: ArrayLike,
    metrics: Sequence[MetricValues],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    alpha: float = ALPHA,
) -> PreferenceTable:
    """Bradley–Terry strengths beside the metrics' means, over the pictures that people compared.

    `pictures` says of each answer which row of the metrics' values its picture is. Intervals of correlations draw
    people and pictures, both with replacement and independently, and count an answer as often as both together
    (Owen 2007, the pigeonhole bootstrap, which errs on the wide side). Those of strengths draw people alone, those of
    means pictures alone. Raises SettingError for a picture without a row, and for values of another shape.
    """
    rows = np.asarray(pictures, dtype=np.int64)
    same_length(answers=answers.winners, pictures=rows)
    shown, places = np.unique(rows, return_inverse=True)
    for metric in metrics:
        _check(metric, len(answers.items), shown)
    strengths = bradley_terry(answers, resamples=resamples, seed=seed, alpha=alpha)
    own = np.array([one.value for one in strengths.values])
    weights = drawn(len(shown), resamples, seed + 1)
    samples = _samples(answers, places.reshape(-1), weights, own, bool(strengths.alpha), alpha, seed)
    people = strengths.participants
    columns = tuple(_column(metric, shown, weights, own, samples, people, seed) for metric in metrics)
    count = len(answers.items)
    return PreferenceTable(
        answers.items, strengths.values, columns, strengths.participants, len(shown), strengths.note, caution(count)
    )


def caution(methods: int) -> str:
    """How little a rank correlation over that many methods can say, in a sentence."""
    if methods < LEAST:
        return f"{several(methods, 'method')} allow no rank correlation to speak of; it needs {LEAST}."
    least = 2 / math.factorial(methods)
    needed = least_telling(methods)
    if needed is None:
        return (
            f"With {methods} methods even perfect agreement has p = {least:.2g}, so no correlation can be told from "
            "chance; compare more methods."
        )
    return (
        f"With {methods} methods Spearman's ρ is told from chance (p < 0.05, two-sided) from {needed:.2f} on; a weaker "
        "agreement stays unseen, and none means little."
    )


@functools.cache
def least_telling(methods: int) -> float | None:
    """The least |ρ| with p < 0.05, two-sided: exact up to 8 methods without ties, else by Student's t; None if none."""
    if methods > MOST_EXACT:
        quantile = float(student.ppf(1 - LEVEL_OF_TEST / 2, methods - 2))
        return quantile / math.sqrt(methods - 2 + quantile**2)
    line = np.arange(methods, dtype=np.float64)
    every = np.abs(np.round(spearman(_orders(methods).astype(np.float64), line), 12))
    telling = [one for one in np.unique(every) if (every >= one).mean() < LEVEL_OF_TEST]
    return float(telling[0]) if telling else None


@functools.cache
def _orders(methods: int) -> Indices:
    return np.array(list(permutations(range(methods))), dtype=np.int64)


def _samples(
    answers: Comparisons, places: Indices, weights: Values, own: Values, always: bool, alpha: float, seed: int
) -> Values:
    """Log-strengths of resamples of people and pictures, resamples × methods."""
    people = sample(answers.participants, len(weights), seed)
    each = cells(answers)
    found = []
    for first in range(0, len(weights), CHUNK):
        part = slice(first, first + CHUNK)
        counts = people.weights[part][:, people.codes] * weights[part][:, places]
        wins = (each.T @ counts.T).T.reshape(-1, len(own), len(own))
        # A resample without answers has no wins; it is then regularised to equal strengths, which is what it says.
        found.append(resampled_strengths(wins, alpha, always, own)[0])
    return np.concatenate(found)


def _column(
    metric: MetricValues, shown: Indices, weights: Values, own: Values, samples: Values, people: int, seed: int
) -> Column:
    values = np.asarray(metric.values, dtype=np.float64)[shown]
    everything = np.vstack((np.ones(len(shown)), weights))
    finite = np.isfinite(values)
    means = weighted_means(everything, values)
    there = finite.any(axis=0)
    better = means if metric.higher_is_better else -means
    found: list[RankCorrelation | None] = [None, None]
    if there.sum() >= LEAST:
        pair = better[:, there], np.vstack((own, samples))[:, there]
        found = [_rank_correlation(measure, *pair, min(people, len(shown)), seed) for measure in (spearman, kendall)]
    intervals = tuple(
        percentiles(float(column[0]), column[1:], int(seen))
        for column, seen in zip(means.T, finite.sum(axis=0), strict=True)
    )
    return Column(metric.name, metric.title, metric.higher_is_better, intervals, int(there.sum()), found[0], found[1])


def _rank_correlation(
    measure: Callable[[Values, Values], Values], metric: Values, preference: Values, units: int, seed: int
) -> RankCorrelation | None:
    value = float(measure(metric[:1], preference[:1])[0])
    if not math.isfinite(value):
        return None
    whole = np.isfinite(metric[1:]).all(axis=1)
    interval = percentiles(value, measure(metric[1:][whole], preference[1:][whole]), units)
    methods = metric.shape[1]
    exact = methods <= MOST_EXACT
    if exact:
        orders = _orders(methods)
    else:
        line = np.tile(np.arange(methods), (SHUFFLES, 1))
        orders = np.random.default_rng(seed).permuted(line, axis=1)
    as_far = np.abs(measure(metric[0][orders], preference[0])) >= abs(value) - 1e-12
    p = float(as_far.mean()) if exact else float((as_far.sum() + 1) / (SHUFFLES + 1))
    return RankCorrelation(interval, p, exact)


def _check(metric: MetricValues, methods: int, shown: Indices) -> None:
    shape = np.shape(metric.values)
    if len(shape) != 2 or shape[1] != methods:
        raise SettingError(f"The values of {metric.title} must be images × {methods} methods, but have shape {shape}.")
    if shown[0] < 0 or shown[-1] >= shape[0]:
        wrong = int(shown[0] if shown[0] < 0 else shown[-1])
        raise SettingError(f"{metric.title} has no row {wrong} for an image that people saw, but {shape[0]} rows.")
