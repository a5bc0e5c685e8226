"""The SQLite file: opened once, shared by threads and processes, its refusals told in sentences."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from decam.errors import StoreError
from decam.runs.store.files import UnwritableError, told
from decam.runs.store.tables import Base

SCHEMA = 3
BUSY_SECONDS = 20.0
_ATTEMPTS = 40


class Database:
    """An open database; raises StoreError where the file is damaged, too new or not to be written.

    Readers begin plainly and see one moment throughout; writers take the write lock at once, so that two of them wait
    for each other instead of failing half way. With `options` ("mode=ro", "immutable=1") the file is only looked at.
    """

    def __init__(self, path: Path, options: str = "") -> None:
        self.path = path
        self.layout = SCHEMA
        if not options:
            with told(f"write in {path.parent}"):
                path.parent.mkdir(parents=True, exist_ok=True)
        address = f"{path.absolute().as_uri()}?{options}"
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, check_same_thread=False),
            poolclass=QueuePool,
        )
        event.listen(self._engine, "connect", _connected)
        event.listen(self._engine, "begin", _begun)
        self._writer = self._engine.execution_options(immediate=True)
        try:
            with self._translated():
                if options:
                    self._check()
                else:
                    self._prepare()
        except StoreError:
            self._engine.dispose()
            raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for looking."""
        with self._translated(), Session(self._engine) as session:
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are on the disk when the block ends, or undone where it raises."""
        with self._translated(), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _prepare(self) -> None:
        _use_wal(self._engine)
        with self._writer.begin() as connection:
            if self._layout(connection) < SCHEMA:
                Base.metadata.create_all(connection)  # those that are not there
                connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA}")

    def _check(self) -> None:
        with self._engine.begin() as connection:
            self.layout = self._layout(connection)
            if self.layout == 0:
                raise StoreError(f"{self.path} holds no runs.")

    def _layout(self, connection: Connection) -> int:
        written = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        if written > SCHEMA:
            raise StoreError(
                f"{self.path} was written by a newer decam (layout {written}, this one knows {SCHEMA}); "
                "update decam or set DECAM_DATA to another folder."
            )
        return written

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise self._told(str(cause)) from error

    def _told(self, reason: str) -> StoreError:
        if "locked" in reason or "busy" in reason:
            return StoreError(f"{self.path} has been in use by another process for too long; try again.")
        if "malformed" in reason or "not a database" in reason:
            return StoreError(
                f"{self.path} is damaged ({reason}); move it away to begin a new list of runs, or restore a copy."
            )
        return UnwritableError(
            f"Cannot use {self.path}: {reason}. Make room or allow writing there, or set DECAM_DATA to another folder."
        )


def _connected(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where _begun says, not where the driver guesses
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")


def _begun(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _use_wal(engine: Engine) -> None:
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
