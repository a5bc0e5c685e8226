"""From rows and files to the cells and predictions of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from decam.errors import StoreError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Guess
from decam.experiments.plan import Plan
from decam.experiments.status import CellState
from decam.explanation import ClassExplanation, Explanation
from decam.metrics.base import Measurement
from decam.runs.store import files, rows
from decam.runs.store.folder import RunFolder
from decam.runs.store.tables import CellRow, MeasurementRow, PredictionRow


def read_cells(session: Session, folder: RunFolder, run_id: str, plan: Plan, *, active: bool) -> dict[CellKey, Cell]:
    """All cells of a run; in an `active` run those without a map wait, in one that has ended they are stopped."""
    cell_rows = session.scalars(select(CellRow).where(CellRow.run == run_id))
    rows_by_key = {CellKey(row.question, row.method): row for row in cell_rows}
    measured: dict[CellKey, list[MeasurementRow]] = {key: [] for key in rows_by_key}
    for row in session.scalars(select(MeasurementRow).where(MeasurementRow.run == run_id)):
        measured[CellKey(row.question, row.method)].append(row)
    return {
        key: cell_of(folder, plan, key, rows_by_key[key], measured[key], active=active)
        if key in rows_by_key
        else Cell(CellState.WAITING if active else CellState.STOPPED)
        for key in plan.cells()
    }


def cell_of(
    folder: RunFolder, plan: Plan, key: CellKey, row: CellRow, measured: Sequence[MeasurementRow], *, active: bool
) -> Cell:
    """A cell from its row, the rows of its measurements and its files; one whose files are damaged has failed."""
    if not row.explained:
        state = CellState.WAITING if active else CellState.STOPPED
        return Cell(CellState.FAILED, error=row.error) if row.error else Cell(state)
    choice = plan.methods[key.method]
    try:
        kept = files.read_map(folder.map(key))
        order = {choice: place for place, choice in enumerate(plan.metric_keys(key.question))}
        ordered = sorted(measured, key=lambda one: order.get(one.choice, len(order)))
        measurements = {one.choice: _measurement(folder, one) for one in ordered}
    except StoreError as error:
        return Cell(CellState.FAILED, error=str(error))
    explanation = Explanation(
        method=choice.name,
        saliency=kept.saliency,
        target=row.target,
        label=row.label,
        probability=row.probability,
        settings=choice.settings,
        seed=plan.questions[key.question].seed,
        evaluations=row.evaluations,
        seconds=row.seconds,
        notes=tuple(row.notes),
        silent=kept.silent,
        against=plan.against_of(key.question),
        **kept.further,
    )
    if kept.of_class is not None:
        explanation = ClassExplanation(**vars(explanation), **kept.of_class)
    cell = Cell(
        step=1,
        total=1,
        evaluations=row.evaluations,
        seconds=row.seconds,
        saliency=kept.saliency,
        pattern=None if kept.of_class is None else kept.of_class["map"],
        explanation=explanation,
        measurements=measurements,
        frames=kept.frames,
        error=row.error,
        reused=row.reused,
    )
    if row.error:
        return replace(cell, state=CellState.FAILED)
    if cell.answers(plan.metric_keys(key.question)):
        return replace(cell, state=CellState.DONE)
    return replace(cell, state=CellState.MEASURING if active else CellState.STOPPED)


def read_predictions(session: Session, run_id: str, plan: Plan) -> tuple[tuple[Guess, ...] | None, ...]:
    """The likeliest classes of each question, None where they are not kept."""
    prediction_rows = session.scalars(select(PredictionRow).where(PredictionRow.run == run_id))
    guesses = {
        row.question: tuple((int(index), rows.number(share)) for index, share in row.guesses) for row in prediction_rows
    }
    return tuple(guesses.get(question) or None for question in range(len(plan.questions)))


def read_further(session: Session, run_id: str) -> dict[int, int]:
    """The further evaluations of the questions that have any."""
    wanted = select(PredictionRow).where(PredictionRow.run == run_id, PredictionRow.further > 0)
    return {row.question: row.further for row in session.scalars(wanted)}


def _measurement(folder: RunFolder, row: MeasurementRow) -> Measurement:
    return Measurement(
        metric=row.metric,
        value=math.nan if row.value is None else row.value,
        curve=files.read_curve(folder.path / row.curve, row.metric) if row.curve else None,
        note=row.note,
        parts=tuple((name, rows.number(value)) for name, value in row.parts),
        failed=row.failed,
        evaluations=row.evaluations,
        reused=row.reused,
    )
