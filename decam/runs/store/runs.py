"""Runs on disk: rows in a database, and beside it one folder of pictures and arrays a run."""

from __future__ import annotations

import contextlib
import math
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from decam.errors import NoSuchRunError, StoreError
from decam.experiments.events import Cell, Judgement
from decam.experiments.plan import Fills, Plan
from decam.explanation import Explanation
from decam.runs.snapshots import ACTIVE, HOUSE, CellSnapshot, Curves, Frame, Guess, RunSnapshot, RunSummary, Status
from decam.runs.store import files
from decam.runs.store.database import Database
from decam.runs.store.instance import Instance, alive
from decam.runs.store.tables import CellRow, CurveRow, JudgementRow, PictureRow, RunRow


@dataclass(frozen=True)
class _Open:
    database: Database
    instance: Instance


@dataclass(frozen=True)
class _Reading:
    session: Session
    token: str
    layout: int


class Store:
    """The runs of a data directory, which several processes may share.

    Nothing is touched before it is needed. Every method raises StoreError, with one sentence, where the directory
    cannot be read or written, and for a run that does not exist. Only the model's view of a picture is kept, never the
    file that was uploaded.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._path = directory / "runs.sqlite"
        self._instances = directory / "instances"
        self._lock = threading.Lock()
        self._opened: _Open | None = None

    def add(self, run: RunSnapshot) -> None:
        """Keep a new run: its plan and the model's views of its pictures."""
        opened = self._open()
        folder = self._folder(run.id)
        with files.told(f"write in {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
        for position, view in enumerate(run.views):
            files.write_view(self._view(run.id, position), view)
        for position, truth in enumerate(run.truths):
            if truth is not None:
                files.write_truth(self._truth(run.id, position), truth)
        with opened.database.writing() as session:
            session.add(
                RunRow(
                    id=run.id,
                    owner=run.owner,
                    created=run.created.timestamp(),
                    status=run.status,
                    note=run.note,
                    instance=opened.instance.token,
                    version=run.version,
                    model=run.plan.model,
                    methods=[method.name for method in run.plan.methods],
                    plan=run.plan.to_json(),
                    labels=list(run.labels),
                    thumbnail=files.thumbnail(run.views[0]),
                )
            )
            session.flush()  # the pictures refer to the run
            session.add_all(
                PictureRow(run=run.id, position=position, name=picture.name, predictions=None)
                for position, picture in enumerate(run.plan.pictures)
            )

    def claim(self, run_id: str) -> None:
        """Make an ended run this process's own, queued again; raises StoreError while another process computes it."""
        opened = self._open()
        with self._changing(run_id) as (_, row):
            self._refuse_foreign(opened, row)
            row.instance, row.status, row.note = opened.instance.token, "queued", ""

    def begin(self, run_id: str, plan: Plan, labels: Sequence[str]) -> None:
        """A run begins, with its final plan and the model's labels; what failed before will be tried again."""
        with self._changing(run_id) as (session, row):
            row.status, row.plan, row.labels = "running", plan.to_json(), list(labels)
            session.execute(update(CellRow).where(CellRow.run == run_id).values(error=""))

    def save_plan(self, run_id: str, plan: Plan) -> None:
        """Keep a plan that has changed."""
        with self._changing(run_id) as (_, row):
            row.plan = plan.to_json()

    def save_status(self, run_id: str, status: Status, note: str = "") -> None:
        """Keep how a run stands."""
        with self._changing(run_id) as (_, row):
            row.status, row.note = status, note

    def save_predictions(self, run_id: str, picture: int, guesses: Sequence[Guess]) -> None:
        """Keep the likeliest classes of a picture."""
        with self._changing(run_id) as (session, _):
            session.execute(
                update(PictureRow)
                .where(PictureRow.run == run_id, PictureRow.position == picture)
                .values(predictions=[list(guess) for guess in guesses])
            )

    def save_map(self, run_id: str, cell: Cell, explanation: Explanation, frames: Sequence[Frame]) -> None:
        """Keep a finished map with the frames that led to it."""
        files.write_map(self._map(run_id, cell), explanation.saliency, frames, silent=explanation.silent)
        with self._changing(run_id) as (session, _):
            session.merge(
                CellRow(
                    run=run_id,
                    picture=cell.picture,
                    method=cell.method,
                    explained=True,
                    error="",
                    target=explanation.target,
                    label=explanation.label,
                    probability=explanation.probability,
                    evaluations=explanation.evaluations,
                    seconds=explanation.seconds,
                    notes=list(explanation.notes),
                )
            )

    def save_curves(self, run_id: str, cell: Cell, curves: Curves) -> None:
        """Keep the curves of a map that is kept."""
        files.write_curves(self._curves(run_id, cell, curves.fills), curves)
        with self._changing(run_id) as (session, _):
            session.merge(
                CurveRow(
                    run=run_id,
                    picture=cell.picture,
                    method=cell.method,
                    deletion_fill=curves.fills[0],
                    insertion_fill=curves.fills[1],
                    deletion=curves.deletion.auc,
                    insertion=curves.insertion.auc,
                )
            )

    def save_judgements(self, run_id: str, metric: str, judgements: Mapping[Cell, Judgement]) -> None:
        """Keep what a metric says of maps that are kept."""
        with self._changing(run_id) as (session, _):
            for cell, judgement in judgements.items():
                session.merge(
                    JudgementRow(
                        run=run_id,
                        picture=cell.picture,
                        method=cell.method,
                        metric=metric,
                        value=None if math.isnan(judgement.value) else judgement.value,
                        note=judgement.note,
                    )
                )

    def save_failure(self, run_id: str, cell: Cell, sentence: str) -> None:
        """Keep why a cell failed; its map stays where it had one."""
        with self._changing(run_id) as (session, _):
            row = session.get(CellRow, (run_id, cell.picture, cell.method))
            if row is None:
                row = CellRow(run=run_id, picture=cell.picture, method=cell.method)
                session.add(row)
            row.error = sentence

    def version(self, run_id: str) -> tuple[int, Status]:
        """The number of a run's last change and how it stands, without reading anything else."""
        with self._reading() as look:
            row = self._row(look.session, run_id)
            return row.version, self._status(look, row)

    def load(self, run_id: str) -> RunSnapshot:
        """A run as it was last kept; a map whose file is damaged comes back as a failed cell."""
        with self._reading() as look:
            session = look.session
            row = self._row(session, run_id)
            plan = Plan.from_json(row.plan)
            status = self._status(look, row)
            pictures = session.scalars(
                select(PictureRow).where(PictureRow.run == run_id).order_by(PictureRow.position)
            ).all()
            cells = session.scalars(select(CellRow).where(CellRow.run == run_id)).all()
            curves = session.scalars(select(CurveRow).where(CurveRow.run == run_id)).all()
            kept = {Cell(cell.picture, cell.method): cell for cell in cells}
            measured: dict[Cell, set[Fills]] = {}
            for curve in curves:
                cell = Cell(curve.picture, curve.method)
                measured.setdefault(cell, set()).add((curve.deletion_fill, curve.insertion_fill))
            judged: dict[Cell, dict[str, Judgement]] = {}
            wanted = select(JudgementRow).where(JudgementRow.run == run_id)
            for said in session.scalars(wanted) if look.layout > 1 else ():
                value = math.nan if said.value is None else said.value
                judged.setdefault(Cell(said.picture, said.method), {})[said.metric] = Judgement(value, said.note)
            return RunSnapshot(
                id=row.id,
                created=datetime.fromtimestamp(row.created, UTC),
                status=status,
                plan=plan,
                views=tuple(files.read_view(self._view(run_id, picture.position)) for picture in pictures),
                predictions=tuple(
                    None
                    if picture.predictions is None
                    else tuple((int(index), float(probability)) for index, probability in picture.predictions)
                    for picture in pictures
                ),
                labels=tuple(row.labels),
                cells={
                    cell: self._cell(
                        row, plan, status, cell, kept.get(cell), measured.get(cell, set()), judged.get(cell, {})
                    )
                    for picture in range(len(plan.pictures))
                    for cell in (Cell(picture, method) for method in range(len(plan.methods)))
                },
                note=row.note,
                version=row.version,
                owner=row.owner,
                truths=tuple(
                    files.read_truth(self._truth(run_id, position)) if choice.truth else None
                    for position, choice in enumerate(plan.pictures)
                ),
            )

    def recent(self, owner: str | None = None, limit: int = 20) -> list[RunSummary]:
        """The newest runs, of one owner or of all, newest first."""
        wanted = select(RunRow).where(RunRow.owner != HOUSE).order_by(RunRow.created.desc()).limit(limit)
        if owner is not None:
            wanted = wanted.where(RunRow.owner == owner)
        with self._reading() as look:
            rows = look.session.scalars(wanted).all()
            names: dict[str, list[str]] = {row.id: [] for row in rows}
            pictures = select(PictureRow).where(PictureRow.run.in_(names)).order_by(PictureRow.position)
            for picture in look.session.scalars(pictures):
                names[picture.run].append(picture.name)
            return [
                RunSummary(
                    id=row.id,
                    created=datetime.fromtimestamp(row.created, UTC),
                    model=row.model,
                    status=self._status(look, row),
                    pictures=tuple(names[row.id]),
                    methods=tuple(row.methods),
                    thumbnail=row.thumbnail,
                )
                for row in rows
            ]

    def delete(self, run_id: str) -> None:
        """Forget a run and remove its files; raises StoreError while another process computes it."""
        opened = self._open()
        with self._changing(run_id) as (session, row):
            self._refuse_foreign(opened, row)
            session.execute(delete(RunRow).where(RunRow.id == run_id))
        folder = self._folder(run_id)
        with files.told(f"remove {folder}"):
            shutil.rmtree(folder)

    def close(self) -> None:
        """Let go of the directory."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.database.close()
            opened.instance.close()

    def _open(self) -> _Open:
        with self._lock:
            if self._opened is None:
                database = Database(self._path)
                try:
                    self._opened = _Open(database, Instance(self._instances))
                except StoreError:
                    database.close()
                    raise
            return self._opened

    @contextlib.contextmanager
    def _reading(self) -> Iterator[_Reading]:
        """A session for looking, in a directory that refuses to be written too."""
        try:
            opened = self._open()
        except files.UnwritableError:
            if not self._path.is_file():
                raise
            database, token = self._look(), ""
        else:
            database, token = opened.database, opened.instance.token
        try:
            with database.reading() as session:
                yield _Reading(session, token, database.layout)
        finally:
            if not token:
                database.close()

    def _look(self) -> Database:
        """The database as it lies there; without its log where even reading that would write."""
        try:
            return Database(self._path, "mode=ro")
        except files.UnwritableError:
            return Database(self._path, "mode=ro&immutable=1")

    @contextlib.contextmanager
    def _changing(self, run_id: str) -> Iterator[tuple[Session, RunRow]]:
        with self._open().database.writing() as session:
            row = self._row(session, run_id)
            row.version = max(row.version + 1, time.time_ns())
            yield session, row

    @staticmethod
    def _row(session: Session, run_id: str) -> RunRow:
        row = session.get(RunRow, run_id)
        if row is None:
            raise NoSuchRunError(run_id)
        return row

    def _status(self, look: _Reading, row: RunRow) -> Status:
        return "interrupted" if row.status in ACTIVE and not self._alive(row, look.token) else row.status

    def _refuse_foreign(self, opened: _Open, row: RunRow) -> None:
        foreign = row.instance != opened.instance.token
        if foreign and row.status in ACTIVE and self._alive(row, opened.instance.token):
            raise StoreError("This run is being computed by another process; stop it there first.")

    def _alive(self, row: RunRow, token: str) -> bool:
        return row.instance == token or alive(self._instances, row.instance)

    def _cell(
        self,
        row: RunRow,
        plan: Plan,
        status: Status,
        cell: Cell,
        kept: CellRow | None,
        measured: set[Fills],
        judgements: Mapping[str, Judgement],
    ) -> CellSnapshot:
        active = status in ACTIVE
        if kept is None or not kept.explained:
            if kept is not None and kept.error:
                return CellSnapshot("failed", error=kept.error)
            return CellSnapshot("waiting" if active else "stopped")
        choice = plan.methods[cell.method]
        try:
            saliency, frames, silent = files.read_map(self._map(row.id, cell))
            curves = tuple(
                files.read_curves(self._curves(row.id, cell, pair), pair) for pair in plan.fills if pair in measured
            )
        except StoreError as error:
            return CellSnapshot("failed", error=str(error))
        explanation = Explanation(
            method=choice.name,
            saliency=saliency,
            target=kept.target,
            label=kept.label,
            probability=kept.probability,
            settings=choice.settings,
            seed=plan.seed,
            evaluations=kept.evaluations,
            seconds=kept.seconds,
            notes=tuple(kept.notes),
            silent=silent,
        )
        shown = CellSnapshot(
            state="measuring" if active else "stopped",
            step=1,
            total=1,
            evaluations=kept.evaluations,
            seconds=kept.seconds,
            saliency=saliency,
            explanation=explanation,
            curves=curves,
            judgements=judgements,
            frames=frames,
            error=kept.error,
        )
        if kept.error:
            return replace(shown, state="failed")
        return replace(shown, state="done") if shown.answers(plan) else shown

    def _folder(self, run_id: str) -> Path:
        return self.directory / "runs" / run_id

    def _view(self, run_id: str, position: int) -> Path:
        return self._folder(run_id) / f"view-{position:02}.png"

    def _truth(self, run_id: str, position: int) -> Path:
        return self._folder(run_id) / f"truth-{position:02}.png"

    def _map(self, run_id: str, cell: Cell) -> Path:
        return self._folder(run_id) / f"map-{cell.picture:02}-{cell.method:02}.npz"

    def _curves(self, run_id: str, cell: Cell, fills: Fills) -> Path:
        return self._folder(run_id) / f"curves-{cell.picture:02}-{cell.method:02}-{'-'.join(fills)}.npz"
