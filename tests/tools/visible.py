"""Classifiers whose answer is a known function of what is visible, and the picture that they are asked about."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from decam.classifier import FunctionClassifier, wrap
from decam.experiments.explain import explain_view
from decam.explanation import Explanation, Progress
from decam.methods import METHODS

TARGET = 1


def seeing(answer: Callable[[Tensor], Tensor], size: tuple[int, int], batch_size: int = 7) -> FunctionClassifier:
    """A classifier whose probability of class 1 is `answer` of the visible shares (N×H×W), where black hides."""

    def probabilities(images: Tensor) -> Tensor:
        shares = answer(images[:, 0])
        return torch.stack([1 - shares, shares], dim=1)

    black = (0.0, 0.0, 0.0)
    return wrap(probabilities, labels=["no", "yes"], input_size=size, mean=black, name="seeing", batch_size=batch_size)


def white(size: tuple[int, int]) -> np.ndarray:
    """A picture that is white all over."""
    return np.full((*size, 3), 255, dtype=np.uint8)


def explained(
    answer: Callable[[Tensor], Tensor], size: tuple[int, int], method: str, **given: int | float | str | bool
) -> tuple[Explanation, list[Progress]]:
    """The explanation of class 1 by a method that hides with black, and the events on the way."""
    settings = METHODS[method].settings.from_mapping({"fill": "black"} | given)
    steps = explain_view(seeing(answer, size), white(size), method, settings, TARGET, seed=3)
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return end.value, events


def weighing(weights: Tensor) -> Callable[[Tensor], Tensor]:
    """The sum of the visible shares, each pixel with its weight (H×W)."""
    return lambda visible: (visible * weights).sum((1, 2))
