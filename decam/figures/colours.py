"""Colours that colour-blind readers can tell apart: tables for maps, a colour and a dash for each line of a chart."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from decam.classifier import Pixels
from decam.errors import SettingError, unknown

SEQUENTIAL = ("magma", "viridis", "cividis")
"""The first is the default: over ten photographs its ends stood out best, on warm fur and on green alike."""
DIVERGING = "blue-orange"
COLOURS = (*SEQUENTIAL, DIVERGING)

CENTRE = 128
"""The entry of a diverging table that stands for zero; entries 1 to 255 lie evenly about it."""

# The published tables at ten places evenly apart: viridis and magma of matplotlib, cividis of Nuñez, Anderton and
# Renslow (2018). Plotly has the same, but maps are exported where Plotly is not installed.
_ANCHORS = {
    "cividis": "#00224e #123570 #3b496c #575d6d #707173 #8a8678 #a59c74 #c3b369 #e1cc55 #fee838",
    "viridis": "#440154 #482878 #3e4989 #31688e #26828e #1f9e89 #35b779 #6ece58 #b5de2b #fde725",
    "magma": "#000004 #180f3d #440f76 #721f81 #9e2f7f #cd4071 #f1605d #fd9668 #feca8d #fcfdbf",
    DIVERGING: "#08306b #2171b5 #6baed6 #c6dbef #f7f7f7 #fdd0a2 #fd8d3c #d94801 #7f2704",
}

# Okabe and Ito (2008), in an order that keeps neighbours far apart; yellow and black are replaced because one is too
# faint on white and the other on black, and each colour has a lighter form for dark backgrounds where it needs one.
_LIGHT = ("#d55e00", "#0072b2", "#009e73", "#c05f94", "#b8860b", "#6f6f6f", "#3fa2dd", "#5b3fa8")
_DARK = ("#ff7f2a", "#3d9be9", "#1fc296", "#e391bf", "#f0b429", "#a6a6a6", "#8fd0f7", "#ab94f0")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


@cache
def lut(name: str) -> Pixels:
    """A colour table, 256×3 uint8; raises SettingError for a name that is not in COLOURS.

    The diverging table has its neutral colour exactly at entry CENTRE, so that zero is never tinted.
    """
    if name not in _ANCHORS:
        raise SettingError(unknown("colour map", name, COLOURS))
    anchors = np.array([_rgb(colour) for colour in _ANCHORS[name].split()], dtype=np.float64)
    entries = np.arange(256, dtype=np.float64)
    places = np.clip((entries - CENTRE) / 254 + 0.5, 0, 1) if name == DIVERGING else entries / 255
    stops = np.linspace(0, 1, len(anchors))
    channels = [np.interp(places, stops, anchors[:, channel]) for channel in range(3)]
    table: NDArray[np.uint8] = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    table.setflags(write=False)
    return table


def table_for(colours: str, signed: bool) -> str:
    """The table that a map is drawn with: the one asked for, but always the diverging one for a signed map.

    An unsigned map asked for in the diverging table gets the first sequential one: its lowest value is no zero
    between two sides. Raises SettingError for a name that is not in COLOURS.
    """
    lut(colours)
    if signed:
        return DIVERGING
    return SEQUENTIAL[0] if colours == DIVERGING else colours


def plotly_scale(name: str) -> list[list[float | str]]:
    """A colour table as Plotly takes it, for heatmaps of `scaled` maps with zmin=0 and zmax=255."""
    table = lut(name)
    entries = sorted({*range(0, 256, 15), CENTRE})
    return [[entry / 255, "#{:02x}{:02x}{:02x}".format(*table[entry])] for entry in entries]


def method_colour(index: int, dark: bool = False) -> str:
    """The colour of the method at this place in a comparison (or of any other series), as #rrggbb.

    Eight colours, then the same again with another dash (`method_dash`).
    """
    palette = _DARK if dark else _LIGHT
    return palette[index % len(palette)]


def method_dash(index: int) -> str:
    """The dash that goes with the colour: each round of colours has its own, six rounds in all."""
    return _DASHES[index // len(_LIGHT) % len(_DASHES)]


def _rgb(colour: str) -> tuple[int, ...]:
    """#rrggbb to three numbers in [0, 255]."""
    return tuple(bytes.fromhex(colour.removeprefix("#")))
