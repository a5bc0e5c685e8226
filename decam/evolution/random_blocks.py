"""The random numbers of Differential Evolution, drawn for many generations at once: a call costs more than a number."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from decam.evolution.control import Chances
from decam.evolution.operators import CROSSOVERS, distinct

AT_ONCE = 2**15
LARGE = 2**40


class Shape(NamedTuple):
    """What one generation draws: N targets of D components, parents from `pools` of so many, and the rest by ranges."""

    targets: int
    dimensions: int
    pools: tuple[int, ...]
    elites: int
    entries: int
    places: int
    uniforms: int
    crossover: str


class Draws(NamedTuple):
    """One generation's numbers: flat indices of the K·N parents, of N elites, N×D levels, a place in the archive."""

    parents: Tensor
    elites: Tensor
    levels: Tensor
    chances: Chances
    turn: int


class Supply:
    """Hands out one generation's numbers after the other; the CPU generator decides them, whatever the device.

    While nothing but the generation changes, blocks grow, and a change of shape drops what is left of one.
    """

    def __init__(self, generator: torch.Generator, dtype: torch.dtype, device: torch.device) -> None:
        self._generator, self._dtype, self._device = generator, dtype, device
        self._shape: Shape | None = None
        self._block: list[Tensor] = []
        self._ready: list[Draws] = []
        self._generations = 1

    def next(self, shape: Shape) -> Draws:
        """The numbers of the next generation."""
        if shape != self._shape:
            self._shape, self._generations = shape, 1
            self._refill(shape)
        elif not self._ready:
            limit = max(1, AT_ONCE // (shape.targets * shape.dimensions))
            self._generations = min(4 * self._generations, limit)
            self._refill(shape)
        return self._ready.pop()

    def state(self) -> dict[str, Any]:
        """The numbers not handed out yet, for `restore`."""
        left = [part[: len(self._ready)].clone() for part in self._block]
        shape = None if self._shape is None else tuple(self._shape)
        return {"shape": shape, "generations": self._generations, "left": left}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from saved numbers."""
        if state["shape"] is not None:
            self._shape, self._generations, self._block = Shape(*state["shape"]), state["generations"], state["left"]
            self._unpack()

    def _refill(self, shape: Shape) -> None:
        generator, generations, count = self._generator, self._generations, shape.targets
        kinds = len(shape.pools)
        whole = torch.randint(LARGE, (generations, kinds + 3, count), generator=generator)
        turns = torch.randint(max(1, shape.places), (generations,), generator=generator)
        real = torch.rand(generations, shape.uniforms, count, 1, generator=generator, dtype=self._dtype)
        normals = torch.randn(generations, count, 1, generator=generator, dtype=self._dtype)
        levels = torch.rand(generations, count, shape.dimensions, generator=generator, dtype=self._dtype)
        parents = distinct(whole[:, :kinds], shape.pools).flatten(1)
        elites, entries = whole[:, kinds] % shape.elites, whole[:, kinds + 1] % shape.entries
        levels = CROSSOVERS[shape.crossover](levels, whole[:, kinds + 2].unsqueeze(2) % shape.dimensions)
        drawn = [parents, elites, levels, real, normals, entries]
        self._block = [part.to(self._device) for part in drawn] + [turns]
        self._unpack()

    def _unpack(self) -> None:
        """Make the block a stack whose last generation is handed out first."""
        parents, elites, levels, real, normals, entries, turns = self._block
        chances = map(Chances, (rows.unbind() for rows in real), normals.unbind(), entries.unbind())
        ready = zip(parents.unbind(), elites.unbind(), levels.unbind(), chances, turns.tolist(), strict=True)
        self._ready = [Draws(*parts) for parts in ready]
