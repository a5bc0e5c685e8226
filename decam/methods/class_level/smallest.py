"""The cheapest pattern: how little must be added to any picture at all for the model to see the class.

Steepest ascent from nothing in a measure of choice, until the class has the goal on average; then the pattern is
scaled to where it just has it. What is left is the pattern's cost, by which classes of a model are compared. That an
attacked class is cheap is the idea of Neural Cleanse (Wang et al. 2019); measures and search are this project's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from decam.explanation import ClassMap, ClassQuestion, ClassSteps, Progress
from decam.methods.base import ClassMethod
from decam.methods.class_level import samples
from decam.methods.class_level.asking import Road
from decam.methods.class_level.base import BLACK_BOX_SMALLEST, FAMILY, SERIES, by_seed
from decam.methods.class_level.bases import MEASURES, Measure
from decam.methods.class_level.common import FreshSamples, radius_of, stage_seed, unit_length
from decam.methods.class_level.samples import Size
from decam.methods.class_level.scoring import leads
from decam.methods.support.seeded_globals import generator_of
from decam.settings import Settings, parameter

RECENT = 3  # steps over whose mean a pattern must have the goal
KEPT = 0.8  # of the earlier gradients is kept in a step's
LARGEST = 2.0
SCALES = tuple(LARGEST * 1.25**-step for step in reversed(range(14)))
"""How much of a pattern is tried, rising."""
_CLIMBING, _MEASURING = range(2)


@dataclass(frozen=True)
class SmallestSettings(Settings):
    """In what a pattern is measured, and what the search may cost."""

    basis: str = parameter("pixels", "What a pattern's cost is.", choices=tuple(MEASURES))
    iterations: int = parameter(60, "Steps at most; a pattern that reaches the goal stops earlier.", low=1, high=10_000)
    batch: int = parameter(6, "Samples drawn for each step.", low=1, high=256)
    samples: str = parameter(
        "mixed", "The images of nothing in particular to which the pattern is added.", choices=samples.CHOICES
    )
    goal: float = parameter(0.8, "The mean probability that the pattern must just reach.", low=0.0, high=1.0, step=0.05)
    step: float = parameter(
        0.002,
        "L2 norm of the first step, divided by the root of the number of the map's values.",
        low=0.0001,
        high=1.0,
        step=0.001,
    )
    growth: float = parameter(1.04, "How many times longer each step is than the one before.", low=1.0, high=2.0)
    fresh: int = parameter(24, "Samples on which the pattern is scaled and measured.", low=1, high=10_000)


class _Search:
    """Some questions of one seed about one classifier, answered over the same samples."""

    def __init__(self, questions: Sequence[ClassQuestion], numbers: Sequence[int], settings: SmallestSettings) -> None:
        self.settings, self.numbers = settings, numbers
        self.seed, self.size = questions[0].seed, questions[0].classifier.input_size
        self.road = Road.of(questions)
        self.measure = MEASURES[settings.basis]
        self.draw = samples.sampler(settings.samples, questions[0].pictures)
        self.maps = torch.zeros(len(questions), 3, *self.size)
        self.slopes = torch.zeros_like(self.maps)
        self.recent: list[list[float]] = [[] for _ in questions]
        self.fresh = FreshSamples.drawn(self.draw, self.size, stage_seed(self.seed, _MEASURING), settings.fresh)

    def run(self) -> ClassSteps:
        """All questions: the steps of those that go on, then the maps of all."""
        active = torch.arange(len(self.maps))
        length = radius_of(self.settings.step, self.size)
        for iteration in range(1, self.settings.iterations + 1):
            values = self._climb(active, length, iteration)
            for row, value in zip(active.tolist(), values.tolist(), strict=True):
                self.recent[row] = [*self.recent[row][1 - RECENT :], value]
                yield self.numbers[row], self._progress(row, iteration)
            going = [row for row in active.tolist() if not reached(self.recent[row], self.settings.goal)]
            active = torch.tensor(going, dtype=torch.long)
            if not len(active):
                break
            length *= self.settings.growth
        for row in range(len(self.maps)):
            yield self.numbers[row], self._finished(row)

    def _climb(self, active: Tensor, length: float, iteration: int) -> Tensor:
        """One step of every active pattern; the mean value of each before the step."""
        batch = self.settings.batch
        drawn = self.draw(batch, self.size, generator_of(stage_seed(self.seed, _CLIMBING, iteration)))
        rows = active.repeat_interleave(batch)
        pictures = drawn.repeat(len(active), 1, 1, 1) + self.maps[rows]
        slopes, values = self.road.slopes(pictures, rows)
        mean = slopes.view(len(active), batch, *slopes.shape[1:]).mean(1)
        self.slopes[active] = KEPT * self.slopes[active] + (1 - KEPT) * unit_length(mean)
        self.maps[active] += length * self.measure.steepest(self.slopes[active])
        return values.view(-1, batch).mean(1)

    def _progress(self, row: int, iteration: int) -> Progress:
        curves = {"fidelity": self.recent[row][-1], "norm": float(self.maps[row].norm())}
        asked = self.road.ledgers[row].evaluations
        pattern = self.maps[row].clone().numpy()
        return Progress(iteration, self.settings.iterations, asked, curves=curves, pattern=pattern)

    def _finished(self, row: int) -> ClassMap:
        """The pattern at the smallest scale that has the goal, and its cost."""
        most = most_of(self.settings, self.size)
        return scaled(self.road, row, self.maps[row], self.measure, most, self.settings.goal, self.fresh)


def reached(values: Sequence[float], goal: float) -> bool:
    """True once the mean of the last `RECENT` values has the goal."""
    return len(values) >= RECENT and sum(values[-RECENT:]) / RECENT >= goal


def scaled(
    road: Road,
    row: int,
    pattern: Tensor,
    measure: Measure,
    most: float,
    goal: float,
    fresh: FreshSamples,
    advice: str = "give more iterations",
) -> ClassMap:
    """A pattern (3×H×W) for target `row` at the smallest scale at which its mean value has the goal, and its cost.

    The cost is that of `price_of`. A pattern that falls short at every scale keeps the largest, and the target's ledger
    says so, with `advice`. The model is asked about the fresh samples `len(SCALES) + 2` times.
    """
    rows = torch.full((len(fresh.samples),), row)

    def value(added: Tensor) -> float:
        return float(road.values(fresh.samples + added, rows).mean())

    without, values = value(torch.zeros_like(pattern)), [value(pattern * scale) for scale in SCALES]
    cost = price_of(pattern, measure, without, values, most)
    enough = [place for place, one in enumerate(values) if one >= goal]
    place = enough[0] if enough else len(SCALES) - 1
    if not enough:
        road.ledgers[row].note(f"The pattern reached {values[-1]:.2f}, below the goal of {goal:.2f}: {advice}.")
    found = pattern * SCALES[place]
    norm = float(found.norm())
    return ClassMap(found.numpy().astype(np.float32), values[place], without, value(fresh.noise * norm), norm, cost)


def price_of(pattern: Tensor, measure: Measure, without: float, values: Sequence[float], most: float) -> float:
    """The `price` of a pattern (3×H×W) whose mean value is `values` at `SCALES`, and `without` where it is not there.

    What counts is the gain: (p − p₀) / (1 − p₀), for a mean value of p₀ without it.
    """
    gained = [max(0.0, one - without) / max(1 - without, 1e-6) for one in values]
    return price([float(measure.cost(pattern[None])[0]) * scale for scale in SCALES], gained, most)


def most_of(settings: SmallestSettings, size: Size) -> float:
    """The largest cost that is tried: that of all steps in one direction, at the largest scale."""
    steps = torch.full((settings.iterations,), settings.growth).pow(torch.arange(settings.iterations)).sum()
    return LARGEST * radius_of(settings.step, size) * float(steps)


def price(costs: Sequence[float], values: Sequence[float], most: float) -> float:
    """What a class costs: most · exp(−∫ p d log c), the integral over costs c up to `most`.

    `values` are the gains p in [0, 1] at rising `costs`; beyond the last cost the last value holds. Where p jumps
    from 0 to 1 at one cost, the price is that cost; where p is low at every cost, the price is near `most`.
    """
    if not costs[0] > 0:
        return most
    logs = [math.log(cost) for cost in costs]
    heights = [(one + other) / 2 for one, other in pairwise(values)]
    area = sum(height * (after - before) for height, (before, after) in zip(heights, pairwise(logs), strict=True))
    return most * math.exp(-area - values[-1] * max(0.0, math.log(most) - logs[-1]))


def smallest(questions: Sequence[ClassQuestion], settings: SmallestSettings) -> ClassSteps:
    """The cheapest patterns of some classes; those of one seed are asked in joint batches over the same samples."""
    for numbers in by_seed(questions):
        yield from _Search([questions[number] for number in numbers], numbers, settings).run()


SMALLEST = ClassMethod(
    name="smallest",
    title="Cheapest pattern",
    family=FAMILY,
    summary="The smallest change to any image that makes the class win.",
    reference="Wang et al., Neural Cleanse: Identifying and Mitigating Backdoor Attacks in Neural Networks (2019), for "
    "the aim",
    url="https://doi.org/10.1109/SP.2019.00031",
    formula=r"\min_\delta \; \lVert \delta \rVert_b \;\text{ where }\; \mathbb{E}_x\, p_c(x + \delta) \ge g",
    strengths="An attacker's trigger makes its class cheap, and the pattern shows where and how.",
    misleads="A class may be cheap without an attacker: one that resembles noise or a plain colour.",
    needs=frozenset({"gradients"}),
    signed=True,
    settings=SmallestSettings,
    cost=lambda settings, _: settings.iterations * settings.batch + (len(SCALES) + 2) * settings.fresh,
    series=SERIES,
    run=smallest,
    scores=lambda settings, costs: leads(costs, MEASURES[settings.basis].spread),
    instead=BLACK_BOX_SMALLEST,
)
