"""Response times: medians without the time that the page was hidden, and answers that took oddly long or short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from decam.errors import SettingError
from decam.intervals import RESAMPLES, Interval, Values, percentiles
from decam.settings import Settings, parameter
from decam.studies.analysis.resampling import Flags, Sample, conditions_of, numbered, numbers, same_length, sample

CONSISTENT = 1.4826  # times a normal sample's median absolute deviation is its standard deviation


@dataclass(frozen=True)
class OddTimes(Settings):
    """When an answer's time is flagged."""

    deviations: float = parameter(
        3.0,
        "An answer is flagged where the logarithm of its time lies further from the participant's own median than so "
        "many median absolute deviations (times 1.4826; Leys et al. 2013). Flagged answers still count.",
        title="Deviations",
        low=1.0,
        high=10.0,
        step=0.5,
    )
    least_answers: int = parameter(
        5, "A participant with fewer answers has no usual time, so none is flagged.", low=3, high=100
    )


@dataclass(frozen=True)
class ResponseTimes:
    """Times of one condition in ms, cleaned: the median over all answers with its interval over participants.

    `flagged` counts answers of an odd time; `unflagged` is the median without them. `hidden` counts answers during
    which the page was hidden or out of focus.
    """

    condition: Any
    answers: int
    participants: int
    median: Interval
    quartiles: tuple[float, float]
    flagged: int
    unflagged: Interval
    hidden: int


def cleaned(durations: ArrayLike, away: ArrayLike) -> Values:
    """Durations in ms less the time that the page was hidden or out of focus (reVISit's cleanedDuration).

    Raises SettingError for a negative time, or for more time away than the answer took (1 ms of rounding is allowed).
    """
    same_length(durations=durations, away=away)
    taken, absent = numbers(durations, "durations"), numbers(away, "times away")
    if (taken < 0).any() or (absent < 0).any():
        raise SettingError("A response time is negative; times are milliseconds from the stimulus to the answer.")
    if (absent > taken + 1).any():
        place = int(np.flatnonzero(absent > taken + 1)[0])
        raise SettingError(
            f"Answer {place + 1} took {taken[place]:g} ms, but the page was away for {absent[place]:g} ms of it."
        )
    return np.maximum(0.0, taken - absent)


def odd(times: ArrayLike, participants: ArrayLike, settings: OddTimes | None = None) -> Flags:
    """True for each answer whose time is odd for that participant, by the rule of `settings`; nothing is removed."""
    same_length(times=times, participants=participants)
    rule = settings or OddTimes()
    logs = np.log(np.maximum(1.0, numbers(times, "times")))
    people, codes = numbered(participants)
    found = np.zeros(len(logs), dtype=bool)
    for person in range(people):
        own = codes == person
        gaps = np.abs(logs[own] - np.median(logs[own]))
        spread = CONSISTENT * float(np.median(gaps))
        if own.sum() >= rule.least_answers and spread > 0:
            found[own] = gaps > rule.deviations * spread
    return found


def by_condition(
    durations: ArrayLike,
    away: ArrayLike,
    conditions: ArrayLike,
    participants: ArrayLike,
    *,
    settings: OddTimes | None = None,
    order: Sequence[Any] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[ResponseTimes, ...]:
    """Median times of each condition that has answers; `durations` and `away` in ms, one an answer.

    Intervals are 95 % percentiles over draws of participants; the same seed gives the same.
    """
    same_length(durations=durations, away=away, conditions=conditions, participants=participants)
    times = cleaned(durations, away)
    flags = odd(times, participants, settings)
    names, places = conditions_of(conditions, order)
    people = sample(participants, resamples, seed)
    found = []
    for place, name in enumerate(names):
        here = places == place
        if here.any():
            first, last = np.quantile(times[here], (0.25, 0.75))
            found.append(
                ResponseTimes(
                    condition=name,
                    answers=int(here.sum()),
                    participants=len(np.unique(people.codes[here])),
                    median=median(times, people, here),
                    quartiles=(float(first), float(last)),
                    flagged=int(flags[here].sum()),
                    unflagged=median(times, people, here & ~flags),
                    hidden=int((np.asarray(away, dtype=np.float64)[here] > 0).sum()),
                )
            )
    return tuple(found)


def median(values: Values, people: Sample, which: Flags) -> Interval:
    """The median of the answers of the mask `which`, with its interval over participants."""
    own = values[which]
    if not len(own):
        return percentiles(float("nan"), np.empty(0), 0)
    order = np.argsort(own)
    ordered, codes = own[order], people.codes[which][order]
    samples = np.array([_weighted_median(ordered, weights[codes]) for weights in people.weights])
    return percentiles(float(np.median(own)), samples, people.among(which))


def _weighted_median(ordered: Values, counts: Values) -> float:
    """The median of ordered values that occur `counts` times (whole numbers); NaN for none."""
    upto = np.cumsum(counts)
    total = upto[-1]
    if not total:
        return float("nan")
    lower = ordered[np.searchsorted(upto, (total + 1) // 2)]
    upper = ordered[np.searchsorted(upto, total // 2 + 1)]
    return float((lower + upper) / 2)
