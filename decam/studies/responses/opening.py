"""The database of runs, opened when studies first need it, and written by one thread after the other."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.orm import Session

from decam.runs.store.database import Database
from decam.runs.store.engines import file_at
from decam.runs.store.opened_once import OpenedOnce
from decam.studies.design import StudyError


class Opened:
    """A place where rows are kept; nothing is touched before it is needed.

    Writers to a SQLite file take turns within this process: waiting for a lock in memory is fair and quick, while
    SQLite asks for its own again and again with longer and longer pauses.
    """

    def __init__(self, place: Path | str) -> None:
        self._database = OpenedOnce(lambda: Database(place), Database.close)
        self._turns: contextlib.AbstractContextManager[object] = (
            threading.Lock() if file_at(place) is not None else contextlib.nullcontext()
        )

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for looking; raises StoreError."""
        with _readable(), self._database.get().reading() as session:
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are on the disk when the block ends, or undone where it raises."""
        database = self._database.get()
        with self._turns, _readable(), database.writing() as session:
            yield session

    def close(self) -> None:
        """Close all connections."""
        self._database.close()


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    """What is no JSON in a column of JSON is found while rows are fetched, before any of them can be looked at."""
    try:
        yield
    except ValueError as error:
        raise StudyError(
            f"A row of this study is damaged in the database ({error!s:.80}); restore a copy, or delete it there."
        ) from error
