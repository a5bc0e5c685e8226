"""Which methods a visitor compares: one list in the session, whatever has been drawn of it."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from decam.classifier import Classifier
from decam.methods import METHODS
from decam.methods.base import Method

KEY = "compared"


def names() -> tuple[str, ...]:
    """The methods wished for, in the order of the table, whether or not they can explain the model of the moment."""
    wished: Collection[str] | None = st.session_state.get(KEY)
    return tuple(name for name, row in METHODS.items() if (row.default if wished is None else name in wished))


def choose(wished: Collection[str]) -> None:
    """Wish for these methods and no others; names that the table does not have are passed over."""
    st.session_state[KEY] = tuple(name for name in METHODS if name in wished)


def chosen(classifier: Classifier | None) -> list[Method]:
    """The methods wished for that can explain this classifier, in the order of the table."""
    rows = [METHODS[name] for name in names()]
    return [row for row in rows if classifier is None or not row.obstacle(classifier)]
