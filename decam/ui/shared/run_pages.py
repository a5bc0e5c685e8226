"""Which page shows runs of which kind, and what a visitor reads whose link leads nowhere or to another page."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from decam.errors import DecamError
from decam.experiments.kinds.class_maps import CLASS_MAPS
from decam.experiments.kinds.comparison import COMPARISON
from decam.experiments.kinds.randomisation import RANDOMISATION
from decam.runs.snapshots import RunSnapshot
from decam.ui import nav, state, text


@dataclass(frozen=True)
class RunPage:
    """The page for one kind of run: its address, what it shows, and the parameter that names the run shown."""

    address: str
    noun: str
    parameter: str


RUN_PAGES: dict[str, RunPage] = {
    COMPARISON: RunPage("compare", "comparison", state.RUN),
    RANDOMISATION: RunPage("sanity", "check", state.CHECK),
    CLASS_MAPS: RunPage("class_maps", "gallery", state.GALLERY),
}


def snapshot_of(run: str | None, kind: str) -> RunSnapshot | None:
    """The run as it is now; None, with the reason and a way on, where a page for runs of this kind cannot show it."""
    if run is None:
        return None
    try:
        snapshot = state.runs().snapshot(run)
    except DecamError as error:
        st.error(text.plain(str(error)))
        noun = RUN_PAGES[kind].noun
        st.button(f"Start a new {noun}", on_click=state.show_run, args=(None,), key="leave-run", type="primary")
        return None
    if snapshot.plan.kind == kind:
        return snapshot
    _lead_on(snapshot)
    return None


def _lead_on(snapshot: RunSnapshot) -> None:
    its = RUN_PAGES[snapshot.plan.kind]
    page = nav.page(its.address)
    st.info(f"This link leads to a {its.noun}. The {page.title} page shows it.")
    if st.button(f"Open on the {page.title} page", key="open-on-its-page", type="primary"):
        state.hand_over(snapshot.id, its.parameter)
        st.switch_page(page, query_params={its.parameter: snapshot.id})
