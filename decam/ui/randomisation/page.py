"""The Sanity page: the weights become random stage by stage, and a map that reflects them must change."""

from __future__ import annotations

import streamlit as st

from decam.experiments.kinds.randomisation import RANDOMISATION
from decam.ui import state, theme
from decam.ui.randomisation import form, session, view
from decam.ui.shared import model_choice, pictures, recent, targets, welcome
from decam.ui.shared.session import begin_again


def show() -> None:
    """Draw the page."""
    snapshot = session.opened()

    with st.sidebar:
        theme.brand(begin_again)
        chosen = pictures.one(pictures.panel())
        entry = model_choice.panel(chosen)
        below = st.container()

    greeting = st.empty()
    if not chosen and snapshot is None:
        with greeting.container():
            welcome.show_sanity()

    places = targets.places(entry, chosen)
    classifier = model_choice.load(entry)

    with below:
        how = form.how(entry.name)
        choices = form.methods(classifier)
        model_choice.device_panel(classifier)
        before = st.container()

    asked = targets.row(classifier, chosen, places, judged=False)
    if chosen and classifier is not None:
        snapshot = session.bar(classifier, asked, choices, how, snapshot)

    view.show(snapshot)

    with before:
        recent.panel(state.run_id(), RANDOMISATION)
