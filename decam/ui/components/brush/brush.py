"""A brush over a picture: what is painted comes back, and the model's answers stand beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from decam.classifier import Pixels
from decam.errors import SettingError
from decam.experiments.covering import SIDE, text_of
from decam.explanation import Truth
from decam.figures import png_bytes
from decam.images.superpixels import Regions
from decam.ui.components import source, styles
from decam.ui.components.grid.grid import address

_BRUSH = st.components.v2.component(
    "decam_brush",
    css=styles("shared/base.css", "brush/brush.css"),
    js=source("brush/brush.js"),
)
CELLS = "cells"


@dataclass(frozen=True)
class Answer:
    """What the model says of one class: its probability now, and on the picture as it is, both in [0, 1]."""

    label: str
    value: float
    before: float


@dataclass(frozen=True)
class Rival:
    """What a map makes of the same cover: its title, what it covers (H×W), and the target's probability."""

    title: str
    cover: Truth
    value: float


@dataclass(frozen=True)
class Tools:
    """What a brush has besides strokes: regions that a click covers whole, and a button that covers a given part.

    `regions` (h×w, from 0 to 65,535) and `top` (h×w, True = covered) have the brush's grain; `says` is on the button.
    """

    regions: Regions
    top: Truth
    says: str


@dataclass(frozen=True)
class Painting:
    """What a brush shows: the picture (H×W×3), what shows where it is covered, and the model's answers.

    `label` is the class asked about, and `answers` are the classes shown, that one first. `share` is the covered share
    in [0, 1], and `notes` are sentences below the answers. `grain` is how many squares, down and across, a stroke
    covers or leaves. Raises SettingError where the tools are of another grain.
    """

    view: Pixels
    filling: Pixels
    label: str
    answers: Sequence[Answer]
    share: float
    rival: Rival
    grain: tuple[int, int] = (SIDE, SIDE)
    tools: Tools | None = None
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        for part in () if self.tools is None else (self.tools.regions, self.tools.top):
            if part.shape != self.grain:
                raise SettingError(f"A part for the brush is {part.shape}, but the brush's squares are {self.grain}.")


def painted(key: str) -> str:
    """What the brush of that key has covered so far, as `decam.experiments.covering.squares` reads it."""
    state = st.session_state.get(key)
    cells = state.get(CELLS) if isinstance(state, Mapping) else st.session_state.get(_kept(key))
    return cells if isinstance(cells, str) else ""


def _kept(key: str) -> str:
    """Where a cover stays while its brush is not drawn: the framework then forgets what a component holds."""
    return f"{key}-cover"


def draw(key: str, painting: Painting) -> None:
    """Draw the brush; what is painted is in `painted(key)` when the page, or the fragment around it, is drawn again."""

    def keep() -> None:
        st.session_state[_kept(key)] = painted(key)

    _BRUSH(
        key=key,
        data=payload(key, painting),
        default={CELLS: painted(key)},
        on_cells_change=keep,
    )


def payload(key: str, painting: Painting) -> dict[str, Any]:
    """The data for the browser, ready for JSON."""
    rows, columns = painting.grain
    rival = painting.rival
    return {
        "rows": rows,
        "columns": columns,
        "view": _address(painting.view, f"{key}.view"),
        "filling": _address(painting.filling, f"{key}.filling"),
        "name": key,
        "cells": painted(key),
        "label": painting.label,
        "share": painting.share,
        "answers": [{"label": one.label, "value": one.value, "before": one.before} for one in painting.answers],
        "rival": {
            "title": rival.title,
            "cover": text_of(rival.cover),
            "rows": rival.cover.shape[0],
            "columns": rival.cover.shape[1],
            "value": rival.value,
        },
        "tools": None if painting.tools is None else _tools(key, painting.tools),
        "notes": list(painting.notes),
    }


def _tools(key: str, tools: Tools) -> dict[str, Any]:
    # Red is the higher byte of a region's number and green the lower, as grid_draw.js reads it.
    numbers = np.stack([tools.regions >> 8, tools.regions & 255, 0 * tools.regions], axis=-1).astype(np.uint8)
    return {"regions": _address(numbers, f"{key}.regions"), "top": text_of(tools.top), "says": tools.says}


def _address(pixels: Pixels, place: str) -> str:
    return address(png_bytes(pixels), place)
