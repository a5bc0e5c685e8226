"""Databases of every layout are brought to today's once, whoever opens them first; newer ones are left alone."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, func, select

from decam.errors import StoreError
from decam.experiments.plan_json import plan_from_json
from decam.runs.store import migrations
from decam.runs.store.database import Database
from decam.runs.store.engines import LAYOUT
from decam.runs.store.tables import Base, MeasurementRow, PredictionRow, RunRow
from decam.studies.responses import tables as _studies  # noqa: F401 - its tables are in the same database
from tests.tools.postgresql import PostgreSQL

ROOT = Path(__file__).resolve().parents[3]
OLD = ROOT / "tests" / "data" / "first_version" / "directory" / "runs.sqlite"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database that the first version wrote."""
    return Path(shutil.copy(OLD, tmp_path / "runs.sqlite"))


@pytest.mark.slow
def test_from_nothing_they_make_the_tables_of_today(tmp_path: Path, url: str) -> None:
    where = url or f"sqlite:///{tmp_path}/runs.sqlite"
    Database(where).close()
    engine = create_engine(where)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


@pytest.mark.slow
def test_from_the_first_version_they_make_the_tables_of_today(old: Path) -> None:
    Database(old).close()
    engine = create_engine(f"sqlite:///{old}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        assert connection.exec_driver_sql("PRAGMA user_version").scalar_one() == LAYOUT > 2, "the first refuses it"
    engine.dispose()


def test_runs_of_earlier_layouts_have_no_name_and_none_is_deleted(old: Path) -> None:
    database = Database(old)
    with database.reading() as session:
        found = session.execute(select(RunRow.name, RunRow.remark, RunRow.deleted)).all()
    database.close()
    assert [tuple(row) for row in found] == [("", "", None)] * 2


def test_measurements_of_the_first_version_have_the_keys_that_its_plans_have_today(old: Path) -> None:
    database = Database(old)
    with database.reading() as session:
        plans = {row.id: plan_from_json(row.plan) for row in session.scalars(select(RunRow))}
        rows = session.scalars(select(MeasurementRow)).all()
    database.close()
    assert rows
    for row in rows:
        choices = {choice.key: choice for choice in plans[row.run].metrics}
        assert choices[row.choice].name == row.metric
        assert bool(row.curve) == (row.metric in ("deletion", "insertion"))


@pytest.mark.parametrize("options", ["mode=ro", ""])
def test_measurements_and_questions_of_the_layout_before_costs_were_counted_cost_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str
) -> None:
    path = tmp_path / "runs.sqlite"
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "HEAD", "5")
        Database(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("5",)
        connection.execute("INSERT INTO predictions (run, question, guesses) VALUES ('a', 0, '[[1, 0.5]]')")
        connection.execute(
            "INSERT INTO measurements (run, question, method, choice, metric, value, note, failed, parts, curve) "
            "VALUES ('a', 0, 0, 'deletion-1', 'deletion', 0.25, '', 0, '[]', '')"
        )
    connection.close()
    database = Database(path, options)
    with database.reading() as session:
        (measured,) = session.scalars(select(MeasurementRow))
        (predicted,) = session.scalars(select(PredictionRow))
        assert (measured.value, measured.evaluations, measured.reused) == (0.25, 0, False)
        assert (predicted.guesses, predicted.further) == ([[1, 0.5]], 0)
    database.close()


def test_keys_are_those_that_were_released() -> None:
    """Written out, so that neither the migration nor the plans' keys can change unseen."""
    from decam.experiments.plan import MetricChoice

    settings = {"fill": "mean", "steps": 5}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
    assert MetricChoice.default("deletion", **settings).key == f"deletion-{digest}" == "deletion-1f42b88a"


@pytest.mark.slow
def test_the_first_of_the_first_versions_layouts_had_no_judgements(old: Path) -> None:
    with sqlite3.connect(old) as connection:
        connection.execute("DROP TABLE judgements")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    for options in ("mode=ro", ""):
        database = Database(old, options)
        with database.reading() as session:
            assert session.scalar(select(func.count()).select_from(RunRow)) == 2
            metrics = set(session.scalars(select(MeasurementRow.metric)))
        database.close()
        assert metrics == {"deletion", "insertion"}


def test_an_older_file_that_may_only_be_read_is_read_and_left_as_it_is(old: Path) -> None:
    before = old.read_bytes()
    database = Database(old, "mode=ro&immutable=1")
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(MeasurementRow)) == 36
    database.close()
    assert old.read_bytes() == before


@pytest.mark.parametrize("newer", ["revision", "layout"])
def test_a_newer_file_is_refused_and_left_byte_for_byte(tmp_path: Path, newer: str) -> None:
    path = tmp_path / "runs.sqlite"
    Database(path).close()
    with sqlite3.connect(path) as connection:
        if newer == "revision":
            connection.execute("UPDATE alembic_version SET version_num = '99'")
        else:
            connection.execute("DROP TABLE alembic_version")
            connection.execute("PRAGMA user_version = 99")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    before = path.read_bytes()
    for options in ("", "mode=ro"):
        with pytest.raises(StoreError, match=r"written by a newer decam \(.*99.*update decam"):
            Database(path, options)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_a_newer_database_of_a_server_is_refused_and_left_as_it_is(postgresql: PostgreSQL) -> None:
    url = postgresql.make_database()
    postgresql.execute("CREATE TABLE alembic_version (version_num varchar(32))", url.rpartition("/")[2])
    postgresql.execute("INSERT INTO alembic_version VALUES ('99')", url.rpartition("/")[2])
    with pytest.raises(StoreError, match="written by a newer decam"):
        Database(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        tables = connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").all()
        assert tables == [("alembic_version",)]
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").all() == [("99",)]
    engine.dispose()


@pytest.mark.slow
def test_one_that_fails_half_way_leaves_the_old_tables(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dump(old)

    def upgrade(connection: object) -> None:
        usual(connection)  # type: ignore[arg-type]  # passed on as it came
        raise sqlite3.OperationalError("database or disk is full")

    usual = migrations.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "upgrade", upgrade)
        with pytest.raises(StoreError, match="full"):
            Database(old)
    assert dump(old) == before
    Database(old).close()


def dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return [*connection.iterdump(), str(connection.execute("PRAGMA user_version").fetchone())]
    finally:
        connection.close()


PROGRAM = """
import sys
from collections.abc import Iterator
from pathlib import Path
from decam.runs.store import migrations
from decam.runs.store.database import Database

usual, done = migrations.upgrade, []

def upgrade(connection):
    before = migrations.revision_of(connection)
    usual(connection)
    done.append(before)

migrations.upgrade = upgrade
print("ready", flush=True)
for line in sys.stdin:
    done.clear()
    place = line.strip()
    Database(place if "://" in place else Path(place)).close()
    print([before for before in done if before != migrations.HEAD], flush=True)
"""


@pytest.fixture(scope="module")
def openers() -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes that open a database for each line they are told, and say what layout they migrated."""
    pipe = subprocess.PIPE
    asked = [sys.executable, "-c", PROGRAM]
    started = [subprocess.Popen(asked, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) for _ in range(2)]
    for process in started:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    yield started
    for process in started:
        process.communicate(timeout=120)
        assert process.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["old file", "new file", "new database of a server"])
def test_of_two_processes_that_open_a_place_at_once_one_migrates_and_the_other_waits(
    kind: str, tmp_path: Path, openers: list[subprocess.Popen[str]], request: pytest.FixtureRequest
) -> None:
    if kind == "new database of a server":
        server: PostgreSQL = request.getfixturevalue("postgresql")
        place = server.make_database()
    else:
        place = str(request.getfixturevalue("old") if kind == "old file" else tmp_path / "runs.sqlite")
    for process in openers:
        assert process.stdin is not None
        process.stdin.write(f"{place}\n")
        process.stdin.flush()
    answers = [process.stdout.readline().strip() for process in openers if process.stdout is not None]
    assert sorted(answers) == sorted(["[]", "['1']" if kind == "old file" else "[None]"])
