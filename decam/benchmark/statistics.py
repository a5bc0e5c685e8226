"""Means with bootstrap intervals, paired differences, and how alike two rankings of methods are."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from decam.errors import SettingError

Values: TypeAlias = NDArray[np.float64]

RESAMPLES = 10_000
COLUMN_RESAMPLES = 2000
LEAST = 3  # methods that two rankings must share


@dataclass(frozen=True)
class Interval:
    """A mean with its bootstrap interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+z.3f} [{self.low:+z.3f}, {self.high:+z.3f}]"


def percentiles(mean: float, samples: Values) -> Interval:
    """A value with the 95 % percentile interval of its bootstrap samples (Efron and Tibshirani 1993, section 13.3)."""
    low, high = np.quantile(samples, (0.025, 0.975))
    return Interval(float(mean), float(low), float(high))


def bootstrap(values: Sequence[float] | Values, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """The mean of values with its 95 % percentile interval; the same seed gives the same one.

    Raises SettingError for no values at all.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not numbers.size:
        raise SettingError("A mean needs at least one value; none was given.")
    drawn = np.random.default_rng(seed).integers(len(numbers), size=(resamples, len(numbers)))
    return percentiles(float(numbers.mean()), numbers[drawn].mean(axis=1))


def paired(one: Mapping[str, float], other: Mapping[str, float]) -> list[float]:
    """First minus second for each name that both have, in the order of the names."""
    return [one[name] - other[name] for name in sorted(one.keys() & other.keys())]


@functools.cache
def weights(count: int, resamples: int = COLUMN_RESAMPLES) -> Values:
    """How often each of so many lines is drawn by each bootstrap sample, resamples × lines."""
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=resamples)
    return drawn.astype(np.float64)


def resampled(values: Values) -> Values:
    """Each bootstrap sample's mean of each column, resamples × columns, NaN being left out."""
    finite = np.isfinite(values)
    drawn = weights(len(values))
    counts = drawn @ finite
    return np.divide(drawn @ np.where(finite, values, 0.0), counts, out=np.full_like(counts, np.nan), where=counts > 0)


def interval(mean: float, samples: Values) -> Interval | None:
    """`percentiles` of the finite samples; None where there is no value or no sample."""
    finite = samples[np.isfinite(samples)]
    return percentiles(mean, finite) if math.isfinite(mean) and len(finite) else None


def means(values: Values) -> list[Interval | None]:
    """The mean of each column over its finite values, with its interval over lines."""
    samples = resampled(values)
    return [interval(_mean(column), sample) for column, sample in zip(values.T, samples.T, strict=True)]


def spearman(one: Values, other: Values) -> Values:
    """Spearman's correlation of each line of two arrays N×M, ties sharing their mean rank; NaN for a constant line."""
    first, second = (rankdata(array, axis=1) - (array.shape[1] + 1) / 2 for array in (one, other))
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    together: Values = (first * second).sum(axis=1)
    found: Values = np.divide(together, scale, out=np.full_like(together, np.nan), where=scale > 0)
    return found


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
    mean = spearman(_means(first), _means(second))[0]
    drawn = resampled(first), resampled(second)
    whole = np.isfinite(drawn[0]).all(axis=1) & np.isfinite(drawn[1]).all(axis=1)
    return interval(float(mean), spearman(drawn[0][whole], drawn[1][whole]))


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
