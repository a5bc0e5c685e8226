"""The Sanity page: a model forgets stage by stage, and each method's map should go with what was learnt."""

from __future__ import annotations

import streamlit as st

from decam.ui import state, theme
from decam.ui.randomisation import form, session, view
from decam.ui.shared import model_choice, pictures, targets, welcome


def show() -> None:
    """Draw the page."""
    snapshot = session.opened()

    with st.sidebar:
        theme.brand(form.leave)
        chosen = form.picture(pictures.panel(), snapshot)
        entry = model_choice.panel(chosen)
        below = st.container()

    if not chosen and snapshot is None:
        welcome.show_sanity()

    classifier = model_choice.load(entry)

    with below:
        how = form.how(entry.name)
        choices = form.methods(classifier)
        model_choice.device_panel(classifier)
        before = st.container()

    if chosen and classifier is not None:
        model_choice.limits(entry, chosen)
        asked = targets.row(classifier, chosen, judged=False)
        snapshot = session.action(classifier, asked, choices, how, snapshot)

    view.show(snapshot)

    with before:
        session.recent(state.check_id())
