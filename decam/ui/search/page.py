"""The DE-CAM page: one picture, one search, all of it visible; and the same evolution on landscapes one can see."""

from __future__ import annotations

import streamlit as st

from decam.ui import state, theme
from decam.ui.runs import run_view
from decam.ui.search import form, run
from decam.ui.search import landscapes as landscapes_view
from decam.ui.shared import measuring, model_choice, pictures, recent, session, targets, welcome


def show() -> None:
    """Draw the page."""
    snapshot = session.opened("de_cam")

    with st.sidebar:
        theme.brand(session.begin_again)
        chosen = pictures.one(pictures.panel())
        entry = model_choice.panel(chosen)
        below = st.container()

    search, landscapes = st.tabs(["Search", "Landscapes"], key="tab", bind="query-params")
    with search:
        greeting = st.empty()
        if not chosen and snapshot is None and not landscapes.open:
            with greeting.container():
                welcome.show_search()
        places = targets.places(entry, () if landscapes.open else chosen)
        classifier = model_choice.load(entry)

    with below:
        choices = form.panel(classifier)
        model_choice.device_panel(classifier)
        how = measuring.panel()
        before = st.container()

    if landscapes.open:
        with landscapes:
            landscapes_view.show()
    else:
        with search:
            asked = targets.row(classifier, chosen, places, judged=False)
            if chosen and classifier is not None:
                snapshot = session.action(classifier, asked, choices, how, snapshot, form.pills, form.OFFERED)
            run_view.show(snapshot, run.show)

    with before:
        recent.panel(state.run_id())
