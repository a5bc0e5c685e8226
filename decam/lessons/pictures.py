"""The pictures of a lesson, drawn from its runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape

import numpy as np

from decam.classifier import Pixels
from decam.experiments.covering import covered_by
from decam.explanation import Explanation, Map, Truth
from decam.figures import limits_for, overlay
from decam.figures.overlays import MID_GREY, alone
from decam.lessons import runs
from decam.lessons.base import Fact, LookName, Shown
from decam.lessons.facts import explanation, percent
from decam.lessons.prose import inline, plain
from decam.methods import described

Look = Callable[[Pixels, Explanation, float], Pixels]
Address = Callable[[Pixels, int], str]
"""Gives a picture an address; the number is the picture's place in its row."""
Mark = tuple[float, float]
"""A place in a picture: shares of its width and height."""


def _overlay(view: Pixels, made: Explanation, share: float) -> Pixels:
    del share
    signed = described(made.method).signed
    return overlay(view, made.saliency, signed=signed, limits=limits_for(made, made.saliency, signed))


def _alone(view: Pixels, made: Explanation, share: float) -> Pixels:
    del share
    signed = described(made.method).signed
    limits = limits_for(made, made.saliency, signed)
    return alone(made.saliency, (view.shape[0], view.shape[1]), signed=signed, limits=limits)


def top(saliency: Map, share: float) -> Truth:
    """The pixels (H×W, True = among them) that a map ranks first, `share` of all."""
    return covered_by(saliency, round(share * saliency.size))


def _kept(view: Pixels, made: Explanation, share: float) -> Pixels:
    return np.where(top(made.saliency, share)[..., None], view, np.array(MID_GREY, np.uint8))


def _hidden(view: Pixels, made: Explanation, share: float) -> Pixels:
    return np.where(top(made.saliency, share)[..., None], np.array(MID_GREY, np.uint8), view)


LOOKS: dict[LookName, Look] = {
    "overlay": _overlay,
    "map": _alone,
    "top kept": _kept,
    "top hidden": _hidden,
}
"""How a map is drawn; a picture without a map is shown as it is."""


def pixels(shown: Shown) -> Pixels:
    """The picture, H×W×3 uint8; raises SettingError where its run has no such map."""
    view = runs.load(shown.run).view_of(shown.question)
    if shown.look == "picture":
        return view
    return LOOKS[shown.look](view, explanation(shown.run, shown.question, shown.method), shown.share)


def described_as(shown: Shown, facts: Mapping[str, Fact]) -> str:
    """What is read aloud in the place of a picture."""
    if shown.alt:
        return plain(shown.alt, facts)
    return plain(shown.caption, facts) or f"The image {runs.load(shown.run).plan.picture_of(shown.question).name}"


def rank_at(shown: Shown, mark: Mark) -> str:
    """How early the map of a picture ranks a place, as the share of the pixels that come before it."""
    saliency = explanation(shown.run, shown.question, shown.method).saliency
    height, width = saliency.shape
    row, column = (min(int(share * side), side - 1) for share, side in ((mark[1], height), (mark[0], width)))
    return percent(float((saliency > saliency[row, column]).mean()))


def figure(shown: Shown, facts: Mapping[str, Fact], url: str, mark: Mark | None = None, place: str = "") -> str:
    """A picture, which lies at `url`, with its caption as HTML; `mark` is ringed."""
    ring = ""
    if mark is not None:
        ring = f'<i class="dc-mark" style="left: {mark[0]:.2%}; top: {mark[1]:.2%}"></i>'
    caption = f"<figcaption>{inline(shown.caption, facts, place)}</figcaption>" if shown.caption else ""
    image = f'<img src="{url}" alt="{escape(described_as(shown, facts), quote=True)}">'
    return f"<figure><div>{image}{ring}</div>{caption}</figure>"


def row(
    pictures: tuple[Shown, ...],
    facts: Mapping[str, Fact],
    address: Address,
    mark: Mark | None = None,
    place: str = "",
) -> str:
    """Pictures side by side as HTML; the empty text for none."""
    figures = (
        figure(shown, facts, address(pixels(shown), number), mark, f"{place}-figure-{number}" if place else "")
        for number, shown in enumerate(pictures)
    )
    return f'<div class="dc-lesson-row">{"".join(figures)}</div>' if pictures else ""
