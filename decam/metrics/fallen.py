"""How far the score falls when parts of the picture are hidden, one part at a time."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

import torch
from torch import Tensor

from decam.explanation import Progress
from decam.masking import MaskedQueries
from decam.metrics.base import Case
from decam.metrics.curves import counted


class Sampled(Protocol):
    """Settings that say how many parts are hidden."""

    @property
    def samples(self) -> int: ...


def cost(settings: Sampled, maps: int) -> int:
    """Evaluations for the falls, which all maps share."""
    del maps
    return settings.samples + 1


def fallen(case: Case, hidden: Tensor, fill: str) -> Generator[Progress, None, Tensor]:
    """The falls (N, float64) of the target's probability, each with one part hidden (N×H×W, True inside).

    The model is asked N + 1 times.
    """
    question = case.question
    queries = MaskedQueries(question, case.filling(fill))
    masks = torch.cat([torch.ones_like(hidden[:1]), ~hidden]).unsqueeze(1)
    progress = counted(question, len(masks))
    answers = []
    for batch in queries.batches(masks):
        answers.append(batch[:, question.target].cpu().double())
        yield progress()
    scores = torch.cat(answers)
    return scores[0] - scores[1:]
