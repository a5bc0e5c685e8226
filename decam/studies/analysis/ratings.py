"""Ratings on a scale of points: means with intervals and how answers spread over the points, by condition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from decam.errors import SettingError
from decam.intervals import LEVEL, RESAMPLES, Interval, Values
from decam.studies.analysis.resampling import Indices, conditions_of, per_participant, same_length, sample


@dataclass(frozen=True)
class ConditionRatings:
    """The ratings of one condition.

    `bootstrap` is the mean of all answers, its interval over participants. `by_t` is the mean of the participants'
    own means with Student's interval. `counts` says how many answers each point of the scale got, the lowest first.
    """

    condition: Any
    answers: int
    participants: int
    bootstrap: Interval
    by_t: Interval
    deviation: float
    counts: tuple[int, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """What share of the answers each point got."""
        return tuple(count / self.answers for count in self.counts)


def points_of(ratings: ArrayLike, points: int) -> Indices:
    """Ratings as whole numbers; raises SettingError for one that is no point from 1 to `points`, or a bad scale."""
    if not 2 <= points <= 101:
        raise SettingError(f"A scale has 2 to 101 points, not {points}.")
    array = np.asarray(ratings, dtype=np.float64)
    wrong = array[~np.isin(array, np.arange(1, points + 1))]
    if len(wrong):
        raise SettingError(f"A rating is {wrong[0]:g}, but must be one of the points 1 to {points}.")
    return array.astype(np.int64)


def by_condition(
    ratings: ArrayLike,
    conditions: ArrayLike,
    participants: ArrayLike,
    points: int,
    *,
    order: Sequence[Any] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[ConditionRatings, ...]:
    """Means and spreads of ratings (1 to `points`), one value each an answer, in the order of conditions.

    Raises SettingError for ratings outside the scale and for arrays of different lengths.
    """
    same_length(ratings=ratings, conditions=conditions, participants=participants)
    values = points_of(ratings, points).astype(np.float64)
    names, places = conditions_of(conditions, order)
    people = sample(participants, resamples, seed)
    table = per_participant(values, participants, places, len(names), lambda own: float(own.mean()))
    found = []
    for place, name in enumerate(names):
        here = places == place
        own = table[np.isfinite(table[:, place]), place]
        if not len(own):
            continue
        found.append(
            ConditionRatings(
                condition=name,
                answers=int(here.sum()),
                participants=len(own),
                bootstrap=people.share(values, here),
                by_t=t_interval(own),
                deviation=float(values[here].std(ddof=1)) if here.sum() > 1 else math.nan,
                counts=tuple(np.bincount(values[here].astype(int), minlength=points + 1)[1:].tolist()),
            )
        )
    return tuple(found)


def t_interval(values: Values) -> Interval:
    """The mean of independent values with Student's 95 % interval (Student 1908); NaN ends for fewer than two."""
    mean = float(values.mean())
    if len(values) < 2:
        return Interval(mean, math.nan, math.nan)
    reach = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)))
    return Interval(mean, mean - reach, mean + reach)
