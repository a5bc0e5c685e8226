"""The page on models that may hide something: choose one, search it, guess what it hides, and see."""

from __future__ import annotations

import streamlit as st

from decam.experiments.kinds.backdoors import BACKDOORS
from decam.ui import state, theme
from decam.ui.backdoors import session, suspects, teachers, view
from decam.ui.shared import model_choice, recent


def show() -> None:
    """Draw the page."""
    snapshot = session.opened()

    with st.sidebar:
        theme.brand(session.begin_again)
        entry = suspects.panel()
        below = st.container()

    greeting = st.empty()
    if snapshot is None:
        with greeting.container():
            view.welcome()

    if entry is None:
        st.info("Drop a file of weights into the sidebar; then press **Search**.")
    classifier = None if entry is None else model_choice.load(entry)

    with below:
        seeds = session.chosen_seeds()
        model_choice.device_panel(classifier)
        before = st.container()

    if classifier is not None and entry is not None:
        snapshot = session.bar(classifier, entry.title, seeds, snapshot)

    if snapshot is not None:
        greeting.empty()
    view.show(snapshot)
    teachers.show()

    with before:
        recent.panel(state.run_id(), BACKDOORS)
