"""What the model says to the top part of each map, with all else of the picture grey."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from decam.classifier import Pixels, probabilities, to_tensor
from decam.errors import DecamError
from decam.experiments.cells import CellKey
from decam.experiments.covering import covered_by
from decam.explanation import Explanation, Truth
from decam.figures.overlays import MID_GREY
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.shared import run_pages


@dataclass(frozen=True)
class MaskedAnswer:
    """The model's answer in words to the highest `top` per cent of a map, which `shown` (H×W) marks."""

    top: int
    text: str
    shown: Truth


def answers(snapshot: RunSnapshot, top: int) -> list[tuple[CellKey, MaskedAnswer]]:
    """The model's answer to the top per cent of every finished map of a run; each is asked once.

    Where the run's model is not here, each answer says so in its words.
    """
    finished = [(key, cell.explanation) for key, cell in sorted(snapshot.cells.items()) if cell.explanation is not None]
    return [(key, _answer(snapshot, key, explanation, top)) for key, explanation in finished]


def _answer(snapshot: RunSnapshot, key: CellKey, explanation: Explanation, top: int) -> MaskedAnswer:
    view = snapshot.grid.view_of(key.question)
    # The order in which metrics show pixels.
    shown = covered_by(explanation.saliency, round(top / 100 * explanation.saliency.size))
    place = (snapshot.id, key.question, key.method)
    try:
        values = _asked(place, top, view, shown, snapshot)
    except DecamError as error:
        return MaskedAnswer(top, str(error), shown)
    return MaskedAnswer(top, f"Top {top} %: {in_words(values, snapshot, key.question, explanation.target)}", shown)


def in_words(values: NDArray[np.float32], snapshot: RunSnapshot, question: int, target: int) -> str:
    """The probabilities (of all classes) of the class asked about, of the one it is told from, and of the likeliest."""
    grid, best = snapshot.grid, int(values.argmax())
    against = snapshot.plan.against_of(question)

    def said(index: int) -> str:
        return f"{grid.label_of(index)} {text.percent(float(values[index]))}"

    words = said(target) if against is None else f"{said(target)}, {said(against)}"
    return words if best in (target, against) else f"{words} · predicted: {said(best)}"


@st.cache_data(show_spinner=False, max_entries=1024)
def _asked(
    place: tuple[str, int, int], top: int, _view: Pixels, _shown: Truth, _snapshot: RunSnapshot
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The probability of every class."""
    del place, top  # they name the entry in the cache
    classifier = run_pages.model_of(_snapshot)
    pixels = np.where(_shown[..., None], _view, np.array(MID_GREY, np.uint8))
    answer = probabilities(classifier, to_tensor(classifier, pixels).unsqueeze(0))
    return answer[0].cpu().numpy()
