"""Differential Evolution over a landscape in two dimensions, written down generation by generation to be watched."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from decam.errors import SettingError
from decam.evolution.differential_evolution import DifferentialEvolution, EvolutionSettings
from decam.evolution.operators import Box
from decam.evolution.problems import Landscape
from decam.evolution.trace import Trace

DIMENSIONS = 2
CLOSE = 1e-9


@dataclass(frozen=True)
class Step:
    """A generation of a trajectory: its evaluations up to its end, what happened, and the lowest value found so far.

    `diversity` is in units of the landscape; `accepted` is how many trials replaced their targets, `weight` and `rate`
    are the means of F and CR: all three NaN in a first generation, which has no trials.
    """

    evaluations: int
    trace: Trace
    lowest: float
    diversity: float
    accepted: float
    weight: float
    rate: float


def trajectory(landscape: Landscape, settings: EvolutionSettings, seed: int = 0) -> tuple[Step, ...]:
    """Minimise a landscape in two dimensions until the budget or the tolerance ends it, from the first population on.

    Fitness is the value with its sign turned. Raises SettingError for settings that do not fit together, and for those
    that would never end it.
    """
    if not (settings.budget or settings.tolerance or settings.absolute_tolerance):
        raise SettingError("A trajectory ends with its budget or its tolerance, and both are 0: give one of them.")
    box = Box.of(landscape.low, landscape.high, DIMENSIONS)
    evolution = DifferentialEvolution(box, settings, seed=seed)
    steps = []
    while not evolution.stopped:
        generation = evolution.tell(-landscape(evolution.ask()))
        bred = generation.bred
        steps.append(
            Step(
                evaluations=evolution.evaluations,
                trace=Trace.of(generation, (1, DIMENSIONS)),
                lowest=-generation.best,
                diversity=generation.diversity,
                accepted=float("nan") if bred is None else float(generation.accepted.sum()),
                weight=float("nan") if bred is None else float(bred.weights.mean()),
                rate=float("nan") if bred is None else float(bred.rates.mean()),
            )
        )
    return tuple(steps)


def heights(landscape: Landscape, side: int) -> torch.Tensor:
    """Values of a landscape at the centres of side×side equal squares; rows from the highest second coordinate down."""
    width = (landscape.high - landscape.low) / side
    centres = landscape.low + width * (torch.arange(side, dtype=torch.float64) + 0.5)
    rows, columns = torch.meshgrid(centres.flip(0), centres, indexing="ij")
    return landscape(torch.stack([columns.flatten(), rows.flatten()], dim=1)).view(side, side)
