"""Where a visitor is in the lessons: lesson and step in the address, guesses in the session."""

from __future__ import annotations

from typing import Any

import streamlit as st

from decam import lessons
from decam.errors import SettingError
from decam.lessons import Lesson
from decam.ui import state

STEP = "step"
PLACE = "lesson-step"


def lesson() -> Lesson | None:
    """The lesson that the address names, or the one seen last; None for the list. Raises SettingError for none such."""
    name = state.run_id()
    return None if name is None else lessons.get(name)


def open_lesson(name: str) -> None:
    """Show this lesson from now on, from its first step."""
    state.show_run(name)
    go(0)


def leave() -> None:
    """Show the list of lessons."""
    state.show_run(None)
    st.query_params.pop(STEP, None)
    st.session_state.pop(PLACE, None)


def step(shown: Lesson) -> int:
    """The step of the lesson that is shown, counted from 0; the address counts from 1.

    Raises SettingError for a step that the lesson does not have.
    """
    if STEP not in st.query_params:
        kept = int(st.session_state.get(PLACE, 0))
        go(min(kept, len(shown.steps) - 1))
    named = st.query_params[STEP]
    number = int(named) if named.isascii() and named.isdecimal() and len(named) < 4 else 0
    if not 1 <= number <= len(shown.steps):
        raise SettingError(f"“{shown.title}” has steps 1 to {len(shown.steps)}, and no step {named[:20]!r}.")
    st.session_state[PLACE] = number - 1
    return number - 1


def go(place: int) -> None:
    """Show this step from now on, counted from 0."""
    st.query_params[STEP] = str(place + 1)
    st.session_state[PLACE] = place


def guess(of: Lesson, key: str) -> Any:
    """What the visitor guessed: a place, an option's number or a percentage; None before that."""
    return st.session_state.get(f"lesson-guess:{of.name}:{key}")


def keep_guess(of: Lesson, key: str, value: Any) -> None:
    """Remember a guess while the session lasts."""
    st.session_state[f"lesson-guess:{of.name}:{key}"] = value
