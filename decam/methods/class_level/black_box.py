"""The input-agnostic map from answers alone: Differential Evolution over a few low waves of lightness and colour.

The aim is that of the white-box method (Akhtar and Jalwana 2023); the search is this project's own. A vector holds the
weights of cosines; it is read as a map at full radius. Its fitness is the mean log-probability of the target over
samples that stay the same throughout the search, so that vectors are compared fairly. Refinement strengthens where
the map itself is strong, and is kept where the answers say so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from decam.evolution.differential_evolution import DifferentialEvolution, EvolutionSettings
from decam.evolution.operators import Box
from decam.explanation import Progress
from decam.methods.class_level import samples
from decam.methods.class_level.asking import Road
from decam.methods.class_level.base import ClassMethod, ClassQuestion, ClassSteps
from decam.methods.class_level.common import (
    finished,
    magnitude,
    measure,
    radius_of,
    raised,
    unit_length,
    unit_thresholds,
    window_of,
)
from decam.methods.class_level.refinement import region, strengthened
from decam.methods.class_level.samples import Size
from decam.methods.support.seeded_globals import generator_of
from decam.settings import Settings, parameter

FLOOR = 1e-6  # probabilities below this count as this


@dataclass(frozen=True)
class BlackBoxSettings(Settings):
    """What the search may cost, and how fine a map may be."""

    budget: int = parameter(12_000, "Pictures asked while searching.", low=100, high=1_000_000)
    population: int = parameter(24, "Vectors that evolve together.", low=6, high=500)
    batch: int = parameter(6, "Samples on which each vector is judged.", low=1, high=256)
    waves: int = parameter(6, "Half waves a side of the finest cosine, and one.", low=2, high=32)
    colour: float = parameter(0.0, "Weight of colour beside lightness; 0 searches lightness alone.", low=0.0, high=1.0)
    samples: str = parameter("scenes", "The pictures to which the map is added.", choices=samples.CHOICES)
    radius: float = parameter(0.25, "Root mean square of the map's values.", low=0.001, high=1.0, step=0.05)
    window: float = parameter(0.4, "Radius of the place of the map, in sides; 0 is anywhere.", low=0.0, high=2.0)
    goal: float = parameter(0.95, "The mean probability at which the search stops.", low=0.0, high=1.0, step=0.05)
    refinements: int = parameter(3, "Times the strong regions are strengthened.", low=0, high=100)
    strength: float = parameter(0.2, "Share by which a refinement strengthens.", low=0.01, high=5.0, step=0.1)
    fresh: int = parameter(64, "Samples on which the finished map is measured.", low=1, high=10_000)


class Waves:
    """Vectors read as maps: weights of cosines cos(π j y) cos(π k x), falling as 1/√(1 + j² + k²), in each axis.

    The first axis is lightness; with `colour` above 0 red − green and yellow − blue follow, weighted by it.
    """

    def __init__(self, size: Size, waves: int, colour: float, window: float) -> None:
        places = [(torch.arange(side) + 0.5) / side for side in size]
        down, across = (torch.cos(math.pi * torch.arange(waves)[:, None] * place) for place in places)
        order = torch.arange(waves)
        weight = 1 / torch.sqrt(1 + order[:, None] ** 2 + order[None] ** 2)
        shapes = torch.einsum("jy,kx,jk->jkyx", down, across, weight).flatten(0, 1)
        self._shapes = shapes * window_of(size, window)
        axes = torch.tensor([[1.0, 1.0, 1.0], [1.0, -1.0, 0.0], [0.5, 0.5, -1.0]])
        axes = axes / axes.norm(dim=1, keepdim=True) * torch.tensor([[1.0], [colour], [colour]])
        self._axes = axes if colour else axes[:1]

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return len(self._axes) * len(self._shapes)

    def maps(self, vectors: Tensor, radius: float) -> Tensor:
        """N×D to N×3×H×W, each at that norm."""
        weights = vectors.view(len(vectors), len(self._axes), len(self._shapes))
        return unit_length(torch.einsum("nas,ac,syx->ncyx", weights, self._axes, self._shapes)) * radius


def black_box(question: ClassQuestion, settings: BlackBoxSettings, seed: int) -> ClassSteps:
    """The map of the fittest vector, refined."""
    size = question.classifier.input_size
    road = Road(question.classifier, (question.targets,), question.ledger)
    draw, generator = samples.sampler(settings.samples, question.pictures), generator_of(seed)
    own, measuring = torch.randint(2**31, (2,), generator=generator).tolist()
    thresholds = unit_thresholds(road, draw, generator, settings.fresh)
    waves = Waves(size, settings.waves, settings.colour, settings.window)
    radius = radius_of(settings.radius, size)
    drawn = draw(settings.batch, size, generator)
    how = EvolutionSettings(budget=0, control="shade", memory=6, population=settings.population, greediness=0.2)
    evolution = DifferentialEvolution(Box.of(-1.0, 1.0, waves.dimensions, dtype=torch.float32), how, seed=own)
    generations = max(1, settings.budget // (settings.population * settings.batch))
    history: list[float] = []
    reached = False
    colours = torch.zeros(3, *size)
    for number in range(generations):
        asked = evolution.ask()
        fitness = torch.empty(len(asked))
        values = torch.empty(len(asked))
        for place, one in enumerate(waves.maps(asked, radius)):
            answers = road.values(drawn + one, torch.zeros(settings.batch, dtype=torch.long))
            fitness[place] = answers.clamp_min(FLOOR).log().mean()
            values[place] = raised(answers, thresholds[0]).mean()
            yield Progress(number, generations + settings.refinements, question.ledger.evaluations)
        evolution.tell(fitness)
        colours = waves.maps(evolution.population[evolution.best][None], radius)[0]
        history.append(max([*history[-1:], float(values.max())]))
        curves = {"fidelity": history[-1], "norm": radius, "best": float(evolution.fitness.max())}
        saliency = magnitude(colours.numpy())
        total = generations + settings.refinements
        yield Progress(number + 1, total, question.ledger.evaluations, saliency, None, curves)
        reached = history[-1] >= settings.goal
        if reached:
            break
    checked = draw(settings.fresh, size, generator)
    rows = torch.zeros(settings.fresh, dtype=torch.long)
    for number in range(settings.refinements):
        where = region(torch.from_numpy(magnitude(colours.numpy())), size)
        stronger = strengthened(colours[None], where[None], settings.strength, radius)[0]
        before, after = (
            float(raised(road.values(checked + one, rows), thresholds[0]).mean()) for one in (colours, stronger)
        )
        colours = stronger if after >= before else colours
        total = generations + settings.refinements
        yield Progress(generations + number + 1, total, question.ledger.evaluations)
    measured = measure(road, colours[None], thresholds, draw, measuring, settings.fresh)
    (found,) = finished(road, colours[None], measured, [history], [reached], settings.goal)
    return found


BLACK_BOX = ClassMethod(
    name="input-agnostic-black-box",
    title="Black-box input-agnostic map",
    summary="The same map from answers alone: Differential Evolution over low waves.",
    reference="Akhtar & Jalwana, Rethinking interpretation: Input-agnostic saliency mapping of deep visual classifiers "
    "(AAAI 2023), for the aim",
    url="https://arxiv.org/abs/2303.17836",
    needs=frozenset({"output"}),
    settings=BlackBoxSettings,
    run=black_box,
)
