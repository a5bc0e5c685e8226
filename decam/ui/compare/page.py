"""The Compare page: pictures, a model and methods are chosen, one button explains, the grid shows what came of it."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

import streamlit as st

from decam.classifier.engines import import_libraries
from decam.errors import DecamError
from decam.hardware.device import best
from decam.models import EMBEDDED
from decam.ui import state, theme
from decam.ui.compare import tabs
from decam.ui.runs import run_view
from decam.ui.shared import measuring, method_forms, model_choice, pictures, recent, session, targets, welcome


def prepare() -> None:
    """Load the model that is asked until another one is chosen; where it cannot be loaded, the page says why."""
    with suppress(DecamError):
        state.models().get(EMBEDDED, best())


def look_ahead() -> None:
    """Import what a first comparison would wait for: what answers are made with, and SciPy's statistics."""
    import_libraries(best())
    import_module("scipy.stats")


def show() -> None:
    """Draw the page."""
    snapshot = session.opened("compare")

    with st.sidebar:
        theme.brand(session.begin_again)
        chosen = pictures.panel()
        entry = model_choice.panel(chosen)
        below = st.container()

    # A place of its own: it is empty at once, and not only when the model has answered about the first picture.
    greeting = st.empty()
    if not chosen and snapshot is None:
        with greeting.container():
            welcome.show()

    places = targets.places(entry, chosen)
    classifier = model_choice.load(entry, asked=bool(chosen))

    with below:
        model_choice.device_panel(classifier)
        choices = method_forms.panel(classifier)
        how = measuring.panel()
        before = st.container()

    asked = targets.row(classifier, chosen, places)
    if chosen and classifier is not None:
        snapshot = session.action(classifier, asked, choices, how, snapshot)

    run_view.show(snapshot, tabs.maps)

    with before:
        recent.panel(state.run_id())
