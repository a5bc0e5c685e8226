"""A sanity check to take away: similarities as CSV, maps as NPZ."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from decam.experiments.randomisation_plan import SanitySnapshot
from decam.experiments.randomisation_result import Row
from decam.export.tables import csv_bytes, number
from decam.files import npz_bytes

ORIGINAL = "original"


def similarities_csv(check: SanitySnapshot) -> bytes:
    """One line a method, stage or control, measure and way of comparing; empty where a value is not defined."""
    head = tuple(field.name for field in dataclasses.fields(Row))
    return csv_bytes(head, ([_cell(value) for value in dataclasses.astuple(row)] for row in check.found.to_rows()))


def maps_npz(check: SanitySnapshot) -> bytes:
    """The picture as the model sees it, and each raw map (float32, H×W) under "method/stage"."""
    found, names = check.found, [choice.name for choice in check.plan.methods]
    arrays: dict[str, NDArray[np.generic]] = {"view": check.view}
    for original in found.originals:
        arrays[f"{names[original.method]}/{ORIGINAL}"] = original.explanation.saliency
    for one in found.compared:
        stage = f"{one.variant + 1} {found.variants[one.variant].name}"
        arrays[f"{names[one.method]}/{stage}"] = one.explanation.saliency
    return npz_bytes(arrays)


def _cell(value: object) -> object:
    if isinstance(value, float):
        return "" if math.isnan(value) else number(value)
    return value
