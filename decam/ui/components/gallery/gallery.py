"""The gallery of class maps: a card a class, its maps updated in place as they grow, all at one moment of their way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from decam.experiments.history import Frame
from decam.export.wire import GridCell, cell_object, colour_table, short
from decam.figures import COLOURS, png_bytes
from decam.spacing import evenly
from decam.ui.components import source, styles
from decam.ui.components.grid.grid import Place, address, chosen_place, remembered
from decam.ui.components.live import LiveRun

MOMENTS = 40
"""The most moments of a map's way that a browser is sent."""
POINTS = 120
"""The most points of a curve of fidelity that a browser is sent."""

_GALLERY = st.components.v2.component(
    "decam_gallery",
    css=styles("shared/base.css", "shared/choice.css", "search/player.css", "gallery/gallery.css"),
    js=source("gallery/gallery.js"),
)


@dataclass(frozen=True)
class Film:
    """The way to a map: a PNG of its moments below each other, and the evaluations after which each was."""

    png: bytes
    evaluations: tuple[int, ...]


@dataclass(frozen=True)
class GalleryPicture:
    """One map of a card: its cell, and what tells it from the others of its card, such as a seed; empty if it is alone.

    `points` are evaluations and the fidelity by then. `film` replays the way to the map.
    """

    cell: GridCell
    title: str = ""
    points: Sequence[tuple[int, float]] = ()
    film: Film | None = None


@dataclass(frozen=True)
class GalleryCard:
    """What is known of one class or unit: its key, its name and its maps."""

    key: str
    title: str
    pictures: tuple[GalleryPicture, ...]


def gallery(
    cards: Sequence[GalleryCard],
    size: tuple[int, int],
    *,
    key: str,
    activation: bool = False,
    selected: Place | None = None,
    live: LiveRun | None = None,
    outdated: Collection[Place] = (),
) -> Place | None:
    """Draw the gallery and return the keys (row, column) of the map that was chosen by a click, or `selected`.

    `size` is the height and width of the maps. With `activation`, values are a unit's activations, else probabilities.
    Drawn again under the same `key`, it changes in place. With the `live` run whose cells these are, the gallery goes
    on by itself, and need not be drawn again before the run ends. Maps that are `outdated` are dimmed: they are no
    answer to what is chosen now.
    """
    places = [(picture.cell.row, picture.cell.column) for card in cards for picture in card.pictures]
    chosen = chosen_place(st.session_state.get(key), places) or (selected if selected in places else None)
    result = _GALLERY(
        key=key,
        data=payload(cards, size, key=key, activation=activation, live=live, selected=chosen)
        | {"outdated": list(outdated)},
        default={"selected": None},
        on_selected_change=remembered,
    )
    return chosen_place(result, places) or chosen


def payload(
    cards: Sequence[GalleryCard],
    size: tuple[int, int],
    *,
    key: str,
    activation: bool = False,
    live: LiveRun | None = None,
    selected: Place | None = None,
) -> dict[str, Any]:
    """The data for the browser, ready for JSON. Large pictures are replaced by addresses on this server."""
    return {
        "cards": [
            {"key": card.key, "title": card.title, "pictures": [_picture(one, size, key) for one in card.pictures]}
            for card in cards
        ],
        "activation": activation,
        "table": colour_table(COLOURS[0]),
        "selected": selected,
        "live": None if live is None else asdict(live),
    }


def film(frames: Sequence[Frame]) -> Film | None:
    """The way to a map from its frames, at most 40 moments evenly; None where fewer than two show the map."""
    shown = [frame for frame in frames if frame.pattern is not None]
    if len(shown) < 2:
        return None
    kept = [shown[place] for place in evenly(len(shown), MOMENTS)]
    strip = np.concatenate([frame.pattern for frame in kept if frame.pattern is not None])
    return Film(png_bytes(strip), tuple(frame.evaluations for frame in kept))


def points(frames: Sequence[Frame], series: str = "fidelity") -> list[tuple[int, float]]:
    """The curve of a map's fidelity from its frames, at most 120 points evenly."""
    reported = [(frame.evaluations, frame.curves[series]) for frame in frames if series in frame.curves]
    return [reported[place] for place in evenly(len(reported), POINTS)]


def _picture(picture: GalleryPicture, size: tuple[int, int], key: str) -> dict[str, Any]:
    cell = picture.cell
    place = f"{key}.%s.{cell.row}.{cell.column}"
    reel = picture.film
    return {
        "row": cell.row,
        "column": cell.column,
        "title": picture.title,
        "size": size,
        "cell": cell_object(replace(cell, saliency=None), frozenset(), False, partial(address, place=place % "map")),
        "points": [(evaluations, short(value)) for evaluations, value in picture.points],
        "film": reel and {"url": address(reel.png, place % "film"), "evaluations": list(reel.evaluations)},
    }
