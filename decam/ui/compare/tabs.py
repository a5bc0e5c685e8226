"""What the Compare page draws of a run: the grid of its maps, and tabs with what can be read from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from decam.errors import DecamError
from decam.experiments.cells import CellKey
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.compare import agreement_view, behind, convergence, metric_curves, metrics_table
from decam.ui.components.live import status as live_status
from decam.ui.runs import beside, cover, export_panel, measure_more, prototype_matches, run_grid
from decam.ui.shared import run_pages

Tab: TypeAlias = Callable[[RunSnapshot, CellKey | None], None]


def _always(snapshot: RunSnapshot) -> bool:
    del snapshot
    return True


TABS: tuple[tuple[str, Tab, Callable[[RunSnapshot], bool]], ...] = (
    ("Convergence", convergence.show, _always),
    ("Curves", metric_curves.show, _always),
    ("Metrics", metrics_table.show, _always),
    ("Agreement", agreement_view.show, _always),
    ("Behind a value", behind.show, _always),
    ("Cover by hand", cover.show, _always),
    ("This looks like that", prototype_matches.show, prototype_matches.shown),
    ("Export", export_panel.show, _always),
)


def maps(snapshot: RunSnapshot) -> None:
    """Draw the grid of a run's maps, and the tabs below it."""
    selected = run_grid.show(snapshot)
    beside.show(snapshot, run_grid.show)
    tabs = {title: draw for title, draw, shown in TABS if shown(snapshot)}
    opened = st.tabs(list(tabs), key="tabs", on_change="rerun")
    for place, draw in zip(opened, tabs.values(), strict=True):
        _tab(place, draw, snapshot, selected)


def _tab(place: DeltaGenerator, draw: Tab, snapshot: RunSnapshot, selected: CellKey | None) -> None:
    """Draw the tab that is open; the others cost nothing."""
    if getattr(place, "open", True):
        with place:
            st.fragment(_guarded)(draw, snapshot.id, snapshot.plan.kind, selected)


def _guarded(draw: Tab, run: str, kind: str, selected: CellKey | None) -> None:
    """Draw a tab from the run as it is now; one that shows finished maps alone is drawn again when there are more."""
    measure_more.take_up()
    snapshot = run_pages.snapshot_of(run, kind)
    if snapshot is None:
        return
    live = state.live(snapshot)
    if live is not None and draw is not convergence.show:
        live_status.again_when_measured(snapshot, live, "tab")
    try:
        draw(snapshot, selected)
    except DecamError as error:
        st.error(text.plain(str(error)))
