"""What class-level methods share: their curves, and answering several questions one after the other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

from decam.errors import SettingError
from decam.explanation import ClassMap, ClassQuestion, ClassSteps, Progress, relayed
from decam.methods.base import Series
from decam.settings import Settings

FAMILY = "class"
TOGETHER = 16  # maps that are made in joint batches; more would only take more memory
BLACK_BOX = "input-agnostic-black-box"
"""The method that is offered for models that give their answers alone."""
BLACK_BOX_SMALLEST = "smallest-black-box"
"""The same of methods that look for the cheapest pattern."""
Chosen = TypeVar("Chosen", bound=Settings)
OneClass: TypeAlias = Generator[Progress, None, ClassMap]

FIDELITY = Series(
    "fidelity", "Fidelity", "The target's mean probability with the map so far, over the samples drawn last."
)
SERIES = (
    FIDELITY,
    Series("norm", "Norm", "L2 norm of the map so far, in the units of images in [0, 1].", "norm", detail=True),
)


def one_by_one(
    answer: Callable[[ClassQuestion, Chosen], OneClass],
) -> Callable[[Sequence[ClassQuestion], Chosen], ClassSteps]:
    """A way to answer several questions, given one to answer a single one."""

    def run(questions: Sequence[ClassQuestion], settings: Chosen) -> ClassSteps:
        for place, question in enumerate(questions):
            found = yield from relayed(answer(question, settings), partial(_at, place))
            yield place, found

    return run


def by_seed(questions: Sequence[ClassQuestion], together: int = TOGETHER) -> Iterator[tuple[int, ...]]:
    """The places of questions that may be answered together: one seed each, and not too many at once."""
    places: dict[int, list[int]] = {}
    for number, question in enumerate(questions):
        places.setdefault(question.seed, []).append(number)
    for numbers in places.values():
        for start in range(0, len(numbers), together):
            yield tuple(numbers[start : start + together])


def _at(place: int, progress: Progress) -> list[tuple[int, Progress]]:
    return [(place, progress)]


def single_class(question: ClassQuestion, subject: str) -> int:
    """The one class that a question is about; raises SettingError, beginning with `subject`, where it is not one."""
    if not isinstance(question.target, tuple) or len(question.target) != 1:
        raise SettingError(f"{subject} one class: name one.")
    return question.target[0]
