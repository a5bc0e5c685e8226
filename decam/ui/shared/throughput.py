"""How long an evaluation takes here: taken from the runs that a visitor has looked at, never guessed."""

from __future__ import annotations

import streamlit as st

from decam.classifier import Classifier
from decam.runs.snapshots import RunSnapshot

KEY = "pace"
ENOUGH = 200  # evaluations: what a few took says more about loading and warming up than about asking


def learn(snapshot: RunSnapshot | None) -> None:
    """Remember what an evaluation took in this run's finished maps, for its model on its device."""
    if snapshot is None:
        return
    finished = [cell for cell in snapshot.cells.values() if cell.explanation is not None]
    evaluations = sum(cell.evaluations for cell in finished)
    if evaluations >= ENOUGH:
        seconds_by_model: dict[tuple[str, str], float] = st.session_state.setdefault(KEY, {})
        seconds_by_model[snapshot.plan.model, snapshot.plan.device] = (
            sum(cell.seconds for cell in finished) / evaluations
        )


def of(classifier: Classifier) -> float | None:
    """Seconds an evaluation took in the last run of this model and device that this session saw; None without one."""
    seconds_by_model: dict[tuple[str, str], float] = st.session_state.get(KEY, {})
    return seconds_by_model.get((classifier.name, str(classifier.device)))
