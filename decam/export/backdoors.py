"""A search for a backdoor to take away: one line a class as CSV."""

from __future__ import annotations

from decam.experiments.grid import Grid
from decam.experiments.kinds.backdoors import comparable, suspicions
from decam.export.tables import csv_bytes, number

HEAD = ("class", "label", "score", "lowest", "highest", "measure", "sentence")


def suspicions_csv(grid: Grid) -> bytes | None:
    """How odd each class is, the oddest first; None where no method of the grid has costs to compare."""
    found = suspicions(grid) if comparable(grid) else ()
    if not found:
        return None
    rows = (
        (one.target, one.label, *map(number, (one.score, one.low, one.high)), one.measure, one.sentence)
        for one in found
    )
    return csv_bytes(HEAD, rows)
