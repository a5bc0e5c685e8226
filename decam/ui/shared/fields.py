"""A widget for a parameter of a method or a metric, drawn from what the parameter says of itself."""

from __future__ import annotations

from typing import cast

import streamlit as st

from decam.classifier import Classifier
from decam.settings import Parameter
from decam.ui import text


def field(key: str, parameter: Parameter, classifier: Classifier | None = None) -> int | float | str | bool:
    """One widget for one parameter, bounded as the parameter is; the session keeps its value under `key`."""
    st.session_state.setdefault(key, parameter.default)
    label = text.capital(parameter.title)
    if parameter.source:
        return _from_classifier(parameter, classifier, label, key)
    if parameter.choices:
        return st.selectbox(label, parameter.choices, key=key, help=parameter.help, persist_state="session")
    if parameter.kind is bool:
        return st.toggle(label, key=key, help=parameter.help, persist_state="session")
    if parameter.kind is int:
        value = st.number_input(
            label,
            min_value=None if parameter.low is None else int(parameter.low),
            max_value=None if parameter.high is None else int(parameter.high),
            step=int(parameter.step or 1),
            key=key,
            help=_bounded(parameter),
            persist_state="session",
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
    )
    return float(value)


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
