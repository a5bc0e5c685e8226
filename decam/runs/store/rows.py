"""From runs, maps and measurements to rows of the database, and numbers as JSON and databases know them."""

from __future__ import annotations

import math

from sqlalchemy.orm import Session

from decam.experiments.cells import CellKey
from decam.experiments.grid import Guess
from decam.experiments.kinds import get as get_kind
from decam.experiments.plan import Plan
from decam.experiments.plan_json import plan_to_json
from decam.explanation import Explanation
from decam.metrics.base import Measurement
from decam.runs.snapshots import RunSnapshot
from decam.runs.store.files import thumbnail
from decam.runs.store.tables import CellRow, MeasurementRow, PictureRow, PredictionRow, RunRow


def run_row(run: RunSnapshot, instance: str) -> RunRow:
    """A run without its pictures and cells; `instance` is the token of the process that computes it."""
    row = RunRow(
        id=run.id,
        kind=run.plan.kind,
        owner=run.owner,
        created=run.created.timestamp(),
        status=run.status,
        note=run.note,
        instance=instance,
        version=run.version,
        model=run.plan.model,
        labels=list(run.labels),
        thumbnail=thumbnail(run.views[0]) if run.views else b"",
        name=run.name,
        remark=run.remark,
    )
    replan(row, run.plan)
    return row


def replan(row: RunRow, plan: Plan) -> None:
    """Write a plan into the row of its run, when the run is new and whenever the plan has grown."""
    row.plan, row.facts = plan_to_json(plan), list(get_kind(plan.kind).facts(plan))
    row.methods = [method.name for method in plan.methods]


def picture_rows(run: RunSnapshot) -> list[PictureRow]:
    """The pictures of a run."""
    return [
        PictureRow(run=run.id, position=position, name=picture.name)
        for position, picture in enumerate(run.plan.pictures)
    ]


def prediction_row(run_id: str, question: int, guesses: tuple[Guess, ...], further: int = 0) -> PredictionRow:
    """The likeliest classes of a question's picture, and the question's further evaluations."""
    shares = [[index, plain(share)] for index, share in guesses]
    return PredictionRow(run=run_id, question=question, guesses=shares, further=further)


def cell_row(
    run_id: str, key: CellKey, explanation: Explanation, made_from: str = "", *, reused: bool = False
) -> CellRow:
    """A finished map, whose arrays are a file; `made_from` is the digest of what it was made from."""
    return CellRow(
        run=run_id,
        question=key.question,
        method=key.method,
        explained=True,
        error="",
        target=explanation.target,
        label=explanation.label,
        probability=explanation.probability,
        evaluations=explanation.evaluations,
        seconds=explanation.seconds,
        notes=list(explanation.notes),
        made_from=made_from,
        reused=reused,
    )


def measurement_row(run_id: str, key: CellKey, choice: str, measurement: Measurement, curve: str) -> MeasurementRow:
    """What a metric says of a map; `choice` is the metric's key and `curve` the name of its curve's file, if any."""
    return MeasurementRow(
        run=run_id,
        question=key.question,
        method=key.method,
        choice=choice,
        metric=measurement.metric,
        value=None if math.isnan(measurement.value) else measurement.value,
        note=measurement.note,
        failed=measurement.failed,
        parts=[[name, plain(value)] for name, value in measurement.parts],
        curve=curve,
        evaluations=measurement.evaluations,
        reused=measurement.reused,
    )


def add_finished(session: Session, run: RunSnapshot) -> None:
    """The rows of a run that has maps already; none of its measurements has a curve."""
    session.add(run_row(run, ""))
    session.flush()  # the others refer to the run
    session.add_all(picture_rows(run))
    for question, guesses in enumerate(run.predictions):
        if guesses is not None:
            session.add(prediction_row(run.id, question, guesses))
    for key, cell in run.cells.items():
        if cell.explanation is not None:
            session.add(cell_row(run.id, key, cell.explanation))
        elif cell.error:
            session.add(CellRow(run=run.id, question=key.question, method=key.method, error=cell.error))
    session.flush()  # measurements refer to their cells
    for key, cell in run.cells.items():
        for choice, measurement in cell.measurements.items():
            session.add(measurement_row(run.id, key, choice, measurement, ""))


def plain(value: float) -> float | str | None:
    """A number as JSON knows it, which has neither NaN (here None) nor infinities (here text)."""
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)


def number(value: float | str | None) -> float:
    """The number that `plain` wrote."""
    return math.nan if value is None else float(value)
