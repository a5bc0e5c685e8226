"""What may breed the candidates of a seeded search: the first guess is the same for all, and so is the fitness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from torch import Tensor

from decam.evolution.differential_evolution import DifferentialEvolution, EvolutionSettings, Screen
from decam.evolution.generation import Generation
from decam.methods.de_cam.random_search import RandomSearch


class Optimiser(Protocol):
    """Asks for the fitness of vectors (N×D), is told it, and keeps a population of N."""

    population: Tensor

    @property
    def best(self) -> int:
        """Index of the fittest individual."""
        ...

    def ask(self, screen: Screen | None = None, candidates: int = 1) -> Tensor:
        """Vectors whose fitness is wanted (N×D): of so many candidates for each place the one that `screen` prefers."""
        ...

    def tell(self, fitness: Tensor, standing: Tensor | None = None) -> Generation:
        """Take the fitness (N) of the vectors last asked for, and of the population where that is known anew."""
        ...


@dataclass(frozen=True)
class Start:
    """Where a seeded search begins.

    `first` is its first population (N×D) and `draw(count)` draws more from the same guess. `seed` is for the
    optimiser's own random numbers; `greediness` is DE-CAM's setting.
    """

    first: Tensor
    draw: Callable[[int], Tensor]
    seed: int
    greediness: float


OptimiserOf: TypeAlias = Callable[[Start], Optimiser]


def differential_evolution(start: Start) -> Optimiser:
    """What DE-CAM evolves with."""
    how = EvolutionSettings(budget=0, control="shade", memory=6, archive=1.0, greediness=start.greediness)
    return DifferentialEvolution(None, how, seed=start.seed, population=start.first)


def random_search(start: Start) -> Optimiser:
    """The control that breeds nothing."""
    return RandomSearch(start.first, start.draw)
