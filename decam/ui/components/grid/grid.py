"""The result grid: pictures down, methods across, maps laid over the pictures and updated in place as they grow."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit import runtime

from decam.classifier import Pixels
from decam.export.wire import (
    Best,
    GridCell,
    GridMetric,
    Kept,
    best_places,
    cell_object,
    colour_table,
    picture_file,
)
from decam.figures import COLOURS, DIVERGING, data_uri, png_bytes
from decam.ui.components import source, styles
from decam.ui.components.live import LiveRun

Place: TypeAlias = tuple[str, str]

SMALL = 4_000
"""Bytes up to which a picture travels inside the update itself; larger ones have an address and are fetched once."""

_GRID = st.components.v2.component(
    "decam_grid",
    css=styles("shared/base.css", "shared/choice.css", "grid/grid.css"),
    js=source("grid/grid.js"),
)


@dataclass(frozen=True)
class GridColumn:
    """A method; `signed` maps are drawn with the diverging table about zero."""

    key: str
    title: str
    signed: bool = False
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


def result_grid(
    rows: Sequence[GridRow],
    columns: Sequence[GridColumn],
    cells: Sequence[GridCell],
    *,
    key: str,
    metrics: Sequence[GridMetric] = (),
    selected: Place | None = None,
    live: LiveRun | None = None,
) -> Place | None:
    """Draw the grid and return the keys (row, column) of the cell that was chosen by a click, or `selected`.

    Drawn again under the same `key`, it changes in place: zoom, sliders and the choice stay. A cell that is not in
    `cells` is shown waiting. Arrays once given must not be changed: what is new is a new array. With the `live` run
    whose cells these are, the grid goes on by itself, and need not be drawn again before the run ends.
    """
    places = {(row.key, column.key) for row in rows for column in columns}
    before = chosen_place(st.session_state.get(key), places) or selected
    result = _mounted(key, payload(rows, columns, cells, key=key, metrics=metrics, selected=before, live=live))
    return chosen_place(result, places) or (selected if selected in places else None)


def extremes(key: str) -> bool:
    """Whether the grid under this key draws maps up to their extremes."""
    state = st.session_state.get(key)
    return isinstance(state, Mapping) and state.get("extremes") is True


def prepare() -> None:
    """Let the browser fetch and compile what draws grids before there is one, out of sight."""
    with st.container(key="grid-to-come"):
        _mounted("grid-none", payload((), (), (), key="grid-none"))


def _mounted(key: str, data: dict[str, Any]) -> Any:
    """The component with this data; its result has what was chosen."""
    return _GRID(
        key=key,
        data=data,
        default={"selected": None, "extremes": False},
        on_selected_change=remembered,
        on_extremes_change=remembered,
    )


def payload(
    rows: Sequence[GridRow],
    columns: Sequence[GridColumn],
    cells: Sequence[GridCell],
    *,
    key: str,
    metrics: Sequence[GridMetric] = (),
    selected: Place | None = None,
    live: LiveRun | None = None,
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
        "tables": {name: colour_table(name) for name in COLOURS},
        "diverging": DIVERGING,
        "selected": selected,
        "live": None if live is None else asdict(live),
    }


def chosen_place(state: Any, places: Collection[Place]) -> Place | None:
    """The choice that came from a browser, if it is one of these places."""
    chosen = state.get("selected") if isinstance(state, Mapping) else None
    return next((place for place in places if list(place) == chosen), None)


def remembered() -> None:
    """Nothing is left to do when a map is chosen: Streamlit keeps the choice and draws the page again."""


def _outline_file(truth: NDArray[np.bool_]) -> bytes:
    return png_bytes(truth.astype(np.uint8) * 255)


_truth_file = Kept(_outline_file)


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
        "view": address(picture_file(row.view), f"{key}.view.{row.key}"),
        "truth": None if truth is None else address(truth, f"{key}.truth.{row.key}"),
    }


def _cell(cell: GridCell, key: str, best: Best, signed: bool) -> dict[str, Any]:
    return cell_object(cell, best, signed, partial(address, place=f"{key}.map.{cell.row}.{cell.column}"))


def address(png: bytes, place: str) -> str:
    """Where the browser finds a PNG: in the text itself, or at an address that names its content.

    `place` is where in the page it is shown; what was shown there before is forgotten.
    """
    if len(png) <= SMALL or not runtime.exists():
        return data_uri(png)
    return runtime.get_instance().media_file_mgr.add(png, "image/png", f"decam.{place}")
