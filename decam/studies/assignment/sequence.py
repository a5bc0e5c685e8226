"""The trials of a sequence: which stimuli, under which conditions, in which order; a pure function of the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from decam.errors import SettingError
from decam.settings import Settings, parameter
from decam.studies.assignment import blocks, order
from decam.studies.assignment.chance import Chance, Use
from decam.studies.assignment.colouring import equitable
from decam.studies.assignment.latin import williams
from decam.studies.assignment.pairs import all_pairs, sided
from decam.studies.assignment.subjects import exchanged, permuted, rotated

Rows: TypeAlias = Sequence[Sequence[int]]

ALL, ONE, TWO = 0, 1, 2
"""How many conditions a trial shows."""

MOST = 1_000_000
"""Sequences are numbered from 0 to one less."""

PART_SEQUENCES, PART_TRIALS = 500, 50_000
"""How much is balanced together at most; more sequences are dealt in parts of equal length."""


@dataclass(frozen=True)
class Assignment(Settings):
    """How stimuli and conditions are dealt to participants. Each of them gets one sequence of trials."""

    subjects: str = parameter(
        "within",
        "Within subjects, everybody sees all conditions, each on other stimuli. Between subjects, a participant sees "
        "one condition, one pair or one order of them all through.",
        choices=("within", "between"),
    )
    order: str = parameter(
        "random",
        "Latin: each condition, or stimulus, comes at each place equally often. Random: by chance for each sequence. "
        "Fixed: as the stimuli are listed. Blocked: one condition after another.",
        title="order of trials",
        choices=("latin", "random", "fixed", "blocked"),
    )
    stimuli: int = parameter(
        0, "How many stimuli a participant sees; 0 for all.", title="stimuli a participant", low=0, high=1000
    )
    sequences: int = parameter(
        60,
        "How many sequences are balanced together. Ask for as many as you expect participants.",
        low=1,
        high=10_000,
    )
    seed: int = parameter(0, "The same seed gives the same sequences.", low=0, high=2**31 - 1)


@dataclass(frozen=True)
class Cell:
    """A trial: a stimulus and the conditions that are shown with it, in their order on the screen (left before right).

    Both are numbered from 0.
    """

    stimulus: int
    conditions: tuple[int, ...]


def sequence(
    settings: Assignment, number: int, stimuli: int, conditions: int, group: int, stream: int = 0
) -> tuple[Cell, ...]:
    """The trials of a sequence (from 0), in their order; no stimulus comes twice.

    `group` is how many conditions a trial shows: 1 (rating, simulation), 2 (forced choice), or 0 for all (ranking).
    `stream` tells the blocks of a study apart (from 0): each deals by chance of its own. Between subjects a participant
    has the same condition, pair or order in all streams.
    The same arguments give the same trials in every process, on every machine and with every NumPy. Numbers past
    `settings.sequences` are dealt in the same manner: as many at a time, balanced together. Raises SettingError for
    what cannot be dealt; see `check`.
    """
    check(settings, stimuli, conditions, group)
    if not 0 <= number < MOST:
        raise SettingError(f"Sequences are numbered from 0 to {MOST - 1:,}; there is no sequence {number}.")
    part, row = divmod(number, part_length(settings, stimuli))
    if group == TWO:
        for earlier in range(part - 1):  # one after another, for each begins with the sides that the last one left
            _surplus(settings, earlier, stimuli, conditions, stream)
    return _part(settings, part, stimuli, conditions, group, stream).rows[row]


def sequences(
    settings: Assignment, stimuli: int, conditions: int, group: int, stream: int = 0
) -> tuple[tuple[Cell, ...], ...]:
    """All `settings.sequences` sequences that are made beforehand; arguments and errors as in `sequence`."""
    return tuple(sequence(settings, number, stimuli, conditions, group, stream) for number in range(settings.sequences))


def throughout(settings: Assignment, number: int, conditions: int, group: int) -> tuple[int, ...]:
    """The conditions that the participant of a sequence sees in all trials, between subjects; a pair has no sides.

    Arguments are those of `sequence`; there must be as many conditions as a trial shows, and at least one.
    """
    things = _THINGS[group](conditions)
    return things[permuted(number, len(things), settings.seed)]


def check(settings: Assignment, stimuli: int, conditions: int, group: int) -> None:
    """Raise SettingError, with one sentence, where stimuli and conditions cannot be dealt as the settings wish."""
    if group not in _THINGS:
        raise SettingError(f"A trial shows 1 condition, 2, or 0 for all of them, not {group}.")
    if conditions < 1:
        raise SettingError("There is no condition to deal; choose at least one method.")
    if group == TWO:
        all_pairs(conditions)
    blocks.check(stimuli, settings.stimuli or stimuli or 1, settings.sequences)


def part_length(settings: Assignment, stimuli: int) -> int:
    """How many sequences are balanced together: all that are made beforehand, or an equal part of very many."""
    most = max(1, min(PART_SEQUENCES, PART_TRIALS // (settings.stimuli or stimuli)))
    parts = -(-settings.sequences // most)
    return -(-settings.sequences // parts)


@dataclass(frozen=True)
class _Part:
    """Sequences that are balanced together, and by how much each pair stood oftener as listed, all parts so far."""

    rows: tuple[tuple[Cell, ...], ...]
    surplus: tuple[int, ...]


@lru_cache(maxsize=64)
def _part(settings: Assignment, part: int, stimuli: int, conditions: int, group: int, stream: int) -> _Part:
    own, things = _own(settings, stream), _THINGS[group](conditions)
    seen, count = _seen(own, part, stimuli), len(things)
    if settings.subjects == "between":
        seen, colours = _between(seen, part, stimuli, count, settings.seed, own.seed)
    else:
        colours = _within(own, seen, part, stimuli, count)
    shown: Sequence[Sequence[tuple[int, ...]]] = [[things[colour] for colour in row] for row in colours]
    surplus: tuple[int, ...] = ()
    if group == TWO:
        pairs = all_pairs(conditions)
        before = _surplus(settings, part - 1, stimuli, conditions, stream) if part else (0,) * count
        chance = Chance(own.seed, Use.SIDES, part)
        shown, surplus = sided([[pairs[colour] for colour in row] for row in colours], pairs, before, chance)
    rounds = group == ONE and settings.subjects == "within" and conditions > 1
    orders = _orders(own, seen, colours, part, stimuli, count, rounds)
    rows_of_cells = (
        tuple(Cell(row[trial], conditions_of[trial]) for trial in trials)
        for row, conditions_of, trials in zip(seen, shown, orders, strict=True)
    )
    return _Part(tuple(rows_of_cells), surplus)


@lru_cache(maxsize=4096)
def _surplus(settings: Assignment, part: int, stimuli: int, conditions: int, stream: int) -> tuple[int, ...]:
    return _part(settings, part, stimuli, conditions, TWO, stream).surplus


def _own(settings: Assignment, stream: int) -> Assignment:
    """The settings with the seed of a stream; the first one has the study's own."""
    if not stream:
        return settings
    return replace(settings, seed=Chance(settings.seed, Use.BLOCK, stream).whole(2**31))


def _singles(conditions: int) -> list[tuple[int, ...]]:
    return [(one,) for one in range(conditions)]


_THINGS: Mapping[int, Callable[[int], Sequence[tuple[int, ...]]]] = {ALL: williams, ONE: _singles, TWO: all_pairs}
"""What there is to deal, by how many conditions a trial shows: orders, conditions, pairs."""


def _seen(settings: Assignment, part: int, stimuli: int) -> Rows:
    """The stimuli of each participant of a part."""
    length, size = part_length(settings, stimuli), settings.stimuli or stimuli
    if size == stimuli:
        return [range(stimuli)] * length
    return blocks.design(stimuli, size, length, settings.seed, part).blocks


def _between(seen: Rows, part: int, stimuli: int, count: int, seed: int, own: int) -> tuple[Rows, Rows]:
    """The stimuli and what is dealt to them, one colour a participant by the study's seed, the rest by the stream's."""
    first = part * len(seen)
    dealt = [permuted(first + number, count, seed) for number in range(len(seen))]
    rows = exchanged(seen, dealt, first, stimuli, count, own)
    return rows, [[colour] * len(row) for row, colour in zip(rows, dealt, strict=True)]


def _within(settings: Assignment, seen: Rows, part: int, stimuli: int, count: int) -> Rows:
    """What each trial is dealt within subjects, 0 … count − 1; trials in the order of `seen`."""
    first, seed = part * len(seen), settings.seed
    if len(seen[0]) == stimuli:
        return [rotated(first + number, stimuli, count, seed) for number in range(len(seen))]
    return equitable(seen, count, Chance(seed, Use.COLOURS, part))


def _orders(settings: Assignment, seen: Rows, colours: Rows, part: int, stimuli: int, count: int, rounds: bool) -> Rows:
    """The places in `seen` of each participant's trials, in the order in which they come.

    With `rounds` a Latin order is one of the `count` conditions; otherwise it is one of the stimuli.
    """
    first, seed = part * len(seen), settings.seed
    numbers = range(first, first + len(seen))
    if settings.order == "fixed":
        return [range(len(row)) for row in seen]
    if settings.order == "latin" and not rounds:
        if len(seen[0]) == stimuli:
            return [order.stimuli_by_williams(stimuli, number, seed) for number in numbers]
        found = order.stimuli_by_places(seen, seed, part)
        return [[row.index(stimulus) for stimulus in places] for row, places in zip(seen, found, strict=True)]
    chances = [Chance(seed, Use.ORDER, number) for number in numbers]
    if settings.order == "random":
        return [chance.shuffled(range(len(row))) for chance, row in zip(chances, seen, strict=True)]
    arrange = order.trials_by_conditions if settings.order == "latin" else order.trials_blocked
    return [arrange(row, count, number, chance) for row, number, chance in zip(colours, numbers, chances, strict=True)]
