"""Deletion and insertion: hide or show pixels in the order of a map and watch the target's probability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from decam.explanation import Map, Progress, Question
from decam.masking import MaskedQueries, fill, ranked, share_masks
from decam.metrics.base import Curve, FaithfulnessSettings, Measurement, Measuring, Metric


def _curves(metric: str, question: Question, maps: Sequence[Map], settings: FaithfulnessSettings) -> Measuring:
    size = question.classifier.input_size
    queries = MaskedQueries(question, fill(settings.fill, question.image, question.classifier.mean))
    shares = torch.linspace(0, 1, settings.steps + 1, dtype=torch.float64)
    total = len(maps) * len(shares)
    measured = []
    for saliency in maps:
        order = ranked(saliency)
        answers = []
        for start in range(0, len(shares), queries.round_size):
            masks = share_masks(order, shares[start : start + queries.round_size], metric, size)
            for batch in queries.batches(masks):
                answers.append(batch.cpu())
                done = question.ledger.evaluations
                yield Progress(min(done, total), total, done)
        curve = _curve(metric, settings.fill, shares, torch.cat(answers), question.target)
        measured.append(Measurement(metric, curve.auc, curve))
    return tuple(measured)


def _curve(metric: str, filling: str, shares: torch.Tensor, answers: torch.Tensor, target: int) -> Curve:
    probabilities = answers[:, target].numpy().astype(np.float32)
    highest, top = answers.max(dim=1)
    places = shares.numpy()
    return Curve(
        metric=metric,
        fill=filling,
        shares=places.astype(np.float32),
        probabilities=probabilities,
        top=top.numpy(),
        top_probabilities=highest.numpy().astype(np.float32),
        auc=float(np.trapezoid(probabilities.astype(np.float64), places)),
    )


def deletion(question: Question, maps: Sequence[Map], settings: FaithfulnessSettings) -> Measuring:
    """Area under the target's probability while the most salient pixels are hidden first.

    `maps` are H×W; Petsiuk, Das and Saenko (2018), algorithm 1. In [0, 1], lower is better.
    """
    return (yield from _curves("deletion", question, maps, settings))


def insertion(question: Question, maps: Sequence[Map], settings: FaithfulnessSettings) -> Measuring:
    """Area under the target's probability while the most salient pixels are shown first.

    `maps` are H×W; Petsiuk, Das and Saenko (2018), algorithm 1. In [0, 1], higher is better.
    """
    return (yield from _curves("insertion", question, maps, settings))


def _cost(settings: FaithfulnessSettings) -> int:
    return settings.steps + 1


_PAPER = "Petsiuk, Das & Saenko, RISE: Randomized Input Sampling for Explanation of Black-box Models (2018)"

DELETION = Metric(
    name="deletion",
    title="Deletion",
    summary="How fast the probability falls when the most salient pixels are hidden first; lower is better.",
    reference=_PAPER,
    url="https://arxiv.org/abs/1806.07421",
    direction=-1,
    settings=FaithfulnessSettings,
    run=deletion,
    cost=_cost,
    fill="mean",
)

INSERTION = Metric(
    name="insertion",
    title="Insertion",
    summary="How fast the probability rises when the most salient pixels are shown first; higher is better.",
    reference=_PAPER,
    url="https://arxiv.org/abs/1806.07421",
    direction=1,
    settings=FaithfulnessSettings,
    run=insertion,
    cost=_cost,
    fill="blur",
)
