"""Questionnaires: the System Usability Scale, the NASA Task Load Index, and own items."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from decam.settings import parameter
from decam.studies.blocks.base import BlockKind, Place, questions
from decam.studies.blocks.words import TextSettings
from decam.studies.design import Block, Study
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
    return "" if _scale(block) or block.items else "This questionnaire has no items yet; add one, or choose a scale."


QUESTIONNAIRE = BlockKind(
    "questionnaire", "Questionnaire", "The System Usability Scale, the NASA Task Load Index, or own items.",
    QuestionnaireSettings, _questionnaire, items="items", lacks=_lacks,
)  # fmt: skip
