"""What is wrong with a finished map, in words: nothing in it, next to nothing, a flat top, or a control's map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from decam.classifier import Precision
from decam.explanation import Ledger, Map
from decam.methods.controls.maps import CENTRE, EDGES, CentreSettings, EdgeSettings, centre_map, edge_map
from decam.metrics.similarity import ranks
from decam.shares import percent

TIED = 0.5
PLATEAU = 0.001
MASS, PIXELS = 0.99, 0.001
SAME = 0.95
SIDE = 100

ROUNDING: dict[Precision, float] = {"float32": 1e-4, "float16": 1e-2, "bfloat16": 0.0625}
"""Changes of a logit up to this size are rounding.

Logits have sizes of about 10. There a step is 10^-6 in float32, 2^-7 in float16 and 2^-4 in bfloat16. Sums over
thousands of terms in dozens of layers, taken in float32 always, lose about two digits more of float32.
"""
MASKED = "From mask to mask, whatever was hidden, the probability moved"
SOFTMAX = 1e-6
"""Relative rounding of a probability itself, which is float32 in every precision: some of its steps of 10^-7."""
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Resemblance:
    """How alike a map and a control's map are: Spearman correlation, nan where either is constant or not finite."""

    control: str
    spearman: float
    meaning: str


def flaws(saliency: Map) -> tuple[str, ...]:
    """Why a map (H×W) says nothing at all, in words; nothing for one that does."""
    if not np.isfinite(saliency).all():
        return ("The map holds values that are not finite; they say nothing about the image.",)
    if float(saliency.max()) == float(saliency.min()):
        return ("The map is constant: the method found no difference between any two places.",)
    return ()


def silences(ledger: Ledger, precision: Precision, image: Tensor) -> tuple[str, ...]:
    """Why a map can only hold rounding or chance, in words; nothing for one whose method saw the answer move.

    `ledger` says what the method saw, `precision` is that of the answers behind masks, `image` is 3×H×W. A logit's
    rounding r moves a probability p by p(1 − p)r. What looks inside a model computes in float32.
    """
    found = []
    if ledger.reach is not None:
        subject, moved = ledger.reach
        if moved <= ROUNDING["float32"]:
            found.append(_still(subject, moved, ROUNDING["float32"], "float32"))
    elif ledger.lowest <= ledger.highest:
        moved = ledger.highest - ledger.lowest
        middle = min(max(0.5, ledger.lowest), ledger.highest)
        size = ROUNDING[precision] * middle * (1 - middle) + SOFTMAX * ledger.highest
        if moved <= size:
            found.append(_still(MASKED, moved, size, precision))
    if bool((image.amax((1, 2)) == image.amin((1, 2))).all()):
        found.append(
            "The image is of one colour, so no place in it can be evidence: what differs in this map comes from the "
            "method, its fill and the edges of the image."
        )
    return tuple(found)


def _still(subject: str, moved: float, size: float, precision: Precision) -> str:
    return (
        f"{subject} by at most {_ceiling(moved)}; up to {_ceiling(size)} is rounding in {precision}, so this map shows "
        "no evidence."
    )


def _ceiling(value: float) -> str:
    """A number of at least zero, rounded up to one digit: 3·10⁻⁸."""
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(value))
    digit = math.ceil(round(value / 10.0**exponent, 6))
    digit, exponent = (1, exponent + 1) if digit == 10 else (digit, exponent)
    power = f"10{str(exponent).translate(_SUPERSCRIPTS)}"
    return power if digit == 1 else f"{digit}·{power}"


def remarks(saliency: Map, image: Tensor | None = None) -> tuple[str, ...]:
    """What is wrong with a map (H×W), in words for the reader; nothing for a sound one.

    With the picture (3×H×W in [0, 1]) the map is also compared with the controls.
    """
    found = flaws(saliency)
    if found:
        return found
    found = _ties(saliency) or _emptiness(saliency)
    alike = () if image is None else resemblances(saliency, image)
    return (*found, *(_said(resemblance) for resemblance in alike if resemblance.spearman >= SAME))


def resemblances(saliency: Map, image: Tensor) -> tuple[Resemblance, ...]:
    """How alike a map (H×W) and each control of a picture (3×H×W in [0, 1]) are, the controls at their defaults.

    A map with negative values is compared as it is and by its absolute values, and the greater likeness counts.
    Of large maps every second or third pixel is compared, which is quicker than all and finds the same.
    """
    thin = _thinned(saliency)
    places = [ranks(thin)] + ([ranks(np.abs(thin))] if saliency.min() < 0 else [])
    height, width = saliency.shape
    centre, edges = _centre_ranks(height, width), ranks(_thinned(edge_map(image, EdgeSettings())))
    return (
        Resemblance(CENTRE.title, _greatest(places, centre), "a subject in the middle would explain it as well"),
        Resemblance(EDGES.title, _greatest(places, edges), "it may show what is in the image and not what counted"),
    )


def _said(resemblance: Resemblance) -> str:
    return (
        f"The map ranks the pixels almost as the control “{resemblance.control}” does (Spearman "
        f"{resemblance.spearman:.2f}), which knows nothing of the model: {resemblance.meaning}."
    )


def _ties(saliency: Map) -> tuple[str, ...]:
    """A word on a map most of which lies at its maximum, within a thousandth of its range.

    Only the maximum counts: a sparse map is mostly at its minimum, and should be. A map of superpixels has few values,
    but as many pixels at the highest as one or a few superpixels cover.
    """
    low, high = float(saliency.min()), float(saliency.max())
    share = float((saliency >= high - PLATEAU * (high - low)).mean())
    if share <= TIED:
        return ()
    return (
        f"The map is saturated: {percent(share, 0)} of the image has its highest value, or next to it, so it does not "
        "say what in there matters most.",
    )


def _emptiness(saliency: Map) -> tuple[str, ...]:
    """A word on a map that is flat but for a few pixels; its median is what is flat."""
    departures = np.abs(saliency.astype(np.float64) - np.median(saliency)).reshape(-1)
    count = int(PIXELS * departures.size)
    if count == 0:
        return ()
    highest = np.partition(departures, departures.size - count)[departures.size - count :]
    if highest.sum() < MASS * departures.sum():
        return ()
    return (
        f"The map is nearly empty: {count} of {departures.size:,} pixels hold {percent(MASS, 0)} of it, and the rest "
        "of the image is left without a word.",
    )


def _greatest(places: list[NDArray[np.float64]], control: NDArray[np.float64]) -> float:
    """The highest correlation of any ranking with the control's; nan where the control is constant."""
    other = control - control.mean()
    norm = np.linalg.norm(other)
    found = [float("nan")]
    for ranking in places:
        centred = ranking - ranking.mean()
        both = norm * np.linalg.norm(centred)
        found.append(float((centred * other).sum() / both) if both else float("nan"))
    return float(np.fmax.reduce(found))


def _thinned(saliency: Map) -> Map:
    step = max(1, min(saliency.shape) // SIDE)
    return saliency[::step, ::step]


@lru_cache(maxsize=4)
def _centre_ranks(height: int, width: int) -> NDArray[np.float64]:
    return ranks(_thinned(centre_map((height, width), CentreSettings())))
