"""What a randomisation check says of each method, in words that follow from numbers and stated thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.kinds.randomisation import mode_of, variants_of
from decam.experiments.plan import MetricChoice
from decam.methods import METHODS
from decam.methods.controls.maps import EDGES
from decam.metrics.base import Measurement
from decam.metrics.resemblance import TO_CONTROLS, TO_REFERENCE

KEPT, LOST = 0.7, 0.3
EDGY = 0.5

THRESHOLDS = (
    f"A similarity counts from the random map's (0) to that of the same map (1). A map is kept where at least {KEPT:g} "
    f"of that way is left, lost where less than {LOST:g} is, and changed in between. A method that is noisy at its "
    "settings looks lost as well: ask it with another seed before you praise it."
)
BLIND = "A control that never asks the model: its map cannot change. A method whose line is as flat shows as little."
Verdict: TypeAlias = Literal["lost", "late", "changed", "kept", "blind", "unknown"]


@dataclass(frozen=True)
class Compared:
    """Which similarity is read: a measure by its name; of signed maps their absolute values or the maps as they are."""

    measure: str
    absolute: bool = True

    def to_reference(self, method: str, cell: Cell) -> Measurement | None:
        """How a variant's map by the method of that name resembles the original's; None before that is known."""
        return cell.measurements.get(self._key(TO_REFERENCE[self.measure].name, method))

    def to_controls(self, method: str, cell: Cell) -> Measurement | None:
        """How an original map by the method of that name resembles the controls' maps; None before that is known."""
        return cell.measurements.get(self._key(TO_CONTROLS[self.measure].name, method))

    def _key(self, metric: str, method: str) -> str:
        # A map that only happens to have values below zero says with them where there is little, not something else.
        return MetricChoice.default(metric, absolute=self.absolute and METHODS[method].signed).key


@dataclass(frozen=True)
class Line:
    """One method's similarities to its original map: those of the controls, and those of the variants in their order.

    A value is nan where the map failed, is still to come, or, as `flat` says, cannot be compared.
    """

    method: int
    title: str
    floor: float
    edges: float
    values: tuple[float, ...]
    flat: tuple[bool, ...]

    def left(self) -> tuple[float, ...]:
        """How much of each similarity is left above the random map's, 1 for the same map; a flat map has lost all."""
        if not self.floor < 1:
            return tuple(math.nan for _ in self.values)
        return tuple(
            0.0 if flat else (value - self.floor) / (1 - self.floor)
            for value, flat in zip(self.values, self.flat, strict=True)
        )

    def said(self, place: int) -> str:
        """A similarity as a sentence has it."""
        return "flat" if self.flat[place] else f"{self.values[place]:.2f}".replace("-", "−")


@dataclass(frozen=True)
class Reading:
    """What the check says of one method."""

    method: int
    title: str
    verdict: Verdict
    sentence: str


def lines(grid: Grid, how: Compared) -> list[Line]:
    """One line for each method whose original map has been measured."""
    found = []
    titles = grid.plan.titles()
    for method, choice in enumerate(grid.plan.methods):
        floor = how.to_controls(choice.name, grid.cells[CellKey(0, method)])
        if floor is None:
            continue
        measured = [
            how.to_reference(choice.name, grid.cells[CellKey(question, method)])
            for question in range(1, len(grid.plan.questions))
        ]
        values = tuple(math.nan if one is None else one.value for one in measured)
        flat = tuple(one is not None and math.isnan(one.value) and not one.failed for one in measured)
        edges = dict(floor.parts).get(EDGES.title, math.nan)
        found.append(Line(method, titles[method], floor.value, edges, values, flat))
    return found


def readings(grid: Grid, how: Compared) -> list[Reading]:
    """A sentence for each method that has been compared (Adebayo et al. 2018 read their figures in this manner)."""
    found = []
    for line in lines(grid, how):
        if not any(flat or math.isfinite(value) for flat, value in zip(line.flat, line.values, strict=True)):
            continue
        verdict: Verdict
        blind = not METHODS[grid.plan.methods[line.method].name].needs
        verdict, sentence = ("blind", BLIND) if blind else _read(grid, line)
        found.append(Reading(line.method, line.title, verdict, sentence))
    return found


def _read(grid: Grid, line: Line) -> tuple[Verdict, str]:
    left = line.left()
    if not line.floor < 1:
        return "unknown", "The original map is flat, or as alike to noise as to itself: nothing can be said of it."
    variants = variants_of(grid.plan)
    names = [variant.stage for variant in variants]
    mode = mode_of(grid.plan)
    if mode == "labels":
        return _labels(line, left)
    if mode == "independent":
        return _independent(line, left, names)
    return _cascading(line, left, names, [variant.share for variant in variants])


def _cascading(line: Line, left: Sequence[float], names: Sequence[str], shares: Sequence[float]) -> tuple[Verdict, str]:
    there = [place for place, value in enumerate(left) if math.isfinite(value)]
    last = there[-1]
    complete = last == len(names) - 1
    outlives = next((place for place in reversed(there) if left[place] >= KEPT), None)
    if left[last] < LOST:
        first = next(place for place in there if left[place] < LOST and (outlives is None or place > outlives))
        if outlives is not None:
            return "late", (
                f"The map outlives what was learnt: {line.said(outlives)} is left when {_forgotten(names, outlives)} "
                f"({_share(shares[outlives])} of the weights) and the model has lost its answer; it goes only with "
                f"{names[first]} ({line.said(first)}).{_edgy(line)}"
            )
        when = f"as soon as {names[0]} is random" if first == 0 else f"once {names[first]} is random too"
        back = max((place for place in there if place >= first), key=lambda place: left[place])
        again = f" Something like it comes back with {names[back]} ({line.said(back)})." if left[back] >= LOST else ""
        why = "with these weights nothing reaches it" if line.flat[first] else "it depends on what was learnt"
        return "lost", f"The map is lost {when} ({line.said(first)}): {why}.{again}"
    depth = "all weights are random" if complete else _forgotten(names, last)
    if left[last] < KEPT:
        return "changed", (
            f"The map changes, but {line.said(last)} is left when {depth}: part of it comes from the picture or from "
            f"how the network is built, not from what was learnt.{_edgy(line)}"
        )
    if complete:
        return "kept", (
            f"The map stays at {line.said(last)} though {depth}: it shows the picture, not what was learnt."
            f"{_edgy(line)}"
        )
    return "kept", f"So far the map stays: {line.said(last)} when {depth}."


def _forgotten(names: Sequence[str], place: int) -> str:
    return f"{names[0]} is random" if place == 0 else f"{names[0]} to {names[place]} are random"


def _share(share: float) -> str:
    return "under 1 %" if share < 0.01 else f"{share:.0%}".replace("%", " %")


def _independent(line: Line, left: Sequence[float], names: Sequence[str]) -> tuple[Verdict, str]:
    there = [place for place, value in enumerate(left) if math.isfinite(value)]
    least = min(there, key=lambda place: left[place])
    at = f"{names[least]} alone ({line.said(least)})"
    if left[least] < LOST:
        count = sum(left[place] < LOST for place in there)
        also = f" and is lost with {count} of {len(there)} stages" if count > 1 else " and is lost with it"
        return "lost", f"The map depends most on {at}{also}: it depends on what was learnt there."
    if left[least] < KEPT:
        return "changed", f"The map changes most with {at}, but no stage alone makes it disappear.{_edgy(line)}"
    return "kept", f"The map stays whichever stage is random, least so with {at}: no stage alone matters.{_edgy(line)}"


def _labels(line: Line, left: Sequence[float]) -> tuple[Verdict, str]:
    value = line.said(0)
    if left[0] < LOST:
        return "lost", f"A model of shuffled labels gets another map ({value}): it depends on what was learnt."
    if left[0] < KEPT:
        return "changed", (
            f"The map is {value} alike in a model of shuffled labels: that part comes from the picture, not from the "
            f"labels.{_edgy(line)}"
        )
    return "kept", (
        f"The map is nearly the same ({value}) in a model that learnt nothing about the labels: it shows the picture."
        f"{_edgy(line)}"
    )


def _edgy(line: Line) -> str:
    """Where the original map is alike to plain edges, say so."""
    if math.isfinite(line.edges) and line.edges >= EDGY:
        return f" It is {line.edges:.2f} alike to a plain edge detector's."
    return ""
