"""Finished maps found by the digest of what they were made from, in whatever run they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from decam.experiments.cells import CellKey
from decam.experiments.plan_json import plan_from_json
from decam.experiments.reuse import Earlier
from decam.runs.store import cells
from decam.runs.store.folder import RunFolder
from decam.runs.store.tables import CellRow, MeasurementRow, RunRow

TRIED = 4  # maps with one digest, of which the files of the first may be damaged
AT_ONCE = 500  # digests in one question to the database


def made(session: Session, digests: Sequence[str], owners: Collection[str] | None) -> frozenset[str]:
    """Which of these digests finished maps have, in runs of these owners or of all."""
    there: set[str] = set()
    for start in range(0, len(digests), AT_ONCE):
        wanted = _finished(digests[start : start + AT_ONCE], owners)
        there.update(session.scalars(wanted.with_only_columns(CellRow.made_from)))
    return frozenset(there)


def earlier(
    session: Session, folder: Callable[[str], RunFolder], digest: str, owners: Collection[str] | None
) -> Earlier | None:
    """A finished map with this digest, whose files are whole, from a run of these owners or of all."""
    for row in session.scalars(_finished([digest], owners).limit(TRIED)):
        run, key = session.get_one(RunRow, row.run), CellKey(row.question, row.method)
        plan = plan_from_json(run.plan)
        values = session.scalars(measured(row.run, key)).all()
        cell = cells.cell_of(folder(row.run), plan, key, row, values, active=False)
        if cell.explanation is not None:
            place = plan.questions[key.question].picture
            return Earlier(cell, "" if place is None else plan.pictures[place].truth)
    return None


def measured(run_id: str, key: CellKey) -> Select[MeasurementRow]:
    """What was measured of one map."""
    return select(MeasurementRow).where(
        MeasurementRow.run == run_id, MeasurementRow.question == key.question, MeasurementRow.method == key.method
    )


def _finished(digests: Collection[str], owners: Collection[str] | None) -> Select[CellRow]:
    """The finished maps with one of these digests, in runs of these owners or of all; none of a deleted run."""
    known = [digest for digest in digests if digest]
    wanted = select(CellRow).where(CellRow.made_from.in_(known), CellRow.explained, CellRow.error == "")
    wanted = wanted.join(RunRow, RunRow.id == CellRow.run).where(RunRow.deleted.is_(None))
    return wanted if owners is None else wanted.where(RunRow.owner.in_(owners))
