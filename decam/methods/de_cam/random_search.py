"""The control of a seeded search: the same road with trial vectors drawn anew in place of bred ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from decam.evolution.differential_evolution import Screen
from decam.evolution.generation import Breeding, Generation


class RandomSearch:
    """Trial vectors drawn anew from the first guess (`draw(count)`), screened and selected as evolution does it."""

    def __init__(self, first: Tensor, draw: Callable[[int], Tensor]) -> None:
        self.population = first
        self.fitness = torch.full((len(first),), -torch.inf)
        self._draw = draw
        self._asked: Tensor | None = first

    @property
    def best(self) -> int:
        """Index of the fittest individual."""
        return int(self.fitness.argmax())

    def ask(self, screen: Screen | None = None, candidates: int = 1) -> Tensor:
        """Vectors whose fitness is wanted (N×D): of so many candidates for each place the one that `screen` prefers."""
        if self._asked is None:
            count = len(self.population)
            self._asked = self._draw(count)
            if screen is not None:
                drawn = torch.cat([self._asked, self._draw(count * (candidates - 1))])
                values = screen(drawn).cpu().view(candidates, count)
                chosen = values.nan_to_num(nan=-torch.inf).argmax(0)
                self._asked = drawn.view(candidates, count, -1)[chosen, torch.arange(count)]
        return self._asked

    def tell(self, fitness: Tensor, standing: Tensor | None = None) -> Generation:
        """Keep each of the vectors last asked for that is at least as good as the one in its place; NaN is worst."""
        candidates = self.ask()
        first = candidates is self.population
        fitness = fitness.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)
        if standing is not None:
            self.fitness = standing.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)
        accepted = fitness >= self.fitness
        bred = None if first else self._drawn(candidates, fitness, accepted)
        self.population = torch.where(accepted.unsqueeze(1), candidates, self.population)
        self.fitness = torch.maximum(fitness, self.fitness)
        self._asked = None
        return Generation(accepted, self.population, self.fitness, bred)

    def _drawn(self, asked: Tensor, fitness: Tensor, accepted: Tensor) -> Breeding:
        """Trials without parents."""
        none = torch.full((len(fitness), 1), torch.nan)
        no_parents = torch.zeros(0, len(fitness), dtype=torch.int64)
        return Breeding(
            self.population, (), no_parents, no_parents, none, none, asked, asked, self.fitness, fitness, accepted
        )
