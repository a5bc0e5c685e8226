"""The Metrics page: a map of the field, and every metric at work on one picture step by step."""

from __future__ import annotations

import streamlit as st

from decam.ui import theme
from decam.ui.metrics import cards
from decam.ui.metrics import subject as metric_subject
from decam.ui.shared import session


def show() -> None:
    """Draw the page."""
    session.begin("metrics")

    with st.sidebar:
        theme.brand(session.begin_again)
        cards.index()

    st.header("How good is a saliency map?")
    cards.tree()
    subject = metric_subject.panel()
    if subject is not None:
        metric_subject.show(subject)
    cards.cards(subject)
