"""A plan computed by a command: progress on one line, and an export of what is finished, also after Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from decam import export
from decam.cli.codes import BAD_INPUT, INTERRUPTED, NOT_ALL, OK
from decam.cli.terminal import Line, say, stopping, visible
from decam.experiments.execute import Models, execute
from decam.experiments.grid import Grid
from decam.experiments.kinds import reading
from decam.export.findings import line as finding
from decam.export.standing import spending
from decam.export.telling import made, tell

Table: TypeAlias = Callable[[Grid], None]
MOST = 12
"""The most findings that are printed; of more, those about the whole run."""


def computed(grid: Grid, models: Models, folder: Path | None, table: Table) -> int:
    """Compute what a grid is missing, write the export into `folder`, print `table` of it and what it says.

    Returns the exit code. Without a folder nothing is written.
    """
    if folder is not None and export.check_folder(folder):
        say(f"Note: the export in {folder} will be replaced.")
    with Line(sys.stderr) as line, stopping() as stop:
        with closing(execute(grid, models)) as events:
            for event in events:
                grid = grid.after(event)
                tell(event, grid, line)
                if stop.asked:
                    break
        return _written(grid, folder, line, table, interrupted=stop.asked)


def _written(grid: Grid, folder: Path | None, line: Line, table: Table, *, interrupted: bool) -> int:
    """Write what is finished, say what that is, and return the exit code."""
    finished, wanted = made(grid), len(grid.cells)
    if not finished:
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
        line.note(f"Interrupted: the {finished} of {wanted} maps that were finished {where}.")
        return INTERRUPTED
    table(grid)
    _print_findings(grid)
    print(f"In all {spending(grid)}.")
    if folder is not None:
        print(visible(f"Written to {folder}."))
    return NOT_ALL if any(cell.error for cell in grid.cells.values()) else OK


def _print_findings(grid: Grid) -> None:
    """What the run says in words, one line a finding."""
    found = reading(grid)
    for one in found if len(found) <= MOST else (one for one in found if not one.subject):
        print(visible(finding(one)))
