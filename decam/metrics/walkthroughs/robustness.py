"""Metrics that make the map again: the changed pictures, their maps, and how far these differ."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from decam.explanation import Question, Steps
from decam.masking import to_pixels
from decam.metrics.base import Case, Origin
from decam.metrics.robustness import moved_back
from decam.metrics.scales import Values, cleaned, spearman
from decam.metrics.walkthroughs.panels import Bars, Panel, Picture, Remade, Show, Work, array, limits
from decam.numerals import fixed
from decam.shares import percent

_MOVES = ("mirrored", "shifted right", "shifted left", "shifted down", "shifted up")


def watched(case: Case) -> tuple[Case, list[Remade]]:
    """The same case, and a list to which every map that is made again of the first one is added as it comes."""
    made: list[Remade] = []
    if not case.origins or case.origins[0] is None:
        return case, made
    origin = case.origins[0]

    def make(question: Question, seed: int) -> Steps:
        saliency = yield from origin.make(question, seed)
        made.append(Remade(to_pixels(question.image), cleaned(saliency)))
        return saliency

    first = Origin(make, origin.seed, origin.cost)
    return dataclasses.replace(case, origins=(first, *case.origins[1:])), made


def _unsteady(work: Work) -> tuple[tuple[Panel, ...], str]:
    """The changed picture that moved the map most, and how far each moved it."""
    saliency = work.saliency
    whole = float(np.linalg.norm(saliency))
    changes = array([float(np.linalg.norm(one.saliency - saliency)) / whole for one in work.remade])
    worst = work.remade[int(changes.argmax())]
    together = limits(saliency, worst.saliency)
    difference = worst.saliency - saliency
    reach = max(float(np.abs(difference).max()), 1e-12)
    panels = (
        Picture("The image", work.pixels),
        Picture("Its map", work.pixels, saliency, together),
        Picture("Changed by noise", worst.pixels),
        Picture("The map of that", worst.pixels, worst.saliency, together),
        Picture("The difference, on a scale of its own", work.pixels, difference, (-reach, reach)),
    )
    names = tuple(str(number) for number in range(1, len(changes) + 1))
    bars = Bars("Relative change of the map; the value is the highest", names, changes)
    sentence = (
        f"Of {len(changes)} images with up to {percent(work.settings.radius)} noise, the one shown changed the map "
        f"most: by {percent(work.measurement.value, 1)} of the map's norm."
    )
    return (*panels, bars), sentence


def _seeds(work: Work) -> tuple[tuple[Panel, ...], str]:
    """The maps of all seeds, and how alike each two of them are."""
    maps = [work.saliency, *(one.saliency for one in work.remade)]
    panels: list[Panel] = [
        Picture("The map" if not number else f"Seed + {number}", work.pixels, one, limits(one))
        for number, one in enumerate(maps)
    ]
    pairs = list(itertools.combinations(range(len(maps)), 2))
    values = array([spearman(maps[one], maps[other]) for one, other in pairs])
    names = tuple(f"{one}–{other}" for one, other in pairs)
    panels.append(
        Bars("Rank correlation of each two; the value is the mean", names, values, min(0.0, _lowest(values)), 1)
    )
    if all(np.array_equal(one, maps[0]) for one in maps):
        return tuple(panels), "This method draws nothing at random: every seed gives the same map, and so 1."
    value = fixed(work.measurement.value, 3)
    return tuple(panels), f"The mean rank correlation over {len(pairs)} pairs of maps is {value}."


def _moved(work: Work) -> tuple[tuple[Panel, ...], str]:
    """Each moved picture with its map, and how well that follows."""
    parts = moved_back(work.case, work.saliency, [one.saliency for one in work.remade], work.settings)
    values = array([spearman(known, made) for known, made in parts])
    pictures = [
        Picture(f"{name}: ρ = {fixed(value)}", one.pixels, one.saliency, limits(one.saliency))
        for name, value, one in zip((move.capitalize() for move in _MOVES), values, work.remade, strict=True)
    ]
    bars = Bars(
        "Rank correlation after moving back; the value is the mean", _MOVES, values, min(0.0, _lowest(values)), 1
    )
    sentence = f"Moved back, the five maps agree with the first by {fixed(work.measurement.value, 3)} on average."
    return (work.judged(), *pictures, bars), sentence


def _lowest(values: Values) -> float:
    return float(np.nan_to_num(values).min())


UNSTEADY: Show = _unsteady
SEEDS: Show = _seeds
MOVED_MAPS: Show = _moved
