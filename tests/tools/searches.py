"""Small searches for tests of Differential Evolution: four dimensions, from −5 to 5."""

from typing import Any

from torch import Tensor

from decam.evolution.differential_evolution import DifferentialEvolution, EvolutionSettings
from decam.evolution.operators import Box

BOX = Box.of(-5.0, 5.0, 4)


def chosen(**values: Any) -> EvolutionSettings:
    """Settings of a short search, where others are not given."""
    return EvolutionSettings(**{"budget": 600, "population": 20} | values)


def started(settings: EvolutionSettings, fitness: Tensor, seed: int = 0) -> DifferentialEvolution:
    """A search whose first population has this fitness."""
    evolution = DifferentialEvolution(BOX, settings, seed=seed)
    evolution.ask()
    evolution.tell(fitness)
    return evolution
