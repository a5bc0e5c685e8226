"""How sure a model is of its answer, and probabilities in digits that tell something."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SURE = 0.5
LEAST = 1e-4
"""Smaller probabilities are not told apart in words."""


def unsure(probabilities: NDArray[np.float32]) -> bool:
    """True if no class has at least half of the probability (C probabilities, of one picture).

    Below one half the model itself holds its answer for more likely wrong than right. The bound means the same for ten
    classes and for a thousand. That of an entropy would not: it grows with the number of classes, and it depends on how
    the rest is spread over classes that nobody asks about. Of independent probabilities it says that no class is found.
    A model of two classes always has one of at least a half, so it is never called unsure.
    """
    return bool(probabilities.max() < SURE)


def decimal(probability: float) -> str:
    """A probability as 0.97, as 0.0032 where two places would say 0.00, and as <0.0001 below that."""
    if probability >= 0.005:
        return f"{probability:.2f}"
    if probability <= 0:
        return "0"
    return f"{probability:.4f}" if probability >= LEAST else f"<{LEAST:.4f}"
