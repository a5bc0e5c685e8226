"""What a search may cost, how it looks at the picture, and how its budget is split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from decam.masking import FILLS
from decam.methods.de_cam.fitness import KEEPS
from decam.settings import Settings, parameter

VARIANTS = ("seeded", "plain", "random search", "seed only")
AUTO, AUTO_BUDGET, AUTO_SETTLED = "auto", 4000, 0.95  # what a budget of "auto" stands for


@dataclass(frozen=True)
class DeCamSettings(Settings):
    """What a search may cost and how it looks at the picture."""

    variant: str = parameter(
        "seeded",
        "Seeded: evolution from a first guess, judged by ranking. Plain: textbook evolution from random masks. "
        "Controls: random search draws from that guess without evolving; seed only spends all on the guess.",
        choices=VARIANTS,
    )
    budget: int = parameter(
        1000, "Images that the model is asked about; more makes a better map and takes longer.", low=200, high=50_000
    )
    population: int = parameter(
        16,
        "Candidate maps that evolve together; more search wider, fewer get more generations (seed only has none).",
        low=6,
        high=128,
    )
    cells: int = parameter(
        10, "Cells a side of the map that evolves; more show finer detail and need a larger budget.", low=3, high=16
    )
    greediness: float = parameter(
        0.2,
        "Share of the fittest towards which the others are drawn; small converges fast (seeded only).",
        low=0.05,
        high=1.0,
        step=0.05,
    )
    fill: str = parameter(
        "blur",
        "What replaces hidden pixels during the search: a blur keeps colours and hides detail, black and noise also "
        "make edges that no photo has; the map follows what this fill hides best.",
        choices=FILLS,
    )
    follow_edges: bool = parameter(
        True, "Fit every map to the image's edges (guided filter) before it is judged; off, the grid is interpolated."
    )
    screening: int = parameter(
        8,
        "Trial vectors bred for each place, of which the one that is expected to be best is evaluated; more converge "
        "faster and rely more on what was learned (seeded and random search).",
        low=1,
        high=64,
    )
    settled: float = parameter(
        0.0,
        "Ends the search once its map has settled. Every 96 evaluations the map is compared with that of half as many. "
        "It has settled once their rank correlation is at least this three times in a row. The budget is then the most "
        "that the search may cost, and the map says how sure each place's rank is. 0 spends the whole budget.",
        low=0.0,
        high=0.999,
        step=0.01,
    )

    @property
    def ends_early(self) -> bool:
        """True if the search ends once its map has settled."""
        return self.settled > 0

    @property
    def estimates(self) -> bool:
        """True but for plain evolution, which asks the model for each fitness."""
        return self.variant != "plain"

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> Self:
        """Settings from names and values; a budget of "auto" is at most 4000 evaluations, and settled 0.95."""
        if values.get("budget") == AUTO:
            values = {"settled": AUTO_SETTLED, **values, "budget": AUTO_BUDGET}
        return super().from_mapping(values)


@dataclass(frozen=True)
class Spending:
    """How a budget is split: random masks first, then generations of a population, each asked as KEEPS says."""

    seeds: int
    generations: int
    population: int

    @classmethod
    def of(cls, settings: DeCamSettings) -> Spending:
        """Seeding saturates early: about 150 of 500, 250 of 1000, 300 of 2000; the rest are whole generations.

        Plain evolution has no more individuals than the budget pays for once.
        """
        population = settings.population
        if settings.variant == "plain":
            population = min(population, settings.budget // 2)
            return cls(0, settings.budget // (population * len(KEEPS)), population)
        if settings.variant == "seed only":
            return cls(settings.budget // 2 * 2, 0, population)
        wanted = _seeds(settings.budget)
        generation = population * len(KEEPS)
        generations = max(0, round((settings.budget - wanted) / generation))
        while generations and settings.budget - generations * generation < wanted / 2:
            generations -= 1
        return cls((settings.budget - generations * generation) // 2 * 2, generations, population)

    @property
    def cost(self) -> int:
        """Evaluations in all."""
        return self.seeds + self.generations * self.population * len(KEEPS)


def _seeds(budget: int) -> float:
    """How many random masks are enough for a first guess."""
    return float(np.interp(budget, (200, 500, 1000, 2000), (80, 150, 250, 300)))


def shortage(settings: DeCamSettings) -> str:
    """What a reader must know where the budget ends before anything evolves, or is smaller than a population."""
    spending = Spending.of(settings)
    if settings.variant == "plain" and spending.population < settings.population:
        paid, wanted = spending.population, settings.population
        return f"{settings.budget} evaluations pay for {paid} individuals in place of {wanted}."
    if settings.variant not in ("seeded", "random search") or spending.generations > 1:
        return ""
    budget = settings.budget
    while Spending.of(replace(settings, budget=budget)).generations < 2:
        budget += 1
    return (
        f"Nothing was {'bred' if settings.variant == 'seeded' else 'drawn'} after the first population: with "
        f"{settings.population} individuals that takes {budget} evaluations."
    )
