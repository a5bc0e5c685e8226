"""Random numbers from a seed: no method draws from the generators that a whole process shares."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def generator_of(seed: int) -> torch.Generator:
    """A generator of one's own, on the CPU, so that a seed gives the same numbers on every device."""
    return torch.Generator().manual_seed(seed)


def normals(count: int, like: Tensor, generator: torch.Generator) -> Tensor:
    """Standard normal noise, `count` times the shape of `like`, of its type and on its device.

    Each is drawn by itself, so the n-th does not depend on how many are drawn at a time.
    """
    return torch.stack([torch.randn(like.shape, generator=generator) for _ in range(count)]).to(like)


class Noise:
    """Normal noise with mean 0, of which torch-cam's extractors ask `sample(size)`, from a generator of its own."""

    def __init__(self, deviation: float, seed: int) -> None:
        self._deviation = deviation
        self._generator = generator_of(seed)

    def sample(self, size: Sequence[int]) -> Tensor:
        """A tensor of this size, on the CPU."""
        return torch.randn(tuple(size), generator=self._generator) * self._deviation
