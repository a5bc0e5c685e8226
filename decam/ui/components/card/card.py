"""A picture beside its likeliest classes, each a button that asks about that class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from decam.ui.components import component_key, source

# Without a room of its own, for the page's rules fold cards to a strip.
_CARD = st.components.v2.component("decam_card", js=source("card/card.js"), isolate_styles=False)


@dataclass(frozen=True)
class Bar:
    """A class with its probability in [0, 1], in words too; `rank` counts from 1, the likeliest class."""

    index: int
    label: str
    probability: float
    words: str
    rank: int
    chosen: bool = False


def draw(
    name: str, uri: str, alt: str, bars: Sequence[Bar], note: str, key: str, choose: Callable[[int], None]
) -> None:
    """Draw the card of a picture; `choose` is called with the class whose bar is pressed.

    `uri` is the picture in a data address, `alt` says in words what it shows, and `note` stands below the bars.
    """

    def pressed() -> None:
        state = st.session_state.get(place)
        index = read(state.get("pressed") if isinstance(state, Mapping) else None, bars)
        if index is not None:
            choose(index)

    place = component_key(f"card-{key}")
    data = {"name": name, "uri": uri, "alt": alt, "note": note, "bars": [asdict(bar) for bar in bars]}
    _CARD(key=place, data=data, on_pressed_change=pressed)


def read(sent: Any, bars: Sequence[Bar]) -> int | None:
    """What a browser sent, if it is a class of these bars: whoever writes to a server may send anything."""
    known = {bar.index for bar in bars}
    return sent if isinstance(sent, int) and not isinstance(sent, bool) and sent in known else None
