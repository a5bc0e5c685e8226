"""The database says in a sentence why it cannot be used, and serves several at once."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

from decam.errors import StoreError
from decam.runs.store.database import Database
from decam.runs.store.files import UnwritableError
from decam.runs.store.tables import SCHEMA, JudgementRow, PictureRow, RunRow


def a_row(run_id: str) -> RunRow:
    return RunRow(
        id=run_id, owner="", created=0.0, status="done", note="", instance="", version=1, model="", methods=[],
        plan="", labels=[], thumbnail=b"",
    )  # fmt: skip


def test_it_is_made_with_its_layout_a_log_and_foreign_keys(tmp_path: Path) -> None:
    database = Database(tmp_path / "deep" / "er" / "runs.sqlite")
    with database.reading() as session:
        for pragma, value in (("user_version", SCHEMA), ("journal_mode", "wal"), ("foreign_keys", 1)):
            assert session.connection().exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == value
    with pytest.raises(StoreError), database.writing() as session:
        session.add(PictureRow(run="no such run", position=0, name="a"))
    database.close()


@pytest.mark.parametrize("name", ["plain", "with space", "per%20cent", "que?ry", "ha#sh", "ümläut"])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "runs.sqlite"
    Database(path).close()
    assert path.is_file()
    Database(path, "mode=ro").close()


def test_a_block_that_raises_changes_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "runs.sqlite")

    class OopsError(Exception):
        pass

    with pytest.raises(OopsError), database.writing() as session:
        session.add(a_row("a"))
        session.flush()
        raise OopsError
    with database.reading() as session:
        assert session.get(RunRow, "a") is None
    database.close()


def test_an_older_layout_gains_what_it_lacks_and_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    database = Database(path)
    with database.writing() as session:
        session.add(a_row("a"))
    database.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE judgements")
        connection.execute("PRAGMA user_version = 1")
    looked = Database(path, "mode=ro")
    assert looked.layout == 1
    looked.close()
    grown = Database(path)
    with grown.reading() as session:
        assert session.get(RunRow, "a") is not None
        assert session.scalar(select(func.count()).select_from(JudgementRow)) == 0
        assert session.connection().exec_driver_sql("PRAGMA user_version").scalar_one() == SCHEMA
    grown.close()


def test_a_newer_layout_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    Database(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    connection.close()
    with pytest.raises(StoreError, match=r"newer decam.*update decam"):
        Database(path)


@pytest.mark.parametrize("damage", ["text", "header", "pages"])
def test_a_damaged_file_is_called_damaged(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "runs.sqlite"
    database = Database(path)
    with database.writing() as session:
        session.add_all(a_row(str(number)) for number in range(500))
    database.close()
    whole = path.read_bytes()
    if damage == "text":
        path.write_text("This is not a database. " * 100)
    elif damage == "header":
        path.write_bytes(b"\x00" * 100 + whole[100:])
    else:
        path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(StoreError, match=r"is damaged.*move it away"):
        opened = Database(path)
        try:
            with opened.reading() as session:
                session.scalars(select(RunRow)).all()
        finally:
            opened.close()


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableError, match=r"Cannot write in .*DECAM_DATA"):
        Database(tmp_path / "file" / "runs.sqlite")


def test_a_full_disk_is_a_sentence_and_the_rest_stays(tmp_path: Path) -> None:
    database = Database(tmp_path / "runs.sqlite")
    with database.writing() as session:
        session.add(a_row("before"))
    with pytest.raises(UnwritableError, match="full"), database.writing() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count = 1")
        row = a_row("large")
        row.thumbnail = bytes(1_000_000)
        session.add(row)
        session.flush()
    with database.reading() as session:
        assert session.scalars(select(RunRow.id)).all() == ["before"]
    database.close()


def test_several_may_open_and_write_a_new_file_at_once(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def write(number: int) -> None:
        try:
            database = Database(tmp_path / "runs.sqlite")
            for turn in range(10):
                with database.writing() as session:
                    count = session.scalar(select(func.count()).select_from(RunRow))
                    session.add(a_row(f"{number}-{turn}-{count}"))
            database.close()
        except BaseException as error:  # noqa: BLE001 - told to the main thread, where the test looks
            errors.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not errors
    database = Database(tmp_path / "runs.sqlite")
    with database.reading() as session:
        counts = sorted(int(name.split("-")[2]) for name in session.scalars(select(RunRow.id)))
    database.close()
    assert counts == list(range(60))
