"""Where the map that was chosen answers in pictures that the visitor chooses."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.classifier import Pixels
from decam.errors import DecamError
from decam.experiments.cells import CellKey
from decam.experiments.kinds.class_maps import map_title
from decam.experiments.status import CellState
from decam.explanation import ClassExplanation, Map
from decam.export.wire import GridCell
from decam.methods.class_level.answering import Answer, answers
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.components.grid.grid import GridColumn, GridRow, result_grid
from decam.ui.shared import pictures, run_pages
from decam.ui.shared.pictures import Chosen

CLEAR = 0.5
"""Likeness from which a place is called a clear answer."""
SHOWN = (
    "The strongest part of the map, a quarter of its side, is laid on every place of the image; colour says how "
    "alike the two are there, from −1 (inverse) over 0 to 1 (the same up to brightness and contrast). Fine detail is "
    "blurred away first. It compares pixels and does not ask the model."
)


def show(snapshot: RunSnapshot, key: CellKey) -> None:
    """Draw the choice of pictures, and each beside the places where the map of this cell answers, if it is finished."""
    explanation = snapshot.cells[key].explanation
    if not isinstance(explanation, ClassExplanation):
        return
    named = " · ".join(part for part in (explanation.label, map_title(snapshot.plan, key)) if part)
    st.markdown(f"**Where in an image does this map answer?** :gray[{text.plain(named)}; click another map above]")
    left, right = st.columns([1, 2], gap="large")
    with left:
        chosen = pictures.panel()
    with right:
        if not chosen:
            st.caption("Choose a sample or upload an image to see where the map answers in it.")
            return
        try:
            _grid(snapshot, key, explanation, chosen)
        except DecamError as error:
            st.error(text.plain(str(error)))


def _grid(snapshot: RunSnapshot, key: CellKey, explanation: ClassExplanation, chosen: Sequence[Chosen]) -> None:
    classifier = run_pages.model_of(snapshot, snapshot.plan.questions[key.question].model.name)
    rows, cells = [], []
    for picture in chosen:
        view = picture.view(classifier)
        answer = _answer(f"{snapshot.id}.{key.question}.{key.method}", picture.seen_key, view, explanation.map)
        rows.append(GridRow(picture.key, picture.name, view, note=_note(answer)))
        cells.append(GridCell(picture.key, "answer", CellState.DONE, saliency=answer.alike))
    column = GridColumn("answer", f"Likeness to {explanation.label}", signed=True, help=SHOWN)
    result_grid(rows, [column], cells, key="maps-answers")
    st.caption(SHOWN)


@st.cache_data(show_spinner=False, max_entries=256)
def _answer(place: str, picture: str, _view: Pixels, _pattern: Map) -> Answer:
    del place, picture  # they name the entry in the cache
    return answers(_pattern, _view)


def _note(answer: Answer) -> str:
    best = float(answer.alike.max())
    return "" if best >= CLEAR else f"No clear answer here: the likeness is at most {text.fixed(best)}."
