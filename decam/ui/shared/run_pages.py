"""Which page shows runs of which kind, and what a visitor reads whose link leads nowhere or to another page."""

from __future__ import annotations

import streamlit as st

from decam.classifier import Pixels, TorchClassifier
from decam.errors import DecamError
from decam.experiments.kinds import KINDS
from decam.experiments.kinds.backdoors import BACKDOORS
from decam.experiments.kinds.class_maps import CLASS_MAPS
from decam.experiments.kinds.comparison import COMPARISON
from decam.experiments.kinds.randomisation import RANDOMISATION
from decam.experiments.plan import fingerprint
from decam.hardware.device import devices
from decam.runs.snapshots import RunSnapshot
from decam.ui import nav, state, text

PAGE_OF = {COMPARISON: "compare", RANDOMISATION: "sanity", CLASS_MAPS: "class_maps", BACKDOORS: "backdoors"}
"""The address of the page that shows runs of a kind; no page shows the other kinds."""


def snapshot_of(run: str | None, kind: str) -> RunSnapshot | None:
    """The run as it is now; None, with the reason and a way on, where a page for runs of this kind cannot show it."""
    if run is None:
        return None
    try:
        snapshot = state.runs().snapshot(run)
    except DecamError as error:
        st.error(text.plain(str(error)))
        _leave(KINDS[kind].noun)
        return None
    if snapshot.plan.kind == kind:
        return snapshot
    if snapshot.plan.kind in PAGE_OF:
        _lead_on(snapshot)
    else:
        st.info(f"This link leads to a {KINDS[snapshot.plan.kind].noun}, which no page shows.")
        _leave(KINDS[kind].noun)
    return None


def model_of(snapshot: RunSnapshot, name: str = "") -> TorchClassifier:
    """The model of a run, or another one by its name; raises ModelError where its weights are not here.

    On the run's device; on the visitor's where this machine has no such device.
    """
    device = snapshot.plan.device if snapshot.plan.device in devices() else state.device()
    return state.models().get(name or snapshot.plan.model, device)


def place_of(snapshot: RunSnapshot, view: Pixels, target: int) -> int | None:
    """The place of a picture in a run whose maps are for this class; None where the run has no such maps."""
    digest = fingerprint(view)
    for question in range(len(snapshot.plan.questions)):
        if snapshot.plan.picture_of(question).sha256 == digest and snapshot.grid.target_of(question) == target:
            return snapshot.plan.place_of(question)
    return None


def _leave(noun: str) -> None:
    """Draw the way on from a link that no page can follow."""
    st.button(f"Start a new {noun}", on_click=state.show_run, args=(None,), key="leave-run", type="primary")


def _lead_on(snapshot: RunSnapshot) -> None:
    """Draw the way on to the page that shows runs of this kind."""
    address = PAGE_OF[snapshot.plan.kind]
    page, name = nav.page(address), nav.parameter(address)
    st.info(f"This link leads to a {KINDS[snapshot.plan.kind].noun}. The {page.title} page shows it.")
    if st.button(f"Open on the {page.title} page", key="open-on-its-page", type="primary"):
        state.hand_over(snapshot.id, address)
        st.switch_page(page, query_params={name: snapshot.id})
