"""The Methods page, a map of the field: families as a tree, and every method at work on one picture."""

from __future__ import annotations

from functools import partial

import streamlit as st

from decam.ui import theme
from decam.ui.methods import cards, examples, tree
from decam.ui.shared import model_choice, model_here, session, targets


def show() -> None:
    """Draw the page."""
    session.begin("methods")
    theme.apply("shared/methods.css")

    with st.sidebar:
        theme.brand()
        links = st.container()

    chosen, seen = st.columns([1.7, 1], gap="medium", vertical_alignment="center")
    with chosen:
        picture, entry = examples.controls()
    classifier = model_choice.load(entry)
    if classifier is not None:
        with seen:
            targets.seen(classifier, picture)
        model_choice.limits(entry, [picture], partial(model_here.choose, examples.PREFIX))
        status = st.container()
        runs = examples.of(classifier, picture)
        # Links are drawn when there is something that they lead to.
        field = st.container()
        if runs:
            places = cards.show(classifier, picture, runs)
            with links:
                tree.contents()
        with field:
            tree.show(classifier, {choice.name for run in runs[1:] for choice in run.plan.methods})
        if runs:
            cards.follow(classifier, picture, runs, status, places)
