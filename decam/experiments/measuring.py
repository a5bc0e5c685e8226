"""The maps of one question measured together by the plan's metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from decam.classifier import Classifier
from decam.experiments.cells import Cell, CellKey
from decam.experiments.evaluate import case_of
from decam.experiments.events import Event, Events, Measured, Progressed
from decam.experiments.failures import sentence_for
from decam.experiments.grid import Grid
from decam.experiments.plan import MetricChoice
from decam.experiments.status import CellState
from decam.explanation import Explanation, Ledger, Map, Progress, last, relayed, shared_out
from decam.methods.controls.maps import CENTRE, EDGES, RANDOM
from decam.metrics import get as get_metric
from decam.metrics.base import Case, Measurement, Running, charged

DRAWS = 5
"""Random maps whose mean similarity says what a similarity is worth."""


def measure(classifier: Classifier, grid: Grid, question: int, maps: Mapping[CellKey, Explanation]) -> Events[None]:
    """Measure what is missing of one question's maps; `maps` has all maps that are there, of other questions too.

    All maps are measured in one call, so that what one metric asks the model is kept for the others. A call that fails
    is made map by map; a map that a metric cannot measure keeps the error as that metric's note.
    """
    own = [key for key in sorted(maps) if key.question == question]
    cases: dict[tuple[CellKey, ...], Case] = {}
    choices = grid.plan.metrics_for(question)

    def case(keys: tuple[CellKey, ...]) -> Case:
        if keys not in cases:
            cases[keys] = _case(classifier, grid, keys, maps)
        return cases[keys]

    for place, choice in enumerate(choices):
        missing = tuple(key for key in own if choice.key not in grid.cells[key].measurements)
        if missing:
            yield from _measured(case, choice, missing, _reporter(missing, place, len(choices)))


def _measured(
    case: Callable[[tuple[CellKey, ...]], Case],
    choice: MetricChoice,
    keys: tuple[CellKey, ...],
    report: Callable[[Progress], Sequence[Event]],
    lost: int = 0,
) -> Events[None]:
    """One metric asked of these maps; `lost` are the evaluations of a failed call before, which count as theirs."""
    metric = get_metric(choice.name)
    ledger, before = Ledger(), 0
    try:
        ready = case(keys)
        ledger, before = ready.question.ledger, ready.question.ledger.evaluations
        if obstacle := metric.obstacle(ready):
            found: Sequence[Measurement] = [Measurement(metric.name, float("nan"), note=obstacle)] * len(keys)
        else:
            found = yield from relayed(metric.measured(ready, choice.settings), report)
    except Exception as error:  # noqa: BLE001 - whatever a metric raises ends its measurement only
        lost += ledger.evaluations - before
        if len(keys) > 1:
            for key, share in zip(keys, shared_out(lost, len(keys)), strict=True):
                yield from _measured(case, choice, (key,), report, share)
            return
        sentence = sentence_for(error, f"{metric.title} of this map")
        found = [Measurement(metric.name, float("nan"), note=sentence, failed=True)]
    yield Measured(choice.key, dict(zip(keys, charged(found, lost), strict=True)))


def _case(classifier: Classifier, grid: Grid, keys: tuple[CellKey, ...], maps: Mapping[CellKey, Explanation]) -> Case:
    """The case of some maps of one question, with the references and controls that its metrics need."""
    question = keys[0].question
    spec = grid.plan.questions[question]
    view, truth = grid.view_of(question), grid.truth_of(question)
    case = case_of(classifier, view, [maps[key] for key in keys], truth, spec.seed)
    if spec.reference is not None:
        originals = [maps.get(CellKey(spec.reference, key.method)) for key in keys]
        return replace(case, references=tuple(None if one is None else one.saliency for one in originals))
    if grid.plan.metrics_that_need("running"):
        case = replace(case, running=tuple(_running(grid.cells[key], maps[key]) for key in keys))
    if grid.plan.metrics_that_need("controls"):
        return replace(case, controls=_controls(case))
    return case


def _running(cell: Cell, made: Explanation) -> Running:
    """The maps that led to a map, as far as its frames kept them, and the map itself."""
    kept = [(frame.evaluations, frame.values()) for frame in cell.frames]
    before = tuple((evaluations, saliency) for evaluations, saliency in kept if saliency is not None)
    return (*before, (made.evaluations, made.saliency))


def _controls(case: Case) -> Mapping[str, tuple[Map, ...]]:
    """Maps of the controls, at their own settings, by title; the random one is drawn several times."""
    return {
        control.title: tuple(last(control.run(case.question, control.settings(), seed)) for seed in range(draws))
        for control, draws in ((RANDOM, DRAWS), (CENTRE, 1), (EDGES, 1))
    }


def _reporter(keys: Sequence[CellKey], place: int, count: int) -> Callable[[Progress], Sequence[Event]]:
    """Progress of one metric as progress of all `count`, of which `place` are finished."""
    began = time.perf_counter()

    def report(progress: Progress) -> Sequence[Event]:
        whole = replace(progress, step=place * progress.total + progress.step, total=count * progress.total)
        seconds = time.perf_counter() - began
        return [Progressed(key, CellState.MEASURING, whole, seconds) for key in keys]

    return report
