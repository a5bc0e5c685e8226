"""Blocks that repeat a task: the trials of a study, and training with feedback before them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from decam.errors import SettingError
from decam.settings import Settings, parameter
from decam.studies import assignment, tasks
from decam.studies.blocks.base import BlockKind, Place
from decam.studies.design import Block, Condition, Stimulus, Study, TaskChoice
from decam.studies.elements import Choice, Json, Option, Pause, Prose
from decam.studies.steps import Step

ATTENTION = "attention"


@dataclass(frozen=True)
class TrialSettings(Settings):
    """What comes between the trials."""

    repeats: int = parameter(
        0, "Catch trials that show the same map twice; for tasks that compare two maps.", title="same map twice", low=0,
        high=20,
    )  # fmt: skip
    attention: int = parameter(
        0, "Attention checks, evenly among the trials.", title="attention checks", low=0, high=10
    )
    rest_after: int = parameter(
        0, "Trials after which there is a break; 0 for none.", title="break after", low=0, high=200
    )


@dataclass(frozen=True)
class TrainingSettings(Settings):
    """Trials with feedback."""

    trials: int = parameter(0, "How many; 0 for all images kept for training.", low=0, high=200)
    attempts: int = parameter(2, "How often a trial may be answered.", low=1, high=5)
    feedback: bool = parameter(True, "Say after each answer what was right.")


def _trials(place: Place) -> list[Step]:
    settings = place.block.settings_as(TrialSettings)
    screens = [_screen(place, stimulus, conditions) for stimulus, conditions in dealt(place, "trials")]
    screens = _with_repeats(place, settings, screens)
    screens = assignment.spread(
        screens, [_attention(place, number) for number in range(settings.attention)], key=_shown
    )
    if settings.rest_after:
        screens = _with_rests(place, screens, settings.rest_after)
    return [dataclasses.replace(step, id=f"{place.number}.{at}") for at, step in enumerate(screens)]


def _training(place: Place) -> list[Step]:
    settings = place.block.settings_as(TrainingSettings)
    chosen = dealt(place, "training")[: settings.trials or None]
    steps = [_screen(place, stimulus, conditions) for stimulus, conditions in chosen]
    return [
        dataclasses.replace(
            step,
            id=f"{place.number}.{at}",
            title=place.wording("training.title", title=step.title),
            feedback=settings.feedback and bool(step.correct),
            attempts=settings.attempts if settings.feedback and step.correct else 1,
        )
        for at, step in enumerate(steps)
    ]


def dealt(place: Place, use: str) -> list[tuple[Stimulus, tuple[Condition, ...]]]:
    """The stimuli and conditions that the assignment deals to a sequence, in order."""
    study, stimuli = place.study, place.study.stimuli_for(use)
    group = tasks.get(_task(place.block).name).group
    if not stimuli:
        return []
    many = len(study.conditions)
    cells = assignment.sequence(dealing(study, use), place.sequence, len(stimuli), many, group, place.number)
    return [(stimuli[cell.stimulus], tuple(study.conditions[one] for one in cell.conditions)) for cell in cells]


def dealing(study: Study, use: str) -> assignment.Assignment:
    """How stimuli of a use are dealt: the number for each participant is that of trials; training shows all."""
    return study.assignment if use == "trials" else dataclasses.replace(study.assignment, stimuli=0)


def _screen(place: Place, stimulus: Stimulus, conditions: tuple[Condition, ...]) -> Step:
    choice = _task(place.block)
    task = tasks.get(choice.name)
    trial = tasks.Trial(place.study, stimulus, conditions, place.wording)
    screen = task.make(trial, choice.settings, place.chance)
    keys: list[Json] = [condition.key for condition in conditions]
    facts: dict[str, Json] = {"stimulus": stimulus.key, "conditions": keys, **screen.facts}
    step = place.step(0, screen.elements, place.wording(f"{task.name}.title"))
    return dataclasses.replace(step, task=task.name, correct=screen.correct, facts=facts)


def _with_repeats(place: Place, settings: TrialSettings, screens: list[Step]) -> list[Step]:
    """Trials that show one condition's map on both sides; stimuli and conditions are those of this sequence.

    Between subjects nobody thus sees a map that is not theirs.
    """
    if not settings.repeats or not screens or tasks.get(_task(place.block).name).group != 2:
        return screens
    stimuli = {stimulus.key: stimulus for stimulus in place.study.stimuli}
    keys = {key for step in screens for key in tasks.conditions_of(step)}
    shown = [one for one in place.study.conditions if one.key in keys]
    methods = [one for one in shown if not one.catch] or shown
    repeated = []
    for _ in range(settings.repeats):
        like = screens[place.chance.whole(len(screens))]
        condition = methods[place.chance.whole(len(methods))]
        step = _screen(place, stimuli[str(like.facts["stimulus"])], (condition, condition))
        repeated.append(dataclasses.replace(step, facts={**step.facts, "repeat": True}))
    return assignment.spread(screens, repeated, key=_shown)


def _shown(step: Step) -> Hashable | None:
    """The stimulus that a screen shows."""
    stimulus = step.facts.get("stimulus")
    return None if stimulus is None else str(stimulus)


def _attention(place: Place, number: int) -> Step:
    """A question that says which answer to give."""
    wording = place.wording
    names = [wording(f"attention.{name}") for name in ("red", "green", "blue", "yellow")]
    right = place.chance.whole(len(names))
    options = tuple(Option(str(at + 1), name) for at, name in enumerate(names))
    asked = Choice(ATTENTION, wording("attention.prompt", answer=names[right]), options)
    step = place.step(0, (asked,), wording("attention.title"))
    correct = {ATTENTION: str(right + 1)}
    return dataclasses.replace(step, correct=correct, attention=True, facts={ATTENTION: number + 1})


def _with_rests(place: Place, screens: list[Step], after: int) -> list[Step]:
    rested: list[Step] = []
    for number, step in enumerate(screens):
        if number and number % after == 0:
            prose = Prose(place.wording("break.text"), place.wording("break.heading"))
            rested.append(place.step(0, (prose, Pause(0)), prose.heading))
        rested.append(step)
    return rested


def _task(block: Block) -> TaskChoice:
    assert block.task is not None
    return block.task


def _lacks(use: str) -> Callable[[Study, Block], str]:
    def lacks(study: Study, block: Block) -> str:
        if block.task is None:
            return "This block has no task yet; choose one."
        if not study.stimuli_for(use):
            return f"No image is kept for {use}. Choose one under Images, or add images of finished runs there."
        task = tasks.get(block.task.name)
        return task.lacks(study, block.task.settings) or _undealt(study, block, use)

    return lacks


def _undealt(study: Study, block: Block, use: str) -> str:
    """Why the assignment cannot deal the stimuli of a block, in a sentence; empty where it can."""
    settings, stimuli = block.settings, len(study.stimuli_for(use))
    try:
        assignment.check(dealing(study, use), stimuli, len(study.conditions), tasks.get(_task(block).name).group)
        if isinstance(settings, TrialSettings):
            shown = range(study.assignment.stimuli or stimuli)
            assignment.spread(shown, range(settings.attention + settings.repeats))
    except SettingError as error:
        return str(error)
    return ""


TRIALS = BlockKind(
    "trials", "Trials", "A task, once for each image that the assignment deals.", TrialSettings, _trials,
    use="trials", aside="Between the trials", lacks=_lacks("trials"),
)  # fmt: skip
TRAINING = BlockKind(
    "training", "Training", "A task with feedback, on images that are kept for training.", TrainingSettings,
    _training, use="training", aside="Training", lacks=_lacks("training"),
)  # fmt: skip
