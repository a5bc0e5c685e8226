"""A comparison as one generator: predictions, then maps, then curves, cell after cell, whatever fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from decam.api import curves_view, explain_view
from decam.classifier import Classifier, Pixels, probabilities, to_tensor
from decam.errors import SettingError
from decam.explanation import Explanation, Progress, relayed
from decam.failures import sentence_for
from decam.methods import get as get_method
from decam.metrics.base import Curve, FaithfulnessSettings
from decam.plan import Fills, Plan

CHEAP = 64
_METRICS = ("deletion", "insertion")
T = TypeVar("T")


@dataclass(frozen=True, order=True)
class Cell:
    """One map of the grid: an index into the plan's pictures and one into its methods."""

    picture: int
    method: int


@dataclass(frozen=True)
class Predicted:
    """The probabilities of all classes for a picture, float32, in [0, 1]."""

    picture: int
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Explaining:
    """A map is being made."""

    cell: Cell
    progress: Progress


@dataclass(frozen=True)
class Explained:
    """A map is finished."""

    cell: Cell
    explanation: Explanation


@dataclass(frozen=True)
class Measuring:
    """The curves of a map are being drawn, for all pairs of fills together."""

    cell: Cell
    progress: Progress


@dataclass(frozen=True)
class Measured:
    """The curves of a map for one pair (fill for deletion, fill for insertion)."""

    cell: Cell
    fills: Fills
    deletion: Curve
    insertion: Curve


@dataclass(frozen=True)
class Failed:
    """A cell that will not be finished, and why; the others go on."""

    cell: Cell
    sentence: str


Event: TypeAlias = Predicted | Explaining | Explained | Measuring | Measured | Failed
Events: TypeAlias = Generator[Event, None, T]


@dataclass(frozen=True)
class Finished:
    """What an earlier run of the same plan left: predicted classes, maps, and the pairs of fills already measured."""

    predictions: Mapping[int, int] = field(default_factory=dict)
    explanations: Mapping[Cell, Explanation] = field(default_factory=dict)
    measured: Mapping[Cell, Set[Fills]] = field(default_factory=dict)


def compare(
    classifier: Classifier,
    views: Sequence[Pixels],
    plan: Plan,
    finished: Finished | None = None,
    *,
    missing_maps: bool = True,
) -> Generator[Event, None, None]:
    """Answer the plan for `views` (H×W×3 uint8 each, made by `classifier.view`), skipping what is finished.

    All pictures are predicted first. Then come the maps that cost at most 64 evaluations, for all pictures; then,
    picture by picture, the others, followed by the curves of that picture's maps in shared calls. A cell that fails
    yields Failed and the others go on; closing the generator cancels. Without `missing_maps`, only the missing curves
    of finished maps are drawn. Raises SettingError where views and plan differ
    in number.
    """
    if len(views) != len(plan.pictures):
        raise SettingError(f"The plan names {len(plan.pictures)} pictures, but {len(views)} views were given.")
    finished = finished or Finished()
    targets = yield from _targets(classifier, views, plan, finished)
    costs = [get_method(choice.name).cost(choice.settings, classifier) for choice in plan.methods]
    cheap = [method for method, cost in enumerate(costs) if cost <= CHEAP]
    costly = [method for method, cost in enumerate(costs) if cost > CHEAP]
    maps = dict(finished.explanations)

    def explain(picture: int, methods: Sequence[int]) -> Events[None]:
        for cell in (Cell(picture, method) for method in methods):
            if missing_maps and cell not in maps:
                explanation = yield from _explain(classifier, views[picture], plan, cell, targets[picture])
                if explanation is not None:
                    maps[cell] = explanation

    for picture in targets:
        yield from explain(picture, cheap)
    for picture, target in targets.items():
        yield from explain(picture, costly)
        cells = {cell: maps[cell] for cell in sorted(maps) if cell.picture == picture}
        yield from _measure(classifier, views[picture], plan, cells, target, finished)


def _targets(classifier: Classifier, views: Sequence[Pixels], plan: Plan, finished: Finished) -> Events[dict[int, int]]:
    """The class asked about for each picture whose prediction succeeds."""
    predicted = dict(finished.predictions)
    missing = [picture for picture in range(len(views)) if picture not in predicted]
    size = max(1, classifier.speed.batch_size)
    batches = [missing[start : start + size] for start in range(0, len(missing), size)]
    while batches:
        batch = batches.pop(0)
        try:
            images = torch.stack([to_tensor(classifier, views[picture]) for picture in batch])
            answers = probabilities(classifier, images).cpu().numpy().astype(np.float32)
        except Exception as error:  # noqa: BLE001 - whatever a model raises ends its pictures only
            if len(batch) > 1:
                batches[:0] = [[picture] for picture in batch]
                continue
            sentence = sentence_for(error, "The prediction")
            for method in range(len(plan.methods)):
                yield Failed(Cell(batch[0], method), sentence)
            continue
        for picture, answer in zip(batch, answers, strict=True):
            predicted[picture] = int(answer.argmax())
            yield Predicted(picture, answer)
    asked = {picture: choice.target for picture, choice in enumerate(plan.pictures) if picture in predicted}
    return {picture: predicted[picture] if target is None else target for picture, target in asked.items()}


def _explain(classifier: Classifier, view: Pixels, plan: Plan, cell: Cell, target: int) -> Events[Explanation | None]:
    choice = plan.methods[cell.method]
    try:
        steps = explain_view(classifier, view, choice.name, choice.settings, target, plan.seed)
        explanation = yield from relayed(steps, lambda progress: [Explaining(cell, progress)])
    except Exception as error:  # noqa: BLE001 - whatever a method raises ends its cell only
        yield Failed(cell, sentence_for(error, get_method(choice.name).title))
        return None
    yield Explained(cell, explanation)
    return explanation


def _measure(
    classifier: Classifier,
    view: Pixels,
    plan: Plan,
    maps: Mapping[Cell, Explanation],
    target: int,
    finished: Finished,
) -> Events[None]:
    """Draw the missing curves of one picture's maps, all maps in one call."""
    failed: set[Cell] = set()
    for number, pair in enumerate(plan.fills):
        group = {
            cell: explanation
            for cell, explanation in maps.items()
            if cell not in failed and pair not in finished.measured.get(cell, ())
        }
        if group:
            failed |= yield from _measure_pair(classifier, view, plan, group, target, number)


def _measure_pair(
    classifier: Classifier, view: Pixels, plan: Plan, group: Mapping[Cell, Explanation], target: int, number: int
) -> Events[set[Cell]]:
    """Draw the curves of one pair of fills; the cells that failed. A call that fails is repeated map by map."""
    maps = [explanation.saliency for explanation in group.values()]
    curves: list[list[Curve]] = []
    parts = len(_METRICS) * len(plan.fills)
    try:
        for metric, fill in zip(_METRICS, plan.fills[number], strict=True):
            done = len(_METRICS) * number + len(curves)
            settings = FaithfulnessSettings(steps=plan.steps, fill=fill)
            steps = curves_view(classifier, view, maps, target, metric, settings)
            report = _reporter(tuple(group), done, parts)
            measured = yield from relayed(steps, report)
            curves.append([measurement.curve for measurement in measured if measurement.curve is not None])
        found = list(zip(group, *curves, strict=True))
    except Exception as error:  # noqa: BLE001 - whatever a metric raises ends its cells only
        if len(group) > 1:
            failed: set[Cell] = set()
            for cell, explanation in group.items():
                failed |= yield from _measure_pair(classifier, view, plan, {cell: explanation}, target, number)
            return failed
        for cell in group:
            yield Failed(cell, sentence_for(error, "Measuring this map"))
        return set(group)
    for cell, deletion, insertion in found:
        yield Measured(cell, plan.fills[number], deletion, insertion)
    return set()


def _reporter(cells: Sequence[Cell], done: int, parts: int) -> Callable[[Progress], Sequence[Event]]:
    """Turn progress within one curve into progress over all `parts` curves, of which `done` are finished."""

    def report(progress: Progress) -> Sequence[Event]:
        whole = dataclasses.replace(progress, step=done * progress.total + progress.step, total=parts * progress.total)
        return [Measuring(cell, whole) for cell in cells]

    return report
