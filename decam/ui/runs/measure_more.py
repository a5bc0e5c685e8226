"""What is added to a run that is there: other metrics of the same maps, or other methods beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from decam.errors import DecamError
from decam.experiments.plan import MetricChoice
from decam.ui import state

_ADDED = "measured-more"
T = TypeVar("T")


def popover(label: str, key: str, help: str) -> DeltaGenerator:
    """Draw the popover of the choice. `button` closes it."""
    return st.popover(label, icon=":material/add:", help=help, key=key, on_change="rerun")


def button(
    run: str, choices: Sequence[MetricChoice], *, key: str, opened: str, then: Callable[[], None] | None = None
) -> None:
    """Draw the button that measures. `opened` is the key of its popover; `then` is called once the run has them."""
    st.button(
        "Measure",
        key=key,
        type="primary",
        disabled=not choices,
        help="Maps are not recomputed.",
        on_click=_measure,
        args=(run, choices, opened, then),
    )


def take_up() -> None:
    """Draw the whole page again after such a click: a tab alone would go on with the run as it was."""
    if st.session_state.pop(_ADDED, False):
        st.rerun()


def add(
    grow: Callable[[str, Sequence[T], str], None],
    run: str,
    choices: Sequence[T],
    then: Callable[[], None] | None = None,
) -> None:
    """Let a run grow by some choices, for a button's `on_click`; where it cannot, the page says why.

    `then` is called once the run has them. Whatever draws the button calls `take_up` first.
    """
    st.session_state[_ADDED] = True
    try:
        grow(run, choices, state.owner())
    except DecamError as error:
        st.session_state["problem"] = str(error)
        return
    if then is not None:
        then()


def _measure(run: str, choices: Sequence[MetricChoice], opened: str, then: Callable[[], None] | None) -> None:
    st.session_state[opened] = False
    add(state.runs().measure, run, choices, then)
