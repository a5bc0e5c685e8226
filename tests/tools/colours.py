"""A model without weights that tells red, green and blue apart, and pictures for it: for what any model would show."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from decam.classifier import Pixels

SIZE = (24, 24)
LABELS = ("red", "green", "blue")


def brightness(images: Tensor) -> Tensor:
    """Three classes: red, green and blue, by share of all light."""
    light = images.mean(dim=(2, 3)) + 1e-3
    return light / light.sum(dim=1, keepdim=True)


def views(count: int) -> list[Pixels]:
    """Pictures whose brightest channel is red, green, blue, red, …"""
    drawn = np.random.default_rng(1).integers(0, 100, (count, *SIZE, 3), dtype=np.uint8)
    for number, view in enumerate(drawn):
        view[:, :, number % 3] += 120
    return list(drawn)
