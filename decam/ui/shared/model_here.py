"""Which model is asked by a page with a choice of its own: one whose weights are on this machine."""

from __future__ import annotations

from functools import partial

import streamlit as st

from decam.models import catalogue, default_for
from decam.models.catalogue import ENTRIES, Entry
from decam.ui.shared import model_choice
from decam.ui.shared.pictures import Chosen


def panel(prefix: str, picture: Chosen) -> Entry:
    """Draw the choice, which follows the picture until the visitor chooses, and return the entry.

    `prefix` tells the keys of one page's choice from another's.
    """
    key = f"{prefix}-model"
    if (came := model_choice.arrived()) is not None:
        choose(prefix, came)
    default = default_for(picture.kind)
    # Asked after the two above: weights may come while the page is drawn, and whatever they name is offered.
    here = [name for name, entry in ENTRIES.items() if entry.present()]
    if not st.session_state.get(_by_visitor(prefix)) or st.session_state.get(key) not in here:
        st.session_state[key] = default
    name = st.selectbox(
        "Model",
        here,
        format_func=lambda name: catalogue.get(name).title,
        key=key,
        on_change=partial(_chosen, prefix),
        persist_state="session",
        help="Models whose weights are on this machine. The Compare page downloads others.",
    )
    return catalogue.get(name)


def choose(prefix: str, name: str) -> None:
    """Ask this model, whatever the picture is."""
    st.session_state[f"{prefix}-model"] = name
    _chosen(prefix)


def _chosen(prefix: str) -> None:
    st.session_state[_by_visitor(prefix)] = True


def _by_visitor(prefix: str) -> str:
    return f"{prefix}-model-by-visitor"
