"""One search, all of it visible: population, the making of a trial, what the fittest was judged by, and curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from decam.classifier import Pixels
from decam.errors import DecamError
from decam.experiments import covering
from decam.experiments.cells import Cell, CellKey
from decam.experiments.history import Frame
from decam.experiments.plan import MethodChoice
from decam.experiments.status import CellState
from decam.export.wire import colour_table, probability_of, total_of
from decam.figures import DIVERGING, SEQUENTIAL, limits_for, method_colour, overlay, png_bytes
from decam.methods import METHODS
from decam.methods.de_cam import guided_filter
from decam.methods.de_cam.settings import DeCamSettings
from decam.methods.de_cam.stopping import Stopping
from decam.runs.snapshots import RunSnapshot
from decam.ui import state
from decam.ui.components import component_key, source, styles
from decam.ui.components.charts import live
from decam.ui.components.grid.grid import address
from decam.ui.shared import generations, run_pages, stopped
from decam.ui.shared.generations import Moment

WATCHED_BYTES = 120_000
"""Of traces sent with each look at a search that runs; a finished one is sent whole, once."""

_SEARCH = st.components.v2.component(
    "decam_search",
    css=styles("shared/base.css", "charts/chart.css", "search/player.css", "search/search.css"),
    js=source("search/search.js"),
)


UNSURE = 12**-0.5
"""The standard error of a rank, as a share of all places, about which nothing is known."""

COVER = 0.85
"""Of the picture by the errors: they are dark where a map is sure, and would be lost among the picture's colours."""

_FIRST = "Random masks first, for a guess to start from: the population comes with the first generation."
_BEFORE = {
    "seeded": _FIRST,
    "random search": _FIRST,
    "seed only": "Random masks and nothing else: this control has no population, so there will be nothing to play.",
}


def show(snapshot: RunSnapshot, place: CellKey) -> None:
    """Draw the search of one cell, as far as it has come."""
    key = component_key(f"search-{snapshot.id}")
    _SEARCH(key=key, data=payload(snapshot, place, key))


def payload(snapshot: RunSnapshot, place: CellKey, key: str) -> dict[str, Any]:
    """The data for the browser, ready for JSON."""
    cell, view = snapshot.cells[place], snapshot.grid.view_of(place.question)
    choice = snapshot.plan.methods[place.method]
    frames = [frame for frame in cell.frames if frame.curves]
    moments = [
        Moment(number, frame.evaluations, frame.trace)
        for number, frame in enumerate(frames, start=1)
        if frame.trace is not None
    ]
    shown = generations.within(moments, WATCHED_BYTES) if cell.explanation is None else moments
    where = f"{key}.{place.question}.{place.method}"
    hidden = _filling(snapshot, place) if moments else None
    target, judged = snapshot.grid.target_of(place.question), stopped.of(snapshot, place)
    return {
        "key": where,
        "generations": [generations.sent(moment) for moment in shown],
        "last": len(frames),
        "cells": list(moments[0].trace.targets.shape[1:]) if moments else [1, 1],
        "size": [view.shape[0], view.shape[1]],
        "picture": address(png_bytes(view), f"{where}.view"),
        "filling": None if hidden is None else address(png_bytes(hidden), f"{where}.filling"),
        "map": address(png_bytes(_map(cell, view)), f"{where}.map") if cell.saliency is not None else None,
        "finished": cell.explanation is not None,
        "certainty": _certainty(cell, view, where),
        "label": snapshot.grid.asked_of(place.question),
        "probability": probability_of(snapshot, place.question, target),
        "guide": reading(bool(choice.settings.to_mapping().get("follow_edges", False))),
        "tables": {"map": colour_table(SEQUENTIAL[0]), "difference": colour_table(DIVERGING)},
        "charts": _charts(METHODS[choice.name].series, frames, cell, judged),
        "stopping": "" if judged is None else judged.sentence,
        "words": thinned(len(shown), len(frames)) if moments else words_of(cell, frames, _variant(choice)),
    }


def reading(follows: bool) -> dict[str, Any]:
    """How the browser turns grids into maps: fitted to the picture's edges as the search does it, or interpolated."""
    return {
        "follows": follows,
        "radius": guided_filter.RADIUS,
        "epsilon": guided_filter.EPSILON,
        "grain": guided_filter.GRAIN,
        "finest": guided_filter.FINEST,
    }


def thinned(shown: int, made: int) -> str:
    """That not every generation can be looked at, where that is so."""
    if shown >= made:
        return ""
    return f"{shown} of {made} generations can be looked at, evenly spaced, the last among them; the curves have all."


def _variant(choice: MethodChoice) -> str:
    return choice.settings.variant if isinstance(choice.settings, DeCamSettings) else ""


def words_of(cell: Cell, frames: Sequence[Frame], variant: str) -> str:
    """Why there is nothing to watch, or nothing yet."""
    if cell.error:
        return cell.error
    if cell.state is CellState.WAITING:
        return "This search has not begun yet."
    if cell.state is CellState.RUNNING:
        return _BEFORE.get(variant, "The first generation is being judged; it comes as soon as that is done.")
    if frames:
        return "This search was made before generations were recorded; explain the image again to watch it."
    if cell.explanation is None:
        return "This search ended before it was finished, and only finished ones are kept; Continue makes it anew."
    return "This search has no generations: its whole budget went into the first guess, so there is nothing to play."


def _charts(series: Sequence[Any], frames: Sequence[Frame], cell: Cell, judged: Stopping | None) -> dict[str, Any]:
    total = total_of(cell) if cell.explanation is None else 0
    colours = [method_colour(index, state.dark()) for index in range(len(series))]
    sent = live.payload(series, colours, [(frame.evaluations, frame.curves) for frame in frames], total, ())
    stop = None if judged is None else judged.evaluations
    return {name: sent[name] for name in ("groups", "places", "limits")} | {"stop": stop}


def _map(cell: Cell, view: Pixels) -> Pixels:
    if cell.saliency is None:
        return view
    return overlay(view, cell.saliency, limits=limits_for(cell.explanation, cell.saliency, signed=False))


def _certainty(cell: Cell, view: Pixels, where: str) -> dict[str, Any] | None:
    """How sure a finished map is: the standard errors of its ranks over the picture, and what the map's notes say.

    None where the method does not say, and of a map of chance.
    """
    made = cell.explanation
    if made is None or made.silent or made.rank_errors is None:
        return None
    drawn = overlay(view, made.rank_errors, opacity=COVER, limits=(0.0, UNSURE))
    caption = f"Standard error of each place's rank: bare 0 %, bright {100 * UNSURE:.0f} % or more, which is chance"
    return {
        "picture": address(png_bytes(drawn), f"{where}.certainty"),
        "caption": caption,
        "notes": list(made.notes),
    }


def _filling(snapshot: RunSnapshot, place: CellKey) -> Pixels | None:
    """The picture that replaced hidden pixels; None where the model that it needs is not here."""
    name = snapshot.plan.methods[place.method].settings.to_mapping().get("fill")
    if not isinstance(name, str):
        return None
    try:
        return _filled(snapshot.id, place.question, name, snapshot)
    except DecamError:
        return None  # the page says so beside the pictures


@st.cache_data(show_spinner=False, max_entries=32)
def _filled(run: str, question: int, name: str, _snapshot: RunSnapshot) -> Pixels:
    del run  # it names the entry in the cache
    seed = _snapshot.plan.questions[question].seed
    return covering.filling(run_pages.model_of(_snapshot), _snapshot.grid.view_of(question), name, seed)
