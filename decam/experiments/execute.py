"""A plan computed: predictions, then maps, then how they measure, cell after cell, whatever fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from decam.classifier import Classifier, TorchClassifier, probabilities, to_tensor
from decam.errors import SettingError
from decam.experiments.cells import CellKey
from decam.experiments.events import Event, Events, Explained, Failed, Predicted, Progressed, Reused, Spent
from decam.experiments.explain import checked_contrast, class_question, clean_answers, explain_classes, explain_view
from decam.experiments.failures import sentence_for
from decam.experiments.grid import Grid
from decam.experiments.measuring import measure
from decam.experiments.questions import ModelSpec
from decam.experiments.reuse import Lookup, carried, made_from
from decam.experiments.status import CellState
from decam.explanation import ClassExplanation, ClassQuestion, Explanation, Ledger, Progress, relayed
from decam.methods import described
from decam.methods import get as get_method
from decam.models import tuning

Models: TypeAlias = Callable[[ModelSpec], Classifier]
CHEAP = 64
"""Evaluations of a map that is made for all pictures before any costly one is begun."""


def execute(grid: Grid, models: Models, *, maps: bool = True, earlier: Lookup | None = None) -> Events[Grid]:
    """Compute what is missing of a grid; yields events and returns the grid after all of them.

    Questions about one model are answered together, one model at a time. All its pictures are predicted first. Then
    come the maps that cost at most 64 evaluations, for all questions; then, question by question, the others, followed
    by the measurements of that question's maps. A cell that fails yields Failed and the others go on; closing the
    generator cancels. With `maps` False, only measurements of finished maps are computed. No thread and no disk is
    used. `earlier` finds maps that were made before from the same things. They are taken as Reused as soon as their
    class is known, and not made again. Raises SettingError where views and plan differ in number, and what `models`
    raises for the plan's own model.
    """
    plan = grid.plan
    if len(grid.views) != len(plan.pictures):
        raise SettingError(f"The plan names {len(plan.pictures)} images, but {len(grid.views)} views were given.")
    for spec, questions in _by_model(grid):
        grid = yield from _answer(grid, spec, questions, models, maps=maps, earlier=earlier)
    return grid


def _by_model(grid: Grid) -> Iterator[tuple[ModelSpec, list[int]]]:
    numbered = enumerate(grid.plan.questions)
    for spec, group in groupby(numbered, key=lambda pair: pair[1].model):
        yield spec, [place for place, _ in group]


class _Watched:
    """The grid as it grows with the events that pass, and `clean`, the answers to pictures as they are, by question.

    A grid does not keep these answers whole. Of a question with a contrast they are the contrast's.

    Progress is taken in only where a metric needs the maps in the making, which cost memory.
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._progress = bool(grid.plan.metrics_that_need("running"))
        self.clean: dict[int, NDArray[np.float32]] = {}

    def passed(self, event: Event) -> list[Event]:
        """Take in an event on its way."""
        if self._progress or not isinstance(event, Progressed):
            self.grid = self.grid.after(event)
        if isinstance(event, Predicted) and self.grid.plan.against_of(event.question) is None:
            self.clean[event.question] = event.probabilities
        return [event]

    def maps(self) -> dict[CellKey, Explanation]:
        """All maps that are there."""
        return {key: cell.explanation for key, cell in self.grid.cells.items() if cell.explanation is not None}


def _answer(
    grid: Grid, spec: ModelSpec, questions: Sequence[int], models: Models, *, maps: bool, earlier: Lookup | None
) -> Events[Grid]:
    """All questions about one model."""
    if not _missing(grid, questions, maps=maps):
        return grid
    try:
        classifier = models(spec)
    except Exception as error:
        if spec.variant is None:
            raise
        failures = [Failed(key, sentence_for(error, spec.variant.stage)) for key in _open(grid, questions)]
        yield from failures
        for failure in failures:
            grid = grid.after(failure)
        return grid
    watched = _Watched(grid)
    yield from relayed(_answered(watched, classifier, questions, maps=maps, earlier=earlier), watched.passed)
    return watched.grid


def _open(grid: Grid, questions: Sequence[int]) -> list[CellKey]:
    """The cells of these questions whose maps are missing."""
    return [key for key, cell in sorted(grid.cells.items()) if key.question in questions and cell.explanation is None]


def _missing(grid: Grid, questions: Sequence[int], *, maps: bool) -> bool:
    if maps and _open(grid, questions):
        return True
    return any(
        cell.explanation is not None and not cell.answers(grid.plan.metric_keys(key.question))
        for key, cell in grid.cells.items()
        if key.question in questions
    )


def _answered(
    watched: _Watched, classifier: Classifier, questions: Sequence[int], *, maps: bool, earlier: Lookup | None
) -> Events[None]:
    plan = watched.grid.plan
    if plan.about_classes:
        if maps and earlier is not None:
            yield from _reused(watched.grid, questions, earlier)
        missing = _open(watched.grid, questions) if maps else []
        for method in range(len(plan.methods)):
            if keys := [key for key in missing if key.method == method]:
                yield from _explain_classes(watched, classifier, keys)
        return
    if maps:
        yield from _predict(watched, classifier, questions)
        if earlier is not None:
            yield from _reused(watched.grid, questions, earlier)
    predicted = [question for question in questions if watched.grid.predictions[question] is not None]
    costs = [get_method(choice.name).cost(choice.settings, classifier) for choice in plan.methods]
    cheap = [method for method, cost in enumerate(costs) if cost <= CHEAP]
    costly = [method for method, cost in enumerate(costs) if cost > CHEAP]
    if maps:
        for question in predicted:
            yield from _explain(watched, classifier, question, cheap)
    for question in predicted:
        if maps:
            yield from _explain(watched, classifier, question, costly)
        yield from measure(classifier, watched.grid, question, watched.maps())


def _reused(grid: Grid, questions: Sequence[int], earlier: Lookup) -> Events[None]:
    """The missing maps of these questions that were made before; a question about a picture has its class by now."""
    for key in _open(grid, questions):
        target = grid.target_of(key.question)
        if target is None and not grid.plan.about_classes:
            continue  # its prediction has failed
        found = earlier(made_from(grid.plan, key, target))
        if found is not None:
            yield Reused(key, carried(grid, key, found))


def _predict(watched: _Watched, classifier: Classifier, questions: Sequence[int]) -> Events[None]:
    """Ask about every picture as it is, once a question; a question whose prediction fails has no maps."""
    missing = [question for question in questions if watched.grid.predictions[question] is None]
    size = max(1, classifier.execution.batch_size)
    batches = [missing[start : start + size] for start in range(0, len(missing), size)]
    while batches:
        batch = batches.pop(0)
        try:
            images = torch.stack([to_tensor(classifier, watched.grid.view_of(question)) for question in batch])
            answers = probabilities(classifier, images).cpu().numpy().astype(np.float32)
        except Exception as error:  # noqa: BLE001 - whatever a model raises ends its pictures only
            if len(batch) > 1:
                batches[:0] = [[question] for question in batch]
                continue
            sentence = sentence_for(error, "The prediction")
            for method in range(len(watched.grid.plan.methods)):
                yield Failed(CellKey(batch[0], method), sentence)
            continue
        for question, answer in zip(batch, answers, strict=True):
            yield Predicted(question, answer)


def _explain(watched: _Watched, classifier: Classifier, question: int, methods: Sequence[int]) -> Events[None]:
    """The maps of one question that are missing, by some methods."""
    for key in (CellKey(question, method) for method in methods):
        if watched.grid.cells[key].explanation is None:
            yield from _map(watched, classifier, key)


def _explain_classes(watched: _Watched, classifier: Classifier, keys: Sequence[CellKey]) -> Events[None]:
    """The maps of some classes by one method, made in one call: together they cost less.

    A call that fails is made class by class, so that a class whose map cannot be made does not cost the others theirs.
    """
    plan, began = watched.grid.plan, time.perf_counter()
    choice = plan.methods[keys[0].method]
    asked = [plan.questions[key.question] for key in keys]
    questions: list[ClassQuestion] = []

    def report(event: tuple[int, Progress | ClassExplanation]) -> list[Event]:
        place, found = event
        if isinstance(found, ClassExplanation):
            return [Explained(keys[place], found)]
        return [Progressed(keys[place], CellState.RUNNING, found, time.perf_counter() - began)]

    try:
        questions = [class_question(classifier, one.about, one.seed, watched.grid.views) for one in asked]
        yield from relayed(explain_classes(questions, choice.name, choice.settings), report)
    except Exception as error:  # noqa: BLE001 - whatever a method raises ends its cells only
        unmade = [key for key in keys if watched.grid.cells[key].explanation is None]
        for key, question in zip(keys, questions, strict=False):  # there are none where one could not be asked at all
            if key in unmade:
                yield from _spent(key.question, question.ledger)
        if len(unmade) == 1:
            yield Failed(unmade[0], sentence_for(error, described(choice.name).title))
            return
        for key in unmade:
            yield from _explain_classes(watched, classifier, [key])


def _map(watched: _Watched, classifier: Classifier, key: CellKey) -> Events[None]:
    grid = watched.grid
    choice, question = grid.plan.methods[key.method], grid.plan.questions[key.question]
    title = get_method(choice.name).title
    if question.reference is not None and grid.cells[CellKey(question.reference, key.method)].explanation is None:
        yield Failed(key, f"{title} has no map from the original model to compare with.")
        return
    began, ledger = time.perf_counter(), Ledger()
    try:
        yield from _cleanly_asked(watched, classifier, key.question)
        steps = explain_view(
            classifier,
            grid.view_of(key.question),
            choice.name,
            choice.settings,
            grid.target_of(key.question),
            question.seed,
            watched.clean[key.question],
            grid.plan.against_of(key.question),
            ledger,
        )
        explanation = yield from relayed(
            steps, lambda step: [Progressed(key, CellState.RUNNING, step, time.perf_counter() - began)]
        )
    except Exception as error:  # noqa: BLE001 - whatever a method raises ends its cell only
        yield from _spent(key.question, ledger)
        yield Failed(key, sentence_for(error, title))
        return
    if isinstance(classifier, TorchClassifier):
        tuning.observe(classifier, explanation.evaluations, explanation.seconds)
    yield Explained(key, explanation)


def _cleanly_asked(watched: _Watched, classifier: Classifier, question: int) -> Events[None]:
    """Ask about a question's picture as it is, unless that is known: once for all methods."""
    if question in watched.clean:
        return
    grid = watched.grid
    target, against = grid.target_of(question), grid.plan.against_of(question)
    if target is not None and against is not None:
        classifier = checked_contrast(classifier, target, against)
    watched.clean[question] = clean_answers(classifier, grid.view_of(question))
    yield Spent(question, 1)


def _spent(question: int, ledger: Ledger) -> Events[None]:
    """What an attempt at a map that failed has cost, if anything."""
    if ledger.evaluations:
        yield Spent(question, ledger.evaluations)
