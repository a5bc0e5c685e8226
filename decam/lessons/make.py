"""Makes the runs of the lessons again: `python -m decam.lessons.make [NAME …]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from decam.errors import DecamError
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.variants import models_by
from decam.export import write
from decam.lessons.runs import RUNS, ReadyRun, exact, get, search_file, searches
from decam.runs.store.files import write_map


def made(run: ReadyRun) -> Grid:
    """A run computed anew; raises what its methods raise."""
    grid: Grid = run.make(exact)
    steps = execute(grid, models_by(exact))
    try:
        while True:
            grid = grid.after(next(steps))
    except StopIteration:
        return grid.settled()


def store(run: ReadyRun, grid: Grid) -> None:
    """Write a run to where lessons read it; raises StoreError where that cannot be written."""
    for cell in grid.cells.values():
        if cell.error:
            raise DecamError(f"The run {run.name} is not whole: {cell.error}")
    write(grid, run.folder, drawn=False)
    for key in searches(run, grid):
        path = run.folder / search_file(grid, key)
        path.parent.mkdir(exist_ok=True)
        cell = grid.cells[key]
        assert cell.explanation is not None  # a whole run has one for each cell
        write_map(path, cell.explanation.saliency, cell.frames)


def main(names: Sequence[str]) -> None:
    """Make the runs of these names, all of them for none."""
    for run in [get(name) for name in names] or list(RUNS.values()):
        grid = made(run)
        store(run, grid)
        print(f"{run.name}: {len(grid.cells)} maps, {grid.evaluations:,} evaluations, in {run.folder}")


if __name__ == "__main__":
    main(sys.argv[1:])
