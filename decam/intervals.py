"""A value with its bootstrap interval: what benchmarks say of pictures, and studies of people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from decam.errors import SettingError

Values: TypeAlias = NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 2000
MOST_RESAMPLES = 100_000


@dataclass(frozen=True)
class Interval:
    """A value between the ends of its 95 % interval; the ends are NaN where the data allow none.

    `format(interval, "+.2f")` writes all three numbers alike, as "+0.12 [-0.03, +0.27]", or the value alone.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return format(self, "z.3f")

    def __format__(self, form: str) -> str:
        return f"{self.value:{form}}{self.ends(form)}"

    @property
    def known(self) -> bool:
        """True where both ends are numbers."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def ends(self, form: str) -> str:
        """The ends as they stand behind a value, with a space before them; empty where they are not known."""
        return f" [{self.low:{form}}, {self.high:{form}}]" if self.known else ""


def percentiles(value: float, samples: Values, units: int, level: float = LEVEL) -> Interval:
    """A value with the percentile interval of its bootstrap samples (Efron and Tibshirani 1993, section 13.3).

    `units` counts the people, pictures or trials that were drawn for it. One alone is drawn the same each time, which
    says nothing of others: the ends are NaN below two. Samples that are not finite are left out, for a resample can
    lack a whole condition. Without any the ends are NaN.
    """
    finite = samples[np.isfinite(samples)]
    if units < 2 or not len(finite) or not math.isfinite(value):
        return Interval(float(value), math.nan, math.nan)
    low, high = np.quantile(finite, ((1 - level) / 2, (1 + level) / 2))
    return Interval(float(value), float(low), float(high))


def drawn(count: int, resamples: int = RESAMPLES, seed: int = 0) -> Values:
    """How often each of `count` units is drawn by each resample: resamples × count, each row sums to count.

    The same seed gives the same draws. Raises SettingError for no unit, or for a number of resamples outside 1 to
    100,000.
    """
    if count < 1:
        raise SettingError("There is nothing to draw from: at least one value or answer is needed, and none was given.")
    if not 1 <= resamples <= MOST_RESAMPLES:
        raise SettingError(f"The number of resamples is {resamples}, but must lie between 1 and {MOST_RESAMPLES:,}.")
    generator = np.random.default_rng(seed)
    return generator.multinomial(count, np.full(count, 1 / count), size=resamples).astype(np.float64)


def weighted_means(weights: Values, values: Values) -> Values:
    """The mean of each column of `values` (N×C) under each line of `weights` (R×N), as R×C.

    Values that are not finite are left out; NaN where nothing is left.
    """
    finite = np.isfinite(values)
    counts = weights @ finite
    sums = weights @ np.where(finite, values, 0.0)
    return np.divide(sums, counts, out=np.full_like(counts, np.nan), where=counts > 0)
