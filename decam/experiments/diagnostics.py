"""What is wrong with a finished map, in words: nothing in it, next to nothing, a flat top, or a control's map."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from decam.explanation import Map
from decam.methods.controls.maps import CENTRE, EDGES, CentreSettings, EdgeSettings, centre_map, edge_map
from decam.metrics.similarity import ranks
from decam.shares import percent

TIED = 0.5
PLATEAU = 0.001
MASS, PIXELS = 0.99, 0.001
SAME = 0.95
SIDE = 100


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
