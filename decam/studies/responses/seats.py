"""Who takes part: let in once, each answer stored once, everything of somebody removed; one transaction a step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from decam.studies.design import StudyError
from decam.studies.document import study_to_json
from decam.studies.elements import Json
from decam.studies.responses.opening import Opened
from decam.studies.responses.records import (
    Answer,
    Lane,
    NoSuchParticipantError,
    NoSuchStudyError,
    Participant,
    StudyRecord,
    new_code,
)
from decam.studies.responses.rows import (
    answer_of,
    answer_values,
    insert_once,
    of_lane,
    participant_of,
    participant_values,
)
from decam.studies.responses.tables import AnswerRow, DocumentRow, ParticipantRow, StudyRow
from decam.studies.steps import Outcome

NO_KEY_UPDATE = {"key_share": True}
"""A lock against other writers of a row that lets rows be added which refer to it."""
_DAY = 86_400.0
_TRIES = 100


class NoPlaceError(StudyError):
    """A study whose places are all taken."""

    def __init__(self, places: int) -> None:
        super().__init__(f"All {places} places of this study are taken; ask whoever sent the link for another study.")


class ChangedError(StudyError):
    """A study that was changed while somebody came in."""

    def __init__(self) -> None:
        super().__init__("This study has just been changed; load its page again.")


@dataclass(frozen=True)
class Newcomer:
    """What is known of somebody who comes in, at a time in Unix seconds, and the code they will have."""

    identity: str
    parameters: Mapping[str, str]
    device: Mapping[str, Json]
    now: float
    code: str = field(default_factory=new_code)


class Turn:
    """One participant, locked until the block ends; what is changed is kept when it ends and undone where it raises."""

    def __init__(self, session: Session, row: ParticipantRow) -> None:
        self._session = session
        self._row = row

    @property
    def participant(self) -> Participant:
        """The participant as changed so far."""
        return participant_of(self._row)

    def stored(self, answer_id: str, step: str, attempt: int) -> Answer | None:
        """The answer with this id, or else the one to this try at this step; None where there is neither."""
        row = self._session.get(AnswerRow, (self._row.code, answer_id))
        if row is None:
            wanted = select(AnswerRow).where(
                AnswerRow.participant == self._row.code, AnswerRow.step == step, AnswerRow.attempt == attempt
            )
            row = self._session.scalars(wanted).one_or_none()
        return None if row is None else answer_of(row)

    def keep(self, answer: Answer) -> bool:
        """Store an answer; False where a constraint says that it is there already."""
        return insert_once(self._session, AnswerRow, answer_values(answer))

    def move(self, position: int, attempt: int, now: float) -> None:
        """Note where the participant goes on."""
        self._row.position, self._row.attempt, self._row.seen = position, attempt, now

    def end(self, outcome: Outcome, now: float) -> None:
        """Note how it ended; who completed keeps the sequence, with or without attention."""
        self._row.outcome, self._row.finished = str(outcome), now

    def wrong(self) -> set[str]:
        """The names of the steps that were answered wrongly."""
        wanted = select(AnswerRow.step).where(AnswerRow.participant == self._row.code, AnswerRow.correct.is_(False))
        return set(self._session.scalars(wanted))

    def forget(self, outcome: Outcome) -> None:
        """Keep of somebody the outcome alone: no answers, nothing of the address or the device, no hour."""
        self._session.execute(delete(AnswerRow).where(AnswerRow.participant == self._row.code))
        row = self._row
        row.identity, row.holds, row.parameters, row.device = None, None, {}, {}
        row.started = row.seen = row.finished = row.seen // _DAY * _DAY
        row.outcome, row.position, row.attempt = str(outcome), 0, 1

    def come_back(self, now: float) -> None:
        """Note that somebody is here; who had left has the sequence again where nobody else has it by now."""
        self._row.seen = now
        if self._row.outcome == Outcome.LEFT:
            self._row.outcome = str(Outcome.TAKING_PART)
            if not self._row.excluded:
                hold(self._session, self._row)


class Seats:
    """The participants of all studies, as they come and go."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def participant(self, study: str, code: str) -> Participant:
        """The participant of a study with this code; raises NoSuchParticipantError."""
        with self._opened.reading() as session:
            row = session.get(ParticipantRow, code)
            if row is None or row.study != study:
                raise NoSuchParticipantError(code)
            return participant_of(row)

    def identified(self, record: StudyRecord, lane: Lane, identity: str) -> Participant | None:
        """The participant with this identity in a lane of the study's document, if there is one."""
        with self._opened.reading() as session:
            row = _identified(session, record, lane, identity)
            return None if row is None else participant_of(row)

    def admit(
        self, record: StudyRecord, lane: Lane, newcomer: Newcomer, places: int, left: float
    ) -> tuple[Participant, bool]:
        """Let somebody in with the lowest sequence that nobody holds; false for who was there already.

        `places` is the greatest number of participants, 0 for any. Who was seen last before `left` (Unix seconds) has
        left, and gives up the sequence. Raises NoPlaceError, and ChangedError where `record` is not the newest.
        """
        with self._opened.writing() as session:
            # Whoever comes in meanwhile waits here; rows of the same study that are answered to do not.
            row = session.get(StudyRow, record.id, with_for_update=NO_KEY_UPDATE)
            if row is None:
                raise NoSuchStudyError(record.link)
            if (row.digest, row.stage) != (record.digest, record.stage):
                raise ChangedError
            known = _identified(session, record, lane, newcomer.identity) or session.get(ParticipantRow, newcomer.code)
            if known is not None:
                return participant_of(known), False
            _release(session, record, lane, left)
            values = {"study": record.id, "digest": record.digest, "document": study_to_json(record.study)}
            insert_once(session, DocumentRow, values)
            return _seated(session, record, lane, newcomer, places), True

    @contextlib.contextmanager
    def turn(self, study: str, code: str) -> Iterator[Turn]:
        """The participant of a study with this code, for one change; raises NoSuchParticipantError."""
        with self._opened.writing() as session:
            yield Turn(session, locked(session, code, study))

    def remove(self, study: str, code: str) -> None:
        """Remove a participant with all answers; raises NoSuchParticipantError."""
        with self._opened.writing() as session:
            locked(session, code, study)
            session.execute(delete(ParticipantRow).where(ParticipantRow.code == code))


def locked(session: Session, code: str, study: str = "") -> ParticipantRow:
    """The row of a participant, in any study or in one; nobody else changes it meanwhile.

    Raises NoSuchParticipantError.
    """
    row = session.get(ParticipantRow, code, with_for_update=NO_KEY_UPDATE) if code.isprintable() else None
    if row is None or study not in ("", row.study):
        raise NoSuchParticipantError(code)
    return row


def hold(session: Session, row: ParticipantRow) -> bool:
    """Let a participant hold the sequence again; False where somebody else has it by now."""
    session.flush()
    try:
        with session.begin_nested():
            row.holds = row.sequence
    except IntegrityError:
        session.refresh(row)  # the other one keeps it: two then have the same road, and both sets of answers count
        return False
    return True


def _identified(session: Session, record: StudyRecord, lane: Lane, identity: str) -> ParticipantRow | None:
    if not identity:
        return None
    wanted = select(ParticipantRow).where(*of_lane(record.id, lane, record.digest), ParticipantRow.identity == identity)
    return session.scalars(wanted).one_or_none()


def _release(session: Session, record: StudyRecord, lane: Lane, left: float) -> None:
    session.execute(
        update(ParticipantRow)
        .where(
            *of_lane(record.id, lane, record.digest),
            ParticipantRow.outcome == str(Outcome.TAKING_PART),
            ParticipantRow.seen < left,
        )
        .values(outcome=str(Outcome.LEFT), holds=None)
    )


def _seated(session: Session, record: StudyRecord, lane: Lane, newcomer: Newcomer, places: int) -> Participant:
    made = Participant(
        code=newcomer.code, study=record.id, lane=lane, sequence=0, identity=newcomer.identity,
        parameters=newcomer.parameters, device=newcomer.device, outcome=Outcome.TAKING_PART, excluded="",
        started=newcomer.now, seen=newcomer.now, finished=None, digest=record.digest,
    )  # fmt: skip
    for _ in range(_TRIES):  # somebody who comes back may take a sequence at this very moment
        if places and _held(session, record, lane) >= places:
            raise NoPlaceError(places)
        seated = replace(made, sequence=_lowest_free(session, record, lane))
        if insert_once(session, ParticipantRow, participant_values(seated)):
            return seated
    raise ChangedError


def _held(session: Session, record: StudyRecord, lane: Lane) -> int:
    counted = select(func.count(ParticipantRow.holds)).where(*of_lane(record.id, lane, record.digest))
    return session.scalar(counted) or 0


def _lowest_free(session: Session, record: StudyRecord, lane: Lane) -> int:
    wanted = select(ParticipantRow.holds).where(*of_lane(record.id, lane, record.digest))
    held = set(session.scalars(wanted.where(ParticipantRow.holds.is_not(None))))
    return next(number for number in range(len(held) + 1) if number not in held)
