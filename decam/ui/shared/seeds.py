"""With how many seeds maps are made, one after the other, and where the seeds begin."""

from __future__ import annotations

import streamlit as st

from decam.experiments.plan import Plan
from decam.ui.shared.measuring import restore_seed, seed_field

COUNTS = (1, 2, 3)


def panel(key: str, usual: int, help: str) -> tuple[int, ...]:
    """Draw the first seed and the number of seeds, and return them all; `key` is where the session keeps the number."""
    st.session_state.setdefault(key, usual)
    first = seed_field("Start of all random numbers: the same seed gives the same maps.", len(COUNTS))
    count = st.segmented_control("Seeds", COUNTS, key=key, required=True, persist_state="session", help=help)
    return tuple(first + more for more in range(count or 1))


def restore(key: str, plan: Plan) -> None:
    """Choose the seeds of a plan."""
    restore_seed(plan, len(COUNTS))
    st.session_state[key] = min(len({question.seed for question in plan.questions}), COUNTS[-1])
