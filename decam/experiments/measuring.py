"""The maps of one picture, measured together: curves for each pair of fills, then the plan's metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from decam.classifier import Classifier, Pixels
from decam.experiments.evaluate import case_of
from decam.experiments.events import Cell, Event, Events, Failed, Finished, Judged, Judgement, Measured, Measuring
from decam.experiments.failures import sentence_for
from decam.experiments.plan import Fills, MetricChoice, Plan
from decam.explanation import Explanation, Progress, Truth, relayed
from decam.metrics import CURVES, METRICS
from decam.metrics.base import Case, Curve, FaithfulnessSettings

Cells: TypeAlias = tuple[Cell, ...]
Asking: TypeAlias = Generator[Progress, None, Sequence[Event]]


@dataclass(frozen=True)
class _Part:
    """One thing that is asked of all maps: who lacks it, how it is asked, and what is said where asking fails."""

    missing: Callable[[Cell], bool]
    ask: Callable[[Case, Cells], Asking]
    failed: Callable[[Cell, str], Event]


def measure(
    classifier: Classifier,
    view: Pixels,
    plan: Plan,
    maps: Mapping[Cell, Explanation],
    truth: Truth | None,
    finished: Finished,
) -> Events[None]:
    """Measure what is missing of one picture's maps, all maps in one call; a call that fails is made map by map.

    A map whose curves fail has failed; one that a metric cannot judge is judged by the others.
    """
    cases: dict[Cells, Case] = {}

    def case(cells: Cells) -> Case:
        if cells not in cases:
            cases[cells] = case_of(classifier, view, [maps[cell] for cell in cells], truth, plan.seed)
        return cases[cells]

    def asked(number: int, part: _Part, cells: Cells) -> Events[set[Cell]]:
        """The cells that have failed."""
        try:
            said = yield from relayed(_asking(part, case, cells), _reporter(cells, number, len(parts)))
        except Exception as error:  # noqa: BLE001 - whatever a metric raises ends its cells only
            if len(cells) > 1:
                failed: set[Cell] = set()
                for cell in cells:
                    failed |= yield from asked(number, part, (cell,))
                return failed
            said = [part.failed(cells[0], sentence_for(error, "Measuring this map"))]
        yield from said
        return {event.cell for event in said if isinstance(event, Failed)}

    parts = [*(_drawn(plan, finished, pair) for pair in plan.fills), *(_said(finished, row) for row in plan.metrics)]
    failed: set[Cell] = set()
    for number, part in enumerate(parts):
        cells = tuple(cell for cell in maps if cell not in failed and part.missing(cell))
        if cells:
            failed |= yield from asked(number, part, cells)


def _asking(part: _Part, case: Callable[[Cells], Case], cells: Cells) -> Asking:
    return (yield from part.ask(case(cells), cells))


def _drawn(plan: Plan, finished: Finished, pair: Fills) -> _Part:
    """The two curves of a pair of fills."""

    def ask(case: Case, cells: Cells) -> Asking:
        drawn: list[list[Curve]] = []
        for metric, fill in zip(CURVES, pair, strict=True):
            settings = FaithfulnessSettings(steps=plan.steps, fill=fill)
            report = partial(_share, len(drawn), len(CURVES))
            measured = yield from relayed(metric.run(case, settings), report)
            drawn.append([measurement.curve for measurement in measured if measurement.curve is not None])
        return [
            Measured(cell, pair, deletion, insertion) for cell, deletion, insertion in zip(cells, *drawn, strict=True)
        ]

    return _Part(lambda cell: pair not in finished.measured.get(cell, ()), ask, Failed)


def _said(finished: Finished, choice: MetricChoice) -> _Part:
    """What a metric of the plan says."""
    metric = METRICS[choice.name]

    def nothing(cells: Cells, why: str) -> Judged:
        return Judged(metric.name, dict.fromkeys(cells, Judgement(float("nan"), why)))

    def ask(case: Case, cells: Cells) -> Asking:
        if obstacle := metric.obstacle(case):
            return [nothing(cells, obstacle)]
        measured = yield from metric.run(case, choice.settings)
        found = zip(cells, measured, strict=True)
        return [Judged(metric.name, {cell: Judgement(said.value, said.note) for cell, said in found})]

    return _Part(
        lambda cell: metric.name not in finished.judged.get(cell, ()), ask, lambda cell, why: nothing((cell,), why)
    )


def _share(number: int, parts: int, progress: Progress) -> Sequence[Progress]:
    """Progress of one part as progress of all `parts`, of which `number` are finished."""
    return [dataclasses.replace(progress, step=number * progress.total + progress.step, total=parts * progress.total)]


def _reporter(cells: Cells, number: int, parts: int) -> Callable[[Progress], Sequence[Event]]:
    def report(progress: Progress) -> Sequence[Event]:
        (whole,) = _share(number, parts, progress)
        return [Measuring(cell, whole) for cell in cells]

    return report
