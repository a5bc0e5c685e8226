"""Runs on disk: rows in a database, and in the data directory one folder of pictures and arrays a run."""

from __future__ import annotations

import contextlib
import logging
import math
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, load_only

from decam.errors import NoSuchRunError, RunTakenError, StoreError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid, Guess
from decam.experiments.history import Frame
from decam.experiments.plan import Plan
from decam.experiments.plan_json import plan_from_json, plan_to_json
from decam.experiments.status import CellState, Status
from decam.explanation import ClassExplanation, Explanation, Map
from decam.files import drafts
from decam.methods.class_level.display import shown
from decam.metrics.base import Measurement
from decam.runs.snapshots import EARLIER_SYSTEM_OWNERS, SYSTEM_OWNER, CellOutline, RunOutline, RunSnapshot, RunSummary
from decam.runs.store import cells, files, first_version, rows
from decam.runs.store.database import Database
from decam.runs.store.engines import file_at
from decam.runs.store.folder import RunFolder
from decam.runs.store.instance import Instance, alive
from decam.runs.store.opened_once import OpenedOnce
from decam.runs.store.tables import CellRow, MeasurementRow, PictureRow, RunRow

_LOG = logging.getLogger(__name__)


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
        self._folder(run.id).write_pictures(run)
        with opened.database.writing_alone() as session:
            if session.get(RunRow, run.id) is not None:
                raise RunTakenError
            session.add(rows.run_row(run, opened.instance.token))
            session.flush()  # the pictures refer to the run
            session.add_all(rows.picture_rows(run))

    def claim(self, run_id: str) -> None:
        """Make an ended run this process's own, queued again; raises RunTakenError while another computes it."""
        opened = self._opened.get()
        with self._changing(run_id) as (_, row):
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
            row.plan = plan_to_json(plan)

    def save_status(self, run_id: str, status: Status, note: str = "") -> None:
        """Keep how a run stands."""
        with self._changing(run_id) as (_, row):
            row.status, row.note = status, note

    def save_predictions(self, run_id: str, question: int, guesses: Sequence[Guess]) -> None:
        """Keep the likeliest classes of a question's picture."""
        with self._changing(run_id) as (session, _):
            session.merge(rows.prediction_row(run_id, question, tuple(guesses)))

    def save_map(self, run_id: str, key: CellKey, explanation: Explanation, frames: Sequence[Frame]) -> None:
        """Keep a finished map with the frames that led to it."""
        self._folder(run_id).write_map(key, explanation, frames)
        with self._changing(run_id) as (session, row):
            session.merge(rows.cell_row(run_id, key, explanation))
            if not row.thumbnail and isinstance(explanation, ClassExplanation):
                row.thumbnail = files.thumbnail(shown(explanation.map))

    def save_measurements(self, run_id: str, choice: str, measurements: Mapping[CellKey, Measurement]) -> None:
        """Keep what a metric of the plan, by its key, says of maps that are kept."""
        names = dict.fromkeys(measurements, "")
        for key, measurement in measurements.items():
            if measurement.curve is not None:
                path = self._folder(run_id).curve(key, choice)
                files.write_curve(path, measurement.curve)
                names[key] = path.name
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
                truths=tuple(
                    files.read_truth(folder.truth(place)) if choice.truth else None
                    for place, choice in enumerate(plan.pictures)
                ),
                labels=tuple(row.labels),
                predictions=cells.read_predictions(look.session, run_id, plan),
                cells=cells.read_cells(look.session, folder, run_id, plan, active=status.active),
            )
            created = datetime.fromtimestamp(row.created, UTC)
            owner = SYSTEM_OWNER if row.owner in EARLIER_SYSTEM_OWNERS else row.owner
            return RunSnapshot(row.id, created, status, grid, note=row.note, version=row.version, owner=owner)

    def versions(self, kind: str) -> dict[str, tuple[int, Status]]:
        """What `version` says of each run of a kind, by the runs' links, the oldest first."""
        needed = load_only(RunRow.id, RunRow.version, RunRow.status, RunRow.instance)
        wanted = select(RunRow).options(needed).where(RunRow.kind == kind).order_by(RunRow.created)
        with self._reading() as look:
            return {row.id: (row.version, self._status(look, row)) for row in look.session.scalars(wanted)}

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
            wanted = select(MeasurementRow).where(
                MeasurementRow.run == run_id,
                MeasurementRow.question == key.question,
                MeasurementRow.method == key.method,
            )
            return cells.cell_of(self._folder(run_id), plan, key, row, look.session.scalars(wanted).all(), active=False)

    def saliency(self, run_id: str, key: CellKey) -> Map:
        """The final map of a cell; raises StoreError where its file is missing or damaged."""
        return files.read_map(self._folder(run_id).map(key)).saliency

    def recent(self, owner: str | None = None, limit: int = 20, kind: str | None = None) -> list[RunSummary]:
        """The newest runs, of one owner or of all, of one kind or of all, newest first."""
        unlisted = (SYSTEM_OWNER, *EARLIER_SYSTEM_OWNERS)
        wanted = select(RunRow).where(RunRow.owner.not_in(unlisted)).order_by(RunRow.created.desc()).limit(limit)
        if owner is not None:
            wanted = wanted.where(RunRow.owner == owner)
        if kind is not None:
            wanted = wanted.where(RunRow.kind == kind)
        with self._reading() as look:
            run_rows = look.session.scalars(wanted).all()
            picture_names: dict[str, list[str]] = {row.id: [] for row in run_rows}
            pictures = select(PictureRow).where(PictureRow.run.in_(picture_names)).order_by(PictureRow.position)
            for picture in look.session.scalars(pictures):
                picture_names[picture.run].append(picture.name)
            return [
                RunSummary(
                    id=row.id,
                    created=datetime.fromtimestamp(row.created, UTC),
                    status=self._status(look, row),
                    kind=row.kind,
                    model=row.model,
                    facts=tuple(row.facts),
                    pictures=tuple(picture_names[row.id]),
                    methods=tuple(row.methods),
                    thumbnail=row.thumbnail,
                )
                for row in run_rows
            ]

    def delete(self, run_id: str) -> None:
        """Forget a run and remove its files; raises StoreError while another process computes it."""
        opened = self._opened.get()
        with self._changing(run_id) as (session, row):
            self._refuse_foreign(opened, row)
            session.execute(delete(RunRow).where(RunRow.id == run_id))
        folder = self._folder(run_id).path
        with files.as_store_error(f"remove {folder}"):
            shutil.rmtree(folder)

    def close(self) -> None:
        """Let go of the directory."""
        self._opened.close()

    def _open(self) -> _Open:
        database = Database(self._place)
        try:
            opened = _Open(database, Instance(self._instances))
            self._import_checks(database)
        except StoreError:
            database.close()
            raise
        return opened

    def _import_checks(self, database: Database) -> None:
        """Keep sanity checks of the first version as runs; their files get another name, which says that it is done."""
        for check in first_version.checks(self.directory / "sanity"):
            try:
                self._import_check(database, check)
            except StoreError as error:  # the runs that are there already can be used all the same
                _LOG.warning("The sanity check %s is not imported yet: %s", check.path, error)

    def _import_check(self, database: Database, check: first_version.Check) -> None:
        folder = self._folder(check.run.id)
        folder.write_pictures(check.run)
        folder.write_maps(check.run)
        with database.writing_alone() as session:
            # Another process may have been faster, and somebody may have deleted the run since.
            if check.path.is_file() and session.get(RunRow, check.run.id) is None:
                rows.add_finished(session, check.run)
        with files.as_store_error(f"rename {check.path}"), contextlib.suppress(FileNotFoundError):
            check.path.rename(check.path.with_name(check.path.name + first_version.IMPORTED))

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
    def _changing(self, run_id: str) -> Iterator[tuple[Session, RunRow]]:
        with self._opened.get().database.writing() as session:
            row = self._row(session, run_id, lock=True)
            row.version = max(row.version + 1, time.time_ns())
            yield session, row

    @staticmethod
    def _row(session: Session, run_id: str, *, lock: bool = False) -> RunRow:
        """The row of a run; with `lock`, whoever else changes that run waits, where not all writers do anyway."""
        # A link comes from an address bar; what cannot be printed, not every database can be asked.
        row = session.get(RunRow, run_id, with_for_update=lock) if run_id.isprintable() else None
        if row is None:
            raise NoSuchRunError(run_id)
        return row

    def _status(self, look: _Reading, row: RunRow) -> Status:
        status = Status(row.status)
        return Status.INTERRUPTED if status.active and not self._alive(row, look.token) else status

    def _refuse_foreign(self, opened: _Open, row: RunRow) -> None:
        foreign = row.instance != opened.instance.token
        if foreign and Status(row.status).active and self._alive(row, opened.instance.token):
            raise RunTakenError

    def _alive(self, row: RunRow, token: str) -> bool:
        return row.instance == token or alive(self._instances, row.instance)

    def _folder(self, run_id: str) -> RunFolder:
        return RunFolder(self.directory / "runs" / run_id)
