"""The ground truth of each picture: known from a sample, drawn, given as a file, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from decam.classifier import Classifier, Pixels, fit
from decam.errors import ImageError
from decam.explanation import Truth
from decam.figures import png_bytes
from decam.images import ground_truth, reading
from decam.images.ground_truth import Outline
from decam.ui import text
from decam.ui.components import source, styles
from decam.ui.components.grid.grid import address
from decam.ui.shared.pictures import Chosen
from decam.ui.shared.uploads import TYPES

KNOWN, DRAWN, FILE, NONE = "Known", "Drawn", "From a file", "None"
HELP = {
    KNOWN: "The image came with it.",
    DRAWN: "Drag boxes over the object, or draw around it; several parts are joined.",
    FILE: "A black and white image of the same proportions, the object white; or one that is transparent elsewhere.",
    NONE: "Metrics that compare maps with the object stay empty for this image.",
}
WHY = (
    "Pointing game, energy inside and the other localisation metrics compare a map with where the object is. If the "
    "model itself looks elsewhere, a correct map scores low."
)

_CHANGED = "truth-changed"
_DRAWING = st.components.v2.component(
    "decam_truth",
    css=styles("shared/base.css", "ground_truth/truth.css"),
    js=source("ground_truth/truth.js"),
)


@dataclass(frozen=True)
class Given:
    """A visitor's ground truth of one picture, whatever model sees it: outlines or a mask of the whole, or none.

    Points of outlines are shares of the whole picture.
    """

    kind: str
    outlines: tuple[Outline, ...] = ()
    mask: bytes = b""


def of(classifier: Classifier, picture: Chosen, label: str) -> Truth | None:
    """Where the object of class `label` is, as the classifier sees the picture; None where that is not known."""
    given = st.session_state.get(key(picture.key))
    try:
        if given is None:
            return known(classifier, picture, label)
        return _made(classifier, picture, given)
    except ImageError as error:
        st.error(text.plain(f"{picture.name}: {error}"))
        return None


def known(classifier: Classifier, picture: Chosen, label: str) -> Truth | None:
    """The ground truth that comes with a sample or with the run that was opened; None without one."""
    if picture.truth is not None:
        return _resized(picture.truth, classifier)
    if picture.sample is None:
        return None
    mask = picture.sample.truth(label)
    return None if mask is None else picture.mask(mask, classifier)


def changed() -> str | None:
    """The picture whose ground truth the visitor has just changed, by its key; said once."""
    picture: str | None = st.session_state.pop(_CHANGED, None)
    return picture


def key(picture: str) -> str:
    """Where the session keeps what a visitor has said."""
    return f"truth:{picture}"


def button(classifier: Classifier, picture: Chosen, view: Pixels, label: str, mask: Truth | None) -> None:
    """Draw the button that opens the dialog; it says whether the object's place is known."""
    there = "not known" if mask is None else f"{text.percent(float(mask.mean()))} of the image"
    if st.button(
        f"Ground truth *of {text.plain(picture.name.strip())}*",
        key=f"truth-{picture.key}",
        icon=":material/highlight_alt:" if mask is None else ":material/select_all:",
        type="tertiary",
        help=f"Where the object is ({there}). Click to see or to change it.",
    ):
        _dialog(classifier, picture, view, label, mask)


@st.dialog("Where is the object?", width="medium", on_dismiss="rerun")
def _dialog(classifier: Classifier, picture: Chosen, view: Pixels, label: str, mask: Truth | None) -> None:
    place = key(picture.key)
    given: Given | None = st.session_state.get(place)
    offered = [DRAWN, FILE, NONE]
    if known(classifier, picture, label) is not None:
        offered.insert(0, KNOWN)
    before = given.kind if given is not None else KNOWN if KNOWN in offered else NONE
    st.caption(f"**{text.plain(picture.name)}**, asked about: {text.plain(label)}. {WHY}")
    kind = st.segmented_control(
        "Ground truth",
        offered,
        default=before,
        required=True,
        label_visibility="collapsed",
        key=f"truth-kind-{picture.key}",
    )
    st.caption(HELP[str(kind)])
    chosen, shown = _choice(str(kind), classifier, picture, view, given, mask if kind == before else None, label)
    if shown is not None:
        _DRAWING(
            key=f"truth-shown-{kind}-{picture.key}",
            data={"view": _address(view), "mask": _address(shown), "outlines": None},
        )
    if st.button("Use this", key="truth-use", type="primary", disabled=chosen is None and kind != KNOWN):
        if chosen is None:
            st.session_state.pop(place, None)
        else:
            st.session_state[place] = chosen
        st.session_state[_CHANGED] = picture.key
        st.rerun()


def _choice(
    kind: str,
    classifier: Classifier,
    picture: Chosen,
    view: Pixels,
    given: Given | None,
    mask: Truth | None,
    label: str,
) -> tuple[Given | None, Truth | None]:
    """Draw the form of one kind; return what "Use this" would keep, or None, and the mask to show."""
    if kind == NONE:
        return Given(NONE), None
    if kind == KNOWN:
        return None, known(classifier, picture, label)
    if kind == DRAWN:
        part = picture.part(classifier)
        drawn = _drawing(picture.key, view, [part.inward(one) for one in given.outlines] if given is not None else ())
        return (Given(DRAWN, tuple(part.outward(one) for one in drawn)) if drawn else None), None
    file = st.file_uploader(
        "Mask", type=TYPES, key=f"truth-file-{picture.key}", max_upload_size=reading.MAX_BYTES // 2**20
    )
    if file is None:
        return (given, mask) if given is not None and given.kind == FILE else (None, None)
    try:
        whole = ground_truth.from_file(file.getvalue(), file.name, picture.size())
        seen = _made(classifier, picture, kept := Given(FILE, mask=png_bytes(_bytes(whole))))
    except ImageError as error:
        st.error(text.plain(str(error)))
        return None, None
    return kept, seen


def _drawing(picture: str, view: Pixels, before: Sequence[Outline]) -> tuple[Outline, ...]:
    """Draw the picture with its pencil, and return the outlines so far."""
    result = _DRAWING(
        key=f"truth-drawing-{picture}",
        data={"view": _address(view), "mask": None, "outlines": before},
        default={"outlines": None},
        on_outlines_change=_remembered,
    )
    drawn = result.get("outlines") if isinstance(result, Mapping) else None
    return tuple(before) if drawn is None else _outlines(drawn)


def _outlines(drawn: Any) -> tuple[Outline, ...]:
    """What a browser sent, if it is outlines: whoever writes to a server may send anything."""
    try:
        outlines = tuple(tuple((float(x), float(y)) for x, y in outline) for outline in drawn)
    except (TypeError, ValueError):
        return ()
    inside = all(0 <= share <= 1 for outline in outlines for point in outline for share in point)
    return outlines if inside else ()


def _remembered() -> None:
    """Nothing is left to do when something is drawn: Streamlit keeps it and draws the dialog again."""


def _made(classifier: Classifier, picture: Chosen, given: Given) -> Truth | None:
    if given.kind == DRAWN:
        part = picture.part(classifier)
        return ground_truth.drawn([part.inward(one) for one in given.outlines], classifier.input_size)
    if given.kind == FILE:
        whole = np.asarray(reading.read(given.mask, "The mask").image)[..., 0] > 127
        return picture.mask(whole, classifier)
    return None


def _resized(mask: Truth, classifier: Classifier) -> Truth:
    """The mask of a view for a model that sees another size."""
    marks = fit(Image.fromarray(mask.astype(np.uint8) * 255), classifier.input_size)
    return ground_truth.checked(np.asarray(marks) > 127, "What the model sees of the mask")


def _address(pixels: Pixels | Truth) -> str:
    return address(png_bytes(_bytes(pixels)), f"truth.{'mask' if pixels.ndim == 2 else 'view'}")


def _bytes(pixels: Pixels | Truth) -> Pixels:
    return np.where(pixels, 255, 0).astype(np.uint8) if pixels.ndim == 2 else pixels.astype(np.uint8, copy=False)
