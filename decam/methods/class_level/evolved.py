"""The input-agnostic map from answers alone: Differential Evolution over a few low waves of lightness and colour.

The aim is that of the white-box method (Akhtar and Jalwana 2023); the search is this project's own. A vector holds the
weights of cosines; it is read as a map at full radius. Its fitness is the mean log-probability of the target over
samples that stay the same throughout the search, so that vectors are compared fairly. Refinement strengthens where
the map itself is strong, and is kept where the answers say so. Estimated gradients (`black_box`) reach more for the
same pictures: a population cannot search as many waves.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from decam.evolution.differential_evolution import DifferentialEvolution, EvolutionSettings
from decam.evolution.operators import Box
from decam.explanation import ClassQuestion, Progress, magnitude
from decam.methods.base import ClassMethod, Series
from decam.methods.class_level import samples
from decam.methods.class_level.asking import Road
from decam.methods.class_level.base import FAMILY, SERIES, OneClass, one_by_one
from decam.methods.class_level.black_box import Waves
from decam.methods.class_level.common import (
    MEASURED,
    FreshSamples,
    fallen_short,
    measured,
    radius_of,
    raised,
    stage_seed,
    unit_length,
    unit_thresholds,
)
from decam.methods.class_level.refinement import refined, region
from decam.methods.support.seeded_globals import generator_of
from decam.settings import Settings, parameter

_DRAWING, _EVOLVING, _REFINING, _MEASURING, _WAITING = range(5)
SMALLEST_POPULATION = 6
FLOOR = 1e-6  # probabilities below this count as this


@dataclass(frozen=True)
class EvolvedSettings(Settings):
    """What the search may cost, and how fine a map may be."""

    budget: int = parameter(12_000, "Images asked while searching.", low=100, high=1_000_000)
    population: int = parameter(24, "Vectors that evolve together.", low=6, high=500)
    batch: int = parameter(6, "Samples on which each vector is judged.", low=1, high=256)
    waves: int = parameter(6, "Cosine waves along each side, the constant one included.", low=2, high=32)
    colour: float = parameter(0.3, "Weight of colour beside lightness; 0 searches lightness alone.", low=0.0, high=1.0)
    samples: str = parameter("scenes", "The images to which the map is added.", choices=samples.CHOICES)
    norm: float = parameter(
        0.25,
        "L2 norm of the map, divided by the root of the number of its values.",
        low=0.001,
        high=1.0,
        step=0.05,
    )
    window: float = parameter(
        0.4, "Radius of the map's place, as a share of the image's side; 0 is anywhere.", low=0.0, high=2.0
    )
    goal: float = parameter(0.95, "The mean probability at which the search stops.", low=0.0, high=1.0, step=0.05)
    refinements: int = parameter(3, "Times the strong regions are strengthened.", low=0, high=100)
    strength: float = parameter(
        0.2, "How much each refinement strengthens them, as a share.", low=0.01, high=5.0, step=0.1
    )
    fresh: int = parameter(64, "Samples on which the finished map is measured.", low=1, high=10_000)

    @property
    def affordable(self) -> tuple[int, int]:
        """Vectors and samples of a generation: as they were set, or fewer where the budget does not pay for one."""
        population = min(self.population, max(SMALLEST_POPULATION, self.budget // self.batch))
        return population, min(self.batch, self.budget // population)


@dataclass(frozen=True)
class Fittest:
    """What a search found: the fittest vector's pattern (3×H×W), and its mean value on the samples.

    `road` and `threshold` are those by which the question was asked.
    """

    pattern: Tensor
    fidelity: float
    road: Road
    threshold: Tensor


def fittest(question: ClassQuestion, settings: EvolvedSettings) -> Generator[Progress, None, Fittest]:
    """The search alone: its pattern is neither refined nor measured."""
    size, seed = question.classifier.input_size, question.seed
    road, draw = Road.of([question]), samples.sampler(settings.samples, question.pictures)
    threshold = unit_thresholds(road, draw, generator_of(stage_seed(seed, _WAITING)), settings.fresh)[0]
    waves = Waves(size, settings.waves, settings.colour, settings.window)
    radius = radius_of(settings.norm, size)
    population, batch = settings.affordable
    if (population, batch) != (settings.population, settings.batch):
        question.ledger.note(
            f"The budget of {settings.budget:,} pays for {population} vectors on {batch} samples each, fewer than were "
            "asked for."
        )
    drawn = draw(batch, size, generator_of(stage_seed(seed, _DRAWING)))
    how = EvolutionSettings(budget=0, control="shade", memory=6, population=population, greediness=0.2)
    box = Box.of(-1.0, 1.0, waves.dimensions, dtype=torch.float32)
    evolution = DifferentialEvolution(box, how, seed=stage_seed(seed, _EVOLVING) >> 32)
    generations = settings.budget // (population * batch)
    fidelity, pattern, standing = 0.0, torch.zeros(3, *size), torch.zeros(population)
    for number in range(1, generations + 1):
        vectors = evolution.ask()
        fitness, values = [], []
        for one in unit_length(waves.pictures(vectors)) * radius:
            answers = road.values(drawn + one, torch.zeros(batch, dtype=torch.long))
            fitness.append(answers.clamp_min(FLOOR).log().mean())
            values.append(raised(answers, threshold.expand(batch)).mean())
            yield Progress(number - 1, generations, question.ledger.evaluations)
        generation, best = evolution.tell(torch.stack(fitness)), evolution.best
        standing = torch.where(generation.accepted, torch.stack(values), standing)
        fidelity = float(standing[best])
        pattern = unit_length(waves.pictures(evolution.population[best][None]))[0] * radius
        curves = {"fidelity": fidelity, "norm": radius, "best": float(evolution.fitness.max())}
        yield Progress(number, generations, question.ledger.evaluations, curves=curves, pattern=pattern.numpy())
        if fidelity >= settings.goal:
            break
    return Fittest(pattern, fidelity, road, threshold)


def evolved(question: ClassQuestion, settings: EvolvedSettings) -> OneClass:
    """The map of the fittest vector, refined."""
    best = yield from fittest(question, settings)
    size, seed, road, threshold = question.classifier.input_size, question.seed, best.road, best.threshold
    draw = samples.sampler(settings.samples, question.pictures)
    pattern, radius = best.pattern, radius_of(settings.norm, size)
    checked = draw(settings.fresh, size, generator_of(stage_seed(seed, _REFINING)))
    for _ in range(settings.refinements):
        where = region(torch.from_numpy(magnitude(pattern.numpy())), size)
        strength = settings.strength
        pattern = refined(road, 0, pattern, where, checked, threshold, strength=strength, radius=radius)
        yield Progress(1, 1, question.ledger.evaluations)
    fresh = FreshSamples.drawn(draw, size, stage_seed(seed, _MEASURING), settings.fresh)
    found = measured(road, 0, pattern, threshold, fresh)
    if best.fidelity < settings.goal:
        question.ledger.note(fallen_short(found.fidelity, settings.goal))
    return found


INPUT_AGNOSTIC_EVOLVED = ClassMethod(
    name="input-agnostic-evolution",
    title="Evolved input-agnostic map",
    family=FAMILY,
    summary="The input-agnostic map from answers alone: Differential Evolution over low waves.",
    reference="Akhtar & Jalwana, Rethinking interpretation: Input-agnostic saliency mapping of deep visual classifiers "
    "(2023), for the aim",
    url="https://arxiv.org/abs/2303.17836",
    formula=r"\arg\max_{w} \; \mathbb{E}_{x}\, \log p_c\bigl(x + \eta\, B w / \lVert B w \rVert_2\bigr)",
    strengths="Asks for answers only, so any model that can be asked can be looked into.",
    misleads="It sees low waves alone: a small or a fine pattern is out of its reach.",
    needs=frozenset({"output"}),
    signed=True,
    settings=EvolvedSettings,
    cost=lambda settings, _: settings.budget + (2 * settings.refinements + MEASURED) * settings.fresh,
    series=(*SERIES, Series("best", "Fitness", "Mean log-probability of the fittest.", detail=True)),
    run=one_by_one(evolved),
)
