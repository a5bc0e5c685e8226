"""The archive of Differential Evolution: vectors that were replaced and may still serve as parents."""

from __future__ import annotations

import torch
from torch import Tensor


class Archive:
    """At most `capacity` vectors of D components; once full, newcomers take a random run of places (JADE, sec. III-B).

    Memory is set aside once. Places are a ring, so that a run may begin anywhere and no place is written twice.
    """

    def __init__(self, capacity: int, dimensions: int, dtype: torch.dtype, device: torch.device) -> None:
        self._stored = torch.empty(capacity, dimensions, dtype=dtype, device=device)
        self.capacity = capacity
        self.count = 0
        self._places = self._ring()

    @property
    def vectors(self) -> Tensor:
        """The vectors held, A×D; they change with the next `add`."""
        return self._stored[: self.count]

    def add(self, replaced: Tensor, turn: int) -> None:
        """Add K vectors (K×D). Once the archive is full, the rest overwrite a run of places starting at `turn`."""
        arriving = min(replaced.shape[0], self.capacity)
        free = min(self.capacity - self.count, arriving)
        if free:
            self._stored[self.count : self.count + free] = replaced[:free]
            self.count += free
        if arriving > free:
            newcomers = replaced[free:arriving] if free or arriving < replaced.shape[0] else replaced
            self._stored.index_copy_(0, self._places[turn : turn + arriving - free], newcomers)

    def shrink(self, capacity: int) -> None:
        """Hold no more than so many from now on; the last places are dropped.

        Tanabe and Fukunaga (2014) drop at random; here chance has filled the places, so that none is better.
        """
        self.capacity, self.count = capacity, min(self.count, capacity)
        self._places = self._ring()

    def _ring(self) -> Tensor:
        return torch.arange(2 * self.capacity, device=self._stored.device) % max(1, self.capacity)
