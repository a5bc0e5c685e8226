"""A search for a backdoor to take away: one line a class as CSV."""

from __future__ import annotations

from decam.experiments.grid import Grid
from decam.experiments.kinds.backdoors import suspicions
from decam.export.tables import csv_bytes, number

HEAD = ("class", "label", "score", "lowest", "highest", "measure", "sentence")


def suspicions_csv(grid: Grid) -> bytes | None:
    """How odd each class is, the oddest first; None where no method of the grid has costs to compare."""
    if not grid.plan.about_classes or len({question.model for question in grid.plan.questions}) > 1:
        return None
    found = suspicions(grid)
    if not found:
        return None
    rows = (
        (one.target, one.label, *map(number, (one.score, one.low, one.high)), one.measure, one.sentence)
        for one in found
    )
    return csv_bytes(HEAD, rows)
