"""A step of a participant's road: one screen, what it asks, and what the participant must not know."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from decam.studies.elements import AnswerError, Element, Json, Picture, Question

LONGEST_ANSWER = 20_000
"""Characters of the JSON text of all answers of a screen."""


class Outcome(StrEnum):
    """How a participant stands; the value is what is stored and exported."""

    TAKING_PART = "taking part"
    COMPLETED = "completed"
    NO_CONSENT = "no consent"
    ATTENTION_FAILED = "attention failed"
    LEFT = "left"


@dataclass(frozen=True)
class Step:
    """One screen of a road. `id` is "block.number", from 0, the same for everybody who has this sequence.

    `correct` has the right values by the names of the questions that have one. Where `feedback` is true, the
    participant is told; a screen answered wrongly is then shown again, up to `attempts` times in all. `ends` says, by
    a question's name and a value, with which outcome that answer ends the study. `facts` is what the analysis needs of
    a trial: its stimulus, conditions in the order shown, task. Neither is ever sent to a participant.
    """

    id: str
    block: int
    kind: str
    title: str
    elements: tuple[Element, ...]
    task: str = ""
    correct: Mapping[str, Json] = dataclasses.field(default_factory=dict)
    feedback: bool = False
    attempts: int = 1
    ends: Mapping[str, Mapping[str, Outcome]] = dataclasses.field(default_factory=dict)
    facts: Mapping[str, Json] = dataclasses.field(default_factory=dict)
    attention: bool = False

    @property
    def questions(self) -> tuple[Question, ...]:
        """What is asked, in order."""
        return tuple(element for element in self.elements if isinstance(element, Question))

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures of the screen."""
        return tuple(picture for element in self.elements for picture in element.pictures)

    def visible(self) -> dict[str, Json]:
        """As the page gets it: nothing of what is correct, of conditions or of stimuli."""
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "elements": [element.visible() for element in self.elements],
            "waits": self.waits,
        }

    @property
    def waits(self) -> bool:
        """True where the page must hear from the server before it goes on: feedback, another try, an end."""
        return self.feedback or self.attempts > 1 or bool(self.ends)

    def check(self, values: object) -> dict[str, Json]:
        """All answers as they are stored; raises AnswerError for one that is missing, impossible or not asked."""
        if not isinstance(values, Mapping) or len(json.dumps(values, default=str, ensure_ascii=False)) > LONGEST_ANSWER:
            raise AnswerError(
                f"The answers of a screen must be an object by the questions' names, of at most {LONGEST_ANSWER:,} "
                "characters."
            )
        names = [question.name for question in self.questions]
        for name in values:
            if name not in names:
                raise AnswerError(
                    f"{str(name)[:60]!r} is not asked on this screen; it asks: {', '.join(names) or '-'}."
                )
        return {question.name: question.check(values.get(question.name)) for question in self.questions}

    def right(self, answers: Mapping[str, Json]) -> bool | None:
        """True where every question that has a right answer was answered so; None where none has one."""
        if not self.correct:
            return None
        return all(answers.get(name) == value for name, value in self.correct.items())

    def final(self, answers: Mapping[str, Json], attempt: int) -> bool:
        """True where the participant goes on after this answer; `attempt` counts from 1."""
        return attempt >= self.attempts or self.right(answers) is not False

    def outcome(self, answers: Mapping[str, Json]) -> Outcome | None:
        """The outcome with which these answers end the study; None where it goes on."""
        for name, endings in self.ends.items():
            if str(answers.get(name)) in endings:
                return endings[str(answers.get(name))]
        return None
