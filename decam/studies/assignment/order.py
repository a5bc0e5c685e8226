"""The order of a participant's trials, and the places of attention checks and catch trials among them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from decam.errors import SettingError
from decam.studies.assignment.chance import Chance, Use
from decam.studies.assignment.colouring import equitable
from decam.studies.assignment.latin import rounds, williams_row

T = TypeVar("T")


def stimuli_by_williams(stimuli: int, number: int, seed: int) -> list[int]:
    """All n stimuli by a Williams row: over n participants (2 n if odd) balanced for place and for neighbours."""
    names = Chance(seed, Use.PLACES).shuffled(range(stimuli))
    return [names[one] for one in williams_row(stimuli, number)]


def stimuli_by_places(rows: Sequence[Sequence[int]], seed: int, part: int) -> list[list[int]]:
    """The order of each participant's stimuli such that each stimulus comes at each place equally often, up to one.

    All rows have the same number of stimuli. The orders are the columns of a Youden design (Youden 1937), found as an
    equitable colouring of participants and stimuli with the places as colours.
    """
    places = equitable(rows, len(rows[0]), Chance(seed, Use.PLACES, part))
    return [
        [stimulus for _, stimulus in sorted(zip(found, row, strict=True))]
        for row, found in zip(rows, places, strict=True)
    ]


def trials_by_conditions(colours: Sequence[int], count: int, number: int, chance: Chance) -> list[int]:
    """Places of trials such that their conditions come in rounds, each a Williams row of all `count` conditions.

    `colours` is the condition of each trial; which trial of a condition comes is up to chance.
    """
    waiting = _waiting(colours, count, chance)
    turns = max(len(one) for one in waiting)
    return [waiting[one].pop() for row in rounds(count, number, turns) for one in row if waiting[one]]


def trials_blocked(colours: Sequence[int], count: int, number: int, chance: Chance) -> list[int]:
    """Places of trials such that one condition comes after another, in the order of a Williams row."""
    waiting = _waiting(colours, count, chance)
    return [trial for one in williams_row(count, number) for trial in waiting[one]]


def _waiting(colours: Sequence[int], count: int, chance: Chance) -> list[list[int]]:
    waiting: list[list[int]] = [[] for _ in range(count)]
    for trial in chance.shuffled(range(len(colours))):
        waiting[colours[trial]].append(trial)
    return waiting


def spread(trials: Sequence[T], more: Iterable[T], key: Callable[[T], Hashable | None] = lambda _: None) -> list[T]:
    """The trials with further ones among them, evenly and neither first nor last.

    `key` says which stimulus a trial shows (None: none, as an attention check). One that shows a stimulus moves to the
    nearest gap where it does not follow or precede the same one; it stays where there is no such gap. Otherwise
    several share a gap only where there are more of them than gaps.

    Raises SettingError for fewer than two trials to stand between.
    """
    added = list(more)
    if not added:
        return list(trials)
    gaps = len(trials) - 1
    if gaps < 1:
        raise SettingError(
            f"Checks and catch trials stand between two trials, but there {'is one' if trials else 'is none'}; "
            "show more stimuli, or leave them out."
        )
    inside: dict[int, list[T]] = {gap: [] for gap in range(1, gaps + 1)}

    def beside(gap: int) -> tuple[Hashable | None, Hashable | None]:
        return key([trials[gap - 1], *inside[gap]][-1]), key(trials[gap])

    for number, one in enumerate(added):
        aim = (number + 1) * len(trials) / (len(added) + 1)
        fewest = min(len(held) for held in inside.values())
        free = [gap for gap, held in inside.items() if len(held) == fewest]
        shown = key(one)
        apart = [gap for gap in inside if shown is None or shown not in beside(gap)]
        options = [gap for gap in apart if gap in free] or apart or free
        inside[min(options, key=lambda gap: (abs(gap - aim), gap))].append(one)
    mixed = list(trials[:1])
    for gap in range(1, gaps + 1):
        mixed += [*inside[gap], trials[gap]]
    return mixed
