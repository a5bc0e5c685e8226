"""Studies on disk: documents, participants and answers in the database of runs, frozen pictures in a folder each."""

from __future__ import annotations

import logging
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from decam.lru import Lru
from decam.runs.store.files import as_store_error
from decam.studies.design import Stage, Study, StudyError
from decam.studies.document import digest_of, study_from_json, study_to_json
from decam.studies.responses.opening import Opened
from decam.studies.responses.records import Answer, Lane, NoSuchStudyError, Participant, StudyRecord
from decam.studies.responses.rows import answer_of, participant_of, study_record, study_row
from decam.studies.responses.seats import NO_KEY_UPDATE, Seats, hold, locked
from decam.studies.responses.tables import AnswerRow, DocumentRow, ParticipantRow, StudyRow
from decam.studies.road import lacks
from decam.studies.steps import Outcome

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
NEXT: Mapping[Stage, tuple[Stage, ...]] = {
    Stage.DRAFT: (Stage.PILOT,),
    Stage.PILOT: (Stage.DRAFT, Stage.LIVE),
    Stage.LIVE: (Stage.CLOSED,),
    Stage.CLOSED: (),
}
"""Where a study can go from a stage; a live one never goes back."""
_STUDIES = 16  # documents kept in memory
_ORDER = (ParticipantRow.started, ParticipantRow.sequence, ParticipantRow.code)


class StudyStore:
    """The studies of a data directory, which several processes may share.

    Rows are in the database at `url`, by default in runs.sqlite in that directory, beside those of runs. Nothing is
    touched before it is needed. Methods raise StoreError where directory or database cannot be read or written, and
    StudyError, with one sentence, for a study that does not exist or does not allow it. `seats` are the participants
    as they come and go.
    """

    def __init__(self, directory: Path, url: str = "", clock: Callable[[], float] = time.time) -> None:
        self.directory = directory
        self._clock = clock
        self._opened = Opened(url or directory / "runs.sqlite")
        self._studies: Lru[tuple[str, str], Study] = Lru(_STUDIES)
        self.seats = Seats(self._opened)

    def add(self, study: Study, owner: str = "") -> StudyRecord:
        """Keep a new study as a draft, and make its folder."""
        now = self._clock()
        record = StudyRecord(
            secrets.token_hex(8), secrets.token_urlsafe(16), owner, now, now, Stage.DRAFT, study, digest_of(study)
        )
        self._make_folder(record.id)
        with self._opened.writing() as session:
            session.add(study_row(record))
        return record

    def save(self, study_id: str, study: Study, before: str = "") -> StudyRecord:
        """Keep a changed draft; `before` is the digest that it had when it was read, where that is known.

        Raises StudyError in any other stage, and where somebody else has changed it since.
        """
        with self._changing(study_id) as (_, row):
            if row.stage != Stage.DRAFT:
                raise StudyError(
                    f"This study is {_SAID[Stage(row.stage)]}, so nothing in it can be changed; "
                    + ("make it a draft again first." if row.stage == Stage.PILOT else "copy it to a new study.")
                )
            if before and row.digest != before:
                raise StudyError(
                    "This study was changed meanwhile, in another tab or by somebody else, so this change was not "
                    "kept. Look at the study as it is now, and make the change again."
                )
            row.document, row.digest = study_to_json(study), digest_of(study)
            return self._record(row)

    def set_stage(self, study_id: str, stage: Stage) -> StudyRecord:
        """Move a study to another stage; raises StudyError where that is no way to go, or something is missing."""
        with self._changing(study_id) as (_, row):
            current = Stage(row.stage)
            if stage == current:
                return self._record(row)
            if stage not in NEXT[current]:
                ways = " or ".join(_SAID[way] for way in NEXT[current])
                raise StudyError(
                    f"A study that is {_SAID[current]} cannot become {_SAID[stage]}; "
                    + (f"it can become {ways}." if ways else "copy it to a new study.")
                )
            record = self._record(row)
            missing = self.lacks(record) if stage.open else []
            if missing:
                raise StudyError(f"This study cannot become {_SAID[stage]} yet. {' '.join(missing)}")
            row.stage = str(stage)
            return self._record(row)

    def lacks(self, record: StudyRecord) -> list[str]:
        """What keeps a study from being taken, each in a sentence: of its design, and of its frozen pictures."""
        folder = self.folder(record.id)
        stimuli = record.study.stimuli
        named = {stimulus.image for stimulus in stimuli} | {one.image for each in stimuli for one in each.maps}
        lost = [digest for digest in named if not (folder / f"{digest}.png").is_file()]
        sentences = lacks(record.study)
        if lost:
            sentences.append(
                f"{len(lost)} of {len(named)} images are not in the study's folder; freeze its stimuli again, or "
                "restore the study with its images."
            )
        return sentences

    def delete(self, study_id: str) -> None:
        """Forget a study with all participants and answers, and remove its folder."""
        with self._changing(study_id) as (session, _):
            session.execute(delete(StudyRow).where(StudyRow.id == study_id))
        folder = self.folder(study_id)
        with as_store_error(f"remove {folder}"):
            shutil.rmtree(folder)

    def get(self, study_id: str) -> StudyRecord:
        """A study by its name to the researcher; raises NoSuchStudyError."""
        with self._opened.reading() as session:
            return self._record(_row(session, study_id))

    def by_link(self, link: str) -> StudyRecord:
        """A study by the participants' link; raises NoSuchStudyError."""
        with self._opened.reading() as session:
            return self._record(_linked(session, select(StudyRow), link))

    def recent(self, owner: str | None = None) -> list[StudyRecord]:
        """The studies of one owner or of all, the one changed last first; a damaged one is logged and left out."""
        wanted = select(StudyRow).order_by(StudyRow.changed.desc(), StudyRow.id)
        if owner is not None:
            wanted = wanted.where(StudyRow.owner == owner)
        records = []
        with self._opened.reading() as session:
            for row in session.scalars(wanted):
                try:
                    records.append(self._record(row))
                except StudyError as error:  # the others can be used all the same
                    _LOG.warning("%s", error)
        return records

    def folder(self, study_id: str) -> Path:
        """Where the frozen pictures and arrays of a study lie, named by their digests."""
        return self.directory / "studies" / study_id

    def document(self, study_id: str, digest: str) -> Study:
        """The study as it was under a digest that somebody began with, or as it is now; raises StudyError."""
        known = self._studies.get((study_id, digest))
        if known is None:
            with self._opened.reading() as session:
                kept = session.get(DocumentRow, (study_id, digest))
                row = _row(session, study_id)
                text = kept.document if kept is not None else row.document if row.digest == digest else None
            if text is None:
                raise StudyError(
                    f"The study {study_id!r} has no document {digest[:12]!r}; give a digest of its answers."
                )
            known = study_from_json(text)
            self._studies.put((study_id, digest), known)
        return known

    def id_of(self, link: str) -> str:
        """The name of a study by the participants' link, without reading its document; raises NoSuchStudyError."""
        with self._opened.reading() as session:
            return _linked(session, select(StudyRow.id), link)

    def participants(self, study_id: str, lane: Lane) -> list[Participant]:
        """All participants of a lane, in the order in which they began.

        Somebody who has not been seen for longer than the study allows counts as left.
        """
        wanted = select(ParticipantRow).where(ParticipantRow.study == study_id, ParticipantRow.lane == str(lane))
        with self._opened.reading() as session:
            row = _row(session, study_id)
            before = left_before(self._record(row).study, self._clock())
            rows = session.scalars(wanted.order_by(*_ORDER)).all()
            return [as_seen(participant_of(row), before) for row in rows]

    def answers(self, study_id: str, lane: Lane) -> list[Answer]:
        """All answers of a lane, participant by participant, each in the order in which they came."""
        wanted = (
            select(AnswerRow)
            .join(ParticipantRow, ParticipantRow.code == AnswerRow.participant)
            .where(ParticipantRow.study == study_id, ParticipantRow.lane == str(lane))
            .order_by(*_ORDER, AnswerRow.received, AnswerRow.started)
        )
        with self._opened.reading() as session:
            _row(session, study_id)
            return [answer_of(row) for row in session.scalars(wanted)]

    def exclude(self, code: str, reason: str) -> None:
        """Mark a participant as excluded, for a reason in words, and free the sequence; the answers stay."""
        if not reason.strip():
            raise StudyError("An exclusion needs a reason; write one in a few words.")
        with self._opened.writing() as session:
            row = locked(session, code)
            row.excluded, row.holds = reason.strip(), None

    def include(self, code: str) -> bool:
        """Undo an exclusion; False where somebody else has the sequence by now, which both then keep."""
        with self._opened.writing() as session:
            row = locked(session, code)
            row.excluded = ""
            kept = Outcome(row.outcome) not in (Outcome.LEFT, Outcome.NO_CONSENT)
            return hold(session, row) if kept else False

    def clear(self, study_id: str, lane: Lane) -> int:
        """Remove all rehearsed or simulated participants with their answers; how many. Raises StudyError for people."""
        if lane not in (Lane.REHEARSAL, Lane.SIMULATED):
            raise StudyError(
                f"Answers of people ({lane}) are not removed at once; delete the study, or one participant."
            )
        with self._opened.writing() as session:
            _row(session, study_id)
            wanted = delete(ParticipantRow).where(ParticipantRow.study == study_id, ParticipantRow.lane == str(lane))
            return len(session.execute(wanted.returning(ParticipantRow.code)).all())

    @contextmanager
    def moment(self, study_id: str) -> Iterator[tuple[Session, StudyRecord]]:
        """A session in which all rows are of one moment, with the study's record; raises NoSuchStudyError."""
        with self._opened.reading() as session:
            yield session, self._record(_row(session, study_id))

    @contextmanager
    def restoring(self, record: StudyRecord) -> Iterator[Session]:
        """A session for writing a study that is not there; raises StudyError where its name or link is."""
        with self._opened.writing() as session:
            same = select(StudyRow.id).where((StudyRow.id == record.id) | (StudyRow.link == record.link))
            if session.scalars(same).first() is not None:
                raise StudyError("This study is here already; delete it first, or keep what is there.")
            yield session

    def close(self) -> None:
        """Let go of the database."""
        self._opened.close()

    def _record(self, row: StudyRow) -> StudyRecord:
        known = self._studies.get((row.id, row.digest))
        record = study_record(row, known)
        if known is None:
            self._studies.put((row.id, row.digest), record.study)
        return record

    def _make_folder(self, study_id: str) -> None:
        folder = self.folder(study_id)
        with as_store_error(f"write in {folder}"):
            folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def _changing(self, study_id: str) -> Iterator[tuple[Session, StudyRow]]:
        with self._opened.writing() as session:
            row = _row(session, study_id, lock=True)
            row.changed = max(row.changed, self._clock())
            yield session, row


_SAID: Mapping[Stage, str] = {
    Stage.DRAFT: "a draft", Stage.PILOT: "a pilot", Stage.LIVE: "live", Stage.CLOSED: "closed",
}  # fmt: skip


def left_before(study: Study, now: float) -> float:
    """The time, in Unix seconds, since which a participant must have been seen to count as taking part."""
    return now - 3600.0 * study.entrance.left_after


def as_seen(participant: Participant, before: float) -> Participant:
    """A participant as they stand: left, where taking part and last seen before a time."""
    if participant.outcome is Outcome.TAKING_PART and participant.seen < before:
        return Participant(**{**vars(participant), "outcome": Outcome.LEFT})
    return participant


def _row(session: Session, study_id: str, *, lock: bool = False) -> StudyRow:
    locking = NO_KEY_UPDATE if lock else None
    row = session.get(StudyRow, study_id, with_for_update=locking) if study_id.isprintable() else None
    if row is None:
        raise NoSuchStudyError(study_id)
    return row


def _linked(session: Session, wanted: Select[T], link: str) -> T:
    """What is wanted of the study with a participants' link; raises NoSuchStudyError."""
    # A link comes from an address bar; what cannot be printed, not every database can be asked.
    found = session.scalars(wanted.where(StudyRow.link == link)).one_or_none() if link.isprintable() else None
    if found is None:
        raise NoSuchStudyError(link)
    return found
