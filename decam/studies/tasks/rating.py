"""Rating: statements about one map, agreed to on a scale of 5 or 7 points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from decam.settings import Settings, parameter
from decam.studies.assignment.chance import Chance
from decam.studies.design import Study
from decam.studies.elements import Json, Rating
from decam.studies.steps import Step
from decam.studies.tasks.base import NO_MAP, Screen, Strengths, Task, Trial, conditions_of


@dataclass(frozen=True)
class RatingSettings(Settings):
    """Statements, and the scale."""

    points: str = parameter("5", "Points of the scale.", choices=("5", "7"))
    statements: str = parameter(
        "", "One statement a line; empty for the usual one. “{label}” becomes the class that the map explains.", lines=4
    )
    low: str = parameter("", "What the lowest point means; empty for “strongly disagree”.", title="lowest point")
    high: str = parameter("", "What the highest point means; empty for “strongly agree”.", title="highest point")


def statements(settings: RatingSettings, usual: str) -> tuple[str, ...]:
    """The statements, one a line; the usual one where none is given."""
    return tuple(line.strip() for line in settings.statements.splitlines() if line.strip()) or (usual,)


def _make(trial: Trial, settings: RatingSettings, _chance: Chance) -> Screen:
    wording = trial.wording
    ends = (settings.low or wording("agree.low"), settings.high or wording("agree.high"))
    texts = statements(settings, wording("rating.statement"))
    asked = tuple(
        Rating(f"statement{place}", text.replace("{label}", trial.stimulus.label), int(settings.points), *ends)
        for place, text in enumerate(texts, start=1)
    )
    # The analysis tells statements apart by their texts as they were written, before the class is filled in.
    written: dict[str, Json] = {f"statement{place}": text for place, text in enumerate(texts, start=1)}
    return Screen((trial.seen(), *asked), facts={"statements": written})


def _rates(step: Step, strengths: Strengths, noise: float, rng: np.random.Generator) -> dict[str, Json]:
    strength = strengths.get(conditions_of(step)[0], 0.0)
    answers: dict[str, Json] = {}
    for question in step.questions:
        assert isinstance(question, Rating)
        middle = (question.points + 1) / 2
        told = middle + strength + rng.normal(0, 0.8)
        certain = rng.random() >= noise
        answers[question.name] = int(np.clip(round(told), 1, question.points)) if certain else question.random(rng)
    return answers


def _lacks(study: Study, _settings: RatingSettings) -> str:
    if any(condition.source == NO_MAP for condition in study.conditions):
        return "A rating needs a map; take the condition without a map out."
    return "" if study.conditions else "A rating needs a condition; choose a method."


RATING = Task(
    name="rating",
    title="Rating",
    summary="One map, and how far the participant agrees with statements about it.",
    group=1,
    settings=RatingSettings,
    make=_make,
    rational=_rates,
    result="ratings",
    sight="The task needs sight: a map is judged by eye.",
    lacks=_lacks,
)
