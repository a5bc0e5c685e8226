"""Metrics that compare a map with ground truth: where it lies on the object and where beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from decam.explanation import Truth
from decam.metrics.localisation import otsu, overlaps, target_of
from decam.metrics.scales import Limits, Values
from decam.metrics.walkthroughs.panels import Chart, Line, Panel, Picture, Show, Work, array
from decam.numerals import minus
from decam.shares import percent, whole

_BINS = 60


def _truth(work: Work) -> Truth:
    return target_of(work.case, work.settings)


def _outlined(work: Work) -> Picture:
    return Picture("The map, the object outlined", work.pixels, work.saliency, work.limits, truth=_truth(work))


def _pointing(work: Work) -> tuple[tuple[Panel, ...], str]:
    """The highest pixel marked."""
    row, column = (int(place) for place in np.unravel_index(work.saliency.argmax(), work.saliency.shape))
    truth = _truth(work)
    many = int((work.saliency == work.saliency.max()).sum())
    marked = Picture("Its highest point", work.pixels, truth=truth, mark=(row, column))
    sentence = "on the object: a hit" if truth[row, column] else "outside the object: a miss"
    if many > 1:
        sentence = f"shared by {many} pixels, of which {whole(work.measurement.value)} lie on the object"
    return (_outlined(work), marked), f"The highest point is {sentence}."


def _energy(work: Work) -> tuple[tuple[Panel, ...], str]:
    return _parted(work, work.saliency.clip(min=0), "positive values")


def _mass(work: Work) -> tuple[tuple[Panel, ...], str]:
    return _parted(work, np.abs(work.saliency), "absolute values")


def _parted(work: Work, amounts: Values, name: str) -> tuple[tuple[Panel, ...], str]:
    """The amounts on the object and those outside it."""
    truth, value = _truth(work), work.measurement.value
    scale: Limits = (0.0, float(amounts.max()))
    parts = (
        Picture(f"On the object: {whole(value)}", work.pixels, amounts * truth, scale, truth=truth),
        Picture(f"Outside it: {whole(1 - value)}", work.pixels, amounts * ~truth, scale, truth=truth),
    )
    sentence = (
        f"Of the sum of its {name}, {percent(value, 1)} lies on the object, "
        f"which fills {percent(truth.mean(), 1)} of the image."
    )
    return (_outlined(work), *parts), sentence


def _rank(work: Work) -> tuple[tuple[Panel, ...], str]:
    """As many of the highest pixels as the object has."""
    truth = _truth(work)
    count = int(truth.sum())
    highest = np.zeros(truth.size, bool)
    highest[np.argsort(-work.saliency.ravel(), kind="stable")[:count]] = True
    kept = highest.reshape(truth.shape)
    picture = Picture(f"Its {count:,} highest pixels", work.pixels, truth=truth, kept=kept)
    share = percent(work.measurement.value, 1)
    sentence = f"The object has {count:,} pixels; {share} of the map's {count:,} highest lie on it."
    return (_outlined(work), picture), sentence


def _best(work: Work) -> tuple[tuple[Panel, ...], str]:
    """The map cut at every threshold, and at the best one."""
    truth = _truth(work)
    found = overlaps(work.saliency.reshape(1, -1), truth.ravel())[0]
    taken = int(np.nanargmax(found)) + 1
    threshold = np.sort(work.saliency.ravel())[-taken]
    kept = work.saliency >= threshold
    shares, uncut = np.arange(1, found.size + 1) / found.size, np.isfinite(found)
    lines = (
        Line("each threshold", shares[uncut] * 100, found[uncut]),
        Line("the best", array([100 * taken / found.size]), array([found[taken - 1]]), points=True),
    )
    caption = "The value is the highest point"
    chart = Chart(caption, "Share of the image above the threshold (%)", "IoU", lines, (0, 100), (0, 1))
    return (_outlined(work), _cut(work, kept, threshold), chart), _overlap(work, kept, truth)


def _otsu(work: Work) -> tuple[tuple[Panel, ...], str]:
    """The map cut where its values fall into two groups."""
    truth = _truth(work)
    threshold = float(otsu(work.saliency.reshape(1, -1))[0])
    kept = work.saliency > threshold
    counts, edges = np.histogram(work.saliency, bins=_BINS)
    upright = Line("Otsu's threshold", array([threshold, threshold]), array([0, counts.max()]), quiet=True)
    pixels = Line("pixels", (edges[:-1] + edges[1:]) / 2, array(counts), filled=True)
    chart = Chart("Where the values are cut", "Value of the map", "Pixels", (pixels, upright))
    return (_outlined(work), _cut(work, kept, threshold), chart), _overlap(work, kept, truth)


def _cut(work: Work, kept: Truth, threshold: float) -> Picture:
    return Picture(f"Cut at {minus(f'{threshold:.3g}')}", work.pixels, truth=_truth(work), kept=kept)


def _overlap(work: Work, kept: Truth, truth: Truth) -> str:
    both, either = int((kept & truth).sum()), int((kept | truth).sum())
    return (
        f"{both:,} pixels are both above the threshold and on the object, {either:,} are one or the other: "
        f"{both:,} / {either:,} = {work.measurement.value:.3f}."
    )


def _area(work: Work) -> tuple[tuple[Panel, ...], str]:
    """The share of the object found against the share of the rest taken for it, at every threshold."""
    truth = _truth(work)
    false, true = roc(work.saliency.ravel(), truth.ravel())
    lines = (
        Line("each threshold", false * 100, true * 100, filled=True),
        Line("a map of chance", array([0, 100]), array([0, 100]), quiet=True),
    )
    chart = Chart(
        "The value is the shaded area",
        "Pixels outside the object above the threshold (%)",
        "Pixels of the object above it (%)",
        lines,
        (0, 100),
        (0, 100),
    )
    sentence = (
        f"A pixel of the object is higher than one outside it in {percent(work.measurement.value, 1)} of all pairs."
    )
    return (_outlined(work), chart), sentence


def roc(values: Values, inside: NDArray[np.bool_]) -> tuple[Values, Values]:
    """Share of pixels outside the object, and of the object's, at or above each value from the highest on; from 0."""
    order = np.argsort(-values, kind="stable")
    last = np.append(np.diff(values[order]) != 0, True)
    hits, misses = np.cumsum(inside[order])[last], np.cumsum(~inside[order])[last]
    return array([0, *(misses / max(1, int(misses[-1])))]), array([0, *(hits / max(1, int(hits[-1])))])


POINTING: Show = _pointing
ENERGY: Show = _energy
MASS: Show = _mass
RANK: Show = _rank
BEST: Show = _best
OTSU: Show = _otsu
AREA: Show = _area
