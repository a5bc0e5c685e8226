"""A run's cells as the grid shows them, and which of them is chosen."""

from __future__ import annotations

from decam.experiments.cells import CellKey
from decam.export import Look
from decam.export.wire import grid_cells, grid_metrics, probability_of
from decam.methods import METHODS
from decam.runs.snapshots import RunSnapshot
from decam.ui import state
from decam.ui.components import component_key
from decam.ui.components.grid import grid
from decam.ui.components.grid.grid import GridAnswer, GridColumn, GridRow, result_grid
from decam.ui.components.learn.point import Place
from decam.ui.runs import masked_answers, originals
from decam.ui.shared import wish


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
        outdated=[(str(key.question), str(key.method)) for key in sorted(wish.behind(snapshot))],
        answers=_answers(snapshot),
    )
    return None if chosen is None else CellKey(int(chosen[0]), int(chosen[1]))


def pointed(snapshot: RunSnapshot, place: CellKey) -> Place | None:
    """Where in a map, in shares of width and height, it was clicked last in the grid; None where it was not."""
    return grid.pointed(_key(snapshot), (str(place.question), str(place.method)))


def look(snapshot: RunSnapshot) -> Look:
    """How the grid draws maps, for exports to be drawn alike."""
    return grid.look(_key(snapshot))


def _answers(snapshot: RunSnapshot) -> list[GridAnswer]:
    """What the model says to the parts of pictures that the grid shows, where it shows parts."""
    top = grid.top_shown(_key(snapshot))
    found = [] if top is None else masked_answers.answers(snapshot, top)
    return [GridAnswer(str(key.question), str(key.method), one.top, one.text, one.shown) for key, one in found]


def _key(snapshot: RunSnapshot) -> str:
    return component_key(f"grid-{snapshot.id}")


def _row(snapshot: RunSnapshot, question: int) -> GridRow:
    target = snapshot.grid.target_of(question)
    return GridRow(
        key=str(question),
        title=snapshot.plan.picture_of(question).name,
        view=snapshot.grid.view_of(question),
        label=snapshot.grid.asked_of(question),
        probability=probability_of(snapshot, question, target),
        truth=snapshot.grid.truth_of(question),
        original=originals.original(snapshot, question),
    )
