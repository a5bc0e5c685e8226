"""How far people agree: Krippendorff's α of answers to the same questions, for names, ranks and numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import krippendorff
import numpy as np
from numpy.typing import ArrayLike

from decam.errors import SettingError, unknown
from decam.intervals import RESAMPLES, Interval, Values, drawn, percentiles

Level: TypeAlias = Literal["nominal", "ordinal", "interval"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True)
class Agreement:
    """α with its interval over units: 1 is full agreement, 0 that of chance, negative less than that.

    `units` counts the questions that two people or more answered, `raters` everybody who answered one of these.
    """

    level: Level
    alpha: Interval
    units: int
    raters: int


def alpha(answers: ArrayLike, level: Level, *, resamples: int = RESAMPLES, seed: int = 0) -> Agreement:
    """Krippendorff's α (2011, "Computing Krippendorff's Alpha-Reliability") of answers: raters × units.

    NaN marks what a rater did not answer; nominal answers are codes. Units that fewer than two answered cannot be
    compared and drop out. Intervals are 95 % percentiles over draws of units, not of raters, and not Krippendorff's
    own bootstrap of pairs. Where everybody gave one and the same answer α is not defined: NaN. Raises SettingError for
    an unknown level, and where no unit has two answers.
    """
    if level not in LEVELS:
        raise SettingError(unknown("level of measurement", level, LEVELS))
    table = np.asarray(answers, dtype=np.float64)
    if table.ndim != 2:
        raise SettingError(f"Answers must be raters × units, not of shape {table.shape}.")
    shared = np.isfinite(table).sum(axis=0) > 1
    if not shared.any():
        raise SettingError("No question was answered by two people, so there is no agreement to measure.")
    table = table[:, shared]
    domain = np.unique(table[np.isfinite(table)])
    counts = (table[:, :, None] == domain).sum(axis=0).astype(np.int64)
    weights = drawn(len(counts), resamples, seed).astype(np.int64)
    units = np.arange(len(counts))
    samples = np.array([_alpha(counts[np.repeat(units, row)], domain, level) for row in weights])
    raters = int(np.isfinite(table).any(axis=1).sum())
    found = percentiles(_alpha(counts, domain, level), samples, len(counts))
    return Agreement(level, found, len(counts), raters)


def _alpha(counts: Values, domain: Values, level: Level) -> float:
    """α of how often each unit got each value, units × values; NaN where only one value occurs."""
    there = counts.sum(axis=0) > 0
    if there.sum() < 2:
        return math.nan
    return float(
        krippendorff.alpha(value_counts=counts[:, there], value_domain=domain[there], level_of_measurement=level)
    )
