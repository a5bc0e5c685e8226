"""This looks like that: places of a picture beside the training pictures that a model compares them to."""

from __future__ import annotations

import streamlit as st
from PIL import Image

from decam.classifier import Pixels, to_tensor
from decam.experiments.cells import CellKey
from decam.explanation import Explanation, Question
from decam.methods import METHODS
from decam.methods.attention.prototype_matches import Box, PrototypeMatch
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.shared import run_pages, thumbnails

LARGE, SMALL, FEW = 128, 62, 3


def shown(snapshot: RunSnapshot) -> bool:
    """Whether a run compares a method whose map rests on more than can be seen in it."""
    return any(METHODS[choice.name].evidence for choice in snapshot.plan.methods)


def show(snapshot: RunSnapshot, selected: CellKey | None) -> None:
    """Draw the training pictures behind the map of the picture chosen in the grid, or else of the first picture."""
    made = [
        (place, cell.explanation)
        for place, cell in sorted(snapshot.cells.items())
        if cell.explanation is not None and METHODS[cell.explanation.method].evidence
    ]
    if not made:
        st.caption("The places and what they look like appear here as soon as the map is finished.")
        return
    here = [pair for pair in made if selected is not None and pair[0].question == selected.question]
    place, explanation = (here or made)[0]
    st.markdown(
        f"**{text.plain(snapshot.plan.picture_of(place.question).name)}**: why the model answers "
        f"*{text.plain(explanation.label)}* or not. "
        ":gray[Each place of the image is framed on the left, the training image it is compared to on the right.]"
    )
    found = evidence(snapshot, place.question, explanation)
    lines = "".join(_line(look, snapshot.grid.view_of(place.question)) for look in found)
    st.html(f'<ol class="dc-likenesses">{lines}</ol>')
    st.caption(
        "Likeness is the cosine of what the network makes of the two places, 1 where they are alike; points are what "
        "it adds to the score of the class asked about. A place sees beyond its frame: frames that look unlike to you "
        "may look alike to the network."
    )


def strip(snapshot: RunSnapshot, picture: int, explanation: Explanation) -> str:
    """The likenesses that count most, as one line of HTML; empty where the method has none."""
    if METHODS[explanation.method].evidence is None:
        return ""
    view = snapshot.grid.view_of(picture)
    pairs = "".join(
        f'<span title="{text.escaped(_said(look))}">'
        f"{_framed(view, look.box, SMALL)}≈{_framed(look.patch.whole, look.patch.box, SMALL)}</span>"
        for look in evidence(snapshot, picture, explanation)[:FEW]
    )
    return f'<div class="dc-likeness-strip" aria-label="This looks like that">{pairs}</div>'


def evidence(snapshot: RunSnapshot, picture: int, explanation: Explanation) -> tuple[PrototypeMatch, ...]:
    """The places that the model compares, asked once for each map of a run.

    Raises ModelError where the model cannot be loaded any more.
    """
    key = (snapshot.id, picture, explanation.method, explanation.target)
    return _asked(key, snapshot.grid.view_of(picture), snapshot)


@st.cache_data(show_spinner=False, max_entries=64)
def _asked(key: tuple[str, int, str, int], _view: Pixels, _snapshot: RunSnapshot) -> tuple[PrototypeMatch, ...]:
    _, _, method, target = key
    classifier = run_pages.model_of(_snapshot)
    ask = METHODS[method].evidence
    return () if ask is None else ask(Question(classifier, to_tensor(classifier, _view), target))


def _line(look: PrototypeMatch, view: Pixels) -> str:
    return (
        f"<li><figure>{_framed(view, look.box, LARGE)}<figcaption>this place</figcaption></figure>"
        f"<i>looks like</i><figure>{_framed(look.patch.whole, look.patch.box, LARGE)}"
        f"<figcaption>that: {text.escaped(look.name)}, prototype {look.prototype + 1}</figcaption></figure>"
        f"<dl><dt>Likeness</dt><dd>{text.fixed(look.similarity)}</dd>"
        f"<dt>Points</dt><dd>{text.fixed(look.points)}</dd></dl></li>"
    )


def _said(look: PrototypeMatch) -> str:
    return (
        f"Looks like prototype {look.prototype + 1} ({look.name}): likeness {text.fixed(look.similarity)}, "
        f"{text.fixed(look.points)} points"
    )


def _framed(picture: Pixels, box: Box, side: int) -> str:
    """A picture of `side` pixels with a frame around a part of it."""
    height, width = picture.shape[:2]
    top, left = box.top / height, box.left / width
    tall, wide = (box.bottom - box.top) / height, (box.right - box.left) / width
    frame = f"top:{top:.2%};left:{left:.2%};width:{wide:.2%};height:{tall:.2%}"
    source = thumbnails.uri(Image.fromarray(picture), 2 * side)
    return f'<b class="framed" style="width:{side}px"><img src="{source}" alt=""><u style="{frame}"></u></b>'
