"""Everything of a study as one ZIP file, and a study from such a file; no tool of a database is needed.

The file holds study.json, record.json, a document for each digest that somebody began with, participants.jsonl and
answers.jsonl (a row a line), and the frozen pictures and arrays. All rows are of one moment.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import IO, Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from decam.files import json_text
from decam.runs.store.files import as_store_error
from decam.studies import frozen
from decam.studies.archive import DAMAGED, FILES, keep
from decam.studies.design import Stage, StudyError
from decam.studies.document import digest_of, study_from_json, study_to_json
from decam.studies.elements import Json
from decam.studies.responses.records import Answer, Lane, Participant, StudyRecord, as_code, plain
from decam.studies.responses.rows import (
    answer_of,
    answer_values,
    insert_once,
    participant_of,
    participant_values,
    study_row,
)
from decam.studies.responses.store import StudyStore
from decam.studies.responses.tables import AnswerRow, DocumentRow, ParticipantRow
from decam.studies.steps import Outcome

SCHEMA, VERSION = "decam study backup", 1
LARGEST = 2**31
"""Bytes that the content of a backup may have."""
_FROZEN = re.compile(FILES + r"([0-9a-f]{64}\.(?:png|npz))")
_DOCUMENT = re.compile(r"documents/([0-9a-f]{64})\.json")
_NAME = re.compile(r"[A-Za-z0-9_-]{8,64}")
T = TypeVar("T")


def everything(store: StudyStore, study_id: str) -> bytes:
    """All of a study as the bytes of a ZIP file; raises StudyError for an unknown one or a changed file."""
    buffer = io.BytesIO()
    with store.moment(study_id) as (session, record), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        facts = {
            "schema": SCHEMA, "version": VERSION, "id": record.id, "link": record.link, "owner": record.owner,
            "created": record.created, "changed": record.changed, "stage": str(record.stage), "digest": record.digest,
        }  # fmt: skip
        archive.writestr("record.json", json_text(facts))
        archive.writestr("study.json", study_to_json(record.study))
        for row in session.scalars(select(DocumentRow).where(DocumentRow.study == study_id)):
            archive.writestr(f"documents/{row.digest}.json", row.document)
        _write_lines(archive, "participants.jsonl", _participants(session, study_id))
        _write_lines(archive, "answers.jsonl", _answers(session, study_id))
        for path in sorted(store.folder(study_id).glob("*")):
            if _FROZEN.fullmatch(FILES + path.name):
                archive.writestr(
                    FILES + path.name, frozen.read(path.parent, path.stem, path.suffix), zipfile.ZIP_STORED
                )
    return buffer.getvalue()


def restore(store: StudyStore, content: bytes) -> StudyRecord:
    """Keep the study of a backup with all participants, answers and frozen files, under the same link.

    Raises StudyError for what is no such file or is damaged, and where the study is there already.
    """
    with _whole():
        archive = zipfile.ZipFile(io.BytesIO(content))
        kept = _kept(archive)
    record = kept.record
    with store.restoring(record) as session, _files_of(store, record.id, archive):
        session.add(study_row(record))
        session.flush()
        _insert(session, DocumentRow, (_of_document(record.id, *item) for item in kept.documents.items()))
        _insert(session, ParticipantRow, map(participant_values, kept.participants))
        _insert(session, AnswerRow, map(answer_values, kept.answers))
    return record


@dataclass(frozen=True)
class _Kept:
    """What a backup holds beside the frozen files; `documents` are texts by their digests."""

    record: StudyRecord
    documents: Mapping[str, str]
    participants: Sequence[Participant]
    answers: Sequence[Answer]


def _kept(archive: zipfile.ZipFile) -> _Kept:
    if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
        raise StudyError(f"This backup is larger than {LARGEST // 2**30} GiB; copy the data directory instead.")
    record = _record(archive)
    documents = {
        found[1]: archive.read(name).decode() for name in archive.namelist() if (found := _DOCUMENT.fullmatch(name))
    }
    for digest, document in documents.items():
        if digest_of(study_from_json(document)) != digest:
            raise ValueError(f"the document {digest[:12]} is not what its name says")
    participants = list(_lines(archive, "participants.jsonl", _participant))
    answers = list(_lines(archive, "answers.jsonl", _answer))
    known = {who.code for who in participants}
    if any(who.digest not in documents or who.study != record.id for who in participants):
        raise ValueError("a participant has no document")
    if any(answer.participant not in known for answer in answers):
        raise ValueError("an answer has no participant")
    return _Kept(record, documents, participants, answers)


@contextlib.contextmanager
def _whole() -> Iterator[None]:
    """Say of what cannot be read that it is no whole backup."""
    try:
        yield
    except (KeyError, TypeError, ValueError, *DAMAGED) as error:
        raise _no_backup(str(error)) from error


def _no_backup(reason: str) -> StudyError:
    return StudyError(f"This is no whole backup of a study ({reason[:120]}); give the file of Download backup.")


def _record(archive: zipfile.ZipFile) -> StudyRecord:
    facts = json.loads(archive.read("record.json"))
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA or facts.get("version") != VERSION:
        raise ValueError(f"its record.json is not of {SCHEMA!r}, version {VERSION}")
    study = study_from_json(archive.read("study.json"))
    names = facts["id"], facts["link"], facts["digest"]
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names) or digest_of(study) != names[2]:
        raise ValueError("its record.json does not belong to its study.json")
    return StudyRecord(
        id=facts["id"],
        link=facts["link"],
        owner=_text(facts["owner"]),
        created=float(facts["created"]),
        changed=float(facts["changed"]),
        stage=Stage(facts["stage"]),
        study=study,
        digest=facts["digest"],
    )


def _participants(session: Session, study_id: str) -> Iterator[Participant]:
    wanted = select(ParticipantRow).where(ParticipantRow.study == study_id)
    for row in session.scalars(wanted.order_by(ParticipantRow.started, ParticipantRow.code)):
        yield participant_of(row)


def _answers(session: Session, study_id: str) -> Iterator[Answer]:
    wanted = select(AnswerRow).join(ParticipantRow, ParticipantRow.code == AnswerRow.participant)
    ordered = wanted.where(ParticipantRow.study == study_id).order_by(AnswerRow.participant, AnswerRow.received)
    for row in session.scalars(ordered):
        yield answer_of(row)


def _write_lines(archive: zipfile.ZipFile, name: str, records: Iterable[object]) -> None:
    # Given the time itself: an entry that is opened for writing would otherwise be of 1980.
    entry = zipfile.ZipInfo(name, time.localtime()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(entry, "w", force_zip64=True) as file:
        for record in records:
            file.write(json.dumps(vars(record), ensure_ascii=False, allow_nan=False).encode() + b"\n")


def _lines(archive: zipfile.ZipFile, name: str, read: Any) -> Iterator[Any]:
    with archive.open(name) as file:
        yield from _read_lines(file, name, read)


def _read_lines(file: IO[bytes], name: str, read: Any) -> Iterator[Any]:
    for number, line in enumerate(file, start=1):
        try:
            entries = plain(json.loads(line))
            if not isinstance(entries, dict):
                raise TypeError("no object")
            yield read(entries)
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"line {number} of {name}: {error!s:.80}") from error


def _participant(entries: Mapping[str, Any]) -> Participant:
    who = Participant(
        **{
            **_named(Participant, entries),
            "lane": Lane(entries["lane"]),
            "outcome": Outcome(entries["outcome"]),
        }
    )
    texts = (who.code, who.study, who.identity, who.excluded, who.digest)
    whole = (who.sequence, who.position, who.attempt)
    if as_code(who.code) != who.code or not all(isinstance(text, str) for text in texts):
        raise ValueError("a code or a text is none")
    if not all(type(number) is int and 0 <= number < 2**31 for number in whole) or type(who.holds) is not bool:
        raise ValueError("a count is none")
    if not all(isinstance(each, dict) for each in (who.parameters, who.device)):
        raise ValueError("parameters and device must be objects")
    _times(who.started, who.seen, 0.0 if who.finished is None else who.finished)
    return who


def _answer(entries: Mapping[str, Any]) -> Answer:
    answer = Answer(**{**_named(Answer, entries), "events": tuple(entries["events"])})
    texts = (answer.id, answer.participant, answer.step, answer.digest)
    if not all(isinstance(text, str) for text in texts) or type(answer.attempt) is not int:
        raise ValueError("a text or an attempt is none")
    if not isinstance(answer.values, dict) or not all(isinstance(event, dict) for event in answer.events):
        raise ValueError("values and events must be objects")
    if answer.right not in (None, True, False):
        raise ValueError("right must be true, false or null")
    _times(answer.started, answer.ended, answer.duration, answer.blurred, answer.received)
    return answer


def _named(kind: type[T], entries: Mapping[str, Json]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # both kinds are dataclasses
    if set(entries) != names:
        raise ValueError(f"it has {', '.join(sorted(set(entries) ^ names))} too much or too little")
    return dict(entries)


def _times(*numbers: object) -> None:
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
        raise ValueError("a time must be a number")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} is no text")
    return value


def _of_document(study_id: str, digest: str, document: str) -> dict[str, object]:
    return {"study": study_id, "digest": digest, "document": document}


def _insert(session: Session, table: type[Any], rows: Iterable[Mapping[str, object]]) -> None:
    for values in rows:
        if not insert_once(session, table, values):
            raise _no_backup(f"two rows of {table.__tablename__} are of the same thing")


@contextlib.contextmanager
def _files_of(store: StudyStore, study_id: str, archive: zipfile.ZipFile) -> Iterator[None]:
    """Write the frozen files, and remove them again where the block raises."""
    folder = store.folder(study_id)
    try:
        with as_store_error(f"write in {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
        for name in archive.namelist():
            if found := _FROZEN.fullmatch(name):
                keep(archive, found[1], folder)
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # the first error is the one to report
        raise
