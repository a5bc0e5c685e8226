"""How often people are right: accuracy against chance, differences between conditions, and confidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from decam.errors import SettingError
from decam.intervals import LEVEL, RESAMPLES, Interval
from decam.studies.analysis.resampling import conditions_of, same_length, sample


@dataclass(frozen=True)
class Accuracy:
    """The share of right answers of one condition.

    `wilson` takes answers as independent, `bootstrap` draws participants and is the one to report where each gives
    several answers. `p` is the exact binomial test's against `chance`, two-sided, with answers as independent.
    """

    condition: Any
    answers: int
    participants: int
    right: int
    chance: float
    wilson: Interval
    bootstrap: Interval
    p: float

    @property
    def beyond_chance(self) -> bool:
        """True where the whole interval over participants lies above or below chance."""
        return self.bootstrap.known and not self.bootstrap.low <= self.chance <= self.bootstrap.high


@dataclass(frozen=True)
class Difference:
    """Accuracy in the first condition minus that in the second, in [−1, 1], with its interval over participants."""

    first: Any
    second: Any
    difference: Interval


@dataclass(frozen=True)
class Confident:
    """The answers given with one confidence: how many, and the share of right ones with Wilson's interval."""

    confidence: float
    answers: int
    accuracy: Interval


@dataclass(frozen=True)
class Calibration:
    """Accuracy by confidence, and `gap`: mean confidence when right minus when wrong, in points of the scale."""

    levels: tuple[Confident, ...]
    gap: Interval


def wilson(right: int, answers: int, level: float = LEVEL) -> Interval:
    """The share right / answers with Wilson's score interval (Wilson 1927), which stays in [0, 1].

    Raises SettingError for no answers and for more right ones than answers.
    """
    if answers < 1 or not 0 <= right <= answers:
        raise SettingError(f"{right} right of {answers} answers is no share; there must be 0 to n right of n ≥ 1.")
    z = float(stats.norm.ppf((1 + level) / 2))
    share = right / answers
    scale = 1 + z * z / answers
    middle = (share + z * z / (2 * answers)) / scale
    reach = z / scale * math.sqrt(share * (1 - share) / answers + z * z / (4 * answers * answers))
    return Interval(share, min(share, max(0.0, middle - reach)), max(share, min(1.0, middle + reach)))


def by_condition(
    right: ArrayLike,
    conditions: ArrayLike,
    participants: ArrayLike,
    chance: float,
    *,
    order: Sequence[Any] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[Accuracy, ...]:
    """Accuracy of each condition that has answers; `right` is True or False for each answer, `chance` in ]0, 1[.

    Intervals are 95 % percentiles over draws of participants; the same seed gives the same.
    """
    same_length(right=right, conditions=conditions, participants=participants)
    _check_chance(chance)
    answers = np.asarray(right, dtype=bool)
    names, places = conditions_of(conditions, order)
    people = sample(participants, resamples, seed)
    found = []
    for place, name in enumerate(names):
        here = places == place
        if here.any():
            count, hits = int(here.sum()), int(answers[here].sum())
            found.append(
                Accuracy(
                    condition=name,
                    answers=count,
                    participants=len(np.unique(people.codes[here])),
                    right=hits,
                    chance=chance,
                    wilson=wilson(hits, count),
                    bootstrap=people.share(answers.astype(np.float64), here),
                    p=float(stats.binomtest(hits, count, chance).pvalue),
                )
            )
    return tuple(found)


def differences(
    right: ArrayLike,
    conditions: ArrayLike,
    participants: ArrayLike,
    reference: Any,
    *,
    order: Sequence[Any] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[Difference, ...]:
    """Accuracy of each other condition minus that of the reference, with intervals over participants.

    Participants are drawn with all of their answers; a design within participants is so compared within them. Raises
    SettingError where the reference has no answers.
    """
    same_length(right=right, conditions=conditions, participants=participants)
    answers = np.asarray(right, dtype=bool).astype(np.float64)
    names, places = conditions_of(conditions, order)
    base = places == names.index(reference) if reference in names else np.zeros(len(places), dtype=bool)
    if not base.any():
        raise SettingError(f"The reference {reference!r} has no answers; there are: {', '.join(map(str, names))}.")
    people = sample(participants, resamples, seed)
    return tuple(
        Difference(name, reference, people.difference(answers, places == place, base))
        for place, name in enumerate(names)
        if name != reference and (places == place).any()
    )


def calibration(
    right: ArrayLike, confidence: ArrayLike, participants: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0
) -> Calibration:
    """Accuracy at each confidence that was given (a point of its scale), from the lowest to the highest."""
    same_length(right=right, confidence=confidence, participants=participants)
    answers = np.asarray(right, dtype=bool)
    stated = np.asarray(confidence, dtype=np.float64)
    people = sample(participants, resamples, seed)
    levels = []
    for one in np.unique(stated):
        own = answers[stated == one]
        levels.append(Confident(float(one), len(own), wilson(int(own.sum()), len(own))))
    return Calibration(tuple(levels), people.difference(stated, answers, ~answers))


def _check_chance(chance: float) -> None:
    if not 0 < chance < 1:
        raise SettingError(f"Chance is {chance:g}, but must lie above 0 and below 1: a fourth for one of four.")
