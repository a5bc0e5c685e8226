"""A run on any page: how it stands, and what the page draws of it, kept up to date while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import streamlit as st

from decam.errors import StoreError
from decam.export.standing import STATUS, standing
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text, theme
from decam.ui.components.grid import grid
from decam.ui.components.live import status as live_status
from decam.ui.shared import description, run_pages, wish
from decam.ui.shared.awaited import POLL as POLL
from decam.ui.shared.awaited import bar

Draw: TypeAlias = Callable[[RunSnapshot], None]


def show(snapshot: RunSnapshot | None, draw: Draw) -> None:
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
