"""Metrics that mask the picture once by the whole map: the picture, what is left of it, and both answers."""

from __future__ import annotations

import numpy as np

from decam.explanation import last
from decam.masking import to_pixels
from decam.metrics.scales import pearson
from decam.metrics.single_step import hidden_scores, own_score, shown, shown_scores
from decam.metrics.walkthroughs.panels import Bars, Panel, Picture, Show, Work, limits
from decam.numerals import apart, fixed


def _pictures(work: Work, *, hidden: bool = False) -> tuple[Picture, Picture, Picture]:
    """The picture, its map, and the picture masked by it."""
    own = last(own_score(work.case))
    filling = work.settings.fill
    scores = hidden_scores if hidden else shown_scores
    masked = float(last(scores(work.case, filling))[0])
    caption = f"What is salient {'hidden by' if hidden else 'shown over'} {filling}"
    return (
        Picture("The image", work.pixels, probability=own),
        work.judged(),
        Picture(caption, to_pixels(shown(work.case, 0, filling, hidden=hidden)), probability=masked),
    )


def _answers(pictures: tuple[Picture, Picture, Picture]) -> tuple[float, float]:
    """The probabilities of the picture and of what is left of it."""
    before, _, after = pictures
    return before.probability or 0.0, after.probability or 0.0


def _change(own: float, masked: float) -> str:
    places = apart(own, masked)
    return f"The probability goes from {own:.{places}f} to {masked:.{places}f}"


def _share_lost(own: float, masked: float, value: float) -> str:
    places = apart(own, masked)
    return f"({own:.{places}f} − {masked:.{places}f}) / {own:.{places}f} = {fixed(value, 3)}"


def _drop(work: Work) -> tuple[tuple[Panel, ...], str]:
    pictures = _pictures(work)
    own, masked = _answers(pictures)
    if masked >= own:
        return pictures, f"{_change(own, masked)}: no loss, and so 0."
    return pictures, f"{_change(own, masked)}: {_share_lost(own, masked, work.measurement.value)}."


def _rise(work: Work) -> tuple[tuple[Panel, ...], str]:
    pictures = _pictures(work)
    own, masked = _answers(pictures)
    sentence = "it has risen: 1" if masked > own else "it has not risen: 0"
    return pictures, f"{_change(own, masked)}; {sentence}."


def _drop_hidden(work: Work) -> tuple[tuple[Panel, ...], str]:
    pictures = _pictures(work, hidden=True)
    own, masked = _answers(pictures)
    sentence = _share_lost(own, masked, work.measurement.value) if own > 0 else "nothing to lose"
    return pictures, f"{_change(own, masked)}: {sentence}."


def _joined(work: Work) -> tuple[tuple[Panel, ...], str]:
    """What average drop shows, the map of what is left, and the three parts."""
    pictures = _pictures(work)
    again = work.remade[0]
    alike = pearson(work.saliency, again.saliency)
    parts = dict(work.measurement.parts)
    values = np.array([parts["coherency"], 1 - parts["complexity"], 1 - parts["average drop"]])
    bars = Bars("The value is their harmonic mean", ("coherency", "1 − complexity", "1 − average drop"), values, 0.0, 1)
    panels = (
        *pictures,
        Picture(f"The map of what is left: ρ = {fixed(alike)}", again.pixels, again.saliency, limits(again.saliency)),
    )
    return (*panels, bars), (
        f"Coherency (1 + {fixed(alike)}) / 2 = {values[0]:.3f}, simplicity {values[1]:.3f}, probability kept "
        f"{values[2]:.3f}: their harmonic mean is {work.measurement.value:.3f}."
    )


DROP: Show = _drop
RISE: Show = _rise
DROP_HIDDEN: Show = _drop_hidden
JOINED: Show = _joined
