"""The place of the cards of pictures: a strip beside a run's maps, which need the room, and large when asked for."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

OPEN = "cards-open"
"""Where the session keeps that the cards of pictures stay large beside a run's maps."""


def cards() -> DeltaGenerator:
    """The place of the cards: where the page shows a run, its rules fold them to a strip."""
    opened = bool(st.session_state.get(OPEN, False))
    with st.container(key="unfolded" if opened else "folding", horizontal=True, wrap=False, gap="xsmall"):
        place = st.container()
        st.button(
            "Less" if opened else "More",
            key="fold",
            icon=":material/expand_less:" if opened else ":material/expand_more:",
            type="tertiary",
            help="Fold the images to a strip." if opened else "Show each image with its likeliest classes.",
            on_click=_turn,
        )
    return place


def _turn() -> None:
    st.session_state[OPEN] = not st.session_state.get(OPEN, False)
