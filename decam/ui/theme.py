"""The few rules that make the framework's widgets one calm page."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from decam.ui import nav, text
from decam.ui.components import styles

_heading: ContextVar[DeltaGenerator] = ContextVar("heading")
"""The place of the page's heading, which a run that is started further down still changes."""


@st.cache_resource(show_spinner=False)
def _rules(name: str) -> str:
    return styles(name)


def apply(name: str = "shared/style.css") -> None:
    """Put the rules of all pages in force, or those of one page beside them."""
    st.html(f"<style>{_rules(name)}</style>")


def title(of: str = "", *, begin: bool = False, seen: bool = False) -> None:
    """Name the page in the browser's tab and in its one heading of the first level.

    `of` is the run, lesson or study that the page shows. With `begin` the heading's place is here; later calls say
    more in the same place. It is never empty there: readers of the screen would lose it each time a page is drawn.
    Without `seen` the heading is there for them alone.
    """
    page = nav.title(st.session_state["page"])
    names = [of, page] if of else [page]
    name = " · ".join(dict.fromkeys(names))
    st.set_page_config(page_title=" · ".join(dict.fromkeys([*names, nav.NAME])))
    unseen = f'<h1 class="dc-title">{text.escaped(name)}</h1>'
    if begin:
        _heading.set(st.html(unseen))
    elif seen:
        _heading.get().title(text.plain(name), anchor=False)
    else:
        _heading.get().html(unseen)


def brand(begin_again: Callable[[], None] | None = None) -> None:
    """Draw the name, the way to the other pages and, where there is one to begin, the button for a new comparison."""
    with st.container(key="brand", horizontal=True, wrap=False, vertical_alignment="center"):
        st.html('<div class="dc-brand">DE-CAM<span>Compare saliency methods</span></div>', width="stretch")
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
