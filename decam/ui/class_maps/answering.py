"""Where the map that was chosen answers in pictures that the visitor chooses."""

from __future__ import annotations

import streamlit as st

from decam.classifier import Pixels
from decam.errors import DecamError
from decam.experiments.cells import CellKey
from decam.experiments.status import CellState
from decam.explanation import ClassExplanation, Map
from decam.export.wire import GridCell
from decam.methods.class_level.answering import Answer, answers
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.class_maps import cards
from decam.ui.components.grid.grid import GridColumn, GridRow, result_grid
from decam.ui.shared import pictures

CLEAR = 0.5
"""Likeness from which a place is called a clear answer."""
SHOWN = (
    "The strongest part of the map, a quarter of its side, is laid on every place of the picture; colour says how "
    "alike the two are there, from −1 (inverse) over 0 to 1 (the same up to brightness and contrast). Fine detail is "
    "blurred away first. It compares pixels and does not ask the model."
)


def show(snapshot: RunSnapshot, chosen: CellKey | None) -> None:
    """Draw the choice of pictures, and each beside the places where the map answers."""
    key = chosen if chosen is not None and _map(snapshot, chosen) is not None else _first(snapshot)
    explanation = _map(snapshot, key)
    if explanation is None:
        return
    named = " · ".join(part for part in (explanation.label, cards.title(snapshot, key)) if part)
    st.markdown(f"**Where in a picture does this map answer?** :gray[{text.plain(named)}; click another map above]")
    with st.expander("Pictures", expanded=True, key="maps-pictures"):
        shown = pictures.panel()
    if not shown:
        st.caption("Choose a sample or upload a picture to see where the map answers in it.")
        return
    try:
        classifier = state.models().get(snapshot.plan.questions[key.question].model.name, snapshot.plan.device)
        rows, cells = [], []
        for picture in shown:
            view = picture.view(classifier)
            answer = _answer(f"{snapshot.id}.{key.question}.{key.method}", picture.key, view, explanation.map)
            rows.append(GridRow(picture.key, picture.name, view, note=_note(answer)))
            cells.append(GridCell(picture.key, "answer", CellState.DONE, saliency=answer.alike))
    except DecamError as error:
        st.error(text.plain(str(error)))
        return
    column = GridColumn("answer", f"Likeness to {explanation.label}", signed=True, help=SHOWN)
    result_grid(rows, [column], cells, key="maps-answers")
    st.caption(SHOWN)


def _map(snapshot: RunSnapshot, key: CellKey) -> ClassExplanation | None:
    cell = snapshot.cells.get(key)
    return cell.explanation if cell is not None and isinstance(cell.explanation, ClassExplanation) else None


def _first(snapshot: RunSnapshot) -> CellKey:
    return next(key for key in sorted(snapshot.cells) if _map(snapshot, key) is not None)


@st.cache_data(show_spinner=False, max_entries=256)
def _answer(place: str, picture: str, _view: Pixels, _pattern: Map) -> Answer:
    del place, picture  # they name the entry in the cache
    return answers(_pattern, _view)


def _note(answer: Answer) -> str:
    best = float(answer.alike.max())
    return "" if best >= CLEAR else f"No clear answer here: the likeness is at most {text.number(best)}."
