"""What a sanity check says of each method, in words that follow from numbers and stated thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from decam.methods import METHODS
from decam.methods.controls import EDGES, RANDOM
from decam.sanity_plan import LABELS, SanityPlan
from decam.sanity_result import Likeness, Sanity

KEPT, LOST = 0.7, 0.3
EDGY = 0.5

THRESHOLDS = (
    f"A similarity counts from the random map's (0) to that of the same map (1). A map is kept where at least {KEPT:g} "
    f"of that way is left, lost where less than {LOST:g} is, and changed in between. A method that is noisy at its "
    "settings looks lost as well: ask it with another seed before you praise it."
)
BLIND = "A control that never asks the model: its map cannot change. A method whose line is as flat shows as little."
Verdict: TypeAlias = Literal["lost", "changed", "kept", "blind", "unknown"]


@dataclass(frozen=True)
class Measured:
    """Which similarity is read: a measure by its name, of the maps as they are or of their absolute values."""

    measure: str
    absolute: bool = True

    def of(self, likeness: Likeness) -> float:
        """The similarity, nan where it is not defined."""
        return (likeness.absolute if self.absolute else likeness.plain)[self.measure]


@dataclass(frozen=True)
class Line:
    """One method's similarities to its original map: those of the controls, and those of the variants in their order.

    nan where a map failed, is still to come, or is flat.
    """

    method: int
    title: str
    floor: float
    edges: float
    values: tuple[float, ...]

    def left(self) -> tuple[float, ...]:
        """How much of each similarity is left above the random map's, 1 for the same map."""
        return tuple((value - self.floor) / (1 - self.floor) if self.floor < 1 else math.nan for value in self.values)


@dataclass(frozen=True)
class Reading:
    """What the check says of one method."""

    method: int
    title: str
    verdict: Verdict
    sentence: str


def lines(found: Sanity, how: Measured) -> list[Line]:
    """One line for each method whose original map is there."""
    told = []
    for original in found.originals:
        floors = {floor.control: how.of(floor.likeness) for floor in original.floor}
        values = [math.nan] * len(found.variants)
        for one in found.compared:
            if one.method == original.method:
                values[one.variant] = how.of(one.likeness)
        told.append(
            Line(
                original.method,
                found.methods[original.method],
                floors[RANDOM.title],
                floors[EDGES.title],
                tuple(values),
            )
        )
    return told


def readings(plan: SanityPlan, found: Sanity, how: Measured) -> list[Reading]:
    """A sentence a method whose original map is there (Adebayo et al. 2018 read their figures in this manner)."""
    told = []
    for line in lines(found, how):
        verdict: Verdict
        blind = not METHODS[plan.methods[line.method].name].needs
        verdict, text = ("blind", BLIND) if blind else _read(plan, found, line)
        told.append(Reading(line.method, line.title, verdict, text))
    return told


def _read(plan: SanityPlan, found: Sanity, line: Line) -> tuple[Verdict, str]:
    left = line.left()
    if not any(map(math.isfinite, left)):
        why = "no map to compare with yet" if math.isfinite(line.floor) else "its original map is flat"
        return "unknown", f"Nothing can be said: {why}."
    names = [variant.name for variant in found.variants]
    if plan.mode == LABELS:
        return _labels(line, left)
    return _independent(line, left, names) if plan.mode == "independent" else _cascading(line, left, names)


def _cascading(line: Line, left: Sequence[float], names: Sequence[str]) -> tuple[Verdict, str]:
    last = max(place for place, value in enumerate(left) if math.isfinite(value))
    here, value = left[last], line.values[last]
    complete = last == len(names) - 1
    depth = "all weights are random" if complete else f"{names[last]} and what follows it are random"
    if here < LOST:
        first = last
        while first and (left[first - 1] < LOST or math.isnan(left[first - 1])):
            first -= 1
        when = f"as soon as {names[0]} is random" if first == 0 else f"once {names[first]} is random too"
        return "lost", f"The map is lost {when} ({line.values[first]:.2f}): it depends on what was learnt."
    if here < KEPT:
        return "changed", (
            f"The map changes, but {value:.2f} is left when {depth}: part of it comes from the picture or from how the "
            f"network is built, not from what was learnt.{_edgy(line)}"
        )
    if complete:
        return "kept", f"The map stays at {value:.2f} though {depth}: it shows the picture, not what was learnt." + (
            _edgy(line)
        )
    return "kept", f"So far the map stays: {value:.2f} when {depth}."


def _independent(line: Line, left: Sequence[float], names: Sequence[str]) -> tuple[Verdict, str]:
    there = [place for place, value in enumerate(left) if math.isfinite(value)]
    least = min(there, key=lambda place: left[place])
    at = f"{names[least]} alone ({line.values[least]:.2f})"
    if left[least] < LOST:
        count = sum(left[place] < LOST for place in there)
        also = f", and is lost with {count} of {len(there)} stages" if count > 1 else ""
        return "lost", f"The map depends most on {at}{also}: it depends on what was learnt there."
    if left[least] < KEPT:
        return "changed", f"The map changes most with {at}, but no stage alone makes it disappear.{_edgy(line)}"
    return "kept", f"The map stays whichever stage is random; least with {at}: no stage alone matters.{_edgy(line)}"


def _labels(line: Line, left: Sequence[float]) -> tuple[Verdict, str]:
    value = line.values[0]
    if left[0] < LOST:
        return "lost", f"A model of shuffled labels gets another map ({value:.2f}): it depends on what was learnt."
    if left[0] < KEPT:
        return "changed", (
            f"{value:.2f} of the map is there in a model of shuffled labels too: that part comes from the picture, not "
            f"from the labels.{_edgy(line)}"
        )
    return "kept", (
        f"The map is nearly the same ({value:.2f}) in a model that learnt nothing about the labels: it shows the "
        f"picture.{_edgy(line)}"
    )


def _edgy(line: Line) -> str:
    """Where the original map is alike to plain edges, say so."""
    if math.isfinite(line.edges) and line.edges >= EDGY:
        return f" It is {line.edges:.2f} alike to a plain edge detector's."
    return ""
