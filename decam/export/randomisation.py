"""A randomisation check to take away: similarities as CSV, maps as NPZ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from decam.experiments.grid import Grid
from decam.export.names import method_names
from decam.export.tables import Row, csv_bytes, number
from decam.files import npz_bytes
from decam.metrics.resemblance import TO_CONTROLS, TO_REFERENCE

ORIGINAL = "original"
HEAD = ("method", "stage", "share", "probability", "measure", "values", "similarity")


def similarities_csv(grid: Grid) -> bytes:
    """One line a method, stage or control, measure and way of comparing; empty where a value is not defined."""
    return csv_bytes(HEAD, _rows(grid))


def _rows(grid: Grid) -> Iterator[Row]:
    measures = {row.name: measure for table in (TO_CONTROLS, TO_REFERENCE) for measure, row in table.items()}
    titles = grid.plan.titles()
    choices = [choice for choice in grid.plan.metrics if choice.name in measures]
    for key, cell in sorted(grid.cells.items()):
        variant = grid.plan.questions[key.question].model.variant
        for choice in choices:
            measurement = cell.measurements.get(choice.key)
            if measurement is None or cell.explanation is None:
                continue
            how = (measures[choice.name], "absolute" if choice.settings.to_mapping()["absolute"] else "signed")
            if variant is None:
                for control, value in measurement.parts:
                    yield (titles[key.method], control, "", "", *how, number(value))
            else:
                begin = (titles[key.method], variant.stage, number(variant.share))
                yield (*begin, number(cell.explanation.probability), *how, number(measurement.value))


def maps_npz(grid: Grid) -> bytes:
    """The picture as the model sees it, and each raw map (float32, H×W) under "method/stage"."""
    names = method_names(grid.plan)
    arrays: dict[str, NDArray[np.generic]] = {"view": grid.views[0]}
    for key in sorted(grid.cells, key=lambda key: (key.method, key.question)):
        explanation = grid.cells[key].explanation
        variant = grid.plan.questions[key.question].model.variant
        stage = ORIGINAL if variant is None else f"{key.question} {variant.stage}"
        if explanation is not None:
            arrays[f"{names[key.method]}/{stage}"] = explanation.saliency
    return npz_bytes(arrays)
