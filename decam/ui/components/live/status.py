"""How a run stands, kept up to date in the browser; and the word that the rest of a page has something new to show."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from decam.export import wire
from decam.export.standing import Standing
from decam.runs.snapshots import RunSnapshot
from decam.ui.components import component_key, source, styles
from decam.ui.components.live import LiveRun

_STATUS = st.components.v2.component(
    "decam_status",
    css=styles("shared/base.css", "live/status.css"),
    js=source("live/status.js"),
)
_MEASURED = st.components.v2.component(
    "decam_measured",
    js=source("live/measured.js"),
)


def show(snapshot: RunSnapshot, live: LiveRun, about: str = "") -> None:
    """Draw the line on a run and its bar; whatever calls this is run again when the run has ended.

    `about` comes first among the facts. Where nothing can be heard of the run in the browser, whatever calls this is
    run again once a second instead.
    """
    _line(snapshot.id, live, wire.run_object(snapshot), about)


def show_work(name: str, stands: Standing, live: LiveRun, about: str) -> None:
    """Draw the same line on work that is no run, of that name in the feed of `live`."""
    cell = wire.work_object(name, stands)
    _line(name, live, {**cell, "note": ""}, about, [cell["row"], cell["column"]])


def room(name: str) -> DeltaGenerator:
    """The room of a line and its bar: as high whether the browser draws them or the page, so that nothing moves."""
    return st.container(key=component_key(f"standing-{name}"), gap=None)


def _line(name: str, live: LiveRun, stands: dict[str, Any], about: str, place: list[str] | None = None) -> None:
    with room(name):
        _STATUS(
            key=component_key(f"status-{name}"),
            data={"live": asdict(live), "run": stands, "about": about, "place": place},
            on_ended_change=_nothing,
            on_look_change=_nothing,
        )


def again_when_measured(snapshot: RunSnapshot, live: LiveRun, place: str) -> None:
    """Run whatever calls this again when maps were finished or measured since, at most once in five seconds."""
    _MEASURED(
        key=component_key(f"measured-{place}-{snapshot.id}"),
        data={"live": asdict(live), "measured": wire.measured(snapshot)},
        on_measured_change=_nothing,
    )


def _nothing() -> None:
    """Nothing is left to do: Streamlit draws the page again."""
