"""Maps of a run that goes on, drawn in the browser into the places that a page keeps for them."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any, Literal

import streamlit as st

from decam.experiments.cells import CellKey
from decam.export.wire import Kept
from decam.figures import DIVERGING, SEQUENTIAL, lut, png_bytes
from decam.methods import METHODS
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.components import source
from decam.ui.components.grid.grid import address
from decam.ui.components.live import LiveRun

_MAPS = st.components.v2.component("decam_maps", js=source("live/maps.js"))
_view_file = Kept(png_bytes)


def place(run: str, key: CellKey, title: str) -> str:
    """The attributes, in HTML, of an element in which the map of a cell is to be drawn; `title` says what it shows."""
    return f' data-map="{text.escaped(f"{run} {key.question} {key.method}")}" data-title="{text.escaped(title)}"'


def draw(snapshot: RunSnapshot, live: LiveRun, progress: Literal["words", "bar"]) -> None:
    """Let the browser draw what comes of a run's maps; `progress` says how it shows how far a map has come."""
    _MAPS(key=f"maps-{snapshot.id.replace('_', '.')}", data=payload(snapshot, live, progress))


def payload(snapshot: RunSnapshot, live: LiveRun, progress: str) -> dict[str, Any]:
    """The data for the browser, ready for JSON: a picture for each question, and which methods have signed maps."""
    return {
        "live": asdict(live),
        "run": snapshot.id,
        "progress": progress,
        "pictures": [_picture(snapshot, question) for question in range(len(snapshot.plan.questions))],
        "signed": [METHODS[choice.name].signed for choice in snapshot.plan.methods],
        "tables": {"plain": _table(SEQUENTIAL[0]), "signed": _table(DIVERGING)},
    }


def _picture(snapshot: RunSnapshot, question: int) -> dict[str, Any]:
    view = snapshot.grid.view_of(question)
    number = snapshot.plan.questions[question].picture
    return {"picture": address(_view_file(view), f"maps.{snapshot.id}.{number}"), "size": list(view.shape[:2])}


def _table(name: str) -> str:
    return base64.b64encode(lut(name).tobytes()).decode("ascii")
