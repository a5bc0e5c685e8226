"""From records to rows and back; a row that no decam wrote is a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from decam.runs.store.tables import Base
from decam.studies.design import Stage, Study, StudyError
from decam.studies.document import study_from_json, study_to_json
from decam.studies.responses.records import Answer, Lane, Participant, StudyRecord
from decam.studies.responses.tables import AnswerRow, ParticipantRow, StudyRow
from decam.studies.steps import Outcome

_INSERT: Mapping[str, Callable[[type[Base]], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_once(session: Session, table: type[Base], values: Mapping[str, object]) -> bool:
    """Insert a row unless a unique constraint speaks against it; True if it was inserted."""
    insert = _INSERT[session.get_bind().dialect.name]
    statement = insert(table).values(**values).on_conflict_do_nothing().returning(inspect(table).primary_key[0])
    return session.execute(statement).one_or_none() is not None


def of_lane(study: str, lane: Lane, digest: str) -> tuple[ColumnElement[bool], ...]:
    """The condition that participants are in one lane of one document of a study."""
    return (ParticipantRow.study == study, ParticipantRow.lane == str(lane), ParticipantRow.digest == digest)


def study_record(row: StudyRow, known: Study | None) -> StudyRecord:
    """A study as it is kept, read unless it is `known` by its digest; raises StudyError for a damaged row."""
    with _whole(f"The study {row.id!r}"):
        study = study_from_json(row.document) if known is None else known
        return StudyRecord(row.id, row.link, row.owner, row.created, row.changed, Stage(row.stage), study, row.digest)


def study_row(record: StudyRecord) -> StudyRow:
    """A study as a new row."""
    return StudyRow(
        id=record.id, link=record.link, owner=record.owner, created=record.created, changed=record.changed,
        stage=str(record.stage), document=study_to_json(record.study), digest=record.digest,
    )  # fmt: skip


def participant_values(participant: Participant) -> dict[str, object]:
    """A participant as columns."""
    values = dict(vars(participant))
    holds, identity = values.pop("holds"), values.pop("identity")
    return {
        **values,
        "lane": str(participant.lane),
        "outcome": str(participant.outcome),
        "parameters": dict(participant.parameters),
        "device": dict(participant.device),
        "holds": participant.sequence if holds else None,
        "identity": identity or None,
    }


def participant_of(row: ParticipantRow) -> Participant:
    """A participant from the row; raises StudyError for a damaged one."""
    with _whole(f"The participant {row.code!r}"):
        return Participant(
            code=row.code,
            study=row.study,
            lane=Lane(row.lane),
            sequence=row.sequence,
            identity=row.identity or "",
            parameters=_object(row.parameters),
            device=_object(row.device),
            outcome=Outcome(row.outcome),
            excluded=row.excluded,
            started=row.started,
            seen=row.seen,
            finished=row.finished,
            digest=row.digest,
            position=row.position,
            attempt=row.attempt,
            holds=row.holds is not None,
        )


def answer_values(answer: Answer) -> dict[str, object]:
    """An answer as columns."""
    values = dict(vars(answer))
    given, right = values.pop("values"), values.pop("right")
    return {**values, "given": dict(given), "correct": right, "events": [dict(event) for event in answer.events]}


def answer_of(row: AnswerRow) -> Answer:
    """An answer from the row; raises StudyError for a damaged one."""
    with _whole(f"An answer of the participant {row.participant!r}"):
        return Answer(
            id=row.id,
            participant=row.participant,
            step=row.step,
            attempt=row.attempt,
            values=_object(row.given),
            started=row.started,
            ended=row.ended,
            duration=row.duration,
            blurred=row.blurred,
            events=tuple(_object(event) for event in row.events),
            received=row.received,
            digest=row.digest,
            right=row.correct,
        )


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{str(value)[:40]!r} is no object")
    return value


@contextmanager
def _whole(what: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError) as error:
        raise StudyError(
            f"{what} is damaged in the database ({error!s:.80}); restore a copy, or delete it there."
        ) from error
    except StudyError as error:
        raise StudyError(f"{what} is damaged in the database: {error}") from error
