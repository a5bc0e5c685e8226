"""What a row of the table of blocks says, and what it is given to make its screens from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from decam.settings import Settings
from decam.studies.assignment.chance import Chance, Use
from decam.studies.design import Block, Study
from decam.studies.elements import Element
from decam.studies.steps import Step
from decam.studies.wording import Wording


@dataclass(frozen=True)
class Place:
    """Where a block stands: in which study, at which place, for the participant of which sequence."""

    study: Study
    block: Block
    number: int
    sequence: int
    wording: Wording

    @cached_property
    def chance(self) -> Chance:
        """Chance that depends on the study's seed, the sequence and the block alone."""
        return Chance(self.study.assignment.seed, Use.SCREENS, self.sequence, self.number)

    def step(self, place: int, elements: tuple[Element, ...], title: str) -> Step:
        """A screen of this block; `place` counts from 0."""
        return Step(f"{self.number}.{place}", self.number, self.block.kind, title, elements)


@dataclass(frozen=True)
class BlockKind:
    """A row of the table of blocks.

    `steps` makes the screens of a block. `items` says what its own questions are for, and is empty where it has none.
    With `answers` each of these can have a right answer. `use` says which stimuli it repeats a task on, and is empty
    where it repeats none; `aside` is then the heading of its settings, as the task has its own. A block that `ends` a
    study stays the last one when another is added. `lacks` says in a sentence what
    it is missing, and is empty where nothing is.
    """

    name: str
    title: str
    summary: str
    settings: type[Settings]
    steps: Callable[[Place], list[Step]]
    items: str = ""
    answers: bool = False
    use: str = ""
    aside: str = ""
    ends: bool = False
    lacks: Callable[[Study, Block], str] = lambda _study, _block: ""
