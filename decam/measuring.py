"""The maps of one picture, measured together: curves for each pair of fills, then the plan's metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from decam.api import curves_view
from decam.classifier import Classifier, Pixels
from decam.events import Cell, Event, Events, Failed, Finished, Measured, Measuring
from decam.explanation import Explanation, Progress, Truth, relayed
from decam.metrics.base import Curve, FaithfulnessSettings
from decam.plan import Plan
from decam.telling import sentence

_METRICS = ("deletion", "insertion")


def measure(
    classifier: Classifier,
    view: Pixels,
    plan: Plan,
    maps: Mapping[Cell, Explanation],
    target: int,
    truth: Truth | None,
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
            yield Failed(cell, sentence(error, "Measuring this map"))
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
