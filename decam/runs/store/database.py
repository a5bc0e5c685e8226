"""The database of runs: opened once, shared by threads and processes, its refusals told in sentences."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from decam.errors import StoreError
from decam.runs.store import migrations
from decam.runs.store.engines import SQLite, server_at


class Database:
    """An open database at a path (a SQLite file) or a URL (sqlite:///… or postgresql+psycopg://…).

    It is made, or brought to the newest layout, when it is opened: by one process, while others wait. Readers see one
    moment throughout. Writers of one run wait for each other instead of failing half way; those of a SQLite file all
    do. With `options` ("mode=ro", "immutable=1") a SQLite file is only looked at, one of an older layout by way of a
    copy in memory. Raises StoreError where the database is damaged, newer than this decam, not there or refuses.
    """

    def __init__(self, where: Path | str, options: str = "") -> None:
        self._server = server_at(where, options)
        self._engine = self._server.engine()
        try:
            with self._translated():
                if options:
                    self._look()
                else:
                    self._prepare()
        except StoreError:
            self.close()
            raise
        self._reader, self._writer = self._engine, self._engine
        if isinstance(self._server, SQLite):
            self._writer = self._engine.execution_options(immediate=True)
        else:
            self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ")

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for looking."""
        with self._translated(), Session(self._reader) as session:
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are on the disk when the block ends, or undone where it raises."""
        with self._translated(), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def writing_alone(self) -> Iterator[Session]:
        """A session for writing that no other process has at the same time, for what must happen once."""
        with self.writing() as session:
            self._server.lock(session.connection())
            yield session

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _prepare(self) -> None:
        # Looked at before anything is written: a database of a newer decam is left as it is.
        revision = self._revision(self._engine)
        self._server.ready(self._engine)
        if revision != migrations.HEAD:
            self._migrate()

    def _look(self) -> None:
        revision = self._revision(self._engine)
        if revision is None:
            raise StoreError(f"{self._server} holds no runs.")
        if revision != migrations.HEAD and isinstance(self._server, SQLite):
            file, self._engine = self._engine, self._server.copied(self._engine)
            file.dispose()
            self._migrate()

    def _migrate(self) -> None:
        with self._server.exclusively(self._engine) as connection:
            migrations.upgrade(connection)  # nothing where another process has done it meanwhile

    def _revision(self, engine: Engine) -> str | None:
        with engine.begin() as connection:
            revision = migrations.revision_of(connection)
        if revision not in (None, migrations.HEAD) and not migrations.is_known(revision):
            raise StoreError(
                f"{self._server} was written by a newer decam ({revision}, this one knows {migrations.HEAD}); update "
                "decam, or set DECAM_DATA or DECAM_DATABASE_URL to another place."
            )
        return revision

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise self._server.refusal(cause if isinstance(cause, Exception) else error) from error
