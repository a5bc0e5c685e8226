"""A widget for a parameter of a method, a metric or a study, drawn from what the parameter says of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import streamlit as st

from decam.classifier import Classifier
from decam.settings import Parameter
from decam.ui import text

LINE = 26  # pixels of a line of text
MOST_LETTERS = 20_000


def field(
    key: str,
    parameter: Parameter,
    classifier: Classifier | None = None,
    *,
    on_change: Callable[[], None] | None = None,
    disabled: bool = False,
) -> int | float | str | bool:
    """One widget for one parameter, bounded as the parameter is; the session keeps its value under `key`."""
    st.session_state.setdefault(key, parameter.default)
    label = text.capital(parameter.title)
    if parameter.source:
        return _from_classifier(parameter, classifier, label, key)
    if parameter.choices:
        return st.selectbox(
            label, parameter.choices, key=key, help=parameter.help, persist_state="session",
            on_change=on_change, disabled=disabled,
        )  # fmt: skip
    if parameter.kind is bool:
        return st.toggle(
            label, key=key, help=parameter.help, persist_state="session", on_change=on_change, disabled=disabled
        )
    if parameter.kind is str:
        return _text(key, parameter, label, on_change, disabled)
    if parameter.kind is int:
        value = st.number_input(
            label,
            min_value=None if parameter.low is None else int(parameter.low),
            max_value=None if parameter.high is None else int(parameter.high),
            step=int(parameter.step or 1),
            key=key,
            help=_bounded(parameter),
            persist_state="session",
            on_change=on_change,
            disabled=disabled,
        )
        return int(cast(int, value))
    value = st.number_input(
        label,
        min_value=parameter.low,
        max_value=parameter.high,
        step=parameter.step,
        key=key,
        help=_bounded(parameter),
        persist_state="session",
        on_change=on_change,
        disabled=disabled,
    )
    return float(value)


def _text(key: str, parameter: Parameter, label: str, on_change: Callable[[], None] | None, disabled: bool) -> str:
    """A text as it is typed, on as many lines as the parameter asks for."""
    if parameter.lines == 1:
        return st.text_input(
            label, key=key, help=parameter.help, persist_state="session", max_chars=MOST_LETTERS,
            on_change=on_change, disabled=disabled,
        )  # fmt: skip
    return st.text_area(
        label, key=key, help=parameter.help, persist_state="session", max_chars=MOST_LETTERS,
        height=LINE * parameter.lines + LINE, on_change=on_change, disabled=disabled,
    )  # fmt: skip


def _from_classifier(parameter: Parameter, classifier: Classifier | None, label: str, key: str) -> str:
    """A choice among what the classifier offers under the parameter's source, the empty string being its own choice."""
    offered: tuple[str, ...] = tuple(getattr(classifier, parameter.source, ()))
    usual: str = getattr(classifier, parameter.name, "")
    if st.session_state.get(key) not in ("", *offered):
        st.session_state[key] = ""

    def named(value: str) -> str:
        return value or (f"Automatic ({usual})" if usual else "Automatic")

    return st.selectbox(label, ("", *offered), format_func=named, key=key, help=parameter.help, persist_state="session")


def _bounded(parameter: Parameter) -> str:
    if parameter.low is None or parameter.high is None:
        return parameter.help
    return f"{parameter.help} From {parameter.low:,g} to {parameter.high:,g}."
