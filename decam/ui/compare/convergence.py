"""How a search came to its map: live curves while it runs, and a way back through its frames afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from decam.classifier import Pixels
from decam.experiments.cells import Cell, CellKey
from decam.experiments.history import Frame, in_hindsight
from decam.experiments.status import CellState
from decam.export import wire
from decam.figures import alone, convergence_figure, limits_for, masked, method_colour, png_bytes, png_uri
from decam.methods import METHODS
from decam.methods.base import Series
from decam.runs.snapshots import RunSnapshot
from decam.ui import state
from decam.ui import text as words
from decam.ui.components import component_key
from decam.ui.components.charts import figures as charts
from decam.ui.components.charts.live import LivePicture, LiveSearch, live_charts
from decam.ui.components.grid.grid import address
from decam.ui.runs import map_choice
from decam.ui.shared import stopped

SIDE = 160
ESTIMATED = (
    "The model is asked about a few shares of each map; its fitness over many shares is estimated from all answers "
    "so far, and it may fall as more answers come in."
)
LATER = f"{ESTIMATED} At the end all generations are judged again, by all answers."
AGAIN = (
    "Fitness is an estimate: the model was asked about a few shares of each map. Here all generations are judged by "
    "what the whole search of {answers} evaluations was told. A small fall means that a map was replaced by one that "
    "only looked better then."
)
"""What is estimated, while a search runs and once it has ended."""


def show(snapshot: RunSnapshot, selected: CellKey | None) -> None:
    """Draw the convergence of one map that was searched for; a cell chosen in the grid chooses it."""
    places = [place for place in sorted(snapshot.cells) if _series(snapshot, place)]
    if not places:
        st.caption("None of these methods searches step by step, so there is no convergence to show.")
        return
    place = map_choice.choose(
        snapshot,
        places,
        selected,
        "convergence",
        "Show search of",
        "Choose the search that is shown. A click in the grid does the same.",
        _busiest(snapshot, places),
    )
    cell, series = snapshot.cells[place], _series(snapshot, place)
    frames = [frame for frame in cell.frames if frame.curves]
    if cell.explanation is None:
        _live(snapshot, place, cell, series, frames)
    elif not frames:
        st.caption("This search ended before its first generation.")
    else:
        _finished(snapshot, place, series, frames)


def _series(snapshot: RunSnapshot, place: CellKey) -> tuple[Series, ...]:
    return wire.search_series(snapshot.plan, place.method)


def _busiest(snapshot: RunSnapshot, places: Sequence[CellKey]) -> CellKey:
    return next((place for place in places if snapshot.cells[place].state is CellState.RUNNING), places[0])


def _live(
    snapshot: RunSnapshot, place: CellKey, cell: Cell, series: tuple[Series, ...], frames: Sequence[Frame]
) -> None:
    """Small charts that grow in place, beside the best mask and the map so far."""
    mask = next((frame.mask for frame in reversed(frames) if frame.mask is not None), None)
    pictures = _drawn(snapshot, place, mask, cell.saliency)
    words = "" if frames else wire.waiting_words(cell)
    if snapshot.plan.methods[place.method].settings.estimates:
        st.caption(LATER)
    _charts(snapshot, series, frames, wire.total_of(cell), pictures, words, _search(snapshot, place))


def _search(snapshot: RunSnapshot, place: CellKey) -> LiveSearch | None:
    """What the browser needs to go on with a search by itself; None where the page has to look again."""
    live = state.live(snapshot)
    if live is None:
        return None
    view = snapshot.grid.view_of(place.question)
    return LiveSearch(
        live,
        (str(place.question), str(place.method)),
        address(png_bytes(view), f"live-{snapshot.id}.{place.question}.view"),
        (view.shape[0], view.shape[1]),
        METHODS[snapshot.plan.methods[place.method].name].signed,
    )


def _charts(
    snapshot: RunSnapshot,
    series: Sequence[Series],
    frames: Sequence[Frame],
    total: int = 0,
    pictures: Sequence[tuple[str, Pixels]] = (),
    words: str = "",
    search: LiveSearch | None = None,
) -> None:
    live_charts(
        series,
        [method_colour(index, state.dark()) for index in range(len(series))],
        [(frame.evaluations, frame.curves) for frame in frames],
        total,
        [LivePicture(title, png_uri(pixels)) for title, pixels in pictures],
        key=component_key(f"live-{snapshot.id}"),
        words=words,
        search=search,
    )


def _finished(snapshot: RunSnapshot, place: CellKey, series: tuple[Series, ...], frames: Sequence[Frame]) -> None:
    """The whole search as a figure, and a slider back through its generations."""
    figure, pictures = st.columns([4, 1.3], gap="medium")
    with pictures:
        index = _generation(snapshot, place, frames)
        made = snapshot.cells[place].explanation
        fitness = None if made is None else made.fitness
        frames = in_hindsight(frames, fitness)
        frame = frames[index]
        values = frame.values()
        _pictures(snapshot, place, frame.mask, values)
        st.html(_values(series, frame))
    with figure:
        if snapshot.active:
            # The large figure takes the browser a second at first, which it does not have while it watches a run.
            _charts(snapshot, series, frames)
            return
        judged = stopped.of(snapshot, place)
        stop = None if judged is None else judged.evaluations
        drawn = partial(convergence_figure, frames, series, stopped=stop)
        title, picture = snapshot.plan.titles()[place.method], snapshot.plan.picture_of(place.question).name
        about = "Curves of the search over its evaluations"
        key = f"convergence-{place.question}-{place.method}"
        charts.offer(partial(drawn, chosen=index), key, f"{title} on {picture}", about, paper=drawn)
        if fitness is not None and made is not None:
            st.caption(AGAIN.format(answers=f"{made.evaluations:,}"))
        elif snapshot.plan.methods[place.method].settings.estimates:
            st.caption(ESTIMATED)
        if judged is not None:
            st.caption(words.plain(judged.sentence))


def _generation(snapshot: RunSnapshot, place: CellKey, frames: Sequence[Frame]) -> int:
    """The index of the generation that the slider stands at, the last one at first, among those with pictures."""
    pictured = [number for number, frame in enumerate(frames, start=1) if _has_picture(frame)]
    offered = pictured or [len(frames)]
    key = f"generation-{snapshot.id}-{place.question}-{place.method}"
    if st.session_state.get(key) not in offered:
        st.session_state[key] = offered[-1]
    chosen = int(st.session_state[key])
    label = f"Generation {chosen} of {len(frames)} · {words.several(frames[chosen - 1].evaluations, 'evaluation')}"
    if len(offered) == 1:
        st.caption(label)
        return chosen - 1
    some = "" if len(offered) == len(frames) else f" {len(offered)} of {len(frames)} generations kept their images."
    chosen = st.select_slider(
        label,
        offered,
        key=key,
        persist_state="session",
        help=f"Goes back through the search: the best mask and the map at that moment.{some}",
    )
    return int(chosen) - 1


def _has_picture(frame: Frame) -> bool:
    return frame.mask is not None or frame.saliency is not None


def _pictures(snapshot: RunSnapshot, place: CellKey, mask: Pixels | None, saliency: np.ndarray | None) -> None:
    figures = "".join(
        f'<figure><img src="{png_uri(pixels)}" width="{SIDE}" height="{SIDE}" alt="{title}">'
        f"<figcaption>{title}</figcaption></figure>"
        for title, pixels in _drawn(snapshot, place, mask, saliency)
    )
    st.html(f'<div class="dc-frames">{figures}</div>')


def _drawn(
    snapshot: RunSnapshot, place: CellKey, mask: Pixels | None, saliency: np.ndarray | None
) -> list[tuple[str, Pixels]]:
    """The picture behind the best mask, and the map, as far as they are known."""
    view = snapshot.grid.view_of(place.question)
    size = (view.shape[0], view.shape[1])
    signed = METHODS[snapshot.plan.methods[place.method].name].signed
    drawn = []
    if mask is not None:
        drawn.append(("Best mask", masked(view, mask, limits=(0, 255))))
    if saliency is not None:
        limits = limits_for(snapshot.cells[place].explanation, saliency, signed)
        drawn.append(("Map", alone(saliency, size, signed=signed, limits=limits)))
    return drawn


def _values(series: Sequence[Series], frame: Frame) -> str:
    rows = "".join(
        f"<tr><td>{words.escaped(item.title)}</td><td>{_value(item, frame.curves[item.name])}</td></tr>"
        for item in series
        if item.name in frame.curves
    )
    return f'<table class="dc-values"><tr><td>Evaluations</td><td>{frame.evaluations:,}</td></tr>{rows}</table>'


def _value(item: Series, value: float) -> str:
    """A value with its unit: a probability in per cent, never in powers of ten."""
    return words.percent(value) if item.share else f"{value:.3g}"
