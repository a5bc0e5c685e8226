"""What a row of the table of blocks says, and what it is given to make its screens from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from decam.settings import Settings
from decam.studies.assignment.chance import Chance, Use
from decam.studies.design import Block, Item, Study
from decam.studies.elements import (
    UNBOUNDED,
    Choice,
    Element,
    Entry,
    Number,
    Option,
    Question,
    Rating,
    Several,
    Slider,
)
from decam.studies.steps import Step
from decam.studies.wording import Wording

RATING_POINTS = 5
SLIDER_END = 100


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


def question(item: Item, name: str, wording: Wording) -> Question:
    """A question of the researcher's own as an element."""
    return _FORMS[item.form](item, name, wording)


def _choice(item: Item, name: str, _wording: Wording) -> Question:
    options = tuple(Option(f"{place + 1}", label) for place, label in enumerate(item.options))
    kind = Several if item.form == "several" else Choice
    return kind(name, item.text, options, optional=item.optional)


def points(item: Item) -> int:
    """How many points the scale of a rating has."""
    return len(item.options) if len(item.options) > 2 else RATING_POINTS


def _rating(item: Item, name: str, wording: Wording) -> Question:
    low, high = (item.options[0], item.options[-1]) if item.options else (wording("agree.low"), wording("agree.high"))
    return Rating(name, item.text, points(item), low, high, optional=item.optional)


def _slider(item: Item, name: str, wording: Wording) -> Question:
    low, high = (item.options[0], item.options[-1]) if item.options else (wording("agree.low"), wording("agree.high"))
    return Slider(name, item.text, 0, SLIDER_END, 5, low, high, optional=item.optional)


def _number(item: Item, name: str, _wording: Wording) -> Question:
    least = -UNBOUNDED if item.least is None else item.least
    return Number(name, item.text, least, UNBOUNDED if item.most is None else item.most, optional=item.optional)


_FORMS: Mapping[str, Callable[[Item, str, Wording], Question]] = {
    "choice": _choice,
    "several": _choice,
    "rating": _rating,
    "slider": _slider,
    "number": _number,
    "text": lambda item, name, _wording: Entry(name, item.text, 2000, optional=item.optional),
}
FORMS = tuple(_FORMS)
"""How a question of the researcher's own may be answered."""


def faulty(items: tuple[Item, ...]) -> str:
    """What keeps a question from being answered, in a sentence; empty where nothing does."""
    for item in items:
        if item.form in ("choice", "several") and len(item.options) < 2:
            return f"The question {item.text[:40]!r} needs two options or more."
        if item.form == "number" and item.least is not None and item.most is not None and item.least >= item.most:
            return f"The question {item.text[:40]!r} needs a smallest number that is below the largest one."
    return ""


def can_be_right(item: Item) -> bool:
    """True if the item has no right answer, or one that can be given: an option of a choice, a point of a rating."""
    if item.correct < 0:
        return True
    if item.form == "rating":
        return 1 <= item.correct <= points(item)
    return item.form == "choice" and item.correct < len(item.options)


def ends(item: Item) -> tuple[int, int] | None:
    """The lowest and the highest answer of a rating or a slider; None for every other form."""
    return {"rating": (1, points(item)), "slider": (0, SLIDER_END)}.get(item.form)


def right_answers(items: tuple[Item, ...]) -> dict[str, str | int]:
    """The right answers of the items that have one, by the questions' names."""
    return {
        f"item{place + 1}": item.correct if item.form == "rating" else f"{item.correct + 1}"
        for place, item in enumerate(items)
        if item.correct >= 0
    }


def questions(items: tuple[Item, ...], wording: Wording) -> tuple[Question, ...]:
    """All items as elements, named item1, item2 and so on."""
    return tuple(question(item, f"item{place + 1}", wording) for place, item in enumerate(items))
