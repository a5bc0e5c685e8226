"""Blocks that tell or ask something in words: consent, instructions, own questions, comprehension, debriefing."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from decam.settings import Settings, parameter
from decam.studies import assignment, tasks
from decam.studies.blocks.base import BlockKind, Place
from decam.studies.blocks.forms import can_be_right, faulty, questions, right_answers
from decam.studies.design import Block, Condition, Study
from decam.studies.elements import Choice, Element, Option, Pause, Prose, Shown
from decam.studies.steps import Outcome, Step

AGREED, REFUSED = "yes", "no"


@dataclass(frozen=True)
class ConsentSettings(Settings):
    """The text that participants agree to."""

    text: str = parameter("", "What is studied, what is kept, by whom, for how long, and whom to ask.", lines=8)
    version: str = parameter("1", "The version of the text; it is kept with the answer.")


@dataclass(frozen=True)
class TextSettings(Settings):
    """A text of one's own."""

    heading: str = parameter("", "The heading; empty for the usual one.")
    text: str = parameter("", "The text; empty for the usual one. An empty line begins a new paragraph.", lines=5)


@dataclass(frozen=True)
class InstructionSettings(TextSettings):
    """Instructions before a task."""

    example: bool = parameter(True, "Show an example: the first stimulus that is kept for examples.")


@dataclass(frozen=True)
class ComprehensionSettings(TextSettings):
    """Questions on what the instructions said."""

    attempts: int = parameter(2, "How often a question may be answered.", low=1, high=5)


@dataclass(frozen=True)
class PauseSettings(TextSettings):
    """A break."""

    seconds: int = parameter(0, "How long the break lasts at least.", low=0, high=600)


def _consent(place: Place) -> list[Step]:
    settings, wording = place.block.settings_as(ConsentSettings), place.wording
    options = (Option(AGREED, wording("consent.yes")), Option(REFUSED, wording("consent.no")))
    asked = Choice("consent", wording("consent.prompt"), options)
    text = Prose(settings.text or wording("consent.text"), wording("consent.heading"))
    ends = {"consent": {REFUSED: Outcome.NO_CONSENT}}
    step = place.step(0, (text, asked), wording("consent.heading"))
    return [dataclasses.replace(step, ends=ends, facts={"version": settings.version})]


def _prose(place: Place, key: str) -> Prose:
    settings, wording = place.block.settings_as(TextSettings), place.wording
    return Prose(settings.text or wording(f"{key}.text"), settings.heading or wording(f"{key}.heading"))


def _instructions(place: Place) -> list[Step]:
    settings = place.block.settings_as(InstructionSettings)
    prose = _prose(place, "instructions")
    examples = place.study.stimuli_for("example") or place.study.stimuli[:1]
    following = [block for block in place.study.blocks[place.number :] if block.task is not None]
    if not settings.example or not examples or not following or following[0].task is None:
        return [place.step(0, (prose,), prose.heading)]
    task = tasks.get(following[0].task.name)
    if len(place.study.conditions) < max(task.group, 1):
        return [place.step(0, (prose,), prose.heading)]
    trial = tasks.Trial(place.study, examples[0], _exemplary(place, task.group), place.wording)
    screen = task.make(trial, following[0].task.settings, place.chance)
    shown = tuple(_unasked(element) for element in screen.elements if element.pictures or not element.name)
    example = Prose(place.wording(f"{task.name}.example"), place.wording("instructions.example"))
    return [place.step(0, (prose, example, *shown), prose.heading)]


def _exemplary(place: Place, group: int) -> tuple[Condition, ...]:
    """The conditions of an example: the first ones, and between subjects those that the participant will see."""
    study = place.study
    if study.assignment.subjects == "within":
        return study.conditions[: group or None]
    shown = assignment.throughout(study.assignment, place.sequence, len(study.conditions), group)
    return tuple(study.conditions[one] for one in shown)


def _unasked(element: Element) -> Element:
    """An element as an example shows it: a question's pictures without the question."""
    if not isinstance(element, Choice):
        return Shown(tuple((picture, "") for picture in element.pictures)) if element.name else element
    return Shown(tuple((option.picture, option.label) for option in element.options if option.picture is not None))


def _demographics(place: Place) -> list[Step]:
    prose = _prose(place, "demographics")
    return [place.step(0, (prose, *questions(place.block.items, place.wording)), prose.heading)]


def _comprehension(place: Place) -> list[Step]:
    settings = place.block.settings_as(ComprehensionSettings)
    prose = _prose(place, "comprehension")
    if settings.attempts > 1 and not settings.text:
        prose = dataclasses.replace(
            prose, text=f"{prose.text} {place.wording('comprehension.attempts', count=settings.attempts)}"
        )
    asked = (prose, *questions(place.block.items, place.wording))
    correct = right_answers(place.block.items)
    step = place.step(0, asked, prose.heading)
    return [dataclasses.replace(step, correct=correct, feedback=True, attempts=settings.attempts)]


def _break(place: Place) -> list[Step]:
    settings = place.block.settings_as(PauseSettings)
    prose = _prose(place, "break")
    return [place.step(0, (prose, Pause(settings.seconds)), prose.heading)]


def _debriefing(place: Place) -> list[Step]:
    prose = _prose(place, "debriefing")
    return [place.step(0, (prose,), prose.heading)]


def _needs_items(_study: Study, block: Block) -> str:
    return faulty(block.items) if block.items else "This block asks nothing yet; add a question."


def _needs_answers(study: Study, block: Block) -> str:
    if not all(item.correct >= 0 and can_be_right(item) for item in block.items):
        return (
            "Each question of a comprehension check needs a right answer: an option of a choice, a point of a rating."
        )
    return _needs_items(study, block)


CONSENT = BlockKind(
    "consent", "Consent", "A text to agree to; a refusal ends the study without data.", ConsentSettings, _consent,
    lacks=lambda _study, block: "" if block.settings_as(ConsentSettings).text else "The consent has no text yet.",
)  # fmt: skip
DEMOGRAPHICS = BlockKind(
    "demographics", "About the participant", "Own questions on who takes part; none is preset.", TextSettings,
    _demographics, items="questions", lacks=_needs_items,
)  # fmt: skip
INSTRUCTIONS = BlockKind(
    "instructions", "Instructions", "What to do, with an example of the task that follows.", InstructionSettings,
    _instructions,
)  # fmt: skip
COMPREHENSION = BlockKind(
    "comprehension", "Comprehension check",
    "Questions on the instructions, with feedback and further tries; nobody is excluded by it.", ComprehensionSettings,
    _comprehension, items="questions with a right answer", answers=True, lacks=_needs_answers,
)  # fmt: skip
BREAK = BlockKind("break", "Break", "A rest between blocks.", PauseSettings, _break)
DEBRIEFING = BlockKind(
    "debriefing", "Debriefing", "What the study was about, at the end.", TextSettings, _debriefing, ends=True
)
