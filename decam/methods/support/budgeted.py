"""The road of black boxes that spend a budget: one picture, one fill, answers a batch at a time, and the map so far."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeAlias

import torch
from torch import Tensor

from decam.classifier import Classifier
from decam.explanation import Map, Progress, Question, Steps
from decam.masking import MaskedQueries, fill

PORTION = 64  # masks that are made at a time, whatever the model's batch: so a seed gives one map on every machine
GROWTH = 1.1  # a running map is read again once there are so many times as many answers

Answered: TypeAlias = Generator[Progress, None, Tensor]


class BudgetedQueries:
    """Asks about a question's picture behind masks; each batch is a Progress with the latest map.

    `total` is what the whole map will cost, in evaluations. What the ledger held before is not taken from it.
    `saliency` is the map so far, which the method sets.
    """

    def __init__(self, question: Question, filling: str, seed: int, total: int) -> None:
        classifier = question.classifier
        self.size = classifier.input_size
        self.device = question.image.device
        self.filling = fill(filling, question.image, classifier.mean, seed)
        self.saliency: Map | None = None
        self._target = question.target
        self._ledger = question.ledger
        self._begun = question.ledger.evaluations
        self._total = total
        self._queries = MaskedQueries(question, self.filling)

    @property
    def _spent(self) -> int:
        return self._ledger.evaluations - self._begun

    @property
    def left(self) -> int:
        """Evaluations that the budget still has."""
        return self._total - self._spent

    def progress(self) -> Progress:
        """Where the work stands."""
        return Progress(min(self._spent, self._total), self._total, self._ledger.evaluations, self.saliency)

    def answers(self, masks: Tensor) -> Answered:
        """All probabilities (N×C, on the CPU) behind masks (N×1×H×W: visible shares or booleans)."""
        found = []
        for batch in self._queries.batches(masks.to(self.device)):
            found.append(batch)
            yield self.progress()
        return torch.cat(found).cpu()

    def ask(self, masks: Tensor) -> Answered:
        """The target's probability (N, on the CPU) behind each mask (N×1×H×W)."""
        answers = yield from self.answers(masks)
        return answers[:, self._target]

    def pictures(self, images: Tensor) -> Answered:
        """The target's probability (N, on the CPU) for pictures (N×3×H×W in [0, 1]) that are masked already."""
        found = []
        for part in torch.split(images, self._queries.round_size):
            found.append(self._queries.pictures(part.to(self.device))[:, self._target].cpu())
            yield self.progress()
        return torch.cat(found)


def portions(total: int) -> Iterator[int]:
    """`total` masks in portions of as many as are made at a time."""
    for start in range(0, total, PORTION):
        yield min(PORTION, total - start)


def sampled(
    queries: BudgetedQueries,
    design: Tensor,
    masks: Callable[[Tensor], Tensor],
    read: Callable[[Tensor, Tensor], Map],
) -> Steps:
    """Ask about every row of a design (N×D), in its order, and read the map from the answers.

    `masks` turns rows into masks (n×1×H×W). `read` makes a map of the first rows and the answers to them (n), so that
    there is one at any time.
    """
    answers = torch.empty(0)
    due = 0.0
    for rows in torch.split(design, PORTION):
        found = yield from queries.ask(masks(rows))
        answers = torch.cat([answers, found])
        if due <= len(answers) < len(design):
            due = GROWTH * len(answers)
            queries.saliency = read(design[: len(answers)], answers)
            yield queries.progress()
    queries.saliency = read(design, answers)
    yield queries.progress()
    return queries.saliency


def whole_budget(settings: Any, classifier: Classifier) -> int:
    """The cost of a method that spends its budget to the last evaluation."""
    del classifier
    budget: int = settings.budget
    return budget
