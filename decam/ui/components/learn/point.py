"""A picture on which one clicks a place, or points at one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from decam.classifier import Pixels
from decam.figures import png_bytes
from decam.ui.components import source, styles
from decam.ui.components.grid.grid import address

_POINT = st.components.v2.component(
    "decam_point", css=styles("shared/base.css", "learn/point.css"), js=source("learn/point.js")
)
Place = tuple[float, float]
"""Shares of a picture's width and height."""


def draw(
    key: str, view: Pixels, alt: str, place: Place | None, take: Callable[[Place], None], *, follows: bool = False
) -> None:
    """Draw the picture with a ring at `place`; `take` is called with a place that is clicked.

    With `follows` it is also called with the place on which the pointer rests.
    """

    def changed() -> None:
        state = st.session_state.get(key)
        if (clicked := read(state.get("place") if isinstance(state, Mapping) else None)) is not None:
            take(clicked)

    data = {"view": address(png_bytes(view), key), "alt": alt, "place": place, "follows": follows}
    _POINT(key=key, data=data, default={"place": None}, on_place_change=changed)


def read(sent: Any) -> Place | None:
    """What a browser sent, if it is a place: whoever writes to a server may send anything."""
    try:
        x, y = (float(share) for share in sent)
    except (TypeError, ValueError):
        return None
    return (x, y) if 0 <= x <= 1 and 0 <= y <= 1 else None
