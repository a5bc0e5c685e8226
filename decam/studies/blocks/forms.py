"""How a question of the researcher's own may be answered: one row a form, and what its questions need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from decam.studies.design import Item
from decam.studies.elements import UNBOUNDED, Choice, Entry, Number, Option, Question, Rating, Several, Slider
from decam.studies.wording import Wording

RATING_POINTS = 5
SLIDER_END = 100
TEXT_LENGTH = 2000


@dataclass(frozen=True)
class Form:
    """A row of the table.

    `make` gives the element of a question with a name. `options` says what the lines of its options are, empty where
    it has none, and `usual` what stands where nobody wrote any. Questions on a `scale` can be scored together.
    `bounded` marks one with a smallest and a largest answer of the researcher's own. `right` gives the answers that can
    be the right one, by the numbers that stand for them, and `given` such a number as people's answers have it. `ends`
    are the lowest and the highest answer of a scale. `lacks` says in a sentence what keeps a question from being
    answered, empty where nothing does.
    """

    name: str
    title: str
    make: Callable[[Item, str, Wording], Question]
    options: str = ""
    usual: str = ""
    scale: bool = False
    bounded: bool = False
    right: Callable[[Item], Mapping[int, str]] | None = None
    given: Callable[[int], str | int] = str
    ends: Callable[[Item], tuple[int, int] | None] = lambda _item: None
    lacks: Callable[[Item], str] = lambda _item: ""


def points(item: Item) -> int:
    """How many points the scale of a rating has."""
    return len(item.options) if len(item.options) > 2 else RATING_POINTS


def _options(item: Item) -> tuple[Option, ...]:
    return tuple(Option(f"{place + 1}", label) for place, label in enumerate(item.options))


def _called(item: Item, wording: Wording) -> tuple[str, str]:
    """What the two ends of a scale are called."""
    return (item.options[0], item.options[-1]) if item.options else (wording("agree.low"), wording("agree.high"))


def _number(item: Item, name: str, _wording: Wording) -> Question:
    least = -UNBOUNDED if item.least is None else item.least
    return Number(name, item.text, least, UNBOUNDED if item.most is None else item.most, optional=item.optional)


def _few(item: Item) -> str:
    return f"The question {item.text[:40]!r} needs two options or more." if len(item.options) < 2 else ""


def _crossed(item: Item) -> str:
    if item.least is None or item.most is None or item.least < item.most:
        return ""
    return f"The question {item.text[:40]!r} needs a smallest number that is below the largest one."


_ROWS = (
    Form(
        "choice",
        "One of several answers",
        lambda item, name, _wording: Choice(name, item.text, _options(item), optional=item.optional),
        options="Answers",
        right=lambda item: dict(enumerate(item.options)),
        given=lambda number: f"{number + 1}",
        lacks=_few,
    ),
    Form(
        "several",
        "Any of several answers",
        lambda item, name, _wording: Several(name, item.text, _options(item), optional=item.optional),
        options="Answers",
        lacks=_few,
    ),
    Form(
        "rating",
        "Points of a scale",
        lambda item, name, wording: Rating(
            name, item.text, points(item), *_called(item, wording), optional=item.optional
        ),
        options="Points",
        usual=f"{RATING_POINTS} points from “strongly disagree” to “strongly agree”",
        scale=True,
        right=lambda item: {point: f"{point}" for point in range(1, points(item) + 1)},
        given=lambda number: number,
        ends=lambda item: (1, points(item)),
    ),
    Form(
        "slider",
        "Slider",
        lambda item, name, wording: Slider(
            name, item.text, 0, SLIDER_END, 5, *_called(item, wording), optional=item.optional
        ),
        options="Ends",
        usual="“strongly disagree” and “strongly agree”",
        scale=True,
        ends=lambda _item: (0, SLIDER_END),
    ),
    Form("number", "Number", _number, bounded=True, lacks=_crossed),
    Form("text", "Text", lambda item, name, _wording: Entry(name, item.text, TEXT_LENGTH, optional=item.optional)),
)

FORMS: Mapping[str, Form] = {row.name: row for row in _ROWS}


def form_of(item: Item) -> Form:
    """The row of a question's form."""
    return FORMS[item.form]


def faulty(items: Iterable[Item]) -> str:
    """What keeps a question from being answered, in a sentence; empty where nothing does."""
    return next((lack for item in items if (lack := form_of(item).lacks(item))), "")


def right_ones(item: Item) -> Mapping[int, str]:
    """The answers that can be the right one, by the numbers that stand for them; none for some forms."""
    right = form_of(item).right
    return {} if right is None else right(item)


def can_be_right(item: Item) -> bool:
    """True if the item has no right answer, or one that can be given."""
    return item.correct < 0 or item.correct in right_ones(item)


def right_answers(items: Iterable[Item]) -> dict[str, str | int]:
    """The right answers of the items that have one, by the questions' names."""
    return {
        f"item{place + 1}": form_of(item).given(item.correct) for place, item in enumerate(items) if item.correct >= 0
    }


def question(item: Item, name: str, wording: Wording) -> Question:
    """A question of the researcher's own as an element."""
    return form_of(item).make(item, name, wording)


def questions(items: Iterable[Item], wording: Wording) -> tuple[Question, ...]:
    """All items as elements, named item1, item2 and so on."""
    return tuple(question(item, f"item{place + 1}", wording) for place, item in enumerate(items))
