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
from decam.figures import COLOURS, DIVERGING, SEQUENTIAL, data_uri, legend, png_bytes
from decam.figures.look import Look
from decam.images.seen_part import Part
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
class GridOriginal:
    """A picture as it was given (PNG, small), the part that the model sees, and that part finer (PNG), if it is."""

    whole: bytes
    sharp: bytes | None
    part: Part


@dataclass(frozen=True)
class GridRow:
    """A picture as the model sees it (H×W×3 uint8), its target class and, where known, the object's mask (H×W).

    `original` is the picture as it was given, where that is known.
    """

    key: str
    title: str
    view: Pixels
    label: str = ""
    probability: float | None = None
    truth: NDArray[np.bool_] | None = None
    note: str = ""
    original: GridOriginal | None = None


@dataclass(frozen=True)
class GridAnswer:
    """What a model says in words to a part of a picture: the top `top` per cent of a map, which `shown` (H×W) marks."""

    row: str
    column: str
    top: int
    text: str
    shown: NDArray[np.bool_]


def result_grid(
    rows: Sequence[GridRow],
    columns: Sequence[GridColumn],
    cells: Sequence[GridCell],
    *,
    key: str,
    metrics: Sequence[GridMetric] = (),
    selected: Place | None = None,
    live: LiveRun | None = None,
    outdated: Collection[Place] = (),
    answers: Sequence[GridAnswer] | None = None,
) -> Place | None:
    """Draw the grid and return the keys (row, column) of the cell that was chosen by a click, or `selected`.

    Drawn again under the same `key`, it changes in place: zoom, sliders and the choice stay. A cell that is not in
    `cells` is shown waiting. Arrays once given must not be changed: what is new is a new array. With the `live` run
    whose cells these are, the grid goes on by itself, and need not be drawn again before the run ends. Cells that are
    `outdated` are dimmed: they are no answer to what is chosen now. `answers` are to the parts of pictures that the
    grid shows by `top_shown`; None where nobody asks a model.
    """
    places = {(row.key, column.key) for row in rows for column in columns}
    before = chosen_place(st.session_state.get(key), places) or selected
    data = payload(rows, columns, cells, key=key, metrics=metrics, selected=before, live=live, answers=answers)
    result = _mounted(key, data | {"outdated": list(outdated)})
    return chosen_place(result, places) or (selected if selected in places else None)


def look(key: str) -> Look:
    """How the grid under this key draws maps, for exports to be drawn alike; the standard until a browser has told."""
    told, standard = _told(key), Look()
    colours, opacity = told.get("colours"), told.get("opacity")
    return Look(
        colours=colours if colours in SEQUENTIAL else standard.colours,
        opacity=opacity / 100 if isinstance(opacity, int) and 0 <= opacity <= 100 else standard.opacity,
        shared=told.get("scale") == "column",
        ranks=told.get("scale") == "rank",
        extremes=told.get("extremes") is True,
        contours=told.get("contours") is True,
    )


def top_shown(key: str) -> int | None:
    """The part of each picture that the grid under this key shows, in per cent; None where it shows maps."""
    top = _told(key).get("top")
    return top if isinstance(top, int) and 1 <= top <= 100 else None


def pointed(key: str, cell: Place) -> tuple[float, float] | None:
    """Where in this cell's map the grid under this key was clicked last, in shares of width and height.

    None where another cell was clicked, or none.
    """
    state = st.session_state.get(key)
    told: Any = state.get("place") if isinstance(state, Mapping) else None
    try:
        row, column, across, down = told
        spot = float(across), float(down)
    except (TypeError, ValueError):  # nothing was clicked, or it did not come from a grid
        return None
    return spot if (row, column) == cell and all(0 <= share <= 1 for share in spot) else None


def _told(key: str) -> Mapping[str, Any]:
    """What a browser has told of how it shows a grid; it may be anything."""
    state = st.session_state.get(key)
    told = state.get("look") if isinstance(state, Mapping) else None
    return told if isinstance(told, Mapping) else {}


def prepare() -> None:
    """Let the browser fetch and compile what draws grids before there is one, out of sight."""
    with st.container(key="grid-to-come"):
        _mounted("grid-none", payload((), (), (), key="grid-none"))


def _mounted(key: str, data: dict[str, Any]) -> Any:
    """The component with this data; its result has what was chosen."""
    return _GRID(
        key=key,
        data=data,
        default={"selected": None, "look": None, "place": None},
        on_selected_change=remembered,
        on_place_change=remembered,
        on_look_change=remembered,
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
    answers: Sequence[GridAnswer] | None = None,
) -> dict[str, Any]:
    """The data for the browser, ready for JSON. Large pictures are replaced by addresses on this server."""
    best = best_places(cells, metrics)
    signed = {column.key: column.signed for column in columns}
    return {
        "columns": [asdict(column) for column in columns],
        "metrics": [asdict(metric) for metric in metrics],
        "rows": [_row(row, key) for row in rows],
        "cells": [_cell(cell, key, best, signed.get(cell.column, False)) for cell in cells],
        "answers": None if answers is None else [_answer(answer, key) for answer in answers],
        "tables": {name: colour_table(name) for name in COLOURS},
        "diverging": DIVERGING,
        "words": {name: list(words) for name, words in legend.ENDS.items()},
        "byRank": [legend.BY_RANK[False], legend.BY_RANK[True]],
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
        "original": None if row.original is None else _original(row.original, f"{key}.%s.{row.key}"),
        "truth": None if truth is None else address(truth, f"{key}.truth.{row.key}"),
    }


def _original(original: GridOriginal, place: str) -> dict[str, Any]:
    part = original.part
    return {
        "whole": address(original.whole, place % "whole"),
        "sharp": None if original.sharp is None else address(original.sharp, place % "sharp"),
        "part": None if part.whole else [part.top, part.left, part.bottom, part.right],
    }


def _answer(answer: GridAnswer, key: str) -> dict[str, Any]:
    mask = address(_truth_file(answer.shown), f"{key}.shown.{answer.row}.{answer.column}")
    return {"row": answer.row, "column": answer.column, "top": answer.top, "text": answer.text, "mask": mask}


def _cell(cell: GridCell, key: str, best: Best, signed: bool) -> dict[str, Any]:
    return cell_object(cell, best, signed, partial(address, place=f"{key}.map.{cell.row}.{cell.column}"))


def address(png: bytes, place: str) -> str:
    """Where the browser finds a PNG: in the text itself, or at an address that names its content.

    `place` is where in the page it is shown; what was shown there before is forgotten.
    """
    if len(png) <= SMALL or not runtime.exists():
        return data_uri(png)
    return runtime.get_instance().media_file_mgr.add(png, "image/png", f"decam.{place}")
