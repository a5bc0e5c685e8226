"""What differs between the databases that rows may live in: how they are opened, locked, and how they refuse."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool, StaticPool

from decam.errors import StoreError
from decam.runs.store.files import UnwritableError, as_store_error

BUSY_SECONDS = 20.0
CONNECT_SECONDS = 10
LAYOUT = 3  # what the first version, whose layouts were 1 and 2, reads as "newer"
_ATTEMPTS = 40
_LOCK = 0x6465_6361_6D  # any number that no other program locks on the same server


class Server(Protocol):
    """A kind of database, at one place."""

    def engine(self) -> Engine:
        """An engine; nothing is connected before it is needed."""

    def ready(self, engine: Engine) -> None:
        """Prepare a database whose layout is known not to be newer."""

    def exclusively(self, engine: Engine) -> contextlib.AbstractContextManager[Connection]:
        """A transaction that may rebuild tables, one at a time among all processes."""

    def lock(self, connection: Connection) -> None:
        """Let no other process into such a transaction until this one has ended."""

    def refusal(self, error: Exception) -> StoreError:
        """What an error of the driver means, in a sentence."""

    def __str__(self) -> str:
        """The place as sentences name it, without a password."""


def server_at(where: Path | str, options: str = "") -> Server:
    """The database at a path or a URL.

    A URL begins with sqlite:/// or postgresql+psycopg://. Raises StoreError for any other, and where the driver of
    PostgreSQL is not installed.
    """
    if isinstance(where, Path):
        return SQLite(where, options)
    try:
        url = make_url(where)
    except ArgumentError as error:
        raise _not_a_place("DECAM_DATABASE_URL is no URL of a database") from error
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return SQLite(Path(url.database).expanduser(), options)
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise _not_a_place(f"Runs cannot be kept in {shown}")
    if find_spec("psycopg") is None:
        raise StoreError(f"{shown} needs the driver of PostgreSQL, which is not here: install decam[postgresql].")
    return PostgreSQL(url.set(drivername="postgresql+psycopg"))


def file_at(where: Path | str) -> Path | None:
    """The SQLite file at a path or a URL, None for a server; raises StoreError as `server_at` does."""
    server = server_at(where)
    return server.path if isinstance(server, SQLite) else None


def _not_a_place(beginning: str) -> StoreError:
    return StoreError(
        f"{beginning}; set DECAM_DATABASE_URL to sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE."
    )


@dataclass(frozen=True)
class SQLite:
    """A file. With `options` ("mode=ro", "immutable=1") it is only looked at."""

    path: Path
    options: str = ""

    def __str__(self) -> str:
        return str(self.path)

    def engine(self) -> Engine:
        """An engine whose transactions begin where `_begun` says; the folder is made where it is missing."""
        if not self.options:
            with as_store_error(f"write in {self.path.parent}"):
                self.path.parent.mkdir(parents=True, exist_ok=True)
        address = f"{self.path.absolute().as_uri()}?{self.options}"
        engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, check_same_thread=False),
            poolclass=QueuePool,
        )
        return _listening(engine)

    def copied(self, engine: Engine) -> Engine:
        """An engine on a copy in memory, for an older file that must not be written."""
        source, copy = engine.raw_connection(), sqlite3.connect(":memory:", check_same_thread=False)
        try:
            sqlite: Any = source.driver_connection
            sqlite.backup(copy)
        finally:
            source.close()
        return _listening(create_engine("sqlite://", creator=lambda: copy, poolclass=StaticPool))

    def ready(self, engine: Engine) -> None:
        """Let readers and a writer work at once; the file remembers it. The switch itself does not wait for a lock."""
        connection = engine.raw_connection()
        try:
            for attempt in range(_ATTEMPTS):
                try:
                    connection.cursor().execute("PRAGMA journal_mode = WAL")
                    return
                except sqlite3.OperationalError as error:
                    if "locked" not in str(error) or attempt == _ATTEMPTS - 1:
                        raise
                    time.sleep(0.05)
        finally:
            connection.close()

    @contextlib.contextmanager
    def exclusively(self, engine: Engine) -> Iterator[Connection]:
        """A write transaction without foreign keys: a table that is rebuilt is dropped, and would take rows with it."""
        with engine.connect().execution_options(immediate=True) as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys = OFF")  # has no effect once a transaction has begun
            try:
                with connection.begin():
                    yield connection
                    connection.exec_driver_sql(f"PRAGMA user_version = {LAYOUT}")
            finally:
                driver.execute("PRAGMA foreign_keys = ON")

    def lock(self, connection: Connection) -> None:
        """Nothing: a write transaction has the file for itself."""

    def refusal(self, error: Exception) -> StoreError:
        """The sentence for what SQLite says."""
        reason = str(error)
        if "locked" in reason or "busy" in reason:
            return StoreError(f"{self} has been in use by another process for too long; try again.")
        if "malformed" in reason or "not a database" in reason:
            return StoreError(
                f"{self} is damaged ({reason}); move it away to begin a new list of runs, or restore a copy."
            )
        return UnwritableError(
            f"Cannot use {self}: {reason}. Make room or allow writing there, or set DECAM_DATA to another folder."
        )


@dataclass(frozen=True)
class PostgreSQL:
    """A database of a PostgreSQL server."""

    url: URL

    def __str__(self) -> str:
        return self.url.render_as_string(hide_password=True)

    def engine(self) -> Engine:
        """An engine that gives up on a server and on a lock after a while, and survives a restart of the server."""
        waiting = {"connect_timeout": CONNECT_SECONDS, "options": f"-c lock_timeout={round(BUSY_SECONDS * 1000)}"}
        return create_engine(self.url, pool_pre_ping=True, connect_args=waiting)

    def ready(self, engine: Engine) -> None:
        """Nothing: readers and writers never wait for each other."""

    @contextlib.contextmanager
    def exclusively(self, engine: Engine) -> Iterator[Connection]:
        """A transaction with a lock that belongs to it alone."""
        with engine.begin() as connection:
            self.lock(connection)
            yield connection

    def lock(self, connection: Connection) -> None:
        """Take the lock that says so; the server lets go of it when the transaction ends."""
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})

    def refusal(self, error: Exception) -> StoreError:
        """The sentence for what the server or its driver says."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = (lines or [type(error).__name__])[0]
        state = getattr(error, "sqlstate", None)  # None while the driver is still connecting
        if state == "55P03":
            return StoreError(f"{self} has been in use by another process for too long; try again.")
        if state == "28P01" or (state is None and "password" in reason):
            return UnwritableError(f"{self} refuses the user or the password; correct DECAM_DATABASE_URL.")
        if state == "3D000" or (state is None and "database" in reason and "does not exist" in reason):
            return UnwritableError(
                f"The server has no database {self.url.database!r} ({self}); make it with `createdb`, or correct "
                "DECAM_DATABASE_URL."
            )
        if state in ("25006", "42501"):
            return UnwritableError(f"{self} may only be read ({reason}); allow this user to write there.")
        if state is None or state.startswith(("08", "57")):
            return UnwritableError(
                f"{self} cannot be reached ({reason}); start the server or correct DECAM_DATABASE_URL."
            )
        return UnwritableError(f"Cannot use {self}: {reason}. Ask whoever keeps the server.")


def _listening(engine: Engine) -> Engine:
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begun)
    return engine


def _connected(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where _begun says, not where the driver guesses
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")


def _begun(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
