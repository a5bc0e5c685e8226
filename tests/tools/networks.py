"""A small untrained network with everything a method may ask for, the same each time."""

from __future__ import annotations

import torch
from torch import nn

from decam.classifier import Execution, TorchClassifier


def small_module() -> nn.Sequential:
    """Two convolutions and a head of four classes."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 12, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(12, 4),
    )


def small_classifier(name: str = "small", module: nn.Module | None = None, size: int = 40) -> TorchClassifier:
    """`small_module`, or another one of its layers, for pictures of size×size."""
    return TorchClassifier(
        name,
        small_module() if module is None else module,
        list("abcd"),
        input_size=(size, size),
        layer="3",
        layers=("1", "3"),
        execution=Execution(batch_size=8),
    )
