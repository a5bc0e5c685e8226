"""A run on the page: how it stands, its grid, and what can be read from it, kept up to date while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from decam.errors import DecamError, StoreError
from decam.experiments.cells import CellKey
from decam.export.standing import STATUS, standing
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text, theme
from decam.ui.compare import (
    agreement_view,
    behind,
    beside,
    convergence,
    cover,
    export_panel,
    measure_more,
    metric_curves,
    metrics_table,
    prototype_matches,
    run_grid,
)
from decam.ui.components.grid import grid
from decam.ui.components.live import status as live_status
from decam.ui.shared import description, run_pages, wish
from decam.ui.shared.awaited import POLL as POLL
from decam.ui.shared.awaited import bar

Tab: TypeAlias = Callable[[RunSnapshot, CellKey | None], None]
Draw: TypeAlias = Callable[[RunSnapshot], None]


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


def show(snapshot: RunSnapshot | None, draw: Draw = maps) -> None:
    """Say how a run stands and draw it, or nothing where there is none.

    While it waits or runs, the browser follows it by itself, and this part of the page is drawn again when it has
    ended. Where the server has no routes for that, it is drawn again once a second.
    """
    if snapshot is None:
        grid.prepare()
        return
    theme.title(snapshot.title)
    description.show(snapshot)
    look = snapshot.active and state.live(snapshot) is None
    st.fragment(_live, run_every=POLL if look else None)(snapshot.id, snapshot.plan.kind, snapshot.active, draw)


def _live(run: str, kind: str, active: bool, draw: Draw) -> None:
    snapshot = run_pages.snapshot_of(run, kind)
    if snapshot is None:
        return
    if active and not snapshot.active:
        st.rerun()
    live = state.live(snapshot)
    try:
        if live is None:
            status(snapshot)
        else:
            live_status.show(snapshot, live)
            note(snapshot)
    except StoreError as error:
        st.error(text.plain(str(error)))
    wish.say(snapshot)
    draw(snapshot)


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


def status(snapshot: RunSnapshot) -> None:
    """One line on how the run stands, a bar while it runs, and the way on where it was ended early."""
    stands = standing(snapshot)
    with live_status.room(snapshot.id):
        with st.container(key="status", horizontal=True, vertical_alignment="center", gap="small"):
            facts = " · ".join(text.plain(fact) for fact in stands.facts)
            st.markdown(f"**{STATUS[snapshot.status]}** :gray[· {facts}]", width="stretch")
            ended_early = snapshot.status.ended_early and state.may_change(snapshot)
            if ended_early and st.button(
                "Continue", key="continue", icon=":material/play_arrow:", help="Compute what is missing."
            ):
                state.runs().resume(snapshot.id, by=state.owner())
                st.rerun()
        st.html(bar(stands.share, snapshot.active))
    note(snapshot)


def note(snapshot: RunSnapshot) -> None:
    """What a reader must know of the run, where there is something."""
    if snapshot.note:
        st.warning(text.plain(snapshot.note))
