"""Free text: what the participant thinks the model looked at, in a few words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from decam.settings import Settings, parameter
from decam.studies.assignment.chance import Chance
from decam.studies.elements import Entry, Json
from decam.studies.steps import Step
from decam.studies.tasks.base import Screen, Strengths, Task, Trial


@dataclass(frozen=True)
class FreeTextSettings(Settings):
    """What is asked, and how much may be written."""

    prompt: str = parameter("", "The question; empty for the usual one. “{label}” becomes the class.")
    most: int = parameter(300, "Characters at most.", title="length", low=20, high=2000)
    optional: bool = parameter(True, "Whether the answer may be left out.")


def _make(trial: Trial, settings: FreeTextSettings, _chance: Chance) -> Screen:
    prompt = (settings.prompt or trial.wording("free-text.prompt")).replace("{label}", trial.stimulus.label)
    return Screen((trial.seen(), Entry("text", prompt, settings.most, optional=settings.optional)))


def _writes(step: Step, _strengths: Strengths, _noise: float, rng: np.random.Generator) -> dict[str, Json]:
    return {question.name: question.random(rng) for question in step.questions}


FREE_TEXT = Task(
    name="free-text",
    title="Free text",
    summary="A few words on what the map shows.",
    group=1,
    settings=FreeTextSettings,
    make=_make,
    rational=_writes,
    result="text",
    sight="The map needs sight; the answer is typed.",
)
