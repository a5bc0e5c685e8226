"""The bootstrap that all analyses share: participants are drawn again, with all of their answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from decam.errors import SettingError
from decam.intervals import RESAMPLES, Interval, Values, drawn, percentiles

Indices: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Sample:
    """Everybody as they are, and every resample: how often each participant counts.

    `codes` numbers the participant of each answer from 0, `people` counts them, and `weights` is resamples × people.
    """

    codes: Indices
    people: int
    weights: Values

    def share(self, values: Values, which: Flags | None = None) -> Interval:
        """The mean of the answers' `values` (those of the mask `which`), with its interval over participants."""
        mask = np.ones(len(values), dtype=bool) if which is None else which
        return percentiles(_mean(values[mask]), self.means(values, mask), self.among(mask))

    def among(self, which: Flags) -> int:
        """How many participants gave the answers of a mask."""
        return len(np.unique(self.codes[which]))

    def means(self, values: Values, which: Flags) -> Values:
        """The mean of the answers' values in each resample; NaN where a resample has none of them."""
        codes = self.codes[which]
        sums = np.bincount(codes, weights=values[which], minlength=self.people)
        counts = np.bincount(codes, minlength=self.people)
        totals: Values = self.weights @ counts
        return np.divide(self.weights @ sums, totals, out=np.full_like(totals, np.nan), where=totals > 0)

    def difference(self, values: Values, first: Flags, second: Flags) -> Interval:
        """Mean over `first` minus mean over `second`, with its interval where two people or more gave each.

        A participant brings the answers to both, so that a design within participants is analysed as one.
        """
        found = _mean(values[first]) - _mean(values[second])
        units = min(self.among(first), self.among(second))
        return percentiles(found, self.means(values, first) - self.means(values, second), units)


def sample(participants: ArrayLike, resamples: int = RESAMPLES, seed: int = 0) -> Sample:
    """The participants of all answers (any labels, one an answer), drawn again with replacement.

    Answers of one person are alike; hence people are drawn, not answers (a cluster bootstrap, Davison and Hinkley
    1997, section 3.8). The same seed gives the same draws.
    """
    people, codes = numbered(participants)
    return Sample(codes, people, drawn(people, resamples, seed))


def numbered(participants: ArrayLike) -> tuple[int, Indices]:
    """How many participants there are (any labels, one an answer), and the number of each answer's from 0."""
    names, codes = np.unique(np.asarray(participants), return_inverse=True)
    return len(names), codes.reshape(-1).astype(np.int64)


def _mean(values: Values) -> float:
    return float(values.mean()) if len(values) else math.nan


def numbers(values: ArrayLike, what: str) -> Values:
    """Values as one line of finite numbers; raises SettingError for anything else. `what` names them: "ratings"."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise SettingError(f"The {what} must be one line of numbers, not an array of shape {array.shape}.")
    if not np.isfinite(array).all():
        raise SettingError(f"The {what} must be finite numbers; leave out answers that are missing.")
    return array


def conditions_of(conditions: ArrayLike, order: Sequence[Any] = ()) -> tuple[tuple[Any, ...], Indices]:
    """The conditions that occur, in the order given (else sorted), and the number of each answer's condition from 0.

    Raises SettingError for a condition that the order lacks.
    """
    array = np.asarray(conditions)
    names = tuple(order) or tuple(np.unique(array).tolist())
    places = {name: place for place, name in enumerate(names)}
    unknown = sorted({str(one) for one in array.tolist() if one not in places})
    if unknown:
        raise SettingError(f"There is no condition {unknown[0]!r} in the order {', '.join(map(str, names))}.")
    return names, np.array([places[one] for one in array.tolist()], dtype=np.int64)


def same_length(**lines: ArrayLike) -> int:
    """The length that all these arrays share; raises SettingError where they differ or are empty."""
    lengths = {name: len(np.asarray(line)) for name, line in lines.items()}
    if len(set(lengths.values())) > 1:
        described = ", ".join(f"{count} {name}" for name, count in lengths.items())
        raise SettingError(f"Each answer needs one value of each sort, but there are {described}.")
    count = next(iter(lengths.values()))
    if not count:
        raise SettingError("There are no answers to analyse; collect at least one.")
    return count


def per_participant(
    values: Values, participants: ArrayLike, places: Indices, count: int, summary: Callable[[Values], float]
) -> Values:
    """A summary of each participant's values in each condition: participants × conditions, NaN where there are none."""
    people, codes = numbered(participants)
    table = np.full((people, count), np.nan)
    for person in range(people):
        for place in range(count):
            own = values[(codes == person) & (places == place)]
            if len(own):
                table[person, place] = summary(own)
    return table
