"""Distinction: maps for several classes; which one did the model answer, and which is right?

After HIVE (Kim et al. 2022, arXiv 2112.03184), which shows four classes and asks for a confidence of five points.
"""

from __future__ import annotations

from dataclasses import dataclass

from decam.settings import Settings, parameter
from decam.studies.assignment.chance import Chance
from decam.studies.design import FrozenMap, Study
from decam.studies.elements import Choice, Element, Json, Option, Picture, Rating, Shown
from decam.studies.tasks.base import Screen, Task, Trial, knows


@dataclass(frozen=True)
class DistinctionSettings(Settings):
    """How many classes, and what is asked of them."""

    classes: int = parameter(4, "Classes whose maps are shown.", low=2, high=6)
    names_shown: bool = parameter(False, "Name the classes under their maps.", title="name the classes")
    correct_asked: bool = parameter(True, "Ask also which class is right.", title="ask for the right class")
    confidence: bool = parameter(True, "Ask how sure the participant is, from 1 to 5.")


def _offered(trial: Trial, settings: DistinctionSettings, chance: Chance) -> list[FrozenMap]:
    """Maps of the condition for several classes in a random order: the answer's, the right one's, then others."""
    stimulus, key = trial.stimulus, trial.conditions[0].key
    maps = {one.label: one for one in stimulus.maps if one.condition == key}
    wanted = dict.fromkeys([stimulus.answer, stimulus.correct, *(label for label, _ in stimulus.guesses), *maps])
    found = [maps[label] for label in wanted if label in maps][: settings.classes]
    return chance.shuffled(found)


def _make(trial: Trial, settings: DistinctionSettings, chance: Chance) -> Screen:
    wording, stimulus = trial.wording, trial.stimulus
    maps = _offered(trial, settings, chance)
    options = tuple(
        Option(str(place), one.label if settings.names_shown else wording("distinction.class", number=place),
               Picture(one.image, stimulus.width, stimulus.height, wording("alt.map", number=place)))
        for place, one in enumerate(maps, start=1)
    )  # fmt: skip
    labels = [one.label for one in maps]
    elements: list[Element] = [Shown(((trial.picture(), wording("caption.picture")),))]
    correct: dict[str, Json] = {}
    asked = {"answered": stimulus.answer, **({"right": stimulus.correct} if settings.correct_asked else {})}
    for name, label in asked.items():
        elements.append(Choice(name, wording(f"distinction.{name}"), options))
        if label in labels:
            correct[name] = str(labels.index(label) + 1)
        if settings.confidence:
            ends = (wording("confidence.low"), wording("confidence.high"))
            elements.append(Rating(f"{name}-confidence", wording("confidence.prompt"), 5, *ends))
    classes: list[Json] = list(labels)
    known = bool(stimulus.correct)
    facts: dict[str, Json] = {"classes": classes, "model_right": stimulus.answer == stimulus.correct if known else None}
    return Screen(tuple(elements), correct, facts)


def _lacks(study: Study, settings: DistinctionSettings) -> str:
    for stimulus in study.stimuli_for("trials"):
        for condition in study.conditions:
            count = len({one.label for one in stimulus.maps if one.condition == condition.key})
            if count < settings.classes:
                return (
                    f"{stimulus.name} has maps of {condition.title} for {count} of {settings.classes} classes; "
                    "explain it for more classes, or ask for fewer."
                )
            if stimulus.map_of(condition.key, stimulus.answer) is None:
                return (
                    f"{stimulus.name} has no map of {condition.title} for {stimulus.answer}, which the model answers."
                )
    return "" if study.conditions else "A distinction needs a condition; choose a method."


DISTINCTION = Task(
    name="distinction",
    title="Distinction",
    summary="Maps for several classes: which one did the model answer, and which is right?",
    group=1,
    settings=DistinctionSettings,
    make=_make,
    rational=knows,
    result="accuracy",
    sight="The task needs sight: maps are compared by eye.",
    lacks=_lacks,
)
