"""How many participants a study needs: the chosen analysis is run on simulated studies of several sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.optimize import isotonic_regression
from scipy.special import expit

from decam.errors import SettingError
from decam.intervals import Interval, Values
from decam.settings import Settings, parameter
from decam.studies.analysis.accuracy import wilson
from decam.studies.analysis.preference import Comparisons, comparisons
from decam.studies.analysis.resampling import Indices, numbered, per_participant

Data = TypeVar("Data")

SIGNIFICANT = 0.05
GOAL = 0.8
MOST = 100_000


@dataclass(frozen=True)
class PowerAt:
    """One size of study: the share of simulated studies with p below the level, with Wilson's interval.

    `fitted` is that share after a monotone fit over all sizes (`PowerCurve`).
    """

    size: int
    repetitions: int
    power: Interval
    fitted: float


@dataclass(frozen=True)
class PowerProgress:
    """So many of all simulated studies are done."""

    step: int
    total: int
    size: int


@dataclass(frozen=True)
class PowerCurve:
    """Power by size, and the least size tried whose fitted power reaches the goal; None where none does.

    More participants never lower the true power, so the shares are fitted by the nearest line that does not fall
    (isotonic regression, Barlow et al. 1972), weighed by repetitions.
    """

    sizes: tuple[PowerAt, ...]
    goal: float
    level: float
    least: int | None


def power(
    simulate: Callable[[np.random.Generator, int], Data],
    test: Callable[[Data], float],
    sizes: Sequence[int],
    repetitions: int,
    seed: int = 0,
    *,
    goal: float = GOAL,
    level: float = SIGNIFICANT,
) -> Generator[PowerProgress, None, PowerCurve]:
    """Simulate `repetitions` studies of each size and return how often `test` gives a p value below `level`.

    Yields progress after each study; closing cancels. `simulate` makes the data of a study with that many
    participants. A p value of NaN counts as not below. Every study has its own generator, drawn from the seed, so a
    size gives the same whatever the others are. Raises SettingError for sizes below 1, and for a goal or level
    outside ]0, 1[.
    """
    ordered = sorted(set(sizes))
    _check(ordered, repetitions, goal, level)
    found = []
    for number, size in enumerate(ordered):
        streams = np.random.SeedSequence((seed, size)).spawn(repetitions)
        below = 0
        for done, stream in enumerate(streams, start=1):
            below += bool(test(simulate(np.random.default_rng(stream), size)) < level)
            yield PowerProgress(number * repetitions + done, len(ordered) * repetitions, size)
        found.append(wilson(below, repetitions))
    fit = isotonic_regression([one.value for one in found]).x
    at = tuple(
        PowerAt(size, repetitions, one, float(fitted)) for size, one, fitted in zip(ordered, found, fit, strict=True)
    )
    reached = [one.size for one in at if one.fitted >= goal - 1e-12]
    return PowerCurve(at, goal, level, reached[0] if reached else None)


def _check(sizes: Sequence[int], repetitions: int, goal: float, level: float) -> None:
    if not sizes or sizes[0] < 1 or sizes[-1] > MOST:
        raise SettingError(f"Sizes of studies must lie between 1 and {MOST:,}; give at least one.")
    if not 1 <= repetitions <= MOST:
        raise SettingError(f"The number of repetitions is {repetitions}, but must lie between 1 and {MOST:,}.")
    for name, value in (("goal", goal), ("level", level)):
        if not 0 < value < 1:
            raise SettingError(f"The {name} is {value:g}, but must lie above 0 and below 1.")


@dataclass(frozen=True)
class ForcedChoice:
    """A simulator of comparisons: each participant compares random pairs of items of true log-strengths.

    `spread` is the standard deviation of each participant's own log-strengths about these (people differ in taste).
    Raises SettingError for fewer than two items or no comparisons.
    """

    strengths: tuple[float, ...]
    comparisons: int
    spread: float = 0.5

    def __post_init__(self) -> None:
        if len(self.strengths) < 2 or self.comparisons < 1 or self.spread < 0:
            raise SettingError("Forced choice needs two items, one comparison each participant, and no spread below 0.")

    def __call__(self, generator: np.random.Generator, participants: int) -> Comparisons:
        """Comparisons of that many participants."""
        items = len(self.strengths)
        own = np.array(self.strengths) + self.spread * generator.normal(size=(participants, items))
        who = np.repeat(np.arange(participants), self.comparisons)
        first = generator.integers(items, size=len(who))
        second = (first + generator.integers(1, items, size=len(who))) % items
        wins = generator.random(len(who)) < expit(own[who, first] - own[who, second])
        names = [f"item {place + 1}" for place in range(items)]
        return comparisons(names, np.where(wins, first, second), np.where(wins, second, first), who)


@dataclass(frozen=True)
class Preferred:
    """A test of comparisons: is one item preferred to another? p of Student's t of participants' shares against ½.

    Only comparisons of these two count, a tie as half a win. Where all shares are the same, p is the sign test's. NaN
    for fewer than two participants.
    """

    first: int
    second: int

    def __call__(self, data: Comparisons) -> float:
        """The two-sided p value."""
        won = (data.winners == self.first) & (data.losers == self.second)
        lost = (data.winners == self.second) & (data.losers == self.first)
        both = won | lost
        scores = np.where(data.ties, 0.5, won.astype(np.float64))[both]
        return _t_against(_means_by(scores, data.participants[both]), 0.5)


@dataclass(frozen=True, eq=False)
class Answers:
    """Simulated answers of two conditions (0 and 1): values, conditions and participants, one each an answer."""

    values: Values
    conditions: Indices
    participants: Indices


@dataclass(frozen=True)
class SimulatedRatings(Settings):
    """A simulator of ratings in two conditions, both seen by each participant."""

    difference: float = parameter(
        0.5, "True difference of the mean ratings, in points of the scale.", low=-6.0, high=6.0, step=0.1
    )
    deviation: float = parameter(1.0, "Standard deviation of a participant's answers.", low=0.01, high=10.0, step=0.1)
    between: float = parameter(0.8, "Standard deviation of the participants' means.", low=0.0, high=10.0, step=0.1)
    of_difference: float = parameter(
        0.3, "Standard deviation of the participants' own differences.", low=0.0, high=10.0, step=0.1
    )
    mean: float = parameter(4.0, "Mean rating of the first condition.", low=1.0, high=7.0, step=0.5)
    points: int = parameter(7, "Points of the scale; ratings are rounded and cut to them.", low=2, high=11)
    trials: int = parameter(10, "Answers of each participant in each condition.", low=1, high=200)

    def __call__(self, generator: np.random.Generator, participants: int) -> Answers:
        """Ratings of that many participants."""
        who, condition = _crossed(participants, self.trials)
        own = self.mean + self.between * generator.normal(size=participants)
        gap = self.difference + self.of_difference * generator.normal(size=participants)
        latent = own[who] + gap[who] * condition + self.deviation * generator.normal(size=len(who))
        return Answers(np.clip(np.rint(latent), 1, self.points), condition, who)


@dataclass(frozen=True)
class SimulatedAccuracy(Settings):
    """A simulator of right and wrong answers in two conditions, both seen by each participant."""

    first: float = parameter(0.5, "True accuracy in the first condition.", low=0.01, high=0.99, step=0.01)
    second: float = parameter(0.65, "True accuracy in the second condition.", low=0.01, high=0.99, step=0.01)
    spread: float = parameter(
        0.5, "Standard deviation of the participants' log odds about these.", low=0.0, high=5.0, step=0.1
    )
    trials: int = parameter(10, "Answers of each participant in each condition.", low=1, high=200)

    def __call__(self, generator: np.random.Generator, participants: int) -> Answers:
        """Right (1) and wrong (0) answers of that many participants.

        With spread, accuracies over people lie a little nearer to ½ than the two named, which are a typical person's.
        """
        who, condition = _crossed(participants, self.trials)
        odds = [math.log(share / (1 - share)) for share in (self.first, self.second)]
        skill = self.spread * generator.normal(size=participants)
        chance = expit(np.array(odds)[condition] + skill[who])
        return Answers((generator.random(len(who)) < chance).astype(np.float64), condition, who)


def paired_difference(data: Answers) -> float:
    """p, two-sided, of Student's t of the participants' differences between both conditions.

    Where all differences are the same, p is the sign test's. NaN for fewer than two participants with both conditions.
    """
    table = per_participant(data.values, data.participants, data.conditions, 2, lambda own: float(own.mean()))
    gaps = table[:, 1] - table[:, 0]
    return _t_against(gaps[np.isfinite(gaps)], 0.0)


@dataclass(frozen=True)
class Apart:
    """A simulator of people who each see one condition, dealt in turn, of the simulated ones and others beside them."""

    simulator: Callable[[np.random.Generator, int], Answers]
    conditions: int

    def __call__(self, generator: np.random.Generator, participants: int) -> Answers:
        """Answers of those among that many participants who see one of the two simulated conditions."""
        crossed = self.simulator(generator, participants)
        own = crossed.participants % self.conditions == crossed.conditions
        return Answers(crossed.values[own], crossed.conditions[own], crossed.participants[own])


def unpaired_difference(data: Answers) -> float:
    """p, two-sided, of Welch's t of the participants' means in both conditions, each of which other people see.

    Where nobody differs within a condition, p is 1 for equal means and 0 for others. NaN for fewer than two in one.
    """
    table = per_participant(data.values, data.participants, data.conditions, 2, lambda own: float(own.mean()))
    first, second = (column[np.isfinite(column)] for column in table.T)
    if min(len(first), len(second)) < 2:
        return math.nan
    if np.ptp(first) == np.ptp(second) == 0:
        return float(first[0] == second[0])
    return float(stats.ttest_ind(first, second, equal_var=False).pvalue)


def _crossed(participants: int, trials: int) -> tuple[Indices, Indices]:
    who = np.repeat(np.arange(participants), 2 * trials)
    return who, np.tile(np.repeat(np.arange(2), trials), participants)


def _means_by(values: Values, participants: ArrayLike) -> Values:
    codes = numbered(participants)[1]
    found: Values = np.bincount(codes, weights=values) / np.bincount(codes)
    return found


def _t_against(values: Values, expected: float) -> float:
    if len(values) < 2:
        return math.nan
    if np.ptp(values) < 1e-12:  # t has no spread to go by: the sign test
        return 1.0 if abs(values[0] - expected) < 1e-12 else min(1.0, 2 * 0.5 ** len(values))
    return float(stats.ttest_1samp(values, expected).pvalue)
