"""Taking part: coming in, answering screen by screen, going out; the one road for pages, benchmarks and simulations."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from decam.lru import Lru
from decam.studies.design import Entrance, Stage, Study, StudyError
from decam.studies.elements import AnswerError, Choice, Json
from decam.studies.responses.records import (
    LANES,
    Answer,
    Lane,
    NoSuchParticipantError,
    NoSuchStudyError,
    Participant,
    StudyRecord,
    as_code,
    code_of,
    new_code,
)
from decam.studies.responses.seats import ChangedError, Newcomer, NoPlaceError, Turn
from decam.studies.responses.store import StudyStore, as_seen, left_before
from decam.studies.road import lacks, road, wording_of
from decam.studies.steps import Outcome, Step
from decam.studies.submissions import RefusedError, Submission, as_arrival, device_of, parameters_of, submission

FAILURES = 2
"""Attention checks that must be failed before somebody counts as having failed them."""
_ROADS = 256  # kept in memory: more than take part at once


@dataclass(frozen=True)
class Exit:
    """Where a participant goes at the end: to an address, with a code that is shown, or (kind "") nowhere."""

    kind: str = ""
    value: str = ""


@dataclass(frozen=True)
class Visit:
    """What the page needs when somebody comes in: all screens, and where to go on.

    `position` counts screens from 0, `attempt` from 1. `personal` is true where nothing but the code says who this is.
    """

    code: str
    language: str
    direction: str
    texts: Mapping[str, str]
    name: str
    steps: list[dict[str, Json]]
    position: int
    attempt: int
    outcome: Outcome
    exit: Exit
    resumed: bool
    personal: bool
    full_screen: bool


@dataclass(frozen=True)
class Feedback:
    """Whether a question was answered rightly, and the right answer as the participant saw it."""

    name: str
    right: bool
    correct: str


@dataclass(frozen=True)
class Reply:
    """What the page hears of an answer that is safe; `stored` is false where it had been stored before.

    `position` and `attempt` say where to go on after it.
    """

    stored: bool
    position: int
    attempt: int
    feedback: list[Feedback]
    outcome: Outcome
    exit: Exit


class Sessions:
    """The participants' side of a store. `clock` gives Unix seconds; every method may be called by several threads.

    All methods raise RefusedError for what a participant may not do, and StoreError where the database refuses.
    """

    def __init__(self, store: StudyStore, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.clock = clock
        self._roads: Lru[tuple[str, int], tuple[Step, ...]] = Lru(_ROADS)

    def enter(
        self,
        link: str,
        parameters: object,
        device: object,
        code: str = "",
        arrival: str = "",
        *,
        simulated: bool = False,
    ) -> Visit:
        """Let somebody in, or go on with what the same identity or the same code has begun.

        An identity counts more than a code: the code may be what another person left in this browser, or be deleted.
        Without either, the same `arrival` (a UUID that the browser made) is the same person, who asks again because
        the answer was lost. No limit holds `simulated` participants, who come into a lane of their own; people come
        into that of the study's stage.
        """
        record = self._record(link)
        if simulated:
            nobody = Newcomer("", {}, {}, self.clock())
            return self._visit(record, *self._admitted(record, Lane.SIMULATED, nobody, 0))
        identity, kept = parameters_of(record.study.entrance, parameters)
        arrived = code_of(record.id, as_arrival(arrival)) if arrival else ""
        coming = "" if identity else arrived  # in one browser several people may come, each with an identity
        known = self._known(record, identity, code, coming)
        if known is not None and known.outcome not in (Outcome.TAKING_PART, Outcome.LEFT):
            return self._visit(record, known)
        described = device_of(record.study.entrance, device)
        if known is not None:
            return self._resumed(record, known)
        entered = self._limits(record)
        newcomer = Newcomer(identity, kept, described, self.clock(), coming or new_code())
        return self._visit(record, *self._admitted(record, entered, newcomer, record.study.entrance.most))

    def answer(self, link: str, code: str, sent: object) -> Reply:
        """Store the answers of a screen; they are on the disk before this returns.

        The same id, or the same try at the same step, is stored once, and gets the same reply again.
        """
        given = submission(sent)
        study_id, who = self._participant(link, code)
        study, steps = self._road(study_id, who)
        now = self.clock()
        with self._turn(study_id, who.code) as turn:
            who = turn.participant
            if who.outcome is Outcome.NO_CONSENT:  # nothing of theirs is kept, late answers neither
                return _reply(study, who, steps, None)
            stored = turn.stored(given.id, given.step, given.attempt)
            if stored is not None:
                return _reply(study, who, steps, stored)
            step = _next_step(who, steps, given)
            answer = _answer(step, given, who, now)
            if not turn.keep(answer):
                raise RefusedError("order", "This answer is being stored already; load the page again.")
            turn.come_back(now)
            _go_on(turn, steps, step, answer, now)
            return _reply(study, turn.participant, steps, answer, stored=True)

    def delete(self, link: str, code: str) -> None:
        """Remove everything of a participant."""
        study_id, who = self._participant(link, code)
        with _told():
            self.store.seats.remove(study_id, who.code)

    def _record(self, link: str) -> StudyRecord:
        with _told():
            return self.store.by_link(link)

    def _participant(self, link: str, code: str) -> tuple[str, Participant]:
        with _told():
            study_id = self.store.id_of(link)
            return study_id, self.store.seats.participant(study_id, as_code(code))

    def _known(self, record: StudyRecord, identity: str, code: str, coming: str) -> Participant | None:
        """Whoever has the identity or the code, or else the code that an arrival leads to; None for somebody new."""
        if code:
            with _told():
                try:
                    by_code = self.store.seats.participant(record.id, as_code(code))
                    if not identity or by_code.identity == identity:
                        return by_code
                except NoSuchParticipantError:
                    # A browser may hold the code of deleted answers; an identity says who comes all the same.
                    if not identity:
                        raise
        lane = LANES.get(record.stage, Lane.LIVE)
        if identity or not coming:
            return self.store.seats.identified(record, lane, identity)
        with contextlib.suppress(NoSuchParticipantError):
            return self.store.seats.participant(record.id, coming)
        return None

    def _limits(self, record: StudyRecord) -> Lane:
        """The lane into which somebody new may come now."""
        if record.stage is Stage.CLOSED:
            raise RefusedError("closed", "This study is closed; nobody can begin any more.")
        if record.stage is Stage.DRAFT and lacks(record.study):
            raise RefusedError("draft", "This study has not begun yet; come back later.")
        end = record.study.entrance.end
        if end is not None and self.clock() >= end:
            raise RefusedError(
                "closed", f"This study ended on {record.study.entrance.until}; nobody can begin any more."
            )
        return LANES[record.stage]

    def _admitted(self, record: StudyRecord, lane: Lane, newcomer: Newcomer, places: int) -> tuple[Participant, bool]:
        left = left_before(record.study, newcomer.now)
        with _told():
            return self.store.seats.admit(record, lane, newcomer, places, left)

    def _resumed(self, record: StudyRecord, known: Participant) -> Visit:
        now = self.clock()
        standing = as_seen(known, left_before(record.study, now))
        if record.stage is Stage.CLOSED and standing.outcome is Outcome.LEFT:
            raise RefusedError("closed", "This study is closed, and you have been away for too long to go on.")
        with self._turn(record.id, known.code) as turn:
            turn.come_back(now)
            return self._visit(record, turn.participant)

    def _visit(self, record: StudyRecord, who: Participant, new: bool = False) -> Visit:
        study, steps = self._road(record.id, who)
        wording = wording_of(study)
        return Visit(
            code=who.code,
            language=wording.language,
            direction=wording.direction,
            texts=wording.texts,
            name=study.name,
            steps=[step.visible() for step in steps],
            position=who.position,
            attempt=who.attempt,
            outcome=who.outcome,
            exit=exit_of(study.entrance, who.outcome),
            resumed=not new,
            personal=not who.identity,
            full_screen=study.entrance.full_screen,
        )

    def _road(self, study_id: str, who: Participant) -> tuple[Study, tuple[Step, ...]]:
        """The study that somebody began with, which may have been changed since, and their screens."""
        study = self.store.document(study_id, who.digest)
        key = (who.digest, who.sequence)
        steps = self._roads.get(key)
        if steps is None:
            steps = road(study, who.sequence)
            self._roads.put(key, steps)
        return study, steps

    @contextmanager
    def _turn(self, study_id: str, code: str) -> Iterator[Turn]:
        with _told(), self.store.seats.turn(study_id, code) as turn:
            yield turn


def exit_of(entrance: Entrance, outcome: Outcome) -> Exit:
    """Where a participant goes with an outcome; failed attention has the way of the completed unless it has its own."""
    value = {
        Outcome.COMPLETED: entrance.completed,
        Outcome.NO_CONSENT: entrance.no_consent,
        Outcome.ATTENTION_FAILED: entrance.attention_failed or entrance.completed,
    }.get(outcome, "")
    value = value.strip()
    if not value:
        return Exit()
    return Exit("address" if value.lower().startswith(("https://", "http://")) else "code", value)


def _next_step(who: Participant, steps: Sequence[Step], given: Submission) -> Step:
    """The step that is answered; raises RefusedError where it is not this one's turn."""
    if who.outcome not in (Outcome.TAKING_PART, Outcome.LEFT) or who.position >= len(steps):
        raise RefusedError("order", f"This participation has ended ({who.outcome}); nothing more can be answered.")
    step = steps[who.position]
    if (given.step, given.attempt) != (step.id, who.attempt):
        raise RefusedError(
            "order",
            f"This answers the screen {given.step} (try {given.attempt}), but the next is {step.id} (try "
            f"{who.attempt}); load the page again.",
        )
    return step


def _answer(step: Step, given: Submission, who: Participant, now: float) -> Answer:
    try:
        values = step.check(given.values)
    except AnswerError as error:
        raise RefusedError("answer", str(error)) from error
    return Answer(
        id=given.id,
        participant=who.code,
        step=step.id,
        attempt=given.attempt,
        values=values,
        started=given.started,
        ended=given.ended,
        duration=given.duration,
        blurred=given.blurred,
        events=given.events,
        received=now,
        digest=who.digest,
        right=step.right(values),
    )


def _go_on(turn: Turn, steps: Sequence[Step], step: Step, answer: Answer, now: float) -> None:
    """Note what an answer leads to: the next screen, another try, or the end."""
    outcome = step.outcome(answer.values)
    if outcome is Outcome.NO_CONSENT:
        turn.forget(outcome)
        return
    position, attempt = _after(turn.participant.position, step, answer)
    turn.move(position, attempt, now)
    if outcome is not None:
        turn.end(outcome, now)
    elif position == len(steps):
        failed = turn.wrong() & {one.id for one in steps if one.attention}
        turn.end(Outcome.ATTENTION_FAILED if len(failed) >= FAILURES else Outcome.COMPLETED, now)


def _after(position: int, step: Step, answer: Answer) -> tuple[int, int]:
    """The position and the attempt after an answer to the step at a position."""
    return (position + 1, 1) if step.final(answer.values, answer.attempt) else (position, answer.attempt + 1)


def _reply(
    study: Study, who: Participant, steps: Sequence[Step], answer: Answer | None, *, stored: bool = False
) -> Reply:
    position, attempt, feedback = who.position, who.attempt, list[Feedback]()
    for place, step in enumerate(steps):
        if answer is not None and step.id == answer.step:
            position, attempt = _after(place, step, answer)
            feedback = _feedback(step, answer, final=position > place)
    return Reply(stored, position, attempt, feedback, who.outcome, exit_of(study.entrance, who.outcome))


def _feedback(step: Step, answer: Answer, *, final: bool) -> list[Feedback]:
    """What was right; the right answer is told once there is no other try."""
    if not step.feedback:
        return []
    questions = {question.name: question for question in step.questions}
    told = []
    for name, value in step.correct.items():
        question, right = questions[name], answer.values.get(name) == value
        labels = {one.value: one.label for one in question.options} if isinstance(question, Choice) else {}
        told.append(Feedback(name, right, labels.get(str(value), str(value)) if final else ""))
    return told


_REASONS: Mapping[type[StudyError], str] = {
    NoSuchStudyError: "unknown",
    NoSuchParticipantError: "code",
    NoPlaceError: "full",
    ChangedError: "changed",
}


@contextmanager
def _told() -> Iterator[None]:
    """Give what a store refuses a reason and a status."""
    try:
        yield
    except tuple(_REASONS) as error:
        raise RefusedError(_REASONS[type(error)], str(error)) from error
