"""Deleted runs: hidden at once, brought back as they were, or removed for good, whatever process is killed between."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from decam.errors import NoSuchRunError
from decam.runs.store import files
from decam.runs.store.database import Database
from decam.runs.store.folder import RunFolder
from decam.runs.store.tables import RunRow

_REMOVING = 0.0
"""Stands for the time of a run whose files are being removed: nothing brings it back."""


def mark(row: RunRow) -> None:
    """Hide a run from now on."""
    row.deleted = time.time()


def bring_back(row: RunRow) -> None:
    """Show a run again that was hidden; raises NoSuchRunError where its files are being removed already."""
    if row.deleted == _REMOVING:
        raise NoSuchRunError(row.id)
    row.deleted = None


def expired(session: Session, before: float) -> list[str]:
    """The runs deleted before this Unix time."""
    return list(session.scalars(select(RunRow.id).where(RunRow.deleted < before).order_by(RunRow.deleted)))


def oldest(session: Session) -> float | None:
    """When the oldest of the deleted runs was deleted; None where there is none."""
    return session.scalar(select(func.min(RunRow.deleted)))


def remove(
    database: Database,
    folder: Callable[[str], RunFolder],
    runs: Sequence[str],
    before: float,
    is_active: Callable[[RunRow], bool],
) -> None:
    """Remove those of these runs that are still deleted, and were before this Unix time, with their files.

    One that a process still computes waits for the next time. First a run is past bringing back, then its files go,
    then its row: who is killed between two of these leaves a hidden run, which the next call removes.
    """
    for run_id in runs:
        with database.writing() as session:
            row = session.get(RunRow, run_id, with_for_update=True)
            if row is None or row.deleted is None or row.deleted >= before or is_active(row):
                continue
            row.deleted = _REMOVING
        files.remove_folder(folder(run_id).path)
        with database.writing() as session:
            session.execute(delete(RunRow).where(RunRow.id == run_id, RunRow.deleted == _REMOVING))
