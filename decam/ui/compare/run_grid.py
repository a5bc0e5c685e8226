"""A run's cells as the grid shows them, and which of them is chosen."""

from __future__ import annotations

from decam.experiments.cells import CellKey
from decam.export.wire import grid_cells, grid_metrics, probability_of
from decam.methods import METHODS
from decam.runs.snapshots import RunSnapshot
from decam.ui import state
from decam.ui.components import component_key
from decam.ui.components.grid import grid
from decam.ui.components.grid.grid import GridColumn, GridRow, result_grid


def show(snapshot: RunSnapshot) -> CellKey | None:
    """Draw the grid and return the cell chosen in it."""
    plan = snapshot.plan
    columns = [
        GridColumn(str(index), title, METHODS[choice.name].signed, METHODS[choice.name].summary)
        for index, (choice, title) in enumerate(zip(plan.methods, plan.titles(), strict=True))
    ]
    chosen = result_grid(
        [_row(snapshot, question) for question in range(len(plan.questions))],
        columns,
        list(grid_cells(snapshot).values()),
        key=_key(snapshot),
        metrics=grid_metrics(plan),
        live=state.live(snapshot),
    )
    return None if chosen is None else CellKey(int(chosen[0]), int(chosen[1]))


def extremes(snapshot: RunSnapshot) -> bool:
    """Whether the grid draws maps up to their extremes, or without the top 1 % of their values."""
    return grid.extremes(_key(snapshot))


def _key(snapshot: RunSnapshot) -> str:
    return component_key(f"grid-{snapshot.id}")


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
