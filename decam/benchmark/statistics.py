"""Means with bootstrap intervals, paired differences, and how alike two rankings of methods are."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from decam.intervals import Interval, Values, drawn, percentiles, weighted_means
from decam.ranks import spearman

MEAN_RESAMPLES = 10_000
LEAST = 3  # methods that two rankings must share


def bootstrap(values: Sequence[float] | Values, resamples: int = MEAN_RESAMPLES, seed: int = 0) -> Interval:
    """The mean of values with its 95 % percentile interval; the same seed gives the same one.

    One value alone has no interval. Raises SettingError for no values at all.
    """
    numbers = np.asarray(values, dtype=np.float64)
    samples = drawn(len(numbers), resamples, seed) @ numbers / len(numbers)
    return percentiles(float(numbers.mean()), samples, len(numbers))


def paired(one: Mapping[str, float], other: Mapping[str, float]) -> list[float]:
    """First minus second for each name that both have, in the order of the names."""
    return [one[name] - other[name] for name in sorted(one.keys() & other.keys())]


_weights = functools.cache(drawn)


def resampled(values: Values) -> Values:
    """Each bootstrap sample's mean of each column, resamples × columns, NaN being left out."""
    return weighted_means(_weights(len(values)), values)


def means(values: Values) -> list[Interval | None]:
    """The mean of each column over its finite values, with its interval over lines; None where there are none."""
    if not len(values):
        return [None] * values.shape[1]
    samples = resampled(values)
    counts = np.isfinite(values).sum(axis=0)
    return [
        percentiles(_mean(column), sample, int(count)) if count else None
        for column, sample, count in zip(values.T, samples.T, counts, strict=True)
    ]


def of_means(one: Values, other: Values) -> Interval | None:
    """Spearman over methods of the means over scenes (both scenes × methods), with its bootstrap interval.

    Scenes on which a method is missing altogether have to be left out before; a method whose mean is not finite is
    left out here. None for fewer than three methods.
    """
    if not len(one):
        return None
    finite = np.isfinite(one).any(axis=0) & np.isfinite(other).any(axis=0)
    if finite.sum() < LEAST:
        return None
    first, second = one[:, finite], other[:, finite]
    mean = float(spearman(_means(first), _means(second))[0])
    if not math.isfinite(mean):
        return None
    samples = resampled(first), resampled(second)
    whole = np.isfinite(samples[0]).all(axis=1) & np.isfinite(samples[1]).all(axis=1)
    return percentiles(mean, spearman(samples[0][whole], samples[1][whole]), len(one))


def within(one: Values, other: Values) -> Interval | None:
    """The mean over scenes of Spearman over the methods that both say something of, with its bootstrap interval.

    Scenes on which a metric gives all methods the same, or with fewer than three methods, say nothing.
    """
    found = []
    for first, second in zip(one, other, strict=True):
        finite = np.isfinite(first) & np.isfinite(second)
        if finite.sum() >= LEAST:
            found.append(float(spearman(first[None, finite], second[None, finite])[0]))
    return means(np.array(found)[:, None])[0] if found else None


def _mean(column: Values) -> float:
    finite = column[np.isfinite(column)]
    return float(finite.mean()) if len(finite) else math.nan


def _means(values: Values) -> Values:
    return np.array([[_mean(column) for column in values.T]])
