"""A plan computed by a command: progress on one line, and an export of what is finished, also after Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from decam import export
from decam.cli.codes import BAD_INPUT, INTERRUPTED, NOT_ALL, OK
from decam.cli.terminal import Line, say, share, stopping, visible
from decam.durations import duration
from decam.experiments.events import Event, Explained, Failed, Measured, Predicted, Progressed
from decam.experiments.execute import Models, execute
from decam.experiments.grid import Grid
from decam.experiments.status import CellState

Table: TypeAlias = Callable[[Grid], None]


def computed(grid: Grid, models: Models, folder: Path | None, table: Table) -> int:
    """Compute what a grid is missing, write the export into `folder`, print `table` of it; returns the exit code.

    Without a folder nothing is written.
    """
    if folder is not None and export.check_folder(folder):
        say(f"Note: the export in {folder} will be replaced.")
    with Line(sys.stderr) as line, stopping() as stop:
        with closing(execute(grid, models)) as events:
            for event in events:
                grid = grid.after(event)
                _tell(event, grid, line)
                if stop.asked:
                    break
        return _written(grid, folder, line, table, interrupted=stop.asked)


def _tell(event: Event, grid: Grid, line: Line) -> None:
    """Progress in words."""
    plan = grid.plan
    if isinstance(event, Measured):
        line.show(f"{plan.metric_titles()[event.metric]} measured")
        return
    if isinstance(event, Predicted):
        top = int(event.probabilities.argmax())
        line.note(f"{grid.subject_of(event.question)}: {grid.labels[top]} ({event.probabilities[top]:.2f})")
        return
    subject = grid.subject_of(event.cell.question)
    name = f"{subject} · {plan.titles()[event.cell.method]}"
    made = f"{_made(grid)} of {len(grid.cells)} maps"
    if isinstance(event, Progressed):
        done = share(event.progress.step, event.progress.total)
        if event.stage is CellState.MEASURING:
            line.show(f"{made} · {subject} · measuring {done}")
        else:
            line.show(f"{made} · {name} {done} · {event.progress.evaluations} evaluations")
    elif isinstance(event, Explained):
        explanation = event.explanation
        line.note(f"{name}: {explanation.evaluations} evaluations in {duration(explanation.seconds)}")
        for note in explanation.notes:
            line.note(f"Note: {name}: {note}")
    elif isinstance(event, Failed):
        line.note(f"{name} failed: {event.sentence}")


def _made(grid: Grid) -> int:
    return sum(cell.explanation is not None for cell in grid.cells.values())


def _written(grid: Grid, folder: Path | None, line: Line, table: Table, *, interrupted: bool) -> int:
    """Write what is finished, say what that is, and return the exit code."""
    made, wanted = _made(grid), len(grid.cells)
    if not made:
        line.note(
            "Interrupted before any map was finished; nothing was written." if interrupted else "No map was made."
        )
        return INTERRUPTED if interrupted else BAD_INPUT
    if folder is not None:
        line.show(f"Writing to {folder}")
        export.write(grid, folder)
    line.clear()
    if interrupted:
        where = "are kept nowhere" if folder is None else f"are in {folder}"
        line.note(f"Interrupted: the {made} of {wanted} maps that were finished {where}.")
        return INTERRUPTED
    table(grid)
    if folder is not None:
        print(visible(f"Written to {folder}."))
    return NOT_ALL if any(cell.error for cell in grid.cells.values()) else OK
