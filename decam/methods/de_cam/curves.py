"""The curves that a search reports, one value of each a generation."""

from __future__ import annotations

from decam.evolution.generation import Generation
from decam.methods.base import Series

CURVES = (
    Series(
        "best",
        "Best fitness",
        "Probability with the fittest map's top regions kept, minus the probability with them removed, estimated over "
        "many shares. Plain variant: of its one mask, minus the area that it shows.",
        "Fitness",
    ),
    Series("mean", "Mean fitness", "Mean over the population.", "Fitness"),
    Series("spread", "Spread", "Standard deviation of the fitness over the population.", "Fitness"),
    Series(
        "probability",
        "Target behind the best mask",
        "Expected probability with the fittest map's top quarter kept. Plain variant: behind its mask.",
        "Probability",
        share=True,
    ),
    Series(
        "diversity",
        "Diversity",
        "Mean distance of the candidate maps from their mean; at unit deviation where they are judged by ranking.",
        "Diversity",
    ),
    Series("accepted", "Accepted trials", "Trial vectors that replaced their target in this generation.", "Accepted"),
    Series("weight", "F", "Differential weight: how far a mutant goes, mean over the trials.", "F and CR", True),
    Series("rate", "CR", "Crossover rate: how much of the mutant a trial takes, mean.", "F and CR", True),
)


def values_of(generation: Generation, apart: float, probability: float) -> dict[str, float]:
    """A generation's values by the names of CURVES; `apart` is its diversity, `probability` that of its best mask."""
    values = {
        "best": generation.best,
        "mean": generation.mean,
        "spread": generation.spread,
        "probability": probability,
        "diversity": apart,
    }
    if generation.bred is not None:  # a first generation has no trials
        values["accepted"] = float(generation.accepted.sum())
        if generation.bred.recipe:
            values["weight"] = float(generation.bred.weights.mean())
            values["rate"] = float(generation.bred.rates.mean())
    return values
