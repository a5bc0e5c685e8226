"""What tests of metrics judge: classifiers whose answers are known, maps, and a metric run to its end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from decam.classifier import FunctionClassifier, to_tensor, wrap
from decam.explanation import Question, last
from decam.metrics import METRICS, Case, Measurement, Origin

SIZE = (12, 10)
WHITE = np.full((*SIZE, 3), 255, dtype=np.uint8)


def weighted(weights: np.ndarray | None = None, size: tuple[int, int] = SIZE) -> FunctionClassifier:
    """Class 0 has the weighted mean of the colours as its probability: linear in each pixel."""
    each = torch.ones(size) if weights is None else torch.from_numpy(np.asarray(weights, np.float32))
    each = each / each.sum()

    def function(images: torch.Tensor) -> torch.Tensor:
        share = (images.mean(1) * each).sum((1, 2))
        return torch.stack([share, 1 - share], dim=1)

    return wrap(function, labels=["bright", "dark"], input_size=size, batch_size=7, mean=(0.4, 0.5, 0.3))


def bent(size: tuple[int, int] = SIZE) -> FunctionClassifier:
    """One that is not linear: pixels count together with their neighbours."""
    weights = torch.rand(3, *size, generator=torch.Generator().manual_seed(5))

    def function(images: torch.Tensor) -> torch.Tensor:
        together = (images * images.roll(1, -1) * weights).mean((1, 2, 3))
        share = torch.sigmoid(8 * together - 1)
        return torch.stack([share, 1 - share], dim=1)

    return wrap(function, labels=["yes", "no"], input_size=size, batch_size=5, mean=(0.4, 0.5, 0.3))


def constant(value: float, size: tuple[int, int] = SIZE) -> FunctionClassifier:
    def function(images: torch.Tensor) -> torch.Tensor:
        return torch.tensor([value, 1 - value]).repeat(len(images), 1)

    return wrap(function, labels=["a", "b"], input_size=size, batch_size=6)


def view(seed: int = 1, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def saliency(seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).random(size).astype(np.float32)


def signed(seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=size).astype(np.float32)


def case(
    classifier: FunctionClassifier,
    picture: np.ndarray,
    maps: Sequence[np.ndarray],
    truth: np.ndarray | None = None,
    origins: Sequence[Origin | None] = (),
    seed: int = 0,
) -> Case:
    question = Question(classifier, to_tensor(classifier, picture), 0)
    return Case(question, tuple(maps), truth, tuple(origins), seed)


def run(judged: Case, metric: str, **settings: int | float | str | bool) -> tuple[Measurement, ...]:
    row = METRICS[metric]
    return last(row.run(judged, row.settings.from_mapping(settings)))


def values(judged: Case, metric: str, **settings: int | float | str | bool) -> list[float]:
    return [found.value for found in run(judged, metric, **settings)]
