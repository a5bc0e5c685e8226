"""Clicks: where would you look? Points or boxes in the picture's own pixels, as in ClickMe (Linsley et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from decam.settings import Settings, parameter
from decam.studies.assignment.chance import Chance
from decam.studies.design import Study
from decam.studies.elements import Json, Pointing
from decam.studies.steps import Step
from decam.studies.tasks.base import Screen, Strengths, Task, Trial


@dataclass(frozen=True)
class ClickSettings(Settings):
    """What is marked, and how often."""

    prompt: str = parameter("", "The question; empty for the usual one. “{label}” becomes the class.")
    shape: str = parameter("points", "Points, or boxes that are drawn.", choices=("points", "boxes"))
    least: int = parameter(3, "Fewest places that a participant must mark.", low=1, high=50)
    most: int = parameter(10, "Most places that a participant can mark.", low=1, high=100)


def _make(trial: Trial, settings: ClickSettings, _chance: Chance) -> Screen:
    prompt = settings.prompt or trial.wording(f"clicks.prompt.{settings.shape}")
    label = trial.stimulus.correct or trial.stimulus.label
    asked = Pointing(
        "places", prompt.replace("{label}", label), trial.picture(), settings.shape, settings.least, settings.most
    )
    return Screen((asked,))


def _clicks(step: Step, _strengths: Strengths, noise: float, rng: np.random.Generator) -> dict[str, Json]:
    """Places about the middle, where photographers put things; by noise anywhere."""
    asked = step.questions[0]
    assert isinstance(asked, Pointing)
    places: list[Json] = []
    for number in range(max(asked.least, min(asked.most, 5))):
        x, y = rng.random(2) if rng.random() < noise else rng.normal(0.5, 0.15, 2)
        places.append(asked.at(float(x), float(y), 400 + 600 * number))
    return {"places": places}


def _lacks(_study: Study, settings: ClickSettings) -> str:
    if settings.least <= settings.most:
        return ""
    return f"At least {settings.least} and at most {settings.most} cannot both hold; raise the second number."


CLICKS = Task(
    name="clicks",
    title="Clicks",
    summary="Where would you look? Points or boxes on the image, without a map.",
    group=0,
    settings=ClickSettings,
    make=_make,
    rational=_clicks,
    result="clicks",
    sight="The task needs sight; places can be set with the keyboard.",
    lacks=_lacks,
)
