"""One generation of a search: the population it left, and what its trial vectors were bred from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from decam.evolution.operators import GUIDE, PARENTS, TARGET


@dataclass(frozen=True)
class Breeding:
    """One generation of N trials of D components: what they were made from, and what came of them.

    `pool` (P×D) begins with the targets and holds whatever else could be a parent. `recipe` names the parts of the
    mutation's formula: its base, then the two ends of each difference; mutant = base + F · Σ (first − second), put
    back into the bounds. `guides` (N, or one for all) and `drawn` (K×N) are indices into the pool. `weights` (N×1, or
    N×D where F is jittered) and `rates` (N×1) are F and CR; `before` and `after` (N) the fitness of targets and trials.
    """

    pool: Tensor
    recipe: tuple[str, ...]
    guides: Tensor
    drawn: Tensor
    weights: Tensor
    rates: Tensor
    mutants: Tensor
    trials: Tensor
    before: Tensor
    after: Tensor
    accepted: Tensor

    @property
    def targets(self) -> Tensor:
        """What the trials were to replace, N×D."""
        return self.pool[: len(self.trials)]

    def parents(self) -> Tensor:
        """For each part of the recipe, which of the pool every trial took for it: R×N indices."""
        count = len(self.trials)
        taken = {TARGET: torch.arange(count, device=self.pool.device), GUIDE: self.guides.expand(count)}
        taken |= {name: self.drawn[place] for place, name in enumerate(PARENTS[: len(self.drawn)])}
        return torch.stack([taken[part] for part in self.recipe])

    def unrepaired(self) -> Tensor:
        """base + F · Σ (first − second), N×D: the mutants before the bounds were enforced."""
        parts = self.pool[self.parents()]
        return parts[0] + self.weights * (parts[1::2] - parts[2::2]).sum(0)

    def first(self, count: int) -> Breeding:
        """The same for the first `count` trials alone."""
        return Breeding(
            pool=self.pool,
            recipe=self.recipe,
            guides=self.guides[:count],
            drawn=self.drawn[:, :count],
            weights=self.weights[:count],
            rates=self.rates[:count],
            mutants=self.mutants[:count],
            trials=self.trials[:count],
            before=self.before[:count],
            after=self.after[:count],
            accepted=self.accepted[:count],
        )


@dataclass(frozen=True)
class Generation:
    """What one `tell` changed: which vectors asked for were accepted (booleans), the population N×D and its fitness N.

    `bred` says how the trials came about: None for a first population, and for trials of a search that was restored.
    The numbers below are over the individuals whose fitness is finite, NaN where there are none.
    """

    accepted: Tensor
    population: Tensor
    fitness: Tensor
    bred: Breeding | None = None

    @property
    def best(self) -> float:
        """Highest fitness."""
        return float(self.fitness.max())

    @property
    def mean(self) -> float:
        """Mean fitness."""
        return float(self._finite.mean())

    @property
    def spread(self) -> float:
        """Standard deviation of the fitness."""
        return float(self._finite.std(correction=0))

    @property
    def diversity(self) -> float:
        """Mean distance of the individuals from their centroid, in units of the vectors."""
        return diversity(self.population)

    @property
    def _finite(self) -> Tensor:
        return self.fitness[self.fitness.isfinite()]


def diversity(population: Tensor) -> float:
    """Mean distance of the individuals (N×D) from their centroid, in units of the vectors."""
    return float((population - population.mean(0)).norm(dim=1).mean())
