"""The curves that deletion and insertion are read from: drawn once a case, whoever asks for them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Protocol

import numpy as np
import torch

from decam.explanation import Map, Progress, Question
from decam.masking import MaskedQueries, places, ranked, share_masks, step_shares
from decam.metrics.base import Case, Curve, Sequencing
from decam.metrics.scales import CONSTANT, Values, pearson

MASKS = 2**24  # booleans held at a time
SILENT = "The model's answer never changed."


class Stepwise(Protocol):
    """Settings that say how a curve is drawn."""

    @property
    def steps(self) -> int: ...

    @property
    def fill(self) -> str: ...


def counted(question: Question, total: int) -> Callable[[], Progress]:
    """Progress of a part that takes `total` evaluations and begins now, at any later moment."""
    before = question.ledger.evaluations

    def progress() -> Progress:
        done = question.ledger.evaluations
        return Progress(min(done - before, total), total, done)

    return progress


def curves(case: Case, kind: Sequencing, settings: Stepwise) -> Generator[Progress, None, tuple[Curve, ...]]:
    """One curve a map, drawn for the first metric of the case that asks for these settings."""
    key = (kind, settings.steps, settings.fill)
    return (yield from case.once(key, lambda: _drawn(case, kind, settings)))


def cost(settings: Stepwise, maps: int) -> int:
    """Evaluations for the curves of so many maps."""
    return maps * (settings.steps + 1)


def _drawn(case: Case, kind: Sequencing, settings: Stepwise) -> Generator[Progress, None, tuple[Curve, ...]]:
    question = case.question
    size = question.classifier.input_size
    queries = MaskedQueries(question, case.filling(settings.fill))
    shares = step_shares(settings.steps)
    progress = counted(question, cost(settings, len(case.maps)))
    found = []
    # As many masks at a time as memory allows: the model pauses only in between.
    many = max(queries.round_size, MASKS // (size[0] * size[1]))
    for saliency in case.maps:
        place = places(_order(saliency)).to(question.image.device)
        answers = []
        for some in torch.split(shares, many):
            for batch in queries.batches(share_masks(place, some, kind, size)):
                answers.append(batch)
                yield progress()
        found.append(_curve(shares, torch.cat(answers).cpu(), question.target))
    return tuple(found)


def _order(saliency: Map) -> torch.Tensor:
    """Ranked, and what is not a number last."""
    return ranked(np.nan_to_num(saliency, nan=-np.inf))


def _curve(shares: torch.Tensor, answers: torch.Tensor, target: int) -> Curve:
    highest, top = answers.max(dim=1)
    return Curve(
        shares=shares.numpy().astype(np.float32),
        values=answers[:, target].numpy().astype(np.float32),
        top=top.numpy(),
        top_values=highest.numpy().astype(np.float32),
    )


def step_saliency(values: Values, order: torch.Tensor, steps: int) -> Values:
    """Mean of a map (H×W) over the pixels that each of `steps` changes, NaN where a step changes none."""
    ordered = values.ravel()[order.numpy()]
    # As share_masks rounds, so that these are the very pixels.
    ends = torch.round(step_shares(steps) * len(ordered)).to(torch.int64).numpy()
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    counts = np.diff(ends)
    means = np.full(steps, np.nan)
    np.divide(np.diff(sums[ends]), counts, out=means, where=counts > 0)
    return means


def correlation(case: Case, place: int, curve: Curve, kind: Sequencing) -> tuple[float, str]:
    """How the score's change at each step goes with the mean saliency of the pixels changed; why not, where NaN."""
    if case.constant[place]:
        return float("nan"), CONSTANT
    value = pearson(*changes(case, place, curve, kind))
    return value, SILENT if np.isnan(value) else ""


def changes(case: Case, place: int, curve: Curve, kind: Sequencing) -> tuple[Values, Values]:
    """Mean saliency of the pixels that each step changes, and how far the score then falls or rises.

    One entry a step that changes a pixel at all; saliency in [0, 1], a fall counts as positive in deletion.
    """
    saliency = step_saliency(case.scaled[place], _order(case.maps[place]), len(curve.shares) - 1)
    change = np.diff(curve.values.astype(np.float64)) * (-1 if kind == "deletion" else 1)
    changed = np.isfinite(saliency)
    return saliency[changed], change[changed]
