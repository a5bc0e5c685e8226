"""A run's cells as the grid shows them, and which of them is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from decam.experiments.events import Cell
from decam.experiments.plan import Fills
from decam.methods import METHODS
from decam.metrics import CURVES
from decam.metrics.base import Curve, Metric
from decam.runs.snapshots import CellSnapshot, Curves, RunSnapshot
from decam.ui.components.grid import grid
from decam.ui.components.grid.grid import GridCell, GridColumn, GridMetric, GridRow, result_grid


def show(snapshot: RunSnapshot) -> Cell | None:
    """Draw the grid; the cell chosen in it."""
    plan = snapshot.plan
    columns = [
        GridColumn(str(index), title, METHODS[choice.name].signed, METHODS[choice.name].summary)
        for index, (choice, title) in enumerate(zip(plan.methods, plan.titles(), strict=True))
    ]
    fills = plan.fills[0] if plan.fills else None
    chosen = result_grid(
        [_row(snapshot, index) for index in range(len(plan.pictures))],
        columns,
        [_cell(place, cell, fills) for place, cell in sorted(snapshot.cells.items())],
        key=_key(snapshot),
        metrics=[_metric(metric, fills) for metric in CURVES] if fills else (),
    )
    return None if chosen is None else Cell(int(chosen[0]), int(chosen[1]))


def extremes(snapshot: RunSnapshot) -> bool:
    """Whether the grid draws maps up to their extremes, or without the top 1 % of their values."""
    return grid.extremes(_key(snapshot))


def _key(snapshot: RunSnapshot) -> str:
    return f"grid-{snapshot.id.replace('_', '.')}"  # two underlines in a key mean something to the framework


def curves_with(cell: CellSnapshot, fills: Fills | None) -> Curves | None:
    """The cell's curves with this pair of fills, where they have been measured."""
    return next((curves for curves in cell.curves if curves.fills == fills), None)


def curve_of(curves: Curves, metric: Metric) -> Curve:
    """The curve of one metric."""
    curve: Curve = getattr(curves, metric.name)
    return curve


def fill_of(fills: Fills, metric: Metric) -> str:
    """The fill that belongs to one metric in a pair."""
    return fills[CURVES.index(metric)]


def target_of(snapshot: RunSnapshot, picture: int) -> int | None:
    """The class asked about: the one chosen, else the one predicted, None before that is known."""
    target = snapshot.plan.pictures[picture].target
    guesses = snapshot.predictions[picture]
    return guesses[0][0] if target is None and guesses else target


def label_of(labels: Sequence[str], index: int | None) -> str:
    """A class by its name."""
    if index is None:
        return ""
    return labels[index] if index < len(labels) else f"class {index}"


def _row(snapshot: RunSnapshot, picture: int) -> GridRow:
    choice, target = snapshot.plan.pictures[picture], target_of(snapshot, picture)
    return GridRow(
        key=str(picture),
        title=choice.name,
        view=snapshot.views[picture],
        label=label_of(snapshot.labels, target),
        probability=probability_of(snapshot, picture, target),
        truth=snapshot.truths[picture] if snapshot.truths else None,
    )


def probability_of(snapshot: RunSnapshot, picture: int, target: int | None) -> float | None:
    """The target's probability, from the likeliest classes or else from a finished map."""
    known = dict(snapshot.predictions[picture] or ())
    if target in known:
        return known[target]
    for place, cell in snapshot.cells.items():
        if place.picture == picture and cell.explanation is not None:
            return cell.explanation.probability
    return None


def _metric(metric: Metric, fills: Fills) -> GridMetric:
    fill = fill_of(fills, metric)
    return GridMetric(metric.title, metric.direction, f"{metric.summary} Fill: {fill}.")


def _cell(place: Cell, cell: CellSnapshot, fills: Fills | None) -> GridCell:
    curves = curves_with(cell, fills)
    values = tuple(None if curves is None else curve_of(curves, metric).auc for metric in CURVES)
    return GridCell(
        row=str(place.picture),
        column=str(place.method),
        state=cell.state,
        progress=cell.step / cell.total if cell.total else None,
        seconds_left=cell.seconds_left,
        saliency=cell.saliency,
        evaluations=cell.evaluations,
        seconds=cell.seconds if cell.explanation is not None else None,
        values=values if fills else (),
        notes=() if cell.explanation is None else cell.explanation.notes,
        error=cell.error,
        silent=cell.explanation is not None and cell.explanation.silent,
    )
