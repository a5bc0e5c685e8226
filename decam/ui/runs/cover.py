"""A picture of a run to cover by hand, beside one of the run's maps."""

from __future__ import annotations

import streamlit as st

from decam.experiments.cells import CellKey
from decam.explanation import Explanation
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.components import component_key
from decam.ui.runs import map_choice
from decam.ui.shared import covering
from decam.ui.shared.covering import Seen


def show(snapshot: RunSnapshot, selected: CellKey | None) -> None:
    """Draw the picture of the map chosen here or in the grid, to be covered by hand."""
    finished = [place for place, cell in sorted(snapshot.cells.items()) if cell.explanation is not None]
    if not finished:
        st.caption("Here you can cover the image by hand as soon as a map is finished.")
        return
    place = map_choice.choose(
        snapshot,
        finished,
        selected,
        "cover",
        "Cover against",
        "Choose the map that covers as much as you do and predicts the drop. A click in the grid does the same.",
    )
    if (explanation := snapshot.cells[place].explanation) is not None:
        draw(snapshot, place, explanation)


def draw(snapshot: RunSnapshot, place: CellKey, explanation: Explanation) -> Seen:
    """Draw the brush for a picture of the run and one of its finished maps; returns what the model saw.

    Raises DecamError where the run's model is not here.
    """
    case = covering.case_of(snapshot, place, explanation)
    seen = covering.show(key_of(snapshot, place), case, fine=True)
    st.caption(
        text.plain(
            f"Covered parts show the fill that belongs to this map: {case.fill}. The line in a bar marks the answer to "
            "the whole image. The prediction shares out the drop from the whole image to the fill alone, to each pixel "
            "in proportion to its value. Negative values count as zero."
        )
    )
    return seen


def key_of(snapshot: RunSnapshot, place: CellKey) -> str:
    """The brush's key: a picture keeps its cover when another map is chosen."""
    return component_key(f"cover-{snapshot.id}-{place.question}")
