"""Which maps people prefer: Bradley–Terry strengths of comparisons, Plackett–Luce strengths of rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import choix
import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from decam.errors import SettingError
from decam.intervals import RESAMPLES, Interval, Values, percentiles
from decam.numerals import listed
from decam.studies.analysis import luce
from decam.studies.analysis.resampling import Flags, Indices, Sample, numbered, same_length, sample

ALPHA = 0.1
LEVEL_WITHIN = 1e-6  # of log-strengths: below it a difference is what rounding leaves


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Answers to "which of two": places of the winner and of the loser in `items`, and who answered.

    `ties` marks answers of "no difference"; which of the two is then called the winner has no meaning. Raises
    SettingError for places that no item has, for an item against itself, and for fewer than two items.
    """

    items: tuple[str, ...]
    winners: Indices
    losers: Indices
    participants: Indices
    ties: Flags

    def __post_init__(self) -> None:
        same_length(winners=self.winners, losers=self.losers, participants=self.participants, ties=self.ties)
        _check_items(self.items, np.concatenate((self.winners, self.losers)))
        if (self.winners == self.losers).any():
            name = self.items[int(self.winners[self.winners == self.losers][0])]
            raise SettingError(f"{name!r} was compared with itself; leave such catch trials out of the comparisons.")


def comparisons(
    items: Sequence[str], winners: ArrayLike, losers: ArrayLike, participants: ArrayLike, ties: ArrayLike | None = None
) -> Comparisons:
    """Comparisons from index arrays of one length; participants may have any labels. No ties are the default."""
    winning = np.asarray(winners, dtype=np.int64)
    tied = np.zeros(len(winning), dtype=bool) if ties is None else np.asarray(ties, dtype=bool)
    who = numbered(participants)[1]
    return Comparisons(tuple(items), winning, np.asarray(losers, dtype=np.int64), who, tied)


@dataclass(frozen=True, eq=False)
class Rankings:
    """Answers to "order these": `orders` holds places in `items`, the best first, two or more of them each.

    Raises SettingError for an order with fewer than two items, with one twice, or with a place that no item has.
    """

    items: tuple[str, ...]
    orders: tuple[tuple[int, ...], ...]
    participants: Indices

    def __post_init__(self) -> None:
        same_length(orders=[len(order) for order in self.orders], participants=self.participants)
        for order in self.orders:
            if len(order) < 2 or len(set(order)) < len(order):
                raise SettingError(f"A ranking needs two or more items, each once, not {list(order)}.")
        _check_items(self.items, np.array([place for order in self.orders for place in order]))


def rankings(items: Sequence[str], orders: Sequence[Sequence[int]], participants: ArrayLike) -> Rankings:
    """Rankings from places, the best first; participants may have any labels."""
    return Rankings(tuple(items), tuple(tuple(map(int, order)) for order in orders), numbered(participants)[1])


@dataclass(frozen=True)
class Strengths:
    """Log-strengths of items, mean 0, each with its interval over participants.

    `samples` are the log-strengths of all resamples (resamples × items). `alpha` is what regularised the estimate, 0
    where nothing did; `regularised` counts the resamples that needed it. `note` says why, in a sentence, else "".
    """

    items: tuple[str, ...]
    values: tuple[Interval, ...]
    participants: int
    answers: int
    alpha: float
    regularised: int
    note: str
    samples: Values = field(repr=False, compare=False)

    @property
    def best(self) -> tuple[str, ...]:
        """The items of the greatest strength, all of them where several are level."""
        top = max(one.value for one in self.values)
        return tuple(item for item, one in zip(self.items, self.values, strict=True) if top - one.value <= LEVEL_WITHIN)

    def beats(self, first: int, second: int) -> Interval:
        """The model's probability that the first item is preferred to the second, with its interval."""
        gap = self.values[first].value - self.values[second].value
        samples = expit(self.samples[:, first] - self.samples[:, second])
        return percentiles(float(expit(gap)), samples, self.participants)

    def probabilities(self) -> Values:
        """`beats` of every pair without intervals: items × items, 0.5 in the diagonal."""
        found = np.array([one.value for one in self.values])
        shares: Values = expit(found[:, None] - found[None, :])
        return shares


def win_matrix(answers: Comparisons) -> Values:
    """How often each item (row) won against each other (column); a tie is half a win for both."""
    count = len(answers.items)
    return np.asarray(cells(answers).sum(axis=0), dtype=np.float64).reshape(count, count)


def cells(answers: Comparisons) -> csr_array:
    """What each answer adds to the win matrix, read row by row: answers × items², each row sums to 1."""
    count, rows = len(answers.items), np.arange(len(answers.winners))
    half = np.where(answers.ties, 0.5, 1.0)
    own, other = answers.winners * count + answers.losers, answers.losers * count + answers.winners
    places = (np.concatenate((rows, rows)), np.concatenate((own, other)))
    return csr_array((np.concatenate((half, 1 - half)), places), shape=(len(rows), count * count))


def disconnection(items: Sequence[str], wins: Values) -> str:
    """Why strengths have no finite estimate of greatest likelihood, in a sentence; "" where they have one.

    They have one where, however the items are parted in two, some item of each part has won against one of the other
    (Ford 1957).
    """
    parts, of_part = connected_components(wins > 0, directed=True, connection="weak")
    if parts > 1:
        groups = [listed(_within(items, of_part == part)) for part in range(parts)]
        return f"Nobody compared items of different groups, so nothing places these together: {'; '.join(groups)}."
    count, of_group = connected_components(wins > 0, directed=True, connection="strong")
    if count == 1:
        return ""
    winners, losers = (of_group[places] for places in np.nonzero(wins > 0))
    beaten = np.unique(losers[winners != losers])
    names = _within(items, ~np.isin(of_group, beaten))
    return f"{listed(names)} never lost to any other item, so the comparisons alone set no upper limit to strength."


def bradley_terry(
    answers: Comparisons, *, resamples: int = RESAMPLES, seed: int = 0, alpha: float = ALPHA
) -> Strengths:
    """Bradley–Terry strengths: item i beats j with probability 1 / (1 + exp(θj − θi)) (Bradley and Terry 1952).

    The estimate is choix' (iterative Luce spectral ranking, Maystre and Grossglauser 2015), which has the greatest
    likelihood. Intervals are 95 % percentiles over `resamples` draws of participants; the same seed gives the same.
    Where the wins do not connect the items both ways, each pair is given `alpha` wins in both directions, and `note`
    says so. A tie is half a win for both.
    """
    _check_alpha(alpha)
    count = len(answers.items)
    people = sample(answers.participants, resamples, seed)
    wins = win_matrix(answers)
    reason = disconnection(answers.items, wins)
    prior = alpha * ~np.eye(count, dtype=bool)
    own = np.asarray(choix.ilsr_pairwise_dense(wins + prior if reason else wins, max_iter=10_000))
    own -= own.mean()
    by_person = csr_array((np.ones(len(people.codes)), (people.codes, np.arange(len(people.codes))))) @ cells(answers)
    drawn = (people.weights @ by_person.toarray()).reshape(-1, count, count)
    samples, needed = resampled_strengths(drawn, alpha, bool(reason), own)
    return _strengths(answers.items, own, samples, people, alpha, reason, needed)


def resampled_strengths(drawn: Values, alpha: float, always: bool, start: Values) -> tuple[Values, int]:
    """Log-strengths of win matrices B × items × items, and how many of them were given `alpha` wins a pair.

    `always` gives them to all; else only to those that are not connected.
    """
    count = drawn.shape[-1]
    off = ~np.eye(count, dtype=bool)
    needs = np.ones(len(drawn), dtype=bool) if always else ~luce.connected(drawn)
    regular = drawn + alpha * needs[:, None, None] * off
    return luce.log_strengths(luce.pairs(count), regular[:, off], start), int(needs.sum())


def plackett_luce(answers: Rankings, *, resamples: int = RESAMPLES, seed: int = 0, alpha: float = ALPHA) -> Strengths:
    """Plackett–Luce strengths: each place of a ranking is a choice among the items left, by their strengths.

    Plackett 1975. Greatest likelihood by Newton's method, for choix weighs no rankings. Intervals and `alpha` are
    those of `bradley_terry`.
    """
    _check_alpha(alpha)
    count = len(answers.items)
    people = sample(answers.participants, resamples, seed)
    choices, by_person, wins_of = _staged(answers, people)
    everybody = np.vstack((np.ones(people.people), people.weights))
    counts = everybody @ by_person
    wins = (counts @ wins_of).reshape(-1, count, count)
    reason = disconnection(answers.items, wins[0])
    needs = np.ones(len(counts), dtype=bool) if reason else ~luce.connected(wins)
    virtual = luce.pairs(count)
    both = luce.Choices(
        np.concatenate((choices.winners, virtual.winners)), np.concatenate((choices.sets, virtual.sets))
    )
    prior = np.repeat(alpha * needs[:, None], len(virtual.winners), axis=1)
    found = luce.log_strengths(both, np.hstack((counts, prior)))
    return _strengths(answers.items, found[0], found[1:], people, alpha, reason, int(needs[1:].sum()))


def _staged(answers: Rankings, people: Sample) -> tuple[luce.Choices, Values, Values]:
    """The sorts of choices of all rankings, how often each participant made each, and the pairs won by each sort."""
    count = len(answers.items)
    numbers: dict[tuple[int, frozenset[int]], int] = {}
    made: list[tuple[int, int]] = []
    for person, order in zip(people.codes, answers.orders, strict=True):
        for place in range(len(order) - 1):
            sort = (order[place], frozenset(order[place:]))
            made.append((int(person), numbers.setdefault(sort, len(numbers))))
    sets = np.zeros((len(numbers), count), dtype=bool)
    wins = np.zeros((len(numbers), count, count))
    for (winner, left), row in numbers.items():
        sets[row, list(left)] = True
        wins[row, winner, list(left - {winner})] = 1
    by_person = np.zeros((people.people, len(numbers)))
    np.add.at(by_person, tuple(np.array(made).T), 1)
    winners = np.array([winner for winner, _ in numbers], dtype=np.int64)
    return luce.Choices(winners, sets), by_person, wins.reshape(len(numbers), -1)


def _strengths(
    items: tuple[str, ...], own: Values, samples: Values, people: Sample, alpha: float, reason: str, needed: int
) -> Strengths:
    note = f"{reason} Each pair was therefore given {alpha:g} wins in both directions." if reason else ""
    if needed and not reason:
        note = (
            f"{needed} of {len(samples)} resamples did not connect all items; there each pair was given {alpha:g} wins."
        )
    values = tuple(percentiles(float(one), column, people.people) for one, column in zip(own, samples.T, strict=True))
    used = alpha if reason else 0.0
    return Strengths(items, values, people.people, len(people.codes), used, needed, note, samples)


def _check_items(items: tuple[str, ...], places: Indices) -> None:
    if len(items) < 2:
        raise SettingError(f"Strengths need two or more items to compare, but there are {len(items)}.")
    wrong = places[(places < 0) | (places >= len(items))]
    if len(wrong):
        raise SettingError(f"There is no item at place {int(wrong[0])}; places go from 0 to {len(items) - 1}.")


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha <= 10:
        raise SettingError(f"alpha is {alpha:g}, but must lie above 0 and not above 10.")


def _within(items: Sequence[str], which: Flags) -> list[str]:
    return [item for item, chosen in zip(items, which, strict=True) if chosen]
