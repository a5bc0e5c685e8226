"""Answers as a tidy table: one row an answer, with the columns of reVISit and jsPsych, and a codebook of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from decam.export.tables import csv_bytes
from decam.studies.design import Study
from decam.studies.elements import Choice, Json, Question, Ranking
from decam.studies.responses import Answer, Participant, StudyRecord
from decam.studies.road import road
from decam.studies.steps import Step


@dataclass(frozen=True)
class Given:
    """One answer to one question, with everything known of where and by whom it was given.

    `order` is the place of the screen on the participant's road, from 0; `flags` are the titles of the rules of
    exclusion that the participant broke.
    """

    participant: Participant
    step: Step
    order: int
    question: Question
    answer: Answer
    flags: tuple[str, ...] = ()

    @property
    def value(self) -> Json:
        """The answer itself."""
        return self.answer.values.get(self.question.name)

    @property
    def right(self) -> bool | None:
        """True where the answer is the right one; None where the question has none."""
        name = self.question.name
        return None if name not in self.step.correct else bool(self.value == self.step.correct[name])

    @property
    def conditions(self) -> tuple[str, ...]:
        """The keys of the conditions shown, in the order shown."""
        keys = self.step.facts.get("conditions", [])
        return tuple(map(str, keys)) if isinstance(keys, list) else ()

    @property
    def chosen(self) -> tuple[str, ...]:
        """The conditions that the answer stands for, the best first; none where options are no conditions."""
        question, shown = self.question, self.conditions
        if not isinstance(question, Choice) or len(shown) < 2:
            return ()
        wanted = self.value if isinstance(question, Ranking) and isinstance(self.value, list) else [self.value]
        places = [question.values.index(str(one)) for one in wanted if one in question.values]
        return tuple(shown[place] for place in places if place < len(shown))


@dataclass(frozen=True)
class Column:
    """A column of the table: its name, the type of its values, what it says, and how it is read."""

    name: str
    kind: str
    says: str
    read: Callable[[Given], object]


def _plain(value: Json) -> object:
    """Texts and numbers as they are; lists and objects as JSON."""
    return (
        json.dumps(value, ensure_ascii=False)
        if isinstance(value, list | dict | bool)
        else ""
        if value is None
        else value
    )


def _yes(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


COLUMNS: tuple[Column, ...] = (
    Column(
        "participantId",
        "string",
        "A code of the participant that nothing else is called by.",
        lambda one: public_id(one.participant),
    ),
    Column(
        "lane",
        "string",
        "Whether the answer is of a rehearsal, the pilot, the study, or simulated.",
        lambda one: str(one.participant.lane),
    ),
    Column(
        "sequence",
        "integer",
        "The sequence of stimuli and conditions that the participant had, from 0.",
        lambda one: one.participant.sequence,
    ),
    Column(
        "trialId",
        "string",
        "The screen: the block's place and the screen's place in it, both from 0.",
        lambda one: one.step.id,
    ),
    Column(
        "trialOrder", "integer", "The place of the screen on the participant's road, from 0.", lambda one: one.order
    ),
    Column("block", "string", "The kind of block.", lambda one: one.step.kind),
    Column("task", "string", "The task of a trial; empty elsewhere.", lambda one: one.step.task),
    Column(
        "stimulus",
        "string",
        "The stimulus of a trial, by its key in study.json.",
        lambda one: one.step.facts.get("stimulus", ""),
    ),
    Column(
        "condition",
        "string",
        "The conditions shown, from left to right, separated by |.",
        lambda one: "|".join(one.conditions),
    ),
    Column(
        "catch",
        "boolean",
        "True where the same map is shown twice, or the screen checks attention.",
        lambda one: _yes(bool(one.step.facts.get("repeat")) or one.step.attention),
    ),
    Column("responseId", "string", "The question on the screen.", lambda one: one.question.name),
    Column("attempt", "integer", "Which try this is, from 1.", lambda one: one.answer.attempt),
    Column("answer", "string", "The answer; a list or an object as JSON.", lambda one: _plain(one.value)),
    Column(
        "answerCondition",
        "string",
        "The conditions that the answer stands for, the best first, separated by |.",
        lambda one: "|".join(one.chosen),
    ),
    Column(
        "correctAnswer",
        "string",
        "The right answer, where there is one.",
        lambda one: _plain(one.step.correct.get(one.question.name)),
    ),
    Column("correct", "boolean", "Whether this answer is right, where one is.", lambda one: _yes(one.right)),
    Column(
        "duration",
        "number",
        "Milliseconds from the frame that showed the screen to the answer.",
        lambda one: one.answer.duration,
    ),
    Column(
        "cleanedDuration",
        "number",
        "The same without the time in which the window was hidden or not in focus.",
        lambda one: max(one.answer.duration - one.answer.blurred, 0),
    ),
    Column(
        "startTime",
        "integer",
        "When the screen was shown: Unix time in milliseconds, by the participant's clock.",
        lambda one: one.answer.started,
    ),
    Column(
        "endTime",
        "integer",
        "When the answer was given: Unix time in milliseconds, by the participant's clock.",
        lambda one: one.answer.ended,
    ),
    Column(
        "windowEvents",
        "string",
        "What happened to the window meanwhile, as JSON: blur, focus, size, full screen.",
        lambda one: _plain([dict(event) for event in one.answer.events]),
    ),
    Column("status", "string", "How the participant's taking part ended.", lambda one: str(one.participant.outcome)),
    Column(
        "rejectReason",
        "string",
        "Why the researcher excluded the participant, and which rules flag them, separated by ;.",
        lambda one: "; ".join(filter(None, (one.participant.excluded, *one.flags))),
    ),
    Column(
        "configHash",
        "string",
        "SHA-256 of the study's document at the time of the answer.",
        lambda one: one.answer.digest,
    ),
)


def public_id(participant: Participant) -> str:
    """What the tables call a participant: a name made from the personal code, from which the code cannot be told."""
    return hashlib.sha256(f"decam participant {participant.code}".encode()).hexdigest()[:12]


def given(
    record: StudyRecord,
    participants: Sequence[Participant],
    answers: Sequence[Answer],
    flags: Mapping[str, tuple[str, ...]] | None = None,
    documents: Mapping[str, Study] | None = None,
) -> Iterator[Given]:
    """All answers of a study's participants, one participant after another, in the order of their roads.

    `flags` has the titles of broken rules by the participants' codes. `documents` are earlier versions of the study by
    their digests: whoever took part in one, as in a pilot, is read by it.
    """
    by_participant: dict[str, list[Answer]] = {}
    for answer in answers:
        by_participant.setdefault(answer.participant, []).append(answer)
    for participant in participants:
        steps = road((documents or {}).get(participant.digest, record.study), participant.sequence)
        places = {step.id: place for place, step in enumerate(steps)}
        theirs = [one for one in by_participant.get(participant.code, []) if one.step in places]
        for answer in sorted(theirs, key=lambda one: (places[one.step], one.attempt)):
            step = steps[places[answer.step]]
            for question in step.questions:
                if question.name in answer.values:
                    raised = (flags or {}).get(participant.code, ())
                    yield Given(participant, step, places[answer.step], question, answer, raised)


def answers_csv(rows: Sequence[Given]) -> bytes:
    """The tidy table in UTF-8; a text that a spreadsheet would take for a formula has an apostrophe before it."""
    return csv_bytes([column.name for column in COLUMNS], ([column.read(row) for column in COLUMNS] for row in rows))


def codebook_csv() -> bytes:
    """What each column of the tidy table says."""
    return csv_bytes(("column", "type", "meaning"), ((column.name, column.kind, column.says) for column in COLUMNS))


def participants_csv(participants: Sequence[Participant], flags: Mapping[str, tuple[str, ...]] | None = None) -> bytes:
    """One line a participant: how far, which parameters came in, which window, which flags."""
    names = sorted({name for one in participants for name in one.parameters})
    device = sorted({name for one in participants for name in one.device})
    head = ("participantId", "lane", "sequence", "status", "excluded", "flags", "identity", "started", "finished")
    rows = (
        (
            *(public_id(one), str(one.lane), one.sequence, str(one.outcome), one.excluded),
            "; ".join((flags or {}).get(one.code, ())),
            *(one.identity, _when(one.started), _when(one.finished)),
            *(one.parameters.get(name, "") for name in names),
            *(_plain(one.device.get(name)) for name in device),
        )
        for one in participants
    )
    return csv_bytes((*head, *names, *device), rows)


def _when(seconds: float | None) -> object:
    return "" if seconds is None else round(seconds * 1000)
