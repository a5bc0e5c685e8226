"""Signal detection: how well people tell two kinds of trials apart, apart from how readily they say yes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from decam.errors import SettingError
from decam.intervals import RESAMPLES, Interval, Values, percentiles
from decam.studies.analysis.resampling import same_length, sample


@dataclass(frozen=True)
class Detection:
    """Sensitivity d′ and criterion c with intervals over participants, and the four counts they rest on.

    d′ is 0 for chance and rises with ability. c is 0 without bias, and positive for people who rarely say yes.
    """

    hits: int
    misses: int
    false_alarms: int
    rejections: int
    sensitivity: Interval
    criterion: Interval


def sensitivity_and_criterion(
    hits: ArrayLike, misses: ArrayLike, false_alarms: ArrayLike, rejections: ArrayLike
) -> tuple[Values, Values]:
    """d′ = z(H) − z(F) and c = −(z(H) + z(F)) / 2 (Macmillan and Creelman 2005, eqs. 1.5 and 2.1).

    The log-linear correction (Hautus 1995) adds 0.5 to each count of yes and 1 to each number of trials, always, so
    that no rate is 0 or 1. Counts may be arrays of one shape. NaN where there are no trials of one kind.
    """
    yes, no, false, true = (np.asarray(one, dtype=np.float64) for one in (hits, misses, false_alarms, rejections))
    signals, noises = yes + no, false + true
    hit_rate = (yes + 0.5) / (signals + 1)
    false_rate = (false + 0.5) / (noises + 1)
    either = (signals > 0) & (noises > 0)
    seen, imagined = norm.ppf(hit_rate), norm.ppf(false_rate)
    return np.where(either, seen - imagined, np.nan), np.where(either, -(seen + imagined) / 2, np.nan)


def detection(
    said_yes: ArrayLike, signal: ArrayLike, participants: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0
) -> Detection:
    """d′ and c of all answers together; `signal` is True for trials to which yes is right.

    Counts are pooled over participants, who are drawn again for the intervals. Pooled d′ is a little below the mean
    of the participants' own where their criteria differ (Macmillan and Kaplan 1985). Raises SettingError without
    trials of both kinds.
    """
    same_length(answers=said_yes, signals=signal, participants=participants)
    yes, real = np.asarray(said_yes, dtype=bool), np.asarray(signal, dtype=bool)
    if real.all() or not real.any():
        raise SettingError("Signal detection needs trials of both kinds: some with the signal and some without.")
    people = sample(participants, resamples, seed)
    own = np.stack(
        [
            np.bincount(people.codes[mask], minlength=people.people)
            for mask in (yes & real, ~yes & real, yes & ~real, ~yes & ~real)
        ]
    ).astype(np.float64)
    counts = own.sum(axis=1)
    found = sensitivity_and_criterion(*counts)
    drawn = sensitivity_and_criterion(*(people.weights @ own.T).T)
    units = min(people.among(real), people.among(~real))
    sensitivity, criterion = (percentiles(float(one), many, units) for one, many in zip(found, drawn, strict=True))
    hits, misses, false_alarms, rejections = map(int, counts)
    return Detection(hits, misses, false_alarms, rejections, sensitivity, criterion)
