"""Maps of a run that goes on, drawn in the browser into the places that a page keeps for them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

import streamlit as st

from decam.experiments.cells import CellKey
from decam.export.wire import colour_table, picture_file
from decam.figures import DIVERGING, SEQUENTIAL
from decam.methods import METHODS
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.components import component_key, source
from decam.ui.components.grid.grid import address
from decam.ui.components.live import LiveRun

_MAPS = st.components.v2.component("decam_maps", js=source("live/maps.js"))


def place(run: str, cell: CellKey, title: str) -> str:
    """The attributes, in HTML, of an element in which the map of a cell is to be drawn; `title` says what it shows."""
    return f' data-map="{text.escaped(f"{run} {cell.question} {cell.method}")}" data-title="{text.escaped(title)}"'


def draw(snapshot: RunSnapshot, live: LiveRun, progress: Literal["words", "bar"]) -> None:
    """Let the browser draw what comes of a run's maps; `progress` says how it shows how far a map has come."""
    _MAPS(key=component_key(f"maps-{snapshot.id}"), data=payload(snapshot, live, progress))


def payload(snapshot: RunSnapshot, live: LiveRun, progress: str) -> dict[str, Any]:
    """The data for the browser, ready for JSON: a picture for each question, and which methods have signed maps."""
    return {
        "live": asdict(live),
        "run": snapshot.id,
        "progress": progress,
        "pictures": [_picture(snapshot, question) for question in range(len(snapshot.plan.questions))],
        "signed": [METHODS[choice.name].signed for choice in snapshot.plan.methods],
        "tables": {"plain": colour_table(SEQUENTIAL[0]), "signed": colour_table(DIVERGING)},
    }


def _picture(snapshot: RunSnapshot, question: int) -> dict[str, Any]:
    view = snapshot.grid.view_of(question)
    number = snapshot.plan.questions[question].picture
    return {"picture": address(picture_file(view), f"maps.{snapshot.id}.{number}"), "size": list(view.shape[:2])}
