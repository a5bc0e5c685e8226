"""What a row of the table of tasks says, and what it makes of a trial."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from decam.settings import Settings
from decam.studies.assignment.chance import Chance
from decam.studies.design import Condition, FrozenMap, Stimulus, Study
from decam.studies.elements import Element, Json, Picture, Shown
from decam.studies.steps import Step
from decam.studies.wording import Wording

NO_MAP = "none"
"""The source of the condition in which no map is shown."""


@dataclass(frozen=True)
class Trial:
    """What a participant is asked about: a stimulus, and the conditions in the order in which they are shown."""

    study: Study
    stimulus: Stimulus
    conditions: tuple[Condition, ...]
    wording: Wording

    def picture(self) -> Picture:
        """The picture without a map."""
        stimulus = self.stimulus
        return Picture(stimulus.image, stimulus.width, stimulus.height, self.wording("alt.picture"))

    def map_of(self, condition: Condition, place: int = 0, label: str = "") -> Picture:
        """The map of a condition as a picture; without a map, the picture itself. `place` numbers it for the reader."""
        frozen = self.stimulus.map_of(condition.key, label)
        if frozen is None:
            return self.picture()
        return dataclasses.replace(
            self.picture(), image=frozen.image, alternative=self.wording("alt.map", number=place + 1)
        )

    def maps(self) -> tuple[FrozenMap, ...]:
        """The maps of all conditions of the trial that have one."""
        found = (self.stimulus.map_of(condition.key) for condition in self.conditions)
        return tuple(one for one in found if one is not None)

    def seen(self) -> Shown:
        """The picture and the map of the trial's only condition beside each other; the picture alone without a map."""
        shown = [(self.picture(), self.wording("caption.picture"))]
        if self.stimulus.map_of(self.conditions[0].key) is not None:
            shown.append((self.map_of(self.conditions[0]), self.wording("caption.map")))
        return Shown(tuple(shown))


@dataclass(frozen=True)
class Screen:
    """What a task shows and asks, the right answers by the questions' names, and further facts for the analysis."""

    elements: tuple[Element, ...]
    correct: Mapping[str, Json] = dataclasses.field(default_factory=dict)
    facts: Mapping[str, Json] = dataclasses.field(default_factory=dict)


Strengths: TypeAlias = Mapping[str, float]
Answering: TypeAlias = Callable[[Step, Strengths, float, np.random.Generator], dict[str, Json]]


@dataclass(frozen=True)
class Task:
    """A row of the table of tasks.

    `group` is the number of conditions of a trial: 1, 2, or 0 for all. `make` turns a trial into a screen. `lacks`
    says in a sentence what a study is missing for this task, and is empty where nothing is. `result` names the
    analysis of its answers. `sight` says what somebody gets who cannot see the pictures. `rational` answers a step as
    a participant does who knows how strong the conditions are (by their keys), with `noise` (0: always).
    """

    name: str
    title: str
    summary: str
    group: int
    settings: type[Settings]
    make: Callable[[Trial, Any, Chance], Screen]
    rational: Answering
    result: str
    sight: str
    lacks: Callable[[Study, Any], str] = lambda _study, _settings: ""


def knows(step: Step, strengths: Strengths, noise: float, rng: np.random.Generator) -> dict[str, Json]:
    """Answer what is right with a probability that grows with the strength of the condition; the rest at random."""
    keys = conditions_of(step)
    strength = strengths.get(keys[0], 0.0) if keys else 0.0
    certain = (1 - noise) / (1 + np.exp(-1 - strength))
    answers = {question.name: question.random(rng) for question in step.questions}
    if rng.random() < certain:
        answers.update(step.correct)
    return answers


def conditions_of(step: Step) -> tuple[str, ...]:
    """The keys of a step's conditions, in the order shown."""
    keys = step.facts.get("conditions", [])
    return tuple(str(key) for key in keys) if isinstance(keys, list) else ()


def drawn(rng: np.random.Generator, strengths: Sequence[float], noise: float) -> int:
    """The place that is preferred, by Luce's rule on exp(strength); with probability `noise` any place."""
    if rng.random() < noise:
        return int(rng.integers(len(strengths)))
    weights = np.exp(np.asarray(strengths) - max(strengths))
    return int(rng.choice(len(strengths), p=weights / weights.sum()))
