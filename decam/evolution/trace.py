"""One generation of a search over coarse grids, written down small: who was there, what bred each trial, who won."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from decam.evolution.generation import Breeding, Generation

Grids = NDArray[np.float16]
Numbers = NDArray[np.float32]
Indices = NDArray[np.int16] | NDArray[np.int32]  # the wider ones for more parents than the narrow ones can number


@dataclass(frozen=True)
class Asked:
    """A picture that the fittest was judged by, and the target's probability for it, in [0, 1].

    Its mask showed (`keeps`) or hid the `share` of the pixels ranked first; a share of 0 stands for the grid itself
    as the visible (or hidden) share of every pixel.
    """

    keeps: bool
    share: float
    probability: float


@dataclass(frozen=True)
class Trace:
    """A generation of N individuals on h×w grids, each challenged by a trial (M = N), or of a first one (M = 0).

    `targets` (N×h×w) are there before selection, `others` (K×h×w) the parents from outside the population. `recipe`
    names the parts of the mutation's formula (base, then the two ends of each difference) and `parents` (R×M) says
    which of targets and others stood for each: mutant = base + F · Σ (first − second). Without a recipe trials were
    drawn anew. `mutants` are M×h×w; a trial is the mutant where `crossed` (M×h×w) holds, else its target. `weights`
    and `rates` (M) are F and CR, NaN where there is none. `before` (N) and `after` (M) are the fitness of targets and
    trials, `accepted` (M) says whose trial replaced it. `asked` is what the fittest after selection was judged by.
    """

    targets: Grids
    others: Grids
    recipe: tuple[str, ...]
    parents: Indices
    mutants: Grids
    crossed: NDArray[np.bool_]
    weights: Numbers
    rates: Numbers
    before: Numbers
    after: Numbers
    accepted: NDArray[np.bool_]
    asked: tuple[Asked, ...] = ()

    @property
    def trials(self) -> Grids:
        """M×h×w."""
        return np.where(self.crossed, self.mutants, self.targets[: len(self.mutants)])

    @property
    def population(self) -> Grids:
        """The individuals after selection, N×h×w."""
        left = self.targets.copy()
        left[: len(self.mutants)][self.accepted] = self.trials[self.accepted]
        return left

    @property
    def fitness(self) -> Numbers:
        """Theirs, N."""
        left = self.before.copy()
        left[: len(self.after)][self.accepted] = self.after[self.accepted]
        return left

    @property
    def best(self) -> int:
        """The fittest after selection."""
        return int(self.fitness.argmax())

    @property
    def nbytes(self) -> int:
        """Memory that its grids take."""
        return self.targets.nbytes + self.others.nbytes + self.mutants.nbytes + self.crossed.nbytes

    @classmethod
    def of(cls, generation: Generation, shape: tuple[int, int], asked: tuple[Asked, ...] = ()) -> Trace:
        """The trace of a generation whose vectors are h×w grids; of a first one, the population alone."""
        if generation.bred is None:
            return cls._first(generation, shape, asked)
        bred = generation.bred
        parents, others = _compact(bred)
        return cls(
            targets=_grids(bred.targets, shape),
            others=_grids(others, shape),
            recipe=bred.recipe,
            parents=parents,
            mutants=_grids(bred.mutants, shape),
            crossed=(bred.trials != bred.targets).cpu().numpy().reshape(-1, *shape),
            weights=_numbers(bred.weights.mean(1)),
            rates=_numbers(bred.rates[:, 0]),
            before=_numbers(bred.before),
            after=_numbers(bred.after),
            accepted=bred.accepted.cpu().numpy(),
            asked=asked,
        )

    @classmethod
    def _first(cls, generation: Generation, shape: tuple[int, int], asked: tuple[Asked, ...]) -> Trace:
        nothing = np.zeros(0, np.float32)
        return cls(
            targets=_grids(generation.population, shape),
            others=np.zeros((0, *shape), np.float16),
            recipe=(),
            parents=np.zeros((0, 0), np.int16),
            mutants=np.zeros((0, *shape), np.float16),
            crossed=np.zeros((0, *shape), np.bool_),
            weights=nothing,
            rates=nothing,
            before=_numbers(generation.fitness),
            after=nothing,
            accepted=np.zeros(0, np.bool_),
            asked=asked,
        )


def _compact(bred: Breeding) -> tuple[Indices, Tensor]:
    """Parents (R×N) renumbered so that those from outside the targets follow them, and these others (K×D)."""
    count = len(bred.trials)
    if not bred.recipe:
        return np.zeros((0, count), np.int16), bred.pool[:0]
    parents = bred.parents().cpu().numpy()
    outside = parents >= count
    used = np.unique(parents[outside])
    parents[outside] = count + np.searchsorted(used, parents[outside])
    narrow = count + len(used) <= np.iinfo(np.int16).max + 1
    numbers: Indices = parents.astype(np.int16) if narrow else parents.astype(np.int32)
    return numbers, bred.pool[torch.from_numpy(used)]


def _grids(vectors: Tensor, shape: tuple[int, int]) -> Grids:
    return vectors.detach().cpu().numpy().astype(np.float16).reshape(-1, *shape)


def _numbers(values: Tensor) -> Numbers:
    return values.detach().cpu().numpy().astype(np.float32)
