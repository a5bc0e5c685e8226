"""A run's cells as the grid shows them, and which of them is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from decam.experiments.cells import Cell, CellKey
from decam.experiments.plan import MetricChoice, Plan
from decam.methods import METHODS
from decam.metrics import get as get_metric
from decam.runs.snapshots import RunSnapshot
from decam.ui.components.grid import grid
from decam.ui.components.grid.grid import GridCell, GridColumn, GridMetric, GridRow, result_grid

UNDER_MAPS = 2
"""Metrics whose values stand under each map of the grid."""


def show(snapshot: RunSnapshot) -> CellKey | None:
    """Draw the grid and return the cell chosen in it."""
    plan = snapshot.plan
    columns = [
        GridColumn(str(index), title, METHODS[choice.name].signed, METHODS[choice.name].summary)
        for index, (choice, title) in enumerate(zip(plan.methods, plan.titles(), strict=True))
    ]
    choices = under_maps(plan)
    chosen = result_grid(
        [_row(snapshot, question) for question in range(len(plan.questions))],
        columns,
        [_cell(key, cell, choices) for key, cell in sorted(snapshot.cells.items())],
        key=_key(snapshot),
        metrics=[_metric(choice) for choice in choices],
    )
    return None if chosen is None else CellKey(int(chosen[0]), int(chosen[1]))


def extremes(snapshot: RunSnapshot) -> bool:
    """Whether the grid draws maps up to their extremes, or without the top 1 % of their values."""
    return grid.extremes(_key(snapshot))


def _key(snapshot: RunSnapshot) -> str:
    return f"grid-{snapshot.id.replace('_', '.')}"  # two underlines in a key mean something to the framework


def under_maps(plan: Plan) -> tuple[MetricChoice, ...]:
    """The first metrics of a plan that hide or show pixels step by step: as a rule deletion and insertion."""
    return tuple(choice for choice in plan.metrics if get_metric(choice.name).sequence)[:UNDER_MAPS]


def _row(snapshot: RunSnapshot, question: int) -> GridRow:
    target = snapshot.grid.target_of(question)
    return GridRow(
        key=str(question),
        title=snapshot.plan.picture_of(question).name,
        view=snapshot.grid.view_of(question),
        label=snapshot.grid.label_of(target),
        probability=probability_of(snapshot, question, target),
        truth=snapshot.grid.truth_of(question),
    )


def probability_of(snapshot: RunSnapshot, question: int, target: int | None) -> float | None:
    """The target's probability, from the likeliest classes or else from a finished map."""
    known = dict(snapshot.predictions[question] or ())
    if target in known:
        return known[target]
    for key, cell in snapshot.cells.items():
        if key.question == question and cell.explanation is not None:
            return cell.explanation.probability
    return None


def _metric(choice: MetricChoice) -> GridMetric:
    metric = get_metric(choice.name)
    return GridMetric(metric.title, metric.direction, f"{metric.summary} Fill: {choice.settings.to_mapping()['fill']}.")


def _cell(key: CellKey, cell: Cell, choices: Sequence[MetricChoice]) -> GridCell:
    measured = [cell.measurements.get(choice.key) for choice in choices]
    return GridCell(
        row=str(key.question),
        column=str(key.method),
        state=cell.state,
        progress=cell.step / cell.total if cell.total else None,
        seconds_left=cell.seconds_left,
        saliency=cell.saliency,
        evaluations=cell.evaluations,
        seconds=cell.seconds if cell.explanation is not None else None,
        values=tuple(None if one is None else one.value for one in measured),
        notes=() if cell.explanation is None else cell.explanation.notes,
        error=cell.error,
        silent=cell.explanation is not None and cell.explanation.silent,
    )
