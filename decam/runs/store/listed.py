"""The lists of runs: whose they are, of which kind, what is looked for in them; no map of theirs is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from decam.experiments.status import Status
from decam.runs.snapshots import EARLIER_SYSTEM_OWNERS, SYSTEM_OWNER, RunSummary, mentions
from decam.runs.store.tables import PictureRow, RunRow

AT_ONCE = 500  # runs that a search looks through in one question to the database
_UNLISTED = (SYSTEM_OWNER, *EARLIER_SYSTEM_OWNERS)
Statuses = Callable[[RunRow], Status]


def recent(
    session: Session, status: Statuses, owner: str | None, limit: int, kind: str | None, search: str
) -> list[RunSummary]:
    """The newest `limit` runs of one owner or of all, of one kind or of all, in which the words of `search` occur."""
    wanted = _of(owner, kind).where(RunRow.deleted.is_(None)).order_by(RunRow.created.desc())
    if not search.strip():
        return _summaries(session, status, session.scalars(wanted.limit(limit)).all())
    matching = list(islice(_matching(session, wanted, search), limit))
    rows = session.scalars(wanted.where(RunRow.id.in_(matching))).all()
    return _summaries(session, status, rows)


def deleted(session: Session, status: Statuses, owner: str | None, kind: str | None, limit: int) -> list[RunSummary]:
    """The `limit` runs that were deleted last, and that can still be brought back."""
    wanted = _of(owner, kind).where(RunRow.deleted > 0).order_by(RunRow.deleted.desc()).limit(limit)
    return _summaries(session, status, session.scalars(wanted).all())


def _of(owner: str | None, kind: str | None) -> Select[RunRow]:
    wanted = select(RunRow).where(RunRow.owner.not_in(_UNLISTED))
    if owner is not None:
        wanted = wanted.where(RunRow.owner == owner)
    if kind is not None:
        wanted = wanted.where(RunRow.kind == kind)
    return wanted


def _matching(session: Session, wanted: Select[RunRow], search: str) -> Iterator[str]:
    """The links of the runs that a search finds, some read at a time, and of each run no more than is looked at."""
    columns = wanted.with_only_columns(RunRow.id, RunRow.name, RunRow.remark, RunRow.model, RunRow.methods)
    start = 0
    while rows := session.execute(columns.offset(start).limit(AT_ONCE)).all():
        pictures = _pictures(session, [row.id for row in rows])
        for row in rows:
            if mentions(search, (row.name, row.remark), row.model, row.methods, pictures[row.id]):
                yield row.id
        start += len(rows)


def _pictures(session: Session, runs: Sequence[str]) -> dict[str, list[str]]:
    """The names of the pictures of runs, by their links."""
    names: dict[str, list[str]] = {run: [] for run in runs}
    pictures = select(PictureRow.run, PictureRow.name).where(PictureRow.run.in_(names)).order_by(PictureRow.position)
    for run, name in session.execute(pictures):
        names[run].append(name)
    return names


def _summaries(session: Session, status: Statuses, rows: Sequence[RunRow]) -> list[RunSummary]:
    pictures = _pictures(session, [row.id for row in rows])
    return [
        RunSummary(
            id=row.id,
            created=datetime.fromtimestamp(row.created, UTC),
            status=status(row),
            kind=row.kind,
            model=row.model,
            facts=tuple(row.facts),
            pictures=tuple(pictures[row.id]),
            methods=tuple(row.methods),
            thumbnail=row.thumbnail,
            name=row.name,
            remark=row.remark,
        )
        for row in rows
    ]
