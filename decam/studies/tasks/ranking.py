"""Ranking: all maps of one picture in order, the best first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from decam.settings import Settings, parameter
from decam.studies.assignment.chance import Chance
from decam.studies.design import Study
from decam.studies.elements import Json, Option, Ranking, Shown
from decam.studies.steps import Step
from decam.studies.tasks.base import Screen, Strengths, Task, Trial, conditions_of, drawn

MOST = 8
"""How many maps a person can hold beside each other; more are better compared in pairs."""


@dataclass(frozen=True)
class RankingSettings(Settings):
    """What is asked about all maps."""

    prompt: str = parameter("", "The question; empty for the usual one.")
    answer_shown: bool = parameter(True, "Say what the model answers.", title="show the answer")


def _make(trial: Trial, settings: RankingSettings, _chance: Chance) -> Screen:
    wording = trial.wording
    options = tuple(
        Option(f"{place + 1}", wording("caption.map.numbered", number=place + 1), trial.map_of(condition, place))
        for place, condition in enumerate(trial.conditions)
    )
    key = "ranking.prompt" if settings.answer_shown else "ranking.prompt.blind"
    prompt = settings.prompt or wording(key, label=trial.stimulus.label)
    shown = Shown(((trial.picture(), wording("caption.picture")),))
    return Screen((shown, Ranking("order", prompt, options)))


def _ranks(step: Step, strengths: Strengths, noise: float, rng: np.random.Generator) -> dict[str, Json]:
    left = list(enumerate(conditions_of(step), start=1))
    order: list[Json] = []
    while left:
        place, _ = left.pop(drawn(rng, [strengths.get(key, 0.0) for _, key in left], noise))
        order.append(str(place))
    return {"order": order}


def _lacks(study: Study, _settings: RankingSettings) -> str:
    count = len(study.conditions)
    if count < 2:
        return "A ranking needs two conditions or more; choose another method."
    return (
        "" if count <= MOST else f"A ranking of {count} maps is too long; choose {MOST} conditions, or a forced choice."
    )


RANKING = Task(
    name="ranking",
    title="Ranking",
    summary="All maps of one image, put in order.",
    group=0,
    settings=RankingSettings,
    make=_make,
    rational=_ranks,
    result="preference",
    sight="The task needs sight: maps are compared by eye.",
    lacks=_lacks,
)
