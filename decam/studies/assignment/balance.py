"""How balanced sequences are, counted from their trials: what the page shows and tests assert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations, product
from typing import TypeAlias

from decam.studies.assignment.sequence import Cell

Sequences: TypeAlias = Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Balance:
    """One line of the table: how many things were counted, and the least and the most that any of them came.

    The lines about one participant count differences: by how much one thing came oftener than another for the same
    participant, so their `high` is 0 or 1 where all are balanced.
    """

    name: str
    title: str
    count: int
    low: int
    high: int

    @property
    def difference(self) -> int:
        """The most minus the least."""
        return self.high - self.low


def balance(sequences: Sequences, stimuli: int, conditions: int) -> tuple[Balance, ...]:
    """The table of balance of sequences of so many stimuli and conditions; empty without a trial.

    Which lines there are depends on how many conditions a trial shows: sides need two, orders more than one.
    """
    trials = [cell for cells in sequences for cell in cells]
    if not trials:
        return ()
    shown = len(trials[0].conditions)
    rows = [*_of_stimuli(sequences, trials, stimuli), *_of_conditions(sequences, trials, stimuli, conditions)]
    if shown == 1:
        rows += _of_order(sequences, conditions)
    else:
        rows += _of_places(trials, conditions, shown)
    if shown == 2:
        rows += _of_pairs(sequences, trials, stimuli, conditions)
    return tuple(rows)


def _line(name: str, title: str, came: Iterable[Hashable], possible: Iterable[Hashable]) -> Balance:
    counts = Counter(came)
    numbers = [counts[one] for one in possible]
    return Balance(name, title, len(numbers), min(numbers, default=0), max(numbers, default=0))


def _differences(name: str, title: str, differences: Iterable[int]) -> Balance:
    numbers = list(differences)
    return Balance(name, title, len(numbers), min(numbers, default=0), max(numbers, default=0))


def _spread(came: Iterable[Hashable], possible: Sequence[Hashable]) -> int:
    counts = Counter(came)
    numbers = [counts[one] for one in possible]
    return max(numbers) - min(numbers)


def _of_stimuli(sequences: Sequences, trials: Sequence[Cell], stimuli: int) -> Iterator[Balance]:
    yield _line("stimulus", "Trials of a stimulus", (cell.stimulus for cell in trials), range(stimuli))
    together = (pair for cells in sequences for pair in combinations(sorted({cell.stimulus for cell in cells}), 2))
    title = "Participants who see both of two stimuli"
    yield _line("stimuli-together", title, together, combinations(range(stimuli), 2))
    longest = max(len(cells) for cells in sequences)
    at = ((place, cell.stimulus) for cells in sequences for place, cell in enumerate(cells))
    yield _line("stimulus-position", "A stimulus at a place of the order", at, product(range(longest), range(stimuli)))
    follow = ((one.stimulus, other.stimulus) for cells in sequences for one, other in pairwise(cells))
    title = "A stimulus directly after another"
    yield _line("stimulus-neighbours", title, follow, permutations(range(stimuli), 2))
    again = sum(one.stimulus == other.stimulus for cells in sequences for one, other in pairwise(cells))
    yield Balance("stimulus-repeated", "The same stimulus twice in a row", 1, again, again)


def _of_conditions(sequences: Sequences, trials: Sequence[Cell], stimuli: int, conditions: int) -> Iterator[Balance]:
    came = (one for cell in trials for one in cell.conditions)
    yield _line("condition", "Trials of a condition", came, range(conditions))
    cells = ((cell.stimulus, one) for cell in trials for one in cell.conditions)
    possible = product(range(stimuli), range(conditions))
    yield _line("stimulus-condition", "A stimulus under a condition", cells, possible)
    spreads = (_spread((one for cell in row for one in cell.conditions), range(conditions)) for row in sequences)
    title = "One participant: how much oftener one condition comes than another"
    yield _differences("condition-participant", title, spreads)


def _of_order(sequences: Sequences, conditions: int) -> Iterator[Balance]:
    longest = max(len(cells) for cells in sequences)
    at = ((place, cell.conditions) for cells in sequences for place, cell in enumerate(cells))
    possible = ((place, (one,)) for place in range(longest) for one in range(conditions))
    yield _line("condition-position", "A condition at a place of the order", at, possible)
    follow = ((one.conditions[0], other.conditions[0]) for cells in sequences for one, other in pairwise(cells))
    title = "A condition directly after another"
    yield _line("condition-neighbours", title, follow, permutations(range(conditions), 2))


def _of_places(trials: Sequence[Cell], conditions: int, shown: int) -> Iterator[Balance]:
    at = (place for cell in trials for place in enumerate(cell.conditions))
    possible = product(range(shown), range(conditions))
    yield _line("condition-place", "A condition at a place on the screen", at, possible)
    beside = (pair for cell in trials for pair in pairwise(cell.conditions))
    title = "A condition directly before another on the screen"
    yield _line("condition-beside", title, beside, permutations(range(conditions), 2))


def _of_pairs(sequences: Sequences, trials: Sequence[Cell], stimuli: int, conditions: int) -> Iterator[Balance]:
    pairs = list(combinations(range(conditions), 2))
    came = (tuple(sorted(cell.conditions)) for cell in trials)
    yield _line("pair", "Trials of a pair of conditions", came, pairs)
    cells = ((cell.stimulus, tuple(sorted(cell.conditions))) for cell in trials)
    yield _line("stimulus-pair", "A stimulus with a pair", cells, product(range(stimuli), pairs))
    spreads = (_spread((tuple(sorted(cell.conditions)) for cell in row), pairs) for row in sequences)
    title = "One participant: how much oftener one pair comes than another"
    yield _differences("pair-participant", title, spreads)
    ways = Counter(cell.conditions for cell in trials)
    title = "A pair: how much oftener it stands one way round than the other"
    yield _differences("pair-sides", title, (abs(ways[one] - ways[one[::-1]]) for one in pairs))
    title = "One participant: how much oftener a condition stands on one side than on the other"
    yield _differences("side-participant", title, _sides(sequences, conditions))


def _sides(sequences: Sequences, conditions: int) -> Iterator[int]:
    for row in sequences:
        left, right = (Counter(cell.conditions[side] for cell in row) for side in (0, 1))
        yield from (abs(left[one] - right[one]) for one in range(conditions))
