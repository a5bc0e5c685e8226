"""Which model is searched: one of those with a number, the visitor's own file, or one of the list."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from decam import paths
from decam.models import catalogue, hidden
from decam.models.catalogue import ENTRIES, Entry
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.shared import checkpoints, model_choice

NUMBERED, OWN, LISTED = "Number", "Own file", "Listed"
LINK = "model"
"""The parameter of the address that names a model by its number."""
SOURCE, NUMBER, FILE, HANDLED = "suspect-source", "suspect-number", "suspect-file", "suspect-link"


def is_numbered(name: str) -> bool:
    """Whether a model is one of those that may hide something."""
    return name in hidden.SECRETS


def arrive() -> None:
    """Choose the model whose number the address names; where there is none of it, say so. Before any widget."""
    given = st.query_params.get(LINK)
    if given is None or given == st.session_state.get(HANDLED):
        return
    st.session_state[HANDLED] = given
    name = by_number(given)
    if name is None:
        first, last = (f"{hidden.number(one):02d}" for one in (hidden.names()[0], hidden.names()[-1]))
        shown = text.plain(text.shortened(given, 40))
        st.error(f"There is no model with the number “{shown}”: choose one from {first} to {last} in the sidebar.")
        return
    if st.session_state.get(NUMBER) != name or st.session_state.get(SOURCE) != NUMBERED:
        state.show_run(None)
    st.session_state[SOURCE], st.session_state[NUMBER] = NUMBERED, name


def by_number(given: str) -> str | None:
    """The model that a number, such as 7, 07 or hidden-07, stands for; None where there is none."""
    found = re.fullmatch(r"(?:hidden-)?([0-9]{1,4})", given.strip())
    name = "" if found is None else f"hidden-{int(found[1]):02d}"
    return name if is_numbered(name) else None


def take_up(snapshot: RunSnapshot) -> None:
    """Choose the model of a run, whatever number the address names beside it."""
    model = snapshot.plan.model
    st.session_state[HANDLED] = st.query_params.get(LINK)
    if is_numbered(model):
        st.session_state[SOURCE], st.session_state[NUMBER] = NUMBERED, model
    elif checkpoints.kept(model):
        st.session_state[SOURCE], st.session_state[FILE] = OWN, model
    elif model in ENTRIES and not paths.shared():
        st.session_state[SOURCE] = LISTED
    model_choice.restore(model, snapshot.plan.device)


def panel() -> Entry | None:
    """Draw the choice of a model and return its entry; None where there is none yet."""
    offered = (NUMBERED, OWN) if paths.shared() else (NUMBERED, OWN, LISTED)
    if st.session_state.get(SOURCE) not in offered:
        st.session_state[SOURCE] = NUMBERED
    source = st.segmented_control(
        "Model",
        offered,
        key=SOURCE,
        required=True,
        persist_state="session",
        on_change=_leave,
        help="Models with a number come with the project. Some of them hide something, and some do not.",
    )
    entry = {NUMBERED: _numbered, OWN: _own, LISTED: _of_the_list}[str(source)]()
    _name_in_address(entry)
    return entry


def _numbered() -> Entry:
    if st.session_state.get(NUMBER) not in hidden.SECRETS:
        st.session_state[NUMBER] = hidden.names()[0]
    with st.container(key="suspect-numbers"):
        name = st.pills(
            "Its number",
            hidden.names(),
            format_func=lambda one: f"{hidden.number(one):02d}",
            key=NUMBER,
            required=True,
            persist_state="session",
            on_change=_leave,
        )
    st.caption("A network for ten drawn shapes. Its number says nothing about what it hides.")
    return catalogue.get(str(name))


def _own() -> Entry | None:
    came = checkpoints.uploader("suspect-upload")
    if came is not None and came != st.session_state.get(FILE):
        st.session_state[FILE] = came
        _leave()
    path = st.session_state.get(FILE)
    if path is None or not Path(path).is_file():
        return None
    entry = catalogue.get(path)
    st.caption(f"Searched: {text.plain(entry.title)}")
    return entry


def _of_the_list() -> Entry:
    return model_choice.panel(())


def _leave() -> None:
    """Show no run of another model."""
    state.show_run(None)


def _name_in_address(entry: Entry | None) -> None:
    """Name a model with a number in the address, so that a link leads to it."""
    if entry is None or not is_numbered(entry.name):
        st.query_params.pop(LINK, None)
        return
    number = f"{hidden.number(entry.name):02d}"
    st.session_state[HANDLED] = number
    if st.query_params.get(LINK) != number:
        st.query_params[LINK] = number
