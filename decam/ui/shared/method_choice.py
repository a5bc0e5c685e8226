"""Which methods a visitor asks: a list a page in the session, whatever has been drawn of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import streamlit as st

from decam.classifier import Classifier
from decam.methods import METHODS
from decam.methods.base import AnyMethod


@dataclass(frozen=True)
class Wish:
    """One page's list of methods: where the session keeps it, which it begins with, and the table they are rows of."""

    key: str
    usual: tuple[str, ...]
    table: Mapping[str, AnyMethod] = field(default_factory=lambda: METHODS, compare=False)


COMPARED = Wish("compared", tuple(name for name, row in METHODS.items() if row.default))
CHECKED = Wish("checked", ("de-cam", "grad-cam", "guided-backprop", "integrated-gradients", "edges"))


def names(wish: Wish = COMPARED) -> tuple[str, ...]:
    """The methods chosen, in the order of the table, also those that cannot explain the present model."""
    wished: Collection[str] = st.session_state.get(wish.key, wish.usual)
    return tuple(name for name in wish.table if name in wished)


def choose(wished: Collection[str], wish: Wish = COMPARED) -> None:
    """Choose these methods and no others. Names that are not in the table are ignored."""
    st.session_state[wish.key] = tuple(name for name in wish.table if name in wished)


def chosen(classifier: Classifier | None, wish: Wish = COMPARED) -> list[AnyMethod]:
    """The methods chosen that can explain this classifier, in the order of the table."""
    rows = [wish.table[name] for name in names(wish)]
    return [row for row in rows if classifier is None or not row.obstacle(classifier)]
