"""The database says in a sentence why it cannot be used, and serves several at once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

from decam.errors import StoreError
from decam.runs.store.database import Database
from decam.runs.store.engines import LAYOUT
from decam.runs.store.files import UnwritableError
from decam.runs.store.tables import PictureRow, RunRow
from tests.tools.postgresql import PostgreSQL


def a_row(run_id: str) -> RunRow:
    return RunRow(
        id=run_id, kind="comparison", owner="", created=0.0, status="done", note="", instance="", version=1, model="",
        facts=[], methods=[], plan="", labels=[], thumbnail=b"",
    )  # fmt: skip


def test_it_is_made_with_its_layout_a_log_and_foreign_keys(tmp_path: Path) -> None:
    database = Database(tmp_path / "deep" / "er" / "runs.sqlite")
    with database.reading() as session:
        for pragma, value in (("user_version", LAYOUT), ("journal_mode", "wal"), ("foreign_keys", 1)):
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


@pytest.fixture
def place(tmp_path: Path, url: str) -> Path | str:
    return url or tmp_path / "runs.sqlite"


def test_a_block_that_raises_changes_nothing(place: Path | str) -> None:
    database = Database(place)

    class OopsError(Exception):
        pass

    with pytest.raises(OopsError), database.writing() as session:
        session.add(a_row("a"))
        session.flush()
        raise OopsError
    with database.reading() as session:
        assert session.get(RunRow, "a") is None
    database.close()


@pytest.mark.slow
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


@pytest.mark.slow
def test_several_may_open_and_write_a_new_database_at_once(place: Path | str) -> None:
    errors: list[BaseException] = []

    def write(number: int) -> None:
        try:
            database = Database(place)
            for turn in range(10):
                with database.writing_alone() as session:
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
    database = Database(place)
    with database.reading() as session:
        counts = sorted(int(name.split("-")[2]) for name in session.scalars(select(RunRow.id)))
    database.close()
    assert counts == list(range(60))


def test_a_reader_sees_one_moment_while_others_write(place: Path | str) -> None:
    database = Database(place)
    with database.reading() as session:
        assert session.scalars(select(RunRow.id)).all() == []
        with database.writing() as other:
            other.add(a_row("later"))
        assert session.scalars(select(RunRow.id)).all() == []
    with database.reading() as session:
        assert session.scalars(select(RunRow.id)).all() == ["later"]
    database.close()


def test_a_url_of_sqlite_is_a_file(tmp_path: Path) -> None:
    Database(f"sqlite:///{tmp_path}/elsewhere.sqlite").close()
    assert (tmp_path / "elsewhere.sqlite").is_file()


@pytest.mark.parametrize("where", ["mysql://ann:secret@host/runs", "sqlite://", "sqlite:///:memory:", "runs.sqlite"])
def test_a_place_where_runs_cannot_be_kept_is_a_sentence_without_the_password(where: str) -> None:
    with pytest.raises(StoreError, match=r"set DECAM_DATABASE_URL to sqlite:///FILE or postgresql") as caught:
        Database(where)
    assert "secret" not in str(caught.value)


def test_without_the_driver_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decam.runs.store.engines.find_spec", lambda _: None)
    with pytest.raises(StoreError, match=r"install decam\[postgresql\]"):
        Database("postgresql+psycopg://ann@127.0.0.1/runs")


@pytest.mark.slow
def test_a_server_that_refuses_says_so_in_a_sentence(postgresql: PostgreSQL) -> None:
    url = postgresql.make_database()
    closed = url.replace(f":{postgresql.port}/", ":1/")
    for where, sentence in (
        (closed, r"cannot be reached .*refused.*start the server"),
        (postgresql.url("nowhere"), r"no database 'nowhere'.*createdb"),
        (postgresql.url("postgres", "wrong"), "refuses the user or the password"),
        (url.replace("127.0.0.1", "nowhere.invalid"), "cannot be reached"),
    ):
        with pytest.raises(UnwritableError, match=sentence) as caught:
            Database(where)
        assert "decam:***@" in str(caught.value)


@pytest.mark.slow
def test_a_database_that_may_only_be_read_can_be_read_and_says_so(postgresql: PostgreSQL) -> None:
    url = postgresql.make_database()
    Database(url).close()
    postgresql.execute(f'ALTER DATABASE "{url.rpartition("/")[2]}" SET default_transaction_read_only = on')
    database = Database(url)
    with database.reading() as session:
        assert session.scalars(select(RunRow.id)).all() == []
    with pytest.raises(UnwritableError, match="may only be read"), database.writing() as session:
        session.add(a_row("a"))
    database.close()


@pytest.mark.slow
def test_a_lock_that_another_process_keeps_too_long_is_a_sentence(
    place: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("decam.runs.store.engines.BUSY_SECONDS", 0.2)
    first, second = Database(place), Database(place)
    with (
        first.writing_alone() as session,
        pytest.raises(StoreError, match="in use by another process for too long; try again"),
        second.writing_alone(),
    ):
        session.add(a_row("a"))
    first.close()
    second.close()
