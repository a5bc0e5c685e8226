"""A picture to cover by hand: the model answers live, and beside it a map covers as much and predicts the drop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from decam.classifier import Classifier, Pixels
from decam.classifier.contrast import contrast_label
from decam.experiments import covering
from decam.experiments.cells import CellKey
from decam.experiments.explain import checked_contrast
from decam.explanation import Explanation, Truth
from decam.images.superpixels import superpixels
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.components.brush import brush
from decam.ui.components.brush.brush import Answer, Painting, Rival, Tools
from decam.ui.shared.run_pages import model_of

SHOWN = 5
TOP = 20
"""Per cent of a map that one button hides."""
REGIONS = 60
"""Regions that a click covers, where the map's own method has no number of them."""


@dataclass(frozen=True)
class Case:
    """What is covered, and the map that covers as much beside it.

    `name` tells this picture, model and class from those of all other cases. `explanation` has the map (H×W, at the
    size of `view`), `title` names it, and `label_of` names a class. `seed` is that of the fill "noise".
    """

    name: tuple[str, ...]
    classifier: Classifier
    view: Pixels
    explanation: Explanation
    title: str
    label_of: Callable[[int], str]
    fill: str
    seed: int = 0

    @property
    def label(self) -> str:
        """The class asked about."""
        return self.label_of(self.explanation.target)

    @property
    def explained(self) -> str:
        """What the map explains: the class asked about, or that class rather than another one."""
        against = self.explanation.against
        return self.label if against is None else contrast_label(self.label, self.label_of(against))


@dataclass(frozen=True)
class Seen:
    """A cover (H×W, True = covered) and the model's probabilities (C each): clean, covered, and with nothing shown."""

    cover: Truth
    clean: NDArray[np.float32]
    covered: NDArray[np.float32]
    blank: NDArray[np.float32]


def case_of(snapshot: RunSnapshot, place: CellKey, explanation: Explanation) -> Case:
    """A finished map of a run, with the fill that `covering.fill_of` says.

    Raises DecamError where the run's model is not here.
    """
    return Case(
        (snapshot.id, str(place.question)),
        model_of(snapshot),
        snapshot.grid.view_of(place.question),
        explanation,
        snapshot.plan.titles()[place.method],
        snapshot.grid.label_of,
        covering.fill_of(snapshot.plan, place.method),
        snapshot.plan.questions[place.question].seed,
    )


def show(key: str, case: Case, *, fine: bool) -> Seen:
    """Draw the brush with the answers to what is painted now, and return what the model saw.

    `fine`: strokes are as fine as the picture, regions are covered whole, and the map predicts the drop. Raises
    SettingError for what no brush sends.
    """
    size = case.view.shape[0], case.view.shape[1]
    grain = size if fine else (covering.SIDE, covering.SIDE)
    cover = covering.spread(covering.squares(brush.painted(key), grain), size)
    theirs = covering.covered_by(case.explanation.saliency, int(cover.sum()))
    clean, blank = _asked(case, (cover & False, cover | True))
    yours, rival = _asked(case, (cover, theirs))
    target = case.explanation.target
    # The class asked about, then those that are likeliest now: whoever covers well sees who takes over.
    others = [int(one) for one in (-yours).argsort(kind="stable") if one != target]
    classes = [target, *others][:SHOWN]
    seen = Seen(cover, clean, yours, blank)
    brush.draw(
        key,
        Painting(
            case.view,
            _filling(case.name, case.fill, case.seed, case),
            case.label,
            [Answer(case.label_of(one), float(yours[one]), float(clean[one])) for one in classes],
            float(cover.mean()),
            Rival(case.title, theirs, float(rival[target])),
            grain,
            _tools(case) if fine else None,
            (predicted(case, seen),) if fine else (),
        ),
    )
    return seen


def predicted(case: Case, seen: Seen) -> str:
    """What the map predicts of the drop, as a sentence or two beside what happened."""
    clean, blank, covered = _explained(case, seen)
    found = covering.prediction(case.explanation.saliency, seen.cover, clean, blank)
    if found is None:
        return f"{case.title} has no positive value here, so it predicts no drop."
    share, expected, has = map(text.percent, (found.share, found.probability, covered))
    return (
        f"Predicted by {case.title}: {share} of its positive values are covered. If drops added up, {case.explained} "
        f"would have {expected}. It has {has}."
    )


def _explained(case: Case, seen: Seen) -> tuple[float, float, float]:
    """The probabilities of what the map explains: clean, with nothing shown, and covered."""
    made = case.explanation
    if made.against is None:
        clean, blank, covered = (float(one[made.target]) for one in (seen.clean, seen.blank, seen.covered))
        return clean, blank, covered
    asked = checked_contrast(case.classifier, made.target, made.against)
    pair = replace(case, name=(*case.name, str(made.target), str(made.against)), classifier=asked)
    clean, blank, covered = map(
        float, _asked(pair, (seen.cover & False, seen.cover | True, seen.cover))[:, made.target]
    )
    return clean, blank, covered


def _tools(case: Case) -> Tools:
    count = case.explanation.settings.to_mapping().get("regions", REGIONS)
    return _tools_of(case.name, case.title, int(count), case)


@st.cache_data(show_spinner=False, max_entries=32)
def _tools_of(name: tuple[str, ...], title: str, count: int, _case: Case) -> Tools:
    del name, title  # they name the entry in the cache
    saliency = _case.explanation.saliency
    top = covering.covered_by(saliency, round(TOP / 100 * saliency.size))
    return Tools(superpixels(_case.view, min(count, saliency.size)), top, f"Hide the top {TOP} % of this map")


@st.cache_data(show_spinner=False, max_entries=32)
def _filling(name: tuple[str, ...], fill: str, seed: int, _case: Case) -> Pixels:
    del name  # it names the entry in the cache
    return covering.filling(_case.classifier, _case.view, fill, seed)


def _asked(case: Case, covers: Sequence[Truth]) -> NDArray[np.float32]:
    """The model's probabilities (N×C) under covers; each question is asked once."""
    named = tuple(np.packbits(cover).tobytes() for cover in covers)
    return _answers(case.name, case.fill, case.seed, named, case, covers)


@st.cache_data(show_spinner=False, max_entries=512)
def _answers(
    name: tuple[str, ...], fill: str, seed: int, named: tuple[bytes, ...], _case: Case, _covers: Sequence[Truth]
) -> NDArray[np.float32]:
    del name, named  # they name the entry in the cache
    return covering.answers(_case.classifier, _case.view, _covers, fill, seed)
