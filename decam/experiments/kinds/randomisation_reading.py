"""What a randomisation check says of each method, in words that follow from numbers and stated thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.kinds.base import Reading
from decam.experiments.plan import MetricChoice
from decam.experiments.variants import mode_of, variants_of
from decam.methods import METHODS
from decam.methods.controls.maps import EDGES
from decam.metrics.base import Measurement
from decam.metrics.resemblance import TO_CONTROLS, TO_REFERENCE
from decam.metrics.similarity import SIMILARITIES
from decam.numerals import fixed
from decam.shares import whole

KEPT, LOST = 0.7, 0.3
EDGY = 0.5
THRESHOLDS = (
    f"Verdicts count from the random map's similarity (0) to that of the same map (1). Under {LOST:g}, the map depends "
    f"on the weights. From {KEPT:g} on, it ignores them. In between, it depends on them partly. A noisy method also "
    "seems to depend on the weights: check with another seed before you trust it."
)

BLIND = (
    "This control never asks the model, so its map cannot change. "
    "A method whose map changes as little shows as little about the model."
)
Verdict: TypeAlias = Literal["lost", "late", "changed", "kept", "blind", "unknown"]


@dataclass(frozen=True)
class Compared:
    """Which similarity is read: a measure by its name; of signed maps their absolute values or the maps as they are."""

    measure: str = next(iter(SIMILARITIES))
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

    def words(self, place: int) -> str:
        """A similarity in words."""
        return "flat" if self.flat[place] else fixed(self.values[place])


@dataclass(frozen=True)
class MethodReading(Reading):
    """What the check says of one method, by its title and its place in the plan."""

    method: int
    verdict: Verdict


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


def reading(grid: Grid) -> tuple[Reading, ...]:
    """What the check says of each method by the similarity that is usual, and how to take it."""
    how = Compared()
    found = readings(grid, how)
    if not found:
        return ()
    measure = SIMILARITIES[how.measure].title
    numbers = f"Numbers are similarities to the original map: {measure}, of absolute values where a map is signed."
    return (*found, Reading("", f"{numbers} {THRESHOLDS}"))


def readings(grid: Grid, how: Compared) -> list[MethodReading]:
    """A sentence for each method that has been compared (Adebayo et al. 2018 read their figures in this manner)."""
    found = []
    for line in lines(grid, how):
        if not any(flat or math.isfinite(value) for flat, value in zip(line.flat, line.values, strict=True)):
            continue
        verdict: Verdict
        blind = not METHODS[grid.plan.methods[line.method].name].needs
        verdict, sentence = ("blind", BLIND) if blind else _read(grid, line)
        found.append(MethodReading(line.title, sentence, line.method, verdict))
    return found


def _read(grid: Grid, line: Line) -> tuple[Verdict, str]:
    left = line.left()
    if not line.floor < 1:
        return "unknown", "The original map is flat, or as similar to noise as to itself, so it shows nothing here."
    variants = variants_of(grid.plan)
    names = [variant.stage for variant in variants]
    mode = mode_of(grid.plan)
    if mode == "labels":
        return _labels(line, left)
    if mode == "independent":
        return _independent(line, left, names)
    shares = [variant.share for variant in variants]
    answered = [_answered(grid, question) for question in range(1, len(grid.plan.questions))]
    return _cascading(line, left, names, shares, answered)


def _answered(grid: Grid, question: int) -> str:
    """Whether a variant's likeliest class is still the original's, in words; empty before both are known."""
    original, now = grid.predictions[0], grid.predictions[question]
    if not original or not now:
        return ""
    if now[0][0] != original[0][0]:
        return " and the model has lost its answer"
    return f" and the model still answers “{grid.label_of(now[0][0])}”"


def _cascading(
    line: Line, left: Sequence[float], names: Sequence[str], shares: Sequence[float], answered: Sequence[str]
) -> tuple[Verdict, str]:
    there = [place for place, value in enumerate(left) if math.isfinite(value)]
    last = there[-1]
    complete = last == len(names) - 1
    outlives = next((place for place in reversed(there) if left[place] >= KEPT), None)
    if left[last] < LOST:
        first = next(place for place in there if left[place] < LOST and (outlives is None or place > outlives))
        if outlives is not None:
            return "late", (
                f"Still similar ({line.words(outlives)}) when {_forgotten(names, outlives)} "
                f"({whole(shares[outlives])} of the weights){answered[outlives]}. "
                f"Changes completely only once {_forgotten(names, first)} ({line.words(first)}).{_edgy(line)}"
            )
        when = f"{'once' if first else 'as soon as'} {_forgotten(names, first)}"
        back = max((place for place in there if place >= first), key=lambda place: left[place])
        comes_back = f" A similar map comes back once {_forgotten(names, back)} ({line.words(back)})."
        again = comes_back if left[back] >= LOST else ""
        why = "no signal reaches it through these weights" if line.flat[first] else "it reflects what the model learned"
        return "lost", f"Changes completely {when} ({line.words(first)}): {why}.{again}"
    depth = _forgotten(names, last)
    if left[last] < KEPT:
        return "changed", (
            f"Changes, but a similarity of {line.words(last)} is left when {depth}. That part comes from the image "
            f"or from the network's structure, not from what the model learned.{_edgy(line)}"
        )
    if complete:
        return "kept", (
            f"Stays similar ({line.words(last)}) although {depth}: it shows the image, not what the model learned."
            f"{_edgy(line)}"
        )
    return "kept", f"Stays similar so far ({line.words(last)} when {depth})."


def _forgotten(names: Sequence[str], place: int) -> str:
    """What is random at a place of a cascade, whose stages go from the output to the input."""
    if place == len(names) - 1:
        return "all weights are random"
    if place == 0:
        return f"the last stage ({names[0]}) is random"
    return f"the last {place + 1} stages ({names[0]} to {names[place]}) are random"


def _independent(line: Line, left: Sequence[float], names: Sequence[str]) -> tuple[Verdict, str]:
    there = [place for place, value in enumerate(left) if math.isfinite(value)]
    least = min(there, key=lambda place: left[place])
    back = f"stage {least + 1} of {len(names)} from the output"
    at = f"{names[least]} alone ({back}; similarity {line.words(least)})"
    if left[least] < LOST:
        count = sum(left[place] < LOST for place in there)
        also = f" It changes completely with {count} of {len(there)} stages." if count > 1 else ""
        return "lost", f"Changes completely with {at}: it reflects what the model learned there.{also}"
    if left[least] < KEPT:
        return "changed", f"Changes most with {at}, but no stage alone changes it completely.{_edgy(line)}"
    return "kept", f"Stays similar whichever stage is random, least with {at}: no stage alone matters.{_edgy(line)}"


def _labels(line: Line, left: Sequence[float]) -> tuple[Verdict, str]:
    value = line.words(0)
    if left[0] < LOST:
        return "lost", f"Changes completely in a model of shuffled labels ({value}): it reflects the labels learned."
    if left[0] < KEPT:
        return "changed", (
            f"A similarity of {value} is left in a model of shuffled labels. That part comes from the image, not "
            f"from the labels.{_edgy(line)}"
        )
    return "kept", (
        f"Nearly the same ({value}) in a model that learned only shuffled labels: it shows the image.{_edgy(line)}"
    )


def _edgy(line: Line) -> str:
    """A sentence where the original map resembles plain edges."""
    if math.isfinite(line.edges) and line.edges >= EDGY:
        return f" Its similarity to a plain edge detector's map is {line.edges:.2f}."
    return ""
