"""The trials of a sequence."""

from __future__ import annotations

from dataclasses import dataclass

from decam.settings import Settings, parameter


@dataclass(frozen=True)
class Assignment(Settings):
    """How stimuli and conditions are dealt."""

    subjects: str = parameter("within", "Whether everybody sees all conditions.", choices=("within", "between"))
    order: str = parameter("random", "The order of trials.", choices=("latin", "random", "fixed"))
    stimuli: int = parameter(0, "Stimuli a participant; 0 for all.", low=0, high=1000)
    sequences: int = parameter(60, "Sequences made beforehand.", low=1, high=10000)
    seed: int = parameter(0, "The seed.", low=0, high=2**31 - 1)


@dataclass(frozen=True)
class Cell:
    """A stimulus with its conditions."""

    stimulus: int
    conditions: tuple[int, ...]


def sequence(settings: Assignment, number: int, stimuli: int, conditions: int, group: int) -> tuple[Cell, ...]:
    """The trials of a sequence."""
    size = group or conditions
    return tuple(Cell(one, tuple((one + number + k) % conditions for k in range(size))) for one in range(stimuli))
