"""A picture to cover by hand: the embedded model answers, and a method's map covers as much beside it."""

from __future__ import annotations

import streamlit as st

from decam.errors import DecamError
from decam.lessons import facts, runs
from decam.lessons.base import Cover
from decam.masking import FILLS
from decam.ui import text
from decam.ui.shared import covering
from decam.ui.shared.covering import Case


@st.fragment
def show(key: str, step: Cover) -> None:
    """Draw the brush with the answers to what is painted now."""
    grid = runs.load(step.run)
    fill = st.segmented_control(
        "What covers",
        FILLS,
        default=step.fill,
        required=True,
        key=f"{key}-fill",
        help="The fill: what the model sees in the place of what is covered.",
    )
    try:
        case = Case(
            (step.run, str(step.question)),
            runs.exact(grid.plan.questions[step.question].model.name),
            grid.view_of(step.question),
            facts.explanation(step.run, step.question, step.method),
            facts.title(step.run, step.method)(),
            grid.label_of,
            str(fill),
        )
        covering.show(key, case, fine=False)
    except DecamError as error:
        st.error(text.plain(str(error)))
