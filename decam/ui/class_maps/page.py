"""The page of class maps: a model, classes and methods are chosen; a gallery shows what each class is to the model."""

from __future__ import annotations

import streamlit as st

from decam.experiments.kinds.class_maps import CLASS_MAPS
from decam.ui import state, theme
from decam.ui.class_maps import form, session, view
from decam.ui.shared import method_forms, model_choice, recent


def show() -> None:
    """Draw the page."""
    snapshot = session.opened()

    with st.sidebar:
        theme.brand(session.begin_again)
        entry = model_choice.panel(())
        below = st.container()

    greeting = st.empty()
    if snapshot is None:
        with greeting.container():
            view.welcome()

    classifier = model_choice.load(entry)

    with below:
        how = form.how(entry)
        choices = method_forms.panel(classifier, form.MAPPED)
        model_choice.device_panel(classifier)
        before = st.container()

    if classifier is not None:
        targets = form.targets(classifier, entry)
        form.obstacles(classifier)
        snapshot = session.bar(classifier, targets, choices, how, snapshot)

    if snapshot is not None:
        greeting.empty()
    view.show(snapshot)

    with before:
        recent.panel(state.run_id(), CLASS_MAPS)
