"""Studies are kept with their stages, and what is damaged, newer or missing is said in a sentence."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from decam.errors import StoreError
from decam.runs.store.migrations import HEAD
from decam.studies.design import Stage, StudyError
from decam.studies.document import digest_of
from decam.studies.responses import Lane, NoSuchParticipantError, NoSuchStudyError, StudyStore
from decam.studies.sessions import Sessions
from decam.studies.steps import Outcome
from tests.studies.studies import study, whole
from tests.studies.taking_part import DEVICE, Clock, at_once, opened, sent, small, steps_of, take


@pytest.mark.slow
def test_a_study_comes_back_as_it_was_kept(store: StudyStore, tmp_path: Path, url: str) -> None:
    record = store.add(whole(), "ann")
    assert record.digest == digest_of(whole())
    assert record.stage is Stage.DRAFT
    assert len(record.link) >= 22
    assert record.id not in record.link
    assert store.folder(record.id).is_dir()
    again = StudyStore(tmp_path / "data", url)
    assert again.get(record.id) == again.by_link(record.link) == record
    again.close()


@pytest.mark.slow
def test_studies_are_listed_by_owner_with_the_one_changed_last_first(store: StudyStore, clock: Clock) -> None:
    records = []
    for owner in ("ann", "bob", "ann"):
        clock.now += 60
        records.append(store.add(small(), owner))
    clock.now += 60
    store.save(records[0].id, small(most=3))
    assert [one.id for one in store.recent()] == [records[place].id for place in (0, 2, 1)]
    assert [one.id for one in store.recent("ann")] == [records[place].id for place in (0, 2)]
    assert store.recent("") == []


@pytest.mark.slow
@pytest.mark.parametrize("before", Stage)
@pytest.mark.parametrize("after", Stage)
def test_stages_follow_each_other_and_a_live_study_never_goes_back(
    store: StudyStore, before: Stage, after: Stage
) -> None:
    record = opened(store, small(), before)
    allowed = {
        (Stage.DRAFT, Stage.PILOT), (Stage.PILOT, Stage.LIVE), (Stage.PILOT, Stage.DRAFT), (Stage.LIVE, Stage.CLOSED),
    }  # fmt: skip
    if (before, after) in allowed or before == after:
        assert store.set_stage(record.id, after).stage is after
    else:
        with pytest.raises(StudyError, match=r"cannot become (a )?\w+; (it can become|copy it)"):
            store.set_stage(record.id, after)
        assert store.get(record.id).stage is before


@pytest.mark.slow
@pytest.mark.parametrize("stage", Stage)
def test_only_a_draft_is_changed(store: StudyStore, stage: Stage) -> None:
    record = opened(store, small(), stage)
    if stage is Stage.DRAFT:
        changed = store.save(record.id, small(most=9))
        assert changed.study.entrance.most == 9
        assert store.get(record.id) == changed
        assert changed.digest != record.digest
    else:
        with pytest.raises(StudyError, match=r"make it a draft again first|copy it to a new study"):
            store.save(record.id, small(most=9))
        assert store.get(record.id).study == record.study


@pytest.mark.slow
def test_a_change_of_what_somebody_else_has_changed_since_is_refused(store: StudyStore) -> None:
    read = opened(store, small(), Stage.DRAFT)
    theirs = store.save(read.id, small(most=7), read.digest)
    with pytest.raises(StudyError, match="was changed meanwhile"):
        store.save(read.id, small(most=9), read.digest)
    assert store.get(read.id) == theirs
    assert store.save(read.id, small(most=9), theirs.digest).study.entrance.most == 9


@pytest.mark.slow
def test_a_study_that_lacks_something_stays_a_draft(store: StudyStore) -> None:
    for made, sentence in (
        (study(), "asks about no map yet"),
        (small(), "12 of 12 images are not in the study's folder|images are not in"),
        (small(until="soon"), "must be a date such as 2027-01-31"),
    ):
        record = store.add(made)
        with pytest.raises(StudyError, match=sentence):
            store.set_stage(record.id, Stage.PILOT)
        assert store.get(record.id).stage is Stage.DRAFT


@pytest.mark.slow
def test_a_deleted_study_leaves_no_row_and_no_file(sessions: Sessions, store: StudyStore) -> None:
    kept, record = opened(store, small()), opened(store, small())
    for each in (kept, record):
        take(sessions, each, 0, sessions.enter(each.link, {}, DEVICE).code, upto=2)
    store.delete(record.id)
    assert not store.folder(record.id).exists()
    for act in (store.get, store.delete, lambda name: store.answers(name, Lane.LIVE)):
        with pytest.raises(NoSuchStudyError, match="no study"):
            act(record.id)
    assert len(store.answers(kept.id, Lane.LIVE)) == 2
    with pytest.raises(NoSuchStudyError):
        store.get("\ud800")


def rows(store: StudyStore, url: str, statement: str, **values: object) -> list[object]:
    """What the database itself says, past the store."""
    engine = create_engine(url or f"sqlite:///{store.directory}/runs.sqlite")
    with engine.begin() as connection:
        result = connection.execute(text(statement), values)
        found = list(result.scalars()) if result.returns_rows else []
    engine.dispose()
    return found


@pytest.mark.slow
def test_deletion_removes_rows_and_the_rows_below_them(sessions: Sessions, store: StudyStore, url: str) -> None:
    record = opened(store, small())
    codes = [sessions.enter(record.link, {}, DEVICE).code for _ in range(2)]
    for number, code in enumerate(codes):
        take(sessions, record, number, code, upto=2)
    sessions.delete(record.link, codes[0])
    assert rows(store, url, "SELECT count(*) FROM participants") == [1]
    assert rows(store, url, "SELECT count(*) FROM answers") == [2]
    store.delete(record.id)
    for table in ("studies", "study_documents", "participants", "answers"):
        assert rows(store, url, f"SELECT count(*) FROM {table}") == [0]


@pytest.mark.slow
def test_no_table_has_a_column_for_addresses(store: StudyStore, sessions: Sessions, url: str) -> None:
    record = opened(store, small())
    sessions.enter(record.link, {"ip": "127.0.0.1"}, {**DEVICE, "ip": "127.0.0.1"})
    kept = rows(store, url, "SELECT parameters FROM participants") + rows(store, url, "SELECT device FROM participants")
    assert "127.0.0.1" not in json.dumps(kept)


@pytest.mark.slow
def test_constraints_and_not_checks_keep_things_once(sessions: Sessions, store: StudyStore, url: str) -> None:
    record = opened(store, small())
    codes = [sessions.enter(record.link, {"PROLIFIC_PID": name}, DEVICE).code for name in "ab"]
    take(sessions, record, 0, codes[0], upto=1)
    for statement in (
        "UPDATE participants SET holds = 0 WHERE code = :code",
        "UPDATE participants SET identity = 'a' WHERE code = :code",
        "UPDATE participants SET study = 'nowhere' WHERE code = :code",
        "INSERT INTO answers SELECT participant, 'other-id', step, attempt, given, started, ended, duration, blurred, "
        "events, received, digest, correct FROM answers",
        "INSERT INTO answers SELECT participant, id, step, 2, given, started, ended, duration, blurred, events, "
        "received, digest, correct FROM answers",
    ):
        with pytest.raises(Exception, match=r"(?i)unique|foreign"):
            if url:
                rows(store, url, statement, code=codes[1])
            else:
                with sqlite3.connect(store.directory / "runs.sqlite") as connection:
                    connection.execute("PRAGMA foreign_keys = ON")
                    connection.execute(statement, {"code": codes[1]} if ":code" in statement else {})
    assert len(store.answers(record.id, Lane.LIVE)) == 1


@pytest.mark.slow
def test_exclusions_have_reasons_and_can_be_undone(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small())
    code = sessions.enter(record.link, {}, DEVICE).code
    store.exclude(code, "  too fast ")
    (who,) = store.participants(record.id, Lane.LIVE)
    assert (who.excluded, who.holds) == ("too fast", False)
    assert take(sessions, record, 0, code)[-1].outcome is Outcome.COMPLETED  # an exclusion stops nobody
    assert store.include(code)
    (who,) = store.participants(record.id, Lane.LIVE)
    assert (who.excluded, who.holds) == ("", True)
    with pytest.raises(StudyError, match="needs a reason"):
        store.exclude(code, " ")
    for act in (lambda: store.exclude("nobody", "x"), lambda: store.include("\x00")):
        with pytest.raises(NoSuchParticipantError):
            act()


@pytest.mark.slow
def test_who_has_not_been_seen_for_too_long_counts_as_left(sessions: Sessions, store: StudyStore, clock: Clock) -> None:
    record = opened(store, small(left_after=5))
    sessions.enter(record.link, {}, DEVICE)
    clock.now += 5 * 3600
    assert store.participants(record.id, Lane.LIVE)[0].outcome is Outcome.TAKING_PART
    clock.now += 1
    assert store.participants(record.id, Lane.LIVE)[0].outcome is Outcome.LEFT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("studies", "document", "{"),
        ("studies", "document", "{}"),
        ("studies", "stage", "someday"),
        ("participants", "lane", "LIVE?"),
        ("participants", "outcome", "gone"),
        ("participants", "device", "[]"),
        ("answers", "given", "7"),
        ("answers", "events", "[7]"),
    ],
)
def test_a_damaged_row_is_a_sentence(
    tmp_path: Path, url: str, sessions: Sessions, store: StudyStore, table: str, column: str, value: str
) -> None:
    record, other = opened(store, small(), owner="ann"), opened(store, small(), owner="bob")
    code = sessions.enter(record.link, {}, DEVICE).code
    take(sessions, record, 0, code, upto=1)
    where = "id = :id" if table == "studies" else "TRUE"
    rows(store, url, f"UPDATE {table} SET {column} = :value WHERE {where}", value=value, id=record.id)
    again = StudyStore(tmp_path / "data", url)
    if column == "lane":
        assert again.participants(record.id, Lane.LIVE) == []
    with pytest.raises(StudyError, match=r"damaged in the database|no JSON"):
        if table == "studies":
            again.get(record.id)
        elif table == "participants":
            again.seats.participant(record.id, code)
        else:
            again.answers(record.id, Lane.LIVE)
    names = [one.id for one in again.recent()]
    assert other.id in names
    assert (record.id in names) == (table != "studies")
    again.close()


@pytest.mark.slow
def test_what_is_no_json_in_a_row_is_a_sentence(sessions: Sessions, store: StudyStore, url: str) -> None:
    if url:
        pytest.skip("PostgreSQL takes nothing but JSON in such a column")
    record = opened(store, small())
    take(sessions, record, 0, sessions.enter(record.link, {}, DEVICE).code, upto=1)
    rows(store, url, "UPDATE answers SET given = :value", value="{ damaged")
    with pytest.raises(StudyError, match="damaged in the database"):
        store.answers(record.id, Lane.LIVE)


@pytest.mark.slow
def test_a_newer_database_is_refused_and_left(store: StudyStore, url: str, tmp_path: Path) -> None:
    store.add(small())
    rows(store, url, "UPDATE alembic_version SET version_num = '99'")
    newer = StudyStore(tmp_path / "data", url)
    with pytest.raises(StoreError, match=r"newer decam \(99"):
        newer.recent()
    rows(store, url, f"UPDATE alembic_version SET version_num = '{HEAD}'")
    assert len(newer.recent()) == 1
    newer.close()


def test_nothing_is_touched_before_it_is_needed(tmp_path: Path) -> None:
    StudyStore(tmp_path / "nowhere").close()
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.slow
def test_a_study_and_a_run_may_share_a_directory_and_be_opened_in_any_order(tmp_path: Path) -> None:
    from decam.runs.store import Store

    runs, studies = Store(tmp_path), StudyStore(tmp_path)
    assert runs.recent() == []
    record = studies.add(small())
    assert Store(tmp_path).recent() == []
    assert studies.get(record.id) == record
    runs.close()
    studies.close()


@pytest.mark.slow
def test_two_stores_of_one_place_let_everybody_in_once(
    store: StudyStore, sessions: Sessions, tmp_path: Path, url: str, clock: Clock
) -> None:
    """As two server processes have it."""
    record = opened(store, small())
    other = StudyStore(tmp_path / "data", url, clock)
    both = [sessions, Sessions(other, clock)]
    at_once(8, lambda number: both[number % 2].enter(record.link, {"PROLIFIC_PID": str(number // 2)}, DEVICE))
    kept = store.participants(record.id, Lane.LIVE)
    assert sorted(one.identity for one in kept) == list("0123")
    assert sorted(one.sequence for one in kept) == [0, 1, 2, 3]
    same = sent(steps_of(record.study, kept[0].sequence)[0])
    got = at_once(6, lambda number: both[number % 2].answer(record.link, kept[0].code, same))
    assert sorted(reply.stored for reply in got) == [False] * 5 + [True]  # type: ignore[attr-defined]
    other.close()


@pytest.mark.slow
def test_a_study_that_is_changed_while_somebody_comes_in_asks_them_to_come_again(
    store: StudyStore, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = opened(store, small(), Stage.DRAFT)
    monkeypatch.setattr(store, "by_link", lambda _link: record)
    store.save(record.id, dataclasses.replace(record.study, name="Another"))
    with pytest.raises(StudyError, match="just been changed; load its page again"):
        sessions.enter(record.link, {}, DEVICE)
    assert store.participants(record.id, Lane.REHEARSAL) == []
