"""Questionnaires: the System Usability Scale, the NASA Task Load Index, and own items."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from decam.settings import parameter
from decam.studies.blocks.base import BlockKind, Place
from decam.studies.blocks.forms import faulty, form_of, question, questions
from decam.studies.blocks.words import TextSettings
from decam.studies.design import Block, Item, Study
from decam.studies.elements import Json, Prose, Question, Rating, Slider
from decam.studies.steps import Step
from decam.studies.wording import Wording

OWN = "own"


@dataclass(frozen=True)
class Scale:
    """A published questionnaire: its questions, and its score of the answers by their names (None: incomplete)."""

    name: str
    title: str
    ask: Callable[[Wording], tuple[Question, ...]]
    score: Callable[[Mapping[str, Json]], float | None]


def _sus(wording: Wording) -> tuple[Question, ...]:
    low, high = wording("agree.low"), wording("agree.high")
    return tuple(Rating(f"sus{item}", wording(f"sus.{item}"), 5, low, high) for item in range(1, 11))


def sus_score(answers: Mapping[str, Json]) -> float | None:
    """The score of the System Usability Scale, 0 to 100 (Brooke 1996): odd items x − 1, even ones 5 − x, times 2.5."""
    values = [answers.get(f"sus{item}") for item in range(1, 11)]
    if not all(isinstance(value, int) for value in values):
        return None
    points = [value - 1 if place % 2 == 0 else 5 - value for place, value in enumerate(values)]  # type: ignore[operator]
    return 2.5 * sum(points)


_LOADS = ("mental", "physical", "temporal", "performance", "effort", "frustration")


def _tlx(wording: Wording) -> tuple[Question, ...]:
    return tuple(
        Slider(
            f"tlx-{load}", wording(f"tlx.{load}"), 0, 100, 5, wording(f"tlx.{load}.low"), wording(f"tlx.{load}.high")
        )
        for load in _LOADS
    )


def tlx_score(answers: Mapping[str, Json]) -> float | None:
    """The raw NASA Task Load Index, 0 to 100 (Hart 2006): the mean of the six scales."""
    values = [answers.get(f"tlx-{load}") for load in _LOADS]
    if not all(isinstance(value, int) for value in values):
        return None
    return sum(values) / len(values)  # type: ignore[arg-type]


SCALES = (
    Scale("SUS", "System Usability Scale", _sus, sus_score),
    Scale("NASA-TLX", "NASA Task Load Index", _tlx, tlx_score),
)


def scales(name: str, items: tuple[Item, ...]) -> tuple[Scale, ...]:
    """The scales that a block's answers are scored on: the published one of this name, or those of its own items.

    Ratings and sliders with the same `group` are a scale. Its score, 0 to 100, is the mean of their answers as percent
    of the range of each (Cohen et al. 1999), counted from the other end where an item is `reverse`.
    """
    published = tuple(scale for scale in SCALES if scale.name == name)
    if published:
        return published
    grouped: dict[str, dict[str, Item]] = {}
    for place, item in enumerate(items, start=1):
        if item.group.strip() and form_of(item).scale:
            grouped.setdefault(item.group.strip(), {})[f"item{place}"] = item
    return tuple(_own(group, members) for group, members in grouped.items())


def _own(group: str, members: Mapping[str, Item]) -> Scale:
    def ask(wording: Wording) -> tuple[Question, ...]:
        return tuple(question(item, name, wording) for name, item in members.items())

    def score(answers: Mapping[str, Json]) -> float | None:
        shares = [_share(item, answers.get(name)) for name, item in members.items()]
        found = [share for share in shares if share is not None]
        return 100 * sum(found) / len(found) if len(found) == len(shares) else None

    return Scale(group, group, ask, score)


def _share(item: Item, value: Json) -> float | None:
    """Where an answer lies between the ends of its item, from 0 to 1; None without an answer."""
    range_ = form_of(item).ends(item)
    if range_ is None or not isinstance(value, int | float):
        return None
    share = (value - range_[0]) / (range_[1] - range_[0])
    return 1 - share if item.reverse else share


@dataclass(frozen=True)
class QuestionnaireSettings(TextSettings):
    """Which questionnaire."""

    scale: str = parameter(OWN, "A published scale, or own items.", choices=(OWN, *(scale.name for scale in SCALES)))


def _scale(block: Block) -> Scale | None:
    settings = block.settings_as(QuestionnaireSettings)
    return next((scale for scale in SCALES if scale.name == settings.scale), None)


def _questionnaire(place: Place) -> list[Step]:
    settings, wording = place.block.settings_as(QuestionnaireSettings), place.wording
    scale = _scale(place.block)
    asked = scale.ask(wording) if scale else questions(place.block.items, wording)
    prose = Prose(settings.text or wording("questionnaire.text"), settings.heading or wording("questionnaire.heading"))
    step = place.step(0, (prose, *asked), prose.heading)
    return [dataclasses.replace(step, facts={"scale": settings.scale})]


def _lacks(_study: Study, block: Block) -> str:
    if _scale(block):
        return ""
    return faulty(block.items) if block.items else "This questionnaire has no items yet; add one, or choose a scale."


QUESTIONNAIRE = BlockKind(
    "questionnaire", "Questionnaire", "The System Usability Scale, the NASA Task Load Index, or own items.",
    QuestionnaireSettings, _questionnaire, items="items", lacks=_lacks,
)  # fmt: skip
