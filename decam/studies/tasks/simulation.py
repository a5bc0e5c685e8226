"""Forward simulation: predict what the model answers, with a map or without one.

Alqaraawi et al. (2020, arXiv 2002.00772) ask for the model's answer to a picture beside maps. Colin et al. (2022,
arXiv 2112.04417) train with maps and test without: their design is a training block that shows maps, then trials with
`shows` set to "picture", between subjects, with the condition without a map as the control.
"""

from __future__ import annotations

from dataclasses import dataclass

from decam.settings import Settings, parameter
from decam.studies.assignment.chance import Chance, Use
from decam.studies.design import Stimulus, Study
from decam.studies.elements import Choice, Option, Rating, Shown
from decam.studies.tasks.base import Screen, Task, Trial, knows


@dataclass(frozen=True)
class SimulationSettings(Settings):
    """What is shown and how many answers stand to choose."""

    prompt: str = parameter("", "The question; empty for the usual one.")
    shows: str = parameter(
        "map",
        "Whether the condition's map is shown beside the image, or the image alone.",
        choices=("map", "picture"),
    )
    options: int = parameter(2, "Answers to choose from.", title="answers", low=2, high=6)
    confidence: bool = parameter(False, "Ask how sure the participant is, from 1 to 5.")


def offered(study: Study, stimulus: Stimulus, count: int) -> tuple[str, ...]:
    """The classes to choose from: the model's likeliest, then those of the study's other pictures, in a fixed order.

    The order depends on the study's seed and the stimulus alone, so that everybody sees the same.
    """
    labels = [label for label, _ in stimulus.guesses]
    labels += [other.answer for other in study.stimuli] + [stimulus.label, stimulus.correct]
    distinct = [label for label in dict.fromkeys([stimulus.answer, *labels]) if label][:count]
    place = [one.key for one in study.stimuli].index(stimulus.key)
    return tuple(Chance(study.assignment.seed, Use.OPTIONS, place).shuffled(distinct))


def _make(trial: Trial, settings: SimulationSettings, _chance: Chance) -> Screen:
    wording, stimulus = trial.wording, trial.stimulus
    labels = offered(trial.study, stimulus, settings.options)
    options = tuple(Option(str(place + 1), label) for place, label in enumerate(labels))
    asked = Choice("answer", settings.prompt or wording("forward-simulation.prompt"), options)
    alone = Shown(((trial.picture(), wording("caption.picture")),))
    elements = (trial.seen() if settings.shows == "map" else alone, asked)
    correct = {"answer": str(labels.index(stimulus.answer) + 1)}
    facts = {"model_right": stimulus.answer == stimulus.correct if stimulus.correct else None}
    if settings.confidence:
        ends = (wording("confidence.low"), wording("confidence.high"))
        return Screen((*elements, Rating("confidence", wording("confidence.prompt"), 5, *ends)), correct, facts)
    return Screen(elements, correct, facts)


def _lacks(study: Study, _settings: SimulationSettings) -> str:
    if not study.conditions:
        return "A forward simulation needs a condition; choose a method, and the condition without a map beside it."
    for stimulus in study.stimuli:
        if len(offered(study, stimulus, 2)) < 2:
            return f"There is only one answer to choose from for {stimulus.name}; take images of more classes."
    return ""


SIMULATION = Task(
    name="forward-simulation",
    title="Forward simulation",
    summary="What does the model answer? With the map, or without it.",
    group=1,
    settings=SimulationSettings,
    make=_make,
    rational=knows,
    result="accuracy",
    sight="The task needs sight: an image and its map are looked at.",
    lacks=_lacks,
)
