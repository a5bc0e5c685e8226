"""Runs on disk: rows in a database, and in the data directory one folder of pictures and arrays a run."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, load_only

from decam.errors import NoSuchRunError, RunTakenError, StoreError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid, Guess
from decam.experiments.plan import Plan
from decam.experiments.plan_json import plan_from_json, plan_to_json
from decam.experiments.reuse import Earlier
from decam.experiments.status import CellState, Status
from decam.explanation import ClassExplanation, Map, Truth
from decam.files import drafts
from decam.methods.class_level.display import shown
from decam.metrics.base import Measurement
from decam.runs.snapshots import EARLIER_SYSTEM_OWNERS, SYSTEM_OWNER, CellOutline, RunOutline, RunSnapshot, RunSummary
from decam.runs.store import cells, files, first_version, listed, removing, reusable, rows
from decam.runs.store.database import Database
from decam.runs.store.engines import file_at
from decam.runs.store.folder import RunFolder
from decam.runs.store.instance import Instance, alive
from decam.runs.store.opened_once import OpenedOnce
from decam.runs.store.tables import CellRow, MeasurementRow, RunRow


@dataclass(frozen=True)
class _Open:
    database: Database
    instance: Instance

    def close(self) -> None:
        self.database.close()
        self.instance.close()


@dataclass(frozen=True)
class _Reading:
    session: Session
    token: str


class Store:
    """The runs of a data directory, which several processes may share.

    Their rows are in the database at `url`, by default in runs.sqlite in that directory; see `Database`. Sanity checks
    of the first version become runs when the directory is first opened. Nothing is touched before it is needed. Every
    method raises StoreError, with one sentence, where directory or database cannot be read or written, and for a run
    that does not exist. Only the model's view of a picture is kept, never the file that was uploaded.
    """

    def __init__(self, directory: Path, url: str = "") -> None:
        self.directory = directory
        self._place = url or directory / "runs.sqlite"
        self._instances = directory / "instances"
        self._opened = OpenedOnce(self._open, _Open.close)

    def add(self, run: RunSnapshot) -> None:
        """Keep a new run: its plan and the model's views of its pictures.

        Raises RunTakenError where a run with this link is there already, as by a process that was a moment faster.
        """
        opened = self._opened.get()
        self._make_room(opened, run.id)
        self._folder(run.id).write_pictures(run)
        with opened.database.writing_alone() as session:
            if session.get(RunRow, run.id) is not None:
                raise RunTakenError
            session.add(rows.run_row(run, opened.instance.token))
            session.flush()  # the pictures refer to the run
            session.add_all(rows.picture_rows(run))

    def _make_room(self, opened: _Open, run_id: str) -> None:
        """A deleted run gives its link free for a new one: the links of shared runs say what they are made from."""
        with opened.database.reading() as session:
            row = session.get(RunRow, run_id)
        if row is not None and row.deleted is not None:
            self.delete(run_id)

    def claim(self, run_id: str) -> None:
        """Make an ended run this process's own, queued again; raises RunTakenError while another computes it."""
        opened = self._opened.get()
        with self._changing(run_id, hidden=False) as (_, row):
            self._refuse_foreign(opened, row)
            row.instance, row.status, row.note = opened.instance.token, Status.QUEUED, ""
        for draft in drafts(self._folder(run_id).path):  # of a process that was killed while it wrote
            with files.as_store_error(f"remove {draft}"):
                draft.unlink(missing_ok=True)

    def begin(self, run_id: str, plan: Plan, labels: Sequence[str]) -> None:
        """A run begins, with its final plan and the model's labels; what failed before will be tried again."""
        with self._changing(run_id) as (session, row):
            row.status, row.plan, row.labels = Status.RUNNING, plan_to_json(plan), list(labels)
            session.execute(update(CellRow).where(CellRow.run == run_id).values(error=""))

    def save_plan(self, run_id: str, plan: Plan) -> None:
        """Keep a plan that has changed."""
        with self._changing(run_id) as (_, row):
            rows.replan(row, plan)

    def extend(self, run: RunSnapshot) -> None:
        """Keep a run whose plan asks more than it did: further pictures, questions, methods and metrics."""
        self._folder(run.id).write_pictures(run)
        with self._changing(run.id) as (session, row):
            rows.replan(row, run.plan)
            for picture in rows.picture_rows(run):
                session.merge(picture)

    def save_truths(self, run_id: str, plan: Plan, truths: Mapping[int, Truth | None]) -> None:
        """Keep where the object is in some pictures, by their places, and forget what was measured by where it was."""
        self._folder(run_id).write_truths(plan, truths)
        questions = [place for place, question in enumerate(plan.questions) if question.picture in truths]
        lost = [choice.key for choice in plan.metrics_that_need("truth")]
        with self._changing(run_id) as (session, row):
            row.plan = plan_to_json(plan)
            of_run = MeasurementRow.run == run_id, MeasurementRow.question.in_(questions)
            session.execute(delete(MeasurementRow).where(*of_run, MeasurementRow.choice.in_(lost)))

    def save_status(self, run_id: str, status: Status, note: str = "") -> None:
        """Keep how a run stands."""
        with self._changing(run_id) as (_, row):
            row.status, row.note = status, note

    def save_predictions(self, run_id: str, question: int, guesses: Sequence[Guess], further: int = 0) -> None:
        """Keep the likeliest classes of a question's picture, and its further evaluations so far."""
        with self._changing(run_id) as (session, _):
            session.merge(rows.prediction_row(run_id, question, tuple(guesses), further))

    def save_cell(self, run_id: str, key: CellKey, cell: Cell, made_from: str = "") -> None:
        """Keep a cell whose map is finished, with its frames and measurements; `made_from` is as in `CellRow`."""
        explanation = cell.explanation
        assert explanation is not None  # only finished maps are kept
        folder = self._folder(run_id)
        folder.write_map(key, explanation, cell.frames)
        curves = {choice: folder.write_curve(key, choice, one) for choice, one in cell.measurements.items()}
        with self._changing(run_id) as (session, row):
            session.merge(rows.cell_row(run_id, key, explanation, made_from, reused=cell.reused))
            if not row.thumbnail and isinstance(explanation, ClassExplanation):
                row.thumbnail = files.thumbnail(shown(explanation.map))
            session.flush()  # measurements refer to their cells
            for choice, one in cell.measurements.items():
                session.merge(rows.measurement_row(run_id, key, choice, one, curves[choice]))

    def save_measurements(self, run_id: str, choice: str, measurements: Mapping[CellKey, Measurement]) -> None:
        """Keep what a metric of the plan, by its key, says of maps that are kept."""
        folder = self._folder(run_id)
        names = {key: folder.write_curve(key, choice, one) for key, one in measurements.items()}
        with self._changing(run_id) as (session, _):
            for key, measurement in measurements.items():
                session.merge(rows.measurement_row(run_id, key, choice, measurement, names[key]))

    def save_failure(self, run_id: str, key: CellKey, sentence: str) -> None:
        """Keep why a cell failed; its map stays where it had one."""
        with self._changing(run_id) as (session, _):
            row = session.get(CellRow, (run_id, key.question, key.method))
            if row is None:
                row = CellRow(run=run_id, question=key.question, method=key.method)
                session.add(row)
            row.error = sentence

    def version(self, run_id: str) -> tuple[int, Status]:
        """The number of a run's last change and how it stands, without reading anything else."""
        with self._reading() as look:
            row = self._row(look.session, run_id)
            return row.version, self._status(look, row)

    def load(self, run_id: str) -> RunSnapshot:
        """A run as it was last kept; a map whose file is damaged comes back as a failed cell."""
        folder = self._folder(run_id)
        with self._reading() as look:
            row = self._row(look.session, run_id)
            plan = plan_from_json(row.plan)
            status = self._status(look, row)
            grid = Grid(
                plan=plan,
                views=tuple(files.read_view(folder.view(place)) for place in range(len(plan.pictures))),
                truths=tuple(folder.read_truth(plan, place) for place in range(len(plan.pictures))),
                labels=tuple(row.labels),
                predictions=cells.read_predictions(look.session, run_id, plan),
                cells=cells.read_cells(look.session, folder, run_id, plan, active=status.active),
                further=cells.read_further(look.session, run_id),
            )
            created = datetime.fromtimestamp(row.created, UTC)
            return RunSnapshot(
                row.id,
                created,
                status,
                grid,
                note=row.note,
                version=row.version,
                owner=_owner(row),
                name=row.name,
                remark=row.remark,
            )

    def versions(self, kind: str) -> dict[str, tuple[int, Status]]:
        """What `version` says of each run of a kind, by the runs' links, the oldest first."""
        needed = load_only(RunRow.id, RunRow.version, RunRow.status, RunRow.instance)
        wanted = select(RunRow).options(needed).where(RunRow.kind == kind, RunRow.deleted.is_(None))
        with self._reading() as look:
            return {
                row.id: (row.version, self._status(look, row))
                for row in look.session.scalars(wanted.order_by(RunRow.created))
            }

    def outline(self, run_id: str) -> RunOutline:
        """A run without its arrays: no file is read."""
        with self._reading() as look:
            plan = plan_from_json(self._row(look.session, run_id).plan)
            values: dict[CellKey, dict[str, float]] = {}
            for one in look.session.scalars(select(MeasurementRow).where(MeasurementRow.run == run_id)):
                if not one.failed:
                    key = CellKey(one.question, one.method)
                    values.setdefault(key, {})[one.choice] = math.nan if one.value is None else one.value
            outlines = {}
            for row in look.session.scalars(select(CellRow).where(CellRow.run == run_id)):
                key = CellKey(row.question, row.method)
                values_by_choice = values.get(key, {})
                if row.explained:
                    outlines[key] = CellOutline(row.target, row.evaluations, row.seconds, values_by_choice)
            return RunOutline(plan, outlines)

    def cell(self, run_id: str, key: CellKey) -> Cell:
        """One cell of a run as `load` gives it for a run that has ended; no other cell's files are read."""
        with self._reading() as look:
            plan = plan_from_json(self._row(look.session, run_id).plan)
            row = look.session.get(CellRow, (run_id, key.question, key.method))
            if row is None:
                return Cell(CellState.STOPPED)
            measured = look.session.scalars(reusable.measured(run_id, key)).all()
            return cells.cell_of(self._folder(run_id), plan, key, row, measured, active=False)

    def made(self, digests: Sequence[str], owners: Collection[str] | None = None) -> frozenset[str]:
        """Which of these digests finished maps have, in runs of these owners or of all."""
        with self._reading() as look:
            return reusable.made(look.session, digests, owners)

    def earlier(self, digest: str, owners: Collection[str] | None = None) -> Earlier | None:
        """A finished map with this digest, whose files are whole, from a run of these owners or of all."""
        with self._reading() as look:
            return reusable.earlier(look.session, self._folder, digest, owners)

    def saliency(self, run_id: str, key: CellKey) -> Map:
        """The final map of a cell; raises StoreError where its file is missing or damaged."""
        return files.read_map(self._folder(run_id).map(key)).saliency

    def recent(
        self, owner: str | None = None, limit: int = 20, kind: str | None = None, search: str = ""
    ) -> list[RunSummary]:
        """The newest runs, of one owner or of all, of one kind or of all, newest first; see `snapshots.found`."""
        with self._reading() as look:
            return listed.recent(look.session, lambda row: self._status(look, row), owner, limit, kind, search)

    def deleted(self, owner: str | None = None, kind: str | None = None, limit: int = 20) -> list[RunSummary]:
        """The runs that can be brought back, listed as by `recent`, the one deleted last first."""
        with self._reading() as look:
            return listed.deleted(look.session, lambda row: self._status(look, row), owner, kind, limit)

    def describe(self, run_id: str, name: str, remark: str) -> None:
        """Keep what the owner calls a run, and says of it."""
        with self._changing(run_id, hidden=False) as (_, row):
            row.name, row.remark = name, remark

    def owner(self, run_id: str) -> str:
        """Whose a run is, one that was deleted included."""
        with self._reading() as look:
            return _owner(self._row(look.session, run_id, hidden=True))

    def mark_deleted(self, run_id: str) -> None:
        """Hide a run until `restore` or `remove_deleted`; raises StoreError while another process computes it."""
        opened = self._opened.get()
        with self._changing(run_id, hidden=False) as (_, row):
            self._refuse_foreign(opened, row)
            removing.mark(row)

    def restore(self, run_id: str) -> None:
        """Show a deleted run again, as it was; nothing for one that is not deleted. Raises StoreError once it is gone.

        No file is touched by this, nor by `mark_deleted`.
        """
        with self._changing(run_id) as (_, row):
            removing.bring_back(row)

    def remove_deleted(self, before: float) -> float | None:
        """Remove what was deleted before this Unix time for good; when the oldest of those still there was deleted."""
        with self._reading() as look:
            runs = removing.expired(look.session, before)
        if runs:
            opened = self._opened.get()
            token = opened.instance.token
            removing.remove(opened.database, self._folder, runs, before, lambda row: self._status_of(row, token).active)
        with self._reading() as look:
            return removing.oldest(look.session)

    def delete(self, run_id: str) -> None:
        """Remove a run and its files at once; raises StoreError while another process computes it."""
        opened = self._opened.get()
        with self._changing(run_id) as (session, row):
            self._refuse_foreign(opened, row)
            session.execute(delete(RunRow).where(RunRow.id == run_id))
        files.remove_folder(self._folder(run_id).path)

    def close(self) -> None:
        """Let go of the directory."""
        self._opened.close()

    def _open(self) -> _Open:
        database = Database(self._place)
        try:
            opened = _Open(database, Instance(self._instances))
            first_version.import_checks(database, self.directory / "sanity", self._folder)
        except StoreError:
            database.close()
            raise
        return opened

    @contextlib.contextmanager
    def _reading(self) -> Iterator[_Reading]:
        """A session for looking, in a directory that refuses to be written too."""
        try:
            opened = self._opened.get()
        except files.UnwritableError as error:
            database, token = self._look(error), ""
        else:
            database, token = opened.database, opened.instance.token
        try:
            with database.reading() as session:
                yield _Reading(session, token)
        finally:
            if not token:
                database.close()

    def _look(self, refusal: files.UnwritableError) -> Database:
        """The database as it lies there; a file without its log where even reading that would write."""
        path = file_at(self._place)
        if path is None:
            return Database(self._place)
        if not path.is_file():
            raise refusal
        try:
            return Database(path, "mode=ro")
        except files.UnwritableError:
            return Database(path, "mode=ro&immutable=1")

    @contextlib.contextmanager
    def _changing(self, run_id: str, *, hidden: bool = True) -> Iterator[tuple[Session, RunRow]]:
        with self._opened.get().database.writing() as session:
            row = self._row(session, run_id, lock=True, hidden=hidden)
            row.version = max(row.version + 1, time.time_ns())
            yield session, row

    @staticmethod
    def _row(session: Session, run_id: str, *, lock: bool = False, hidden: bool = False) -> RunRow:
        """The row of a run; with `lock`, whoever else changes that run waits, where not all writers do anyway.

        A deleted run is there with `hidden` alone: what computes it writes until it has stopped.
        """
        # A link comes from an address bar; what cannot be printed, not every database can be asked.
        row = session.get(RunRow, run_id, with_for_update=lock) if run_id.isprintable() else None
        if row is None or not (hidden or row.deleted is None):
            raise NoSuchRunError(run_id)
        return row

    def _status(self, look: _Reading, row: RunRow) -> Status:
        return self._status_of(row, look.token)

    def _status_of(self, row: RunRow, token: str) -> Status:
        status = Status(row.status)
        return Status.INTERRUPTED if status.active and not self._alive(row, token) else status

    def _refuse_foreign(self, opened: _Open, row: RunRow) -> None:
        foreign = row.instance != opened.instance.token
        if foreign and Status(row.status).active and self._alive(row, opened.instance.token):
            raise RunTakenError

    def _alive(self, row: RunRow, token: str) -> bool:
        return row.instance == token or alive(self._instances, row.instance)

    def _folder(self, run_id: str) -> RunFolder:
        return RunFolder(self.directory / "runs" / run_id)


def _owner(row: RunRow) -> str:
    return SYSTEM_OWNER if row.owner in EARLIER_SYSTEM_OWNERS else row.owner
