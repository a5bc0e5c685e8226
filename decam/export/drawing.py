"""The maps and curves of a run as figures for print: files made when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from decam.experiments.grid import Grid
from decam.figures.formats import FORMATS, MOST_ROWS
from decam.figures.look import Look
from decam.models.catalogue import title_of

# Matplotlib takes a second to import, which nobody should wait for who asks for no figure.


def figure_bytes(grid: Grid, kind: str, look: Look | None = None, *, metrics: Sequence[str] = ()) -> bytes:
    """The grid as a figure, in a file of a kind in FORMATS; `metrics` and errors are those of `grid_figure`."""
    from decam.figures import printed
    from decam.figures.grid_figure import grid_figure

    return printed.file_bytes(grid_figure(grid, look, metrics=metrics), kind, _title("Saliency maps", grid))


def curves_bytes(grid: Grid, kind: str) -> bytes:
    """The curves of a grid as a figure, in a file of a kind in FORMATS; raises SettingError where there are none."""
    from decam.figures import printed
    from decam.figures.curve_sheet import curve_sheet

    return printed.file_bytes(curve_sheet(grid), kind, _title("Curves", grid))


def has_curves(grid: Grid) -> bool:
    """True if any metric has kept a curve."""
    return any(one.curve is not None for cell in grid.cells.values() for one in cell.measurements.values())


def _title(what: str, grid: Grid) -> str:
    return f"{what} of {title_of(grid.plan.model)}: {', '.join(grid.plan.titles())}"


__all__ = ["FORMATS", "MOST_ROWS", "curves_bytes", "figure_bytes", "has_curves"]
