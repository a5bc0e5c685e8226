"""The tables of studies: their documents, who takes part, and what is answered; they lie beside those of runs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Double, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from decam.runs.store.tables import Base


class StudyRow(Base):
    """A study as the researcher has it now. `created` and `changed` are Unix times."""

    __tablename__ = "studies"
    __table_args__ = (UniqueConstraint("link", name="studies_by_link"), Index("studies_by_owner", "owner", "changed"))

    id: Mapped[str] = mapped_column(primary_key=True)
    link: Mapped[str]
    owner: Mapped[str]
    created: Mapped[float] = mapped_column(Double)
    changed: Mapped[float] = mapped_column(Double)
    stage: Mapped[str]
    document: Mapped[str]
    digest: Mapped[str]


class DocumentRow(Base):
    """A document that somebody began with; the study may have been changed since, what was answered has not."""

    __tablename__ = "study_documents"

    study: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    document: Mapped[str]


class ParticipantRow(Base):
    """Somebody who takes part, by the personal code.

    `holds` is the sequence while nobody else may have it, and empty once it is free again. `position` counts the steps
    that are done, `attempt` the next try at the following one, from 1.
    """

    __tablename__ = "participants"
    __table_args__ = (
        ForeignKeyConstraint(
            ["study", "digest"], ["study_documents.study", "study_documents.digest"], ondelete="CASCADE"
        ),
        UniqueConstraint("study", "lane", "digest", "holds", name="one_participant_a_sequence"),
        UniqueConstraint("study", "lane", "digest", "identity", name="one_participant_an_identity"),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    study: Mapped[str]
    digest: Mapped[str]
    lane: Mapped[str]
    sequence: Mapped[int]
    holds: Mapped[int | None]
    identity: Mapped[str | None]
    parameters: Mapped[dict[str, str]] = mapped_column(JSON)
    device: Mapped[dict[str, Any]] = mapped_column(JSON)
    outcome: Mapped[str]
    excluded: Mapped[str]
    position: Mapped[int]
    attempt: Mapped[int]
    started: Mapped[float] = mapped_column(Double)
    seen: Mapped[float] = mapped_column(Double)
    finished: Mapped[float | None] = mapped_column(Double)


class AnswerRow(Base):
    """All answers of one screen, one try; `given` holds them by the questions' names."""

    __tablename__ = "answers"
    __table_args__ = (UniqueConstraint("participant", "step", "attempt", name="one_answer_an_attempt"),)

    participant: Mapped[str] = mapped_column(ForeignKey("participants.code", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[str]
    attempt: Mapped[int]
    given: Mapped[dict[str, Any]] = mapped_column(JSON)
    started: Mapped[float] = mapped_column(Double)
    ended: Mapped[float] = mapped_column(Double)
    duration: Mapped[float] = mapped_column(Double)
    blurred: Mapped[float] = mapped_column(Double)
    events: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    received: Mapped[float] = mapped_column(Double)
    digest: Mapped[str]
    correct: Mapped[bool | None]
