"""How faithful a map already was while it was made: deletion and insertion of the maps that led to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from decam.explanation import Map
from decam.masking import upsample
from decam.metrics.base import (
    Axes,
    Case,
    Curve,
    Difference,
    FaithfulnessSettings,
    Measuring,
    Metric,
    Running,
    Sequencing,
)
from decam.metrics.curves import cost, curves
from decam.metrics.faithfulness import DELETION, INSERTION
from decam.settings import parameter


@dataclass(frozen=True)
class AnytimeSettings(FaithfulnessSettings):
    """How many of the maps that led to a map are measured, and how each is."""

    points: int = parameter(
        8, "How many maps are measured on the way, the finished one among them; each costs as much.", low=2, high=16
    )


def chosen(running: Running, points: int) -> Running:
    """At most so many of the maps that led to a map, evenly spaced over what it cost, and last the finished map.

    At each of the equal shares of the evaluations it is the map that was there then. Maps of one value alone rank
    nothing, and are left out.
    """
    *before, finished = running
    total = finished[0]
    telling = [(cost, saliency) for cost, saliency in before if saliency.min() < saliency.max() and cost < total]
    there = {}
    for number in range(1, points):
        latest = [one for one in telling if one[0] * points <= number * total]
        if latest:
            there[latest[-1][0]] = latest[-1]
    return (*there.values(), finished)


def at_full_size(saliency: Map, size: tuple[int, int]) -> Map:
    """A map (h×w) at a picture's size, bilinear between the cells' centres; the map itself where it fits."""
    if saliency.shape == size:
        return saliency
    return np.asarray(upsample(torch.from_numpy(saliency)[None], size)[0, 0].numpy())


def _anytime(case: Case, kind: Sequencing, settings: AnytimeSettings) -> Measuring:
    size = case.question.classifier.input_size
    ways = [chosen(running, settings.points) for running in case.running]
    every = tuple(at_full_size(saliency, size) for way in ways for _, saliency in way)
    found = iter((yield from curves(Case(case.question, every, seed=case.seed), kind, settings)))
    drawn = [_curve(way, [next(found).area for _ in way]) for way in ways]
    return case.measured(f"anytime-{kind}", [_mean(curve) for curve in drawn], curves=drawn)


def _curve(way: Running, values: list[float]) -> Curve:
    total = way[-1][0]
    shares = np.array([evaluations / total if total else 1.0 for evaluations, _ in way], dtype=np.float32)
    return Curve(shares, np.array(values, dtype=np.float32))


def _mean(curve: Curve) -> float:
    """The mean of a curve over the shares from its first point to its last."""
    reach = float(curve.shares[-1] - curve.shares[0])
    return curve.area / reach if reach else float(curve.values[-1])


def anytime_deletion(case: Case, settings: AnytimeSettings) -> Measuring:
    """Mean of `deletion` over the evaluations from the first map in the making to the finished one.

    Of each of the case's `running`, at most `points` maps are measured, and the values between them are interpolated.
    In [0, 1], lower is better.
    """
    return (yield from _anytime(case, "deletion", settings))


def anytime_insertion(case: Case, settings: AnytimeSettings) -> Measuring:
    """Mean of `insertion` over the evaluations, as `anytime_deletion`. In [0, 1], higher is better."""
    return (yield from _anytime(case, "insertion", settings))


def _cost(settings: AnytimeSettings, maps: int) -> int:
    return cost(settings, maps * settings.points)


_SPENT = "Share of the evaluations spent"
_EARLY = (
    "Maps in the making are kept with at most 56 pixels a side, so that the finished map, which is whole, may differ "
    "from the one before it. A method whose first map comes late is measured over the rest alone."
)

ANYTIME_DELETION = Metric(
    name="anytime-deletion",
    title="Anytime deletion",
    family="faithfulness",
    summary="Deletion of the maps on the way to a map, averaged over the evaluations spent; lower is better.",
    reference=DELETION.reference,
    url=DELETION.url,
    formula=r"\frac{1}{n - n_1} \int_{n_1}^{n} \mathrm{DAUC}(S_m) \, dm",
    direction=-1,
    low=0.0,
    high=1.0,
    weaknesses=_EARLY,
    settings=AnytimeSettings,
    run=anytime_deletion,
    needs=frozenset({"running"}),
    evaluations=_cost,
    axes=Axes(_SPENT, DELETION.title),
)

ANYTIME_INSERTION = Metric(
    name="anytime-insertion",
    title="Anytime insertion",
    family="faithfulness",
    summary="Insertion of the maps on the way to a map, averaged over the evaluations spent; higher is better.",
    reference=INSERTION.reference,
    url=INSERTION.url,
    formula=r"\frac{1}{n - n_1} \int_{n_1}^{n} \mathrm{IAUC}(S_m) \, dm",
    direction=1,
    low=0.0,
    high=1.0,
    weaknesses=_EARLY,
    settings=AnytimeSettings,
    run=anytime_insertion,
    needs=frozenset({"running"}),
    evaluations=_cost,
    axes=Axes(_SPENT, INSERTION.title),
    difference=Difference(less="anytime-deletion", title="Anytime ins − del"),
)
