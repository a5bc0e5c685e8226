"""The result grid: pictures down, methods across, maps laid over the pictures and updated in place as they grow."""

from __future__ import annotations

import base64
import weakref
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit import runtime

from decam.classifier import Pixels
from decam.experiments.status import CellState
from decam.explanation import Map
from decam.figures import COLOURS, DIVERGING, limits_of, lut, png_bytes
from decam.ui.components import source

State: TypeAlias = CellState | Literal["unavailable"]
Place: TypeAlias = tuple[str, str]
File = TypeVar("File")

SMALL = 4_000
"""Bytes up to which a picture travels inside the update itself; larger ones have an address and are fetched once."""

_GRID = st.components.v2.component(
    "decam_grid",
    css=source("shared/base.css", "grid/grid.css"),
    js=source(
        "shared/component.js",
        "shared/duration.js",
        "grid/grid_draw.js",
        "grid/grid_controls.js",
        "grid/grid_cells.js",
        "grid/grid.js",
    ),
)


@dataclass(frozen=True)
class GridColumn:
    """A method; `signed` maps are drawn with the diverging table about zero."""

    key: str
    title: str
    signed: bool = False
    help: str = ""


@dataclass(frozen=True)
class GridMetric:
    """A value under every map; `direction` is +1 where higher is better, −1 where lower is."""

    title: str
    direction: int
    help: str = ""


@dataclass(frozen=True)
class GridRow:
    """A picture as the model sees it (H×W×3 uint8), its target class and, where known, the object's mask (H×W)."""

    key: str
    title: str
    view: Pixels
    label: str = ""
    probability: float | None = None
    truth: NDArray[np.bool_] | None = None
    note: str = ""


@dataclass(frozen=True)
class GridCell:
    """One map, finished or in the making.

    `row` and `column` are the keys of its GridRow and GridColumn. `saliency` is the raw map, H×W or coarser.
    `progress` is in [0, 1]; `values` has one entry for each GridMetric, None where it is not known. `error` says why
    a cell failed or is unavailable; `notes` are warnings beside the map. A `silent` map is drawn flat: it holds
    rounding or chance alone.
    """

    row: str
    column: str
    state: State = CellState.WAITING
    progress: float | None = None
    seconds_left: float | None = None
    saliency: Map | None = None
    evaluations: int = 0
    seconds: float | None = None
    values: tuple[float | None, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""
    silent: bool = False


@dataclass(frozen=True)
class MapFile:
    """A map for the browser: a PNG in which 0 to 65535 stand for `low` to `high`.

    A level is red × 256 + green, or 257 times the grey of a picture in grey.
    """

    png: bytes
    low: float
    high: float


def result_grid(
    rows: Sequence[GridRow],
    columns: Sequence[GridColumn],
    cells: Sequence[GridCell],
    *,
    key: str,
    metrics: Sequence[GridMetric] = (),
    selected: Place | None = None,
) -> Place | None:
    """Draw the grid and return the keys (row, column) of the cell that was chosen by a click, or `selected`.

    Drawn again under the same `key`, it changes in place: zoom, sliders and the choice stay. A cell that is not in
    `cells` is shown waiting. Arrays once given must not be changed: what is new is a new array.
    """
    places = {(row.key, column.key) for row in rows for column in columns}
    before = _chosen(st.session_state.get(key), places) or selected
    result = _GRID(
        key=key,
        data=payload(rows, columns, cells, key=key, metrics=metrics, selected=before),
        default={"selected": None, "extremes": False},
        on_selected_change=_remembered,
        on_extremes_change=_remembered,
    )
    return _chosen(result, places) or (selected if selected in places else None)


def extremes(key: str) -> bool:
    """Whether the grid under this key draws maps up to their extremes."""
    state = st.session_state.get(key)
    return isinstance(state, Mapping) and state.get("extremes") is True


def prepare() -> None:
    """Let the browser fetch and compile what draws grids before there is one, out of sight."""
    with st.container(key="grid-to-come"):
        _GRID(
            key="grid-none",
            data=payload((), (), (), key="grid-none"),
            default={"selected": None, "extremes": False},
            on_selected_change=_remembered,
            on_extremes_change=_remembered,
        )


def payload(
    rows: Sequence[GridRow],
    columns: Sequence[GridColumn],
    cells: Sequence[GridCell],
    *,
    key: str,
    metrics: Sequence[GridMetric] = (),
    selected: Place | None = None,
) -> dict[str, Any]:
    """The data for the browser, ready for JSON. Large pictures are replaced by addresses on this server."""
    best = best_places(cells, metrics)
    signed = {column.key: column.signed for column in columns}
    return {
        "columns": [asdict(column) for column in columns],
        "metrics": [asdict(metric) for metric in metrics],
        "rows": [_row(row, key) for row in rows],
        "cells": [_cell(cell, key, best, signed.get(cell.column, False)) for cell in cells],
        "extremes": extremes(key),
        "tables": {name: base64.b64encode(lut(name).tobytes()).decode("ascii") for name in COLOURS},
        "diverging": DIVERGING,
        "selected": selected,
    }


def best_places(cells: Sequence[GridCell], metrics: Sequence[GridMetric]) -> frozenset[tuple[str, str, int]]:
    """(row, column, metric) of the best value in each row, ties included, where at least two maps were measured."""
    best = set()
    for index, metric in enumerate(metrics):
        for row in {cell.row for cell in cells}:
            values = {
                cell.column: value
                for cell in cells
                if cell.row == row and index < len(cell.values) and (value := cell.values[index]) is not None
            }
            if len(values) > 1:
                top = max(values.values(), key=lambda value: metric.direction * value)
                best |= {(row, column, index) for column, value in values.items() if value == top}
    return frozenset(best)


def _chosen(state: Any, places: Collection[Place]) -> Place | None:
    """The choice that came from a browser, if it is one of these places."""
    chosen = state.get("selected") if isinstance(state, Mapping) else None
    return next((place for place in places if list(place) == chosen), None)


def _remembered() -> None:
    """Nothing is left to do when a cell is chosen: Streamlit keeps the choice and draws the page again."""


class _Kept(Generic[File]):
    """Files made from arrays, each kept as long as its array lives, so that a page that polls makes it once."""

    def __init__(self, make: Callable[[NDArray[Any]], File]) -> None:
        self._make = make
        self._files: dict[int, tuple[weakref.ref[NDArray[Any]], File]] = {}

    def __call__(self, array: NDArray[Any]) -> File:
        place = id(array)
        kept = self._files.get(place)
        if kept is not None and kept[0]() is array:
            return kept[1]
        file = self._make(array)
        self._files[place] = (weakref.ref(array, lambda _: self._files.pop(place, None)), file)
        return file


def map_file(saliency: Map) -> MapFile:
    """A raw map as the browser takes it, to 1/255 of its colours' range. Infinite values go to the nearer end.

    Where clipping leaves less than half of the values' range to the colours, it is sent to 1/65535 of the range.
    """
    finite = saliency[np.isfinite(saliency)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    nan = min(max(0.0, low), high)
    values = np.nan_to_num(saliency.astype(np.float64), nan=nan, posinf=high, neginf=low)
    reach = high - low
    units = (values - low) / reach if reach > 0 else np.zeros_like(values)
    if min(np.ptp(limits_of(saliency, signed)) for signed in (False, True)) >= reach / 2:
        return MapFile(png_bytes(np.rint(255 * units).astype(np.uint8)), low, high)
    levels = np.rint(65535 * units).astype(np.uint16)
    channels = (levels >> 8, levels & 255, np.zeros_like(levels))
    return MapFile(png_bytes(np.stack(channels, axis=2).astype(np.uint8)), low, high)


def _outline_file(truth: NDArray[np.bool_]) -> bytes:
    return png_bytes(truth.astype(np.uint8) * 255)


_map_file = _Kept(map_file)
_ends = {signed: _Kept(partial(limits_of, signed=signed)) for signed in (False, True)}
_view_file = _Kept(png_bytes)
_truth_file = _Kept(_outline_file)


def _row(row: GridRow, key: str) -> dict[str, Any]:
    truth = None if row.truth is None else _truth_file(row.truth)
    return {
        "key": row.key,
        "title": row.title,
        "label": row.label,
        "probability": row.probability,
        "note": row.note,
        "height": row.view.shape[0],
        "width": row.view.shape[1],
        "view": address(_view_file(row.view), f"{key}.view.{row.key}"),
        "truth": None if truth is None else address(truth, f"{key}.truth.{row.key}"),
    }


def _cell(cell: GridCell, key: str, best: frozenset[tuple[str, str, int]], signed: bool) -> dict[str, Any]:
    file = None if cell.saliency is None else _map_file(cell.saliency)
    return {
        "row": cell.row,
        "column": cell.column,
        "state": cell.state,
        "progress": cell.progress,
        "secondsLeft": cell.seconds_left,
        "map": None if file is None else address(file.png, f"{key}.map.{cell.row}.{cell.column}"),
        "low": 0.0 if file is None else file.low,
        "high": 0.0 if file is None else file.high,
        "ends": (0.0, 0.0) if cell.saliency is None else _ends[signed](cell.saliency),
        "silent": cell.silent,
        "evaluations": cell.evaluations,
        "seconds": cell.seconds,
        "values": list(cell.values),
        "best": [(cell.row, cell.column, index) in best for index in range(len(cell.values))],
        "notes": list(cell.notes),
        "error": cell.error,
    }


def address(png: bytes, place: str) -> str:
    """Where the browser finds a PNG: in the text itself, or at an address that names its content.

    `place` is where in the page it is shown; what was shown there before is forgotten.
    """
    if len(png) <= SMALL or not runtime.exists():
        return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
    return runtime.get_instance().media_file_mgr.add(png, "image/png", f"decam.{place}")
