"""Forced choice: which of two maps explains the model's answer better?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from decam.settings import Settings, parameter
from decam.studies.assignment.chance import Chance
from decam.studies.design import Study
from decam.studies.elements import Choice, Json, Option, Rating, Shown
from decam.studies.steps import Step
from decam.studies.tasks.base import Screen, Strengths, Task, Trial, conditions_of, drawn

SIDES = ("left", "right")
NEITHER = "neither"


@dataclass(frozen=True)
class ForcedChoiceSettings(Settings):
    """What is asked about two maps."""

    prompt: str = parameter("", "The question; empty for the usual one.")
    neither: bool = parameter(False, "Offer “no difference” as a third answer.", title="no difference")
    confidence: bool = parameter(False, "Ask how sure the participant is, from 1 to 5.")
    answer_shown: bool = parameter(True, "Say what the model answers.", title="show the answer")


def _make(trial: Trial, settings: ForcedChoiceSettings, _chance: Chance) -> Screen:
    wording, label = trial.wording, trial.stimulus.label
    options = [
        Option(side, wording(f"choice.{side}"), trial.map_of(condition, place))
        for place, (side, condition) in enumerate(zip(SIDES, trial.conditions, strict=True))
    ]
    if settings.neither:
        options.append(Option(NEITHER, wording("choice.neither")))
    key = "forced-choice.prompt" if settings.answer_shown else "forced-choice.prompt.blind"
    prompt = settings.prompt or wording(key, label=label)
    asked = Choice("preferred", prompt, tuple(options))
    shown = Shown(((trial.picture(), wording("caption.picture")),))
    if not settings.confidence:
        return Screen((shown, asked))
    low, high = wording("confidence.low"), wording("confidence.high")
    return Screen((shown, asked, Rating("confidence", wording("confidence.prompt"), 5, low, high)))


def _prefers(step: Step, strengths: Strengths, noise: float, rng: np.random.Generator) -> dict[str, Json]:
    answers = {question.name: question.random(rng) for question in step.questions}
    place = drawn(rng, [strengths.get(key, 0.0) for key in conditions_of(step)], noise)
    return {**answers, "preferred": SIDES[place]}


def _lacks(study: Study, _settings: ForcedChoiceSettings) -> str:
    return "" if len(study.conditions) > 1 else "A forced choice needs two conditions or more; choose another method."


FORCED_CHOICE = Task(
    name="forced-choice",
    title="Forced choice",
    summary="Two maps of one image: which explains the model's answer better?",
    group=2,
    settings=ForcedChoiceSettings,
    make=_make,
    rational=_prefers,
    result="preference",
    sight="The task needs sight: two maps are compared by eye.",
    lacks=_lacks,
)
