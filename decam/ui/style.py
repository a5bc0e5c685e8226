"""The few rules that make the framework's widgets one calm page."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from decam.ui.browser import source

PAGES = (
    ("pages/compare.py", "Compare", "Several methods side by side on your pictures."),
    ("pages/de_cam.py", "DE-CAM", "One search with all its generations, and evolution on landscapes one can see."),
    (
        "pages/sanity.py",
        "Sanity",
        "Do maps change when the model forgets, stage by stage, what it learnt?",
    ),
)


@st.cache_resource(show_spinner=False)
def _rules() -> str:
    return source("style.css")


def apply() -> None:
    """Put the page's own rules in force."""
    st.html(f"<style>{_rules()}</style>")


def brand(begin_again: Callable[[], None]) -> None:
    """Draw the name, the way to the other pages, and the button that begins a new comparison."""
    with st.container(key="brand", horizontal=True, wrap=False, vertical_alignment="center"):
        st.html('<div class="dc-brand">DE-CAM<span>saliency methods compared</span></div>', width="stretch")
        st.button(
            "New",
            key="new",
            icon=":material/add:",
            type="tertiary",
            help="Begin a new comparison; runs and settings stay.",
            on_click=begin_again,
        )
    with st.container(key="nav", horizontal=True, gap="small"):
        for path, title, help in PAGES:
            st.page_link(path, label=title, help=help)
