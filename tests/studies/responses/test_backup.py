"""Everything of a study is in one file, and comes back from it as it was."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from decam.studies.design import Stage, StudyError
from decam.studies.document import study_from_json
from decam.studies.responses import Lane, NoSuchStudyError, StudyRecord, StudyStore
from decam.studies.responses.backup import everything, restore
from decam.studies.sessions import Sessions
from decam.studies.simulated import simulate
from tests.studies.taking_part import DEVICE, opened, sent, small, steps_of, take


@pytest.fixture
def record(sessions: Sessions, store: StudyStore) -> StudyRecord:
    """A study with participants of three lanes and two documents, one of them half way, one excluded."""
    made = opened(store, small(), Stage.PILOT, "ann")
    first = sessions.enter(made.link, {"PROLIFIC_PID": "ü1", "STUDY_ID": "s"}, DEVICE).code
    take(sessions, made, 0, first)
    store.exclude(first, "looked away")
    store.set_stage(made.id, Stage.DRAFT)
    store.save(made.id, small(most=5))
    made = store.set_stage(store.set_stage(made.id, Stage.PILOT).id, Stage.LIVE)
    half = sessions.enter(made.link, {}, DEVICE).code
    take(sessions, made, 0, half, upto=2)
    list(simulate(sessions, made, "random", 1))
    return made


@pytest.fixture
def elsewhere(tmp_path: Path) -> StudyStore:
    """Another data directory, whose rows are in a file."""
    return StudyStore(tmp_path / "elsewhere")


@pytest.mark.slow
def test_what_comes_back_is_what_was_there(
    sessions: Sessions, store: StudyStore, elsewhere: StudyStore, record: StudyRecord
) -> None:
    restored = restore(elsewhere, everything(store, record.id))
    assert restored == elsewhere.get(record.id) == elsewhere.by_link(record.link) == record
    for lane in Lane:
        assert elsewhere.answers(record.id, lane) == store.answers(record.id, lane)
        kept = [vars(one) for one in store.participants(record.id, lane)]
        assert [{**vars(one), "outcome": kept[at]["outcome"]} for at, one in
                enumerate(elsewhere.participants(record.id, lane))] == kept  # fmt: skip
    assert [len(store.participants(record.id, lane)) for lane in Lane] == [0, 1, 1, 1]
    files = sorted(path.name for path in store.folder(record.id).iterdir())
    assert sorted(path.name for path in elsewhere.folder(record.id).iterdir()) == files
    (half,) = elsewhere.participants(record.id, Lane.LIVE)
    reply = Sessions(elsewhere, sessions.clock).answer(record.link, half.code, sent(steps_of(record.study)[2]))
    assert (reply.stored, reply.position) == (True, 3)
    elsewhere.close()


def test_the_file_can_be_read_without_decam(store: StudyStore, record: StudyRecord) -> None:
    with zipfile.ZipFile(io.BytesIO(everything(store, record.id))) as archive:
        assert archive.testzip() is None
        lines = {name: archive.read(f"{name}.jsonl").decode().splitlines() for name in ("participants", "answers")}
        assert [len(rows) for rows in lines.values()] == [3, 12]
        assert {json.loads(line)["lane"] for line in lines["participants"]} == {"pilot", "live", "simulated"}
        assert '"identity": "ü1"' in "".join(lines["participants"])
        assert study_from_json(archive.read("study.json")) == record.study
        documents = [name for name in archive.namelist() if name.startswith("documents/")]
        assert len(documents) == 2
        pictures = [name for name in archive.namelist() if name.startswith("files/")]
        assert len(pictures) == len(list(store.folder(record.id).iterdir()))
        for name in pictures:
            assert hashlib.sha256(archive.read(name)).hexdigest() == Path(name).stem


@pytest.mark.slow
def test_a_study_that_is_there_is_left_as_it_is(store: StudyStore, record: StudyRecord) -> None:
    content = everything(store, record.id)
    store.exclude(store.participants(record.id, Lane.LIVE)[0].code, "later")
    with pytest.raises(StudyError, match="is here already"):
        restore(store, content)
    assert store.participants(record.id, Lane.LIVE)[0].excluded == "later"
    assert store.lacks(record) == []
    store.delete(record.id)
    assert restore(store, content) == record
    assert store.participants(record.id, Lane.LIVE)[0].excluded == ""
    with pytest.raises(NoSuchStudyError):
        everything(store, "nowhere")


def rewritten(content: bytes, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(buffer, "w") as after:
        for name in before.namelist():
            changed = change(name, before.read(name))
            if changed is not None:
                after.writestr(*changed)
    return buffer.getvalue()


def replaced(file: str, old: str, new: str) -> Callable[[str, bytes], tuple[str, bytes]]:
    return lambda name, data: (name, data.replace(old.encode(), new.encode()) if name == file else data)


def without(start: str) -> Callable[[str, bytes], tuple[str, bytes] | None]:
    return lambda name, data: None if name.startswith(start) else (name, data)


@pytest.mark.slow
def test_what_is_no_whole_backup_is_refused_and_leaves_nothing(
    store: StudyStore, elsewhere: StudyStore, record: StudyRecord
) -> None:
    content = everything(store, record.id)
    changes = {
        "has no document": without("documents/"),
        "'record.json'": without("record.json"),
        "'answers.jsonl'": without("answers.jsonl"),
        "has no participant": lambda name, data: (name, b"" if name == "participants.jsonl" else data),
        r"line \d of participants.*Lane": replaced("participants.jsonl", '"lane": "pilot"', '"lane": "other"'),
        r"line \d of participants.*count": replaced("participants.jsonl", '"sequence": 0', '"sequence": "0"'),
        "line 1 of answers.*too much or too little": replaced("answers.jsonl", '"blurred"', '"blurry"'),
        "line 1 of answers.*number": replaced("answers.jsonl", '"blurred": 0.0', '"blurred": null'),
        "whole backup.*two rows of answers": lambda name, data: (name, data * 2 if name == "answers.jsonl" else data),
        "does not belong": replaced("record.json", record.digest, "0" * 64),
        "decam study backup": replaced("record.json", '"version": 1', '"version": 2'),
        "record.json is not": lambda name, data: (name, b"[]" if name == "record.json" else data),
        "is not what it was": lambda name, data: (name, data + b"!" if name.startswith("files/") else data),
        "record.json|valid": replaced("record.json", record.id, "../../../etc"),
    }  # fmt: skip
    for sentence, change in changes.items():
        with pytest.raises(StudyError, match=sentence):
            restore(elsewhere, rewritten(content, change))
        assert elsewhere.recent() == []
        assert not list((elsewhere.directory / "studies").glob("*/*"))
    for damaged in (b"", b"no zip", content[: len(content) // 2]):
        with pytest.raises(StudyError, match="no whole backup"):
            restore(elsewhere, damaged)
    elsewhere.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["record.json", "answers.jsonl", "files/"])
def test_a_backup_with_a_damaged_or_locked_entry_is_refused(
    store: StudyStore, elsewhere: StudyStore, record: StudyRecord, name: str
) -> None:
    content = everything(store, record.id)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entry = next(one for one in archive.infolist() if one.filename.startswith(name))
    extra = int.from_bytes(content[entry.header_offset + 28 : entry.header_offset + 30], "little")
    start = entry.header_offset + 30 + len(entry.filename) + extra
    middle = content[:start] + bytes(255 - byte for byte in content[start : start + 8]) + content[start + 8 :]
    flags = content.index(entry.filename.encode(), content.index(b"PK\x01\x02")) - 46 + 8
    locked = content[:flags] + b"\x01" + content[flags + 1 :]
    for damaged in (middle, locked):
        with pytest.raises(StudyError, match=r"no whole backup|cannot be read"):
            restore(elsewhere, damaged)
        assert elsewhere.recent() == []
        assert not list((elsewhere.directory / "studies").glob("*/*"))
    elsewhere.close()


def test_a_picture_that_was_changed_on_the_disk_is_not_backed_up(store: StudyStore, record: StudyRecord) -> None:
    next(store.folder(record.id).iterdir()).write_bytes(b"other")
    with pytest.raises(StudyError, match="was changed or is damaged"):
        everything(store, record.id)


@pytest.mark.slow
def test_files_that_are_no_frozen_pictures_are_not_unpacked(
    store: StudyStore, elsewhere: StudyStore, record: StudyRecord
) -> None:
    buffer = io.BytesIO(everything(store, record.id))
    with zipfile.ZipFile(buffer, "a") as archive:
        for name in ("files/../../evil.png", "/tmp/evil.png", "files/evil.sh", f"files/{'a' * 64}.png.exe"):
            archive.writestr(name, b"evil")
    restore(elsewhere, buffer.getvalue())
    assert not [path for path in elsewhere.directory.rglob("*") if path.is_file() and path.read_bytes() == b"evil"]
    elsewhere.close()


def test_a_backup_that_would_fill_the_disk_is_refused(
    elsewhere: StudyStore, monkeypatch: pytest.MonkeyPatch, store: StudyStore, record: StudyRecord
) -> None:
    monkeypatch.setattr("decam.studies.responses.backup.LARGEST", 1000)
    with pytest.raises(StudyError, match="larger than"):
        restore(elsewhere, everything(store, record.id))
