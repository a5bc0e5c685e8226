"""How far the methods of a run agree: their maps compared pair by pair, as a matrix with pictures."""

from __future__ import annotations

import collections
from collections.abc import Sequence

import numpy as np
import streamlit as st
from PIL import Image

from decam.experiments.cells import CellKey
from decam.explanation import Explanation, Map
from decam.figures import limits_for, overlay
from decam.figures.legend import explained
from decam.methods import METHODS
from decam.metrics.agreement import Agreement, agreement, grouped, mean_agreement
from decam.metrics.similarity import SIMILARITIES, Matrix
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.shared import thumbnails

SIDE = 44
MEAN = -1
NOTE = (
    "Agreement is not correctness: methods can share a flaw, as all gradients of one network do. If a method agrees "
    f"with a control, it says little about the model. {explained()}"
)


def show(snapshot: RunSnapshot, selected: CellKey | None) -> None:
    """Draw the matrix of the picture chosen in the grid, or of their mean."""
    finished = _finished(snapshot)
    counts = collections.Counter(place.question for place in finished)
    pictures = [picture for picture, count in sorted(counts.items()) if count > 1]
    if not pictures:
        st.caption("Two finished maps of an image are needed to compare them.")
        return
    measure, picture, absolute, alike = _controls(snapshot, pictures, selected)
    row = SIMILARITIES[measure]
    st.caption(f"{text.plain(row.summary)} [{text.plain(row.reference)}]({row.url})")
    chosen = pictures if picture == MEAN else [picture]
    methods = sorted({place.method for place in finished})
    found = mean_agreement([_of(snapshot, number, methods, measure, absolute) for number in chosen])[0]
    order = grouped(found.values) if alike else list(range(len(methods)))
    ordered = [methods[place] for place in order]
    st.html(_matrix(snapshot, finished, chosen[0], ordered, found.values[np.ix_(order, order)]))
    st.caption(NOTE)


def _controls(snapshot: RunSnapshot, pictures: Sequence[int], selected: CellKey | None) -> tuple[str, int, bool, bool]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        measure = st.segmented_control(
            "Measure",
            list(SIMILARITIES),
            default=next(iter(SIMILARITIES)),
            required=True,
            format_func=lambda name: SIMILARITIES[name].title,
            key=f"agreement-{snapshot.id}",
            persist_state="session",
        )
        offered = [*([MEAN] if len(pictures) > 1 else []), *pictures]
        first = selected.question if selected is not None and selected.question in pictures else offered[0]
        picture = st.selectbox(
            "Image",
            offered,
            index=offered.index(first),
            format_func=lambda number: _picture(snapshot, number),
            width=260,
        )
        absolute = st.toggle(
            "Ignore sign",
            key="agreement-absolute",
            persist_state="session",
            help="Compare only how strong the maps are, not their sign.",
        )
        alike = st.toggle(
            "Group similar methods",
            True,
            key="agreement-alike",
            persist_state="session",
            help="Put methods that agree next to each other.",
        )
    return str(measure), int(picture), absolute, alike


def _picture(snapshot: RunSnapshot, number: int) -> str:
    return "Mean of all" if number == MEAN else text.visible(snapshot.plan.picture_of(number).name)


def _finished(snapshot: RunSnapshot) -> dict[CellKey, Explanation]:
    return {place: cell.explanation for place, cell in snapshot.cells.items() if cell.explanation is not None}


def _of(
    snapshot: RunSnapshot, picture: int, methods: Sequence[int], measure: str, absolute: bool
) -> tuple[Agreement, ...]:
    """The agreement of one picture's maps. A map that is missing has no value."""
    cells = [snapshot.cells[CellKey(picture, method)].explanation for method in methods]
    shape = snapshot.grid.view_of(picture).shape[:2]
    maps = [np.zeros(shape, np.float32) if made is None else made.saliency for made in cells]
    there = tuple(method for method, made in zip(methods, cells, strict=True) if made is not None)
    return _compared((snapshot.id, picture, there, len(methods)), measure, absolute, maps)


@st.cache_data(show_spinner=False, max_entries=64)
def _compared(
    key: tuple[str, int, tuple[int, ...], int], measure: str, absolute: bool, _maps: list[Map]
) -> tuple[Agreement, ...]:
    del key  # it names the entry in the cache: maps that are there do not change
    return agreement(_maps, [measure], absolute=absolute)


def _matrix(
    snapshot: RunSnapshot, finished: dict[CellKey, Explanation], picture: int, methods: Sequence[int], values: Matrix
) -> str:
    titles = snapshot.plan.titles()
    pictures = {method: _thumbnail(snapshot, finished.get(CellKey(picture, method)), picture) for method in methods}
    heads = "".join(
        f'<th scope="col" title="{text.escaped(titles[method])}">{pictures[method]}<span>{number}</span></th>'
        for number, method in enumerate(methods, start=1)
    )
    lines = "".join(
        f'<tr><th scope="row">{pictures[method]}<b>{place + 1}</b><span>{text.escaped(titles[method])}</span></th>'
        + "".join(_cell(float(value), place == other) for other, value in enumerate(values[place]))
        + "</tr>"
        for place, method in enumerate(methods)
    )
    return f'<div class="dc-matrix"><table><thead><tr><td></td>{heads}</tr></thead><tbody>{lines}</tbody></table></div>'


def _cell(value: float, same: bool) -> str:
    if same:
        return "<td></td>"
    if not np.isfinite(value):
        return '<td class="none" title="One of the two maps is constant, not finite or not there.">–</td>'
    side = "for" if value >= 0 else "against"
    return f'<td class="{side}" style="--share:{min(1.0, abs(value)):.3f}">{text.fixed(value)}</td>'


def _thumbnail(snapshot: RunSnapshot, made: Explanation | None, picture: int) -> str:
    """The map over its picture, small; an empty place where there is no map."""
    if made is None:
        return '<i class="dc-none"></i>'
    signed = METHODS[made.method].signed
    limits = limits_for(made, made.saliency, signed)
    drawn = overlay(snapshot.grid.view_of(picture), made.saliency, signed=signed, limits=limits)
    return f'<img src="{thumbnails.uri(Image.fromarray(drawn), SIDE)}" width="{SIDE}" height="{SIDE}" alt="">'
