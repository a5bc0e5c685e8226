"""A comparison as one generator: predictions, then maps, then how they measure, cell after cell, whatever fails."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
import torch

from decam.classifier import Classifier, Pixels, TorchClassifier, probabilities, to_tensor
from decam.errors import SettingError
from decam.experiments.events import Cell, Event, Events, Explained, Explaining, Failed, Finished, Predicted
from decam.experiments.explain import explain_view
from decam.experiments.failures import sentence_for
from decam.experiments.measuring import measure
from decam.experiments.plan import Plan
from decam.explanation import Explanation, Truth, relayed
from decam.methods import get as get_method
from decam.models import tuning

CHEAP = 64


def compare(
    classifier: Classifier,
    views: Sequence[Pixels],
    plan: Plan,
    finished: Finished | None = None,
    truths: Sequence[Truth | None] = (),
    *,
    missing_maps: bool = True,
) -> Generator[Event, None, None]:
    """Answer the plan for `views` (H×W×3 uint8 each, made by `classifier.view`), skipping what is finished.

    All pictures are predicted first. Then come the maps that cost at most 64 evaluations, for all pictures; then,
    picture by picture, the others, followed by the curves and metrics of that picture's maps in shared calls. A cell
    that fails yields Failed and the others go on; closing the generator cancels. `truths` say where each picture's
    class is, for metrics that ask. Without `missing_maps`, only what is missing of finished maps is measured. Raises
    SettingError where views and plan differ in number.
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
    for picture in targets:
        yield from explain(picture, costly)
        cells = {cell: maps[cell] for cell in sorted(maps) if cell.picture == picture}
        truth = truths[picture] if truths else None
        yield from measure(classifier, views[picture], plan, cells, truth, finished)


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
            told = sentence_for(error, "The prediction")
            for method in range(len(plan.methods)):
                yield Failed(Cell(batch[0], method), told)
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
    if isinstance(classifier, TorchClassifier):
        tuning.observe(classifier, explanation.evaluations, explanation.seconds)
    yield Explained(cell, explanation)
    return explanation
