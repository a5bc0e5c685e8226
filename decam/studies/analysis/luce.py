"""Luce's choice model with weights: the strengths behind choices out of sets, for many resamples at once.

A comparison is a choice out of two (Bradley and Terry 1952), a ranking a choice out of all, then out of the rest, and
so on (Luce 1959; Plackett 1975).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from decam.errors import SettingError
from decam.intervals import Values
from decam.studies.analysis.resampling import Flags, Indices

STEPS = 200
TOLERANCE = 1e-9
LARGEST_STEP = 1.0  # of a log-strength: within it the curvature changes by less than a factor of e²
CHUNK = 4_000_000  # numbers of the largest array
UNBOUNDED = "The strengths have no finite estimate: the wins do not connect all items both ways."


@dataclass(frozen=True)
class Choices:
    """Sorts of choices: `winners` says which item was chosen (R), `sets` which could be (R × items, True for those)."""

    winners: Indices
    sets: Flags

    @property
    def items(self) -> int:
        """How many items there are."""
        return int(self.sets.shape[1])


def pairs(items: int) -> Choices:
    """Every item chosen over every other: items · (items − 1) sorts of choices, in the order of a matrix' cells."""
    winners, losers = np.nonzero(~np.eye(items, dtype=bool))
    sets = np.zeros((len(winners), items), dtype=bool)
    rows = np.arange(len(winners))
    sets[rows, winners] = sets[rows, losers] = True
    return Choices(winners.astype(np.int64), sets)


def log_strengths(choices: Choices, counts: Values, start: Values | None = None) -> Values:
    """Log-strengths of greatest likelihood: B × items, each row centred at 0, for weights `counts` B × R.

    Newton's method on the log-likelihood, which is concave; a step changes no log-strength by more than 1. Every row
    has to be strongly connected (`connected`), else there is no finite estimate. Raises SettingError where one is not
    found.
    """
    found = np.zeros((len(counts), choices.items)) if start is None else np.tile(start, (len(counts), 1))
    size = max(1, CHUNK // max(1, choices.sets.size))
    for first in range(0, len(counts), size):
        found[first : first + size] = _newton(choices, counts[first : first + size], found[first : first + size])
    return found


def _newton(choices: Choices, counts: Values, start: Values) -> Values:
    sets = choices.sets.astype(np.float64)
    chosen = np.zeros_like(sets)
    chosen[np.arange(len(sets)), choices.winners] = 1
    wins = counts @ chosen
    level = np.full((choices.items, choices.items), 1 / choices.items)  # takes out the direction of no effect
    theta = start.copy()
    rest = np.arange(len(theta))
    for _ in range(STEPS):
        strength = np.exp(theta[rest] - theta[rest].max(axis=1, keepdims=True))
        shares = strength[:, None, :] * sets
        shares /= shares.sum(axis=2, keepdims=True)
        weighted = counts[rest, :, None] * shares
        expected = weighted.sum(axis=1)
        slope = wins[rest] - expected
        curvature = -np.matmul(weighted.transpose(0, 2, 1), shares) + level
        curvature[:, range(choices.items), range(choices.items)] += expected
        try:
            step = np.linalg.solve(curvature, slope[..., None])[..., 0]
        except np.linalg.LinAlgError as error:  # strengths ran so far apart that wins no longer change them
            raise SettingError(UNBOUNDED) from error
        largest = np.abs(step).max(axis=1, keepdims=True)
        theta[rest] += step * np.minimum(1, LARGEST_STEP / np.maximum(largest, TOLERANCE))
        rest = rest[largest[:, 0] > TOLERANCE]
        if not len(rest):
            centred: Values = theta - theta.mean(axis=1, keepdims=True)
            return centred
    raise SettingError(UNBOUNDED)


def connected(wins: Values) -> Flags:
    """For win matrices B × items × items: True where chains of wins lead from each item to each other (Ford 1957)."""
    reach: Flags = np.array(wins > 0, dtype=bool)
    reach[..., range(wins.shape[-1]), range(wins.shape[-1])] = True
    for _ in range(max(1, int(np.ceil(np.log2(wins.shape[-1]))))):
        reach = np.asarray(np.matmul(reach.astype(np.float32), reach.astype(np.float32)) > 0)
    return np.asarray(reach.all(axis=(-1, -2)))
