"""Random halves of what a search was answered: the same is made from each, to see how far it moves."""

from __future__ import annotations

import torch
from torch import Tensor


def half_of(count: int, generator: torch.Generator) -> Tensor:
    """A random half of `count` indices, in their order: ⌈count / 2⌉ of them."""
    return torch.randperm(count, generator=generator)[: -(-count // 2)].sort().values
