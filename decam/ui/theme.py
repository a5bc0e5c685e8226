"""The few rules that make the framework's widgets one calm page."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from decam.ui import nav
from decam.ui.components import styles


@st.cache_resource(show_spinner=False)
def _rules(name: str) -> str:
    return styles(name)


def apply(name: str = "shared/style.css") -> None:
    """Put the rules of all pages in force, or those of one page beside them."""
    st.html(f"<style>{_rules(name)}</style>")


def brand(begin_again: Callable[[], None] | None = None) -> None:
    """Draw the name, the way to the other pages and, where there is one to begin, the button for a new comparison."""
    with st.container(key="brand", horizontal=True, wrap=False, vertical_alignment="center"):
        st.html('<div class="dc-brand">DE-CAM<span>saliency methods compared</span></div>', width="stretch")
        if begin_again is not None:
            st.button(
                "New",
                key="new",
                icon=":material/add:",
                type="tertiary",
                help="Begin a new comparison; runs and settings stay.",
                on_click=begin_again,
            )
    with st.container(key="nav", horizontal=True, gap="small"):
        nav.links()
