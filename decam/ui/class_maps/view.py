"""A run of class maps on the page: how it stands, the gallery, where a map answers in a picture, and its export."""

from __future__ import annotations

import streamlit as st

from decam.experiments.cells import CellKey
from decam.runs.snapshots import RunSnapshot
from decam.ui.class_maps import answering
from decam.ui.runs import beside, export_panel, gallery, run_view


def welcome() -> None:
    """Say what the page is for, before there is a run."""
    with st.container(key="maps-welcome"):
        st.header("What does a class look like to this model?")
        st.markdown(f"{gallery.WHAT} Choose classes and press **Look inside**.")


def show(snapshot: RunSnapshot | None) -> None:
    """Draw a run, or nothing where there is none; the gallery follows it by itself."""
    if snapshot is not None:
        run_view.show(snapshot, _draw)


def _draw(snapshot: RunSnapshot) -> None:
    chosen = gallery.maps(snapshot)
    beside.show(snapshot, gallery.maps)
    if not any(cell.explanation is not None for cell in snapshot.cells.values()):
        return
    if chosen is not None:
        answering.show(snapshot, CellKey(int(chosen[0]), int(chosen[1])))
    st.markdown("**Export**")
    export_panel.show(snapshot, None)
