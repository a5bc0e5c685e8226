"""The input-agnostic map from answers alone: a gradient estimated from pairs of answers, over low waves of lightness.

The aim is that of the white-box method (Akhtar and Jalwana 2023). The search is natural evolution strategies with
mirrored tries (Wierstra et al. 2014; Salimans et al. 2017, equation 1; Ilyas et al. 2018 for pictures): of many random
waves each is added to the map and taken away from it, and what the answers gain weighs the wave,

    g = Σ (log p(x + δ + u) − log p(x + δ − u)) u.

Each pair is asked on one sample, which its two answers share, so that what differs between samples drops out. Steps
are as in the white-box method: the first moment of g, at a given length, projected onto the ball. Refinement
strengthens where the map itself is strong, and is kept where the answers say so.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from decam.explanation import ClassQuestion, Progress, magnitude
from decam.methods.base import ClassMethod
from decam.methods.class_level import samples
from decam.methods.class_level.asking import Road
from decam.methods.class_level.base import BLACK_BOX, FAMILY, SERIES, OneClass, one_by_one
from decam.methods.class_level.common import (
    MEASURED,
    FreshSamples,
    Moments,
    fallen_short,
    measured,
    project,
    radius_of,
    raised,
    stage_seed,
    unit_length,
    unit_thresholds,
    window_of,
)
from decam.methods.class_level.refinement import refined, region
from decam.methods.class_level.samples import Size
from decam.methods.support.seeded_globals import generator_of
from decam.settings import Settings, parameter

_DRAWING, _TRYING, _REFINING, _MEASURING, _WAITING = range(5)
FLOOR = 1e-6  # probabilities below this count as this
LAST = 0.2  # of the step size is left at the budget's end
RECENT = 4  # steps over whose mean the tries must reach the goal


@dataclass(frozen=True)
class BlackBoxSettings(Settings):
    """What the search may cost, and how fine a map may be."""

    budget: int = parameter(20_000, "Images asked while searching.", low=100, high=1_000_000)
    pairs: int = parameter(96, "Random waves tried for each step; each takes two images.", low=2, high=4096)
    reach: float = parameter(
        0.2,
        "Length of a try, as a share of the norm; a short one is drowned by rounding, a long one blurs.",
        low=0.001,
        high=1.0,
        step=0.05,
    )
    step: float = parameter(0.15, "Length of the first steps, as a share of the norm.", low=0.001, high=1.0, step=0.05)
    waves: int = parameter(
        24,
        "Cosine waves along each side, the constant one included; more show finer detail and need more budget.",
        low=2,
        high=64,
    )
    colour: float = parameter(0.0, "Weight of colour beside lightness; 0 searches lightness alone.", low=0.0, high=1.0)
    samples: str = parameter("scenes", "The images to which the map is added.", choices=samples.CHOICES)
    pool: int = parameter(64, "Samples that are drawn once and asked about in turn.", low=1, high=10_000)
    norm: float = parameter(
        0.3,
        "Largest L2 norm of the map, divided by the root of the number of its values.",
        low=0.001,
        high=1.0,
        step=0.05,
    )
    window: float = parameter(
        0.3, "Radius of the map's place, as a share of the image's side; 0 is anywhere.", low=0.0, high=2.0
    )
    goal: float = parameter(0.95, "The mean probability at which the search stops.", low=0.0, high=1.0, step=0.05)
    refinements: int = parameter(0, "Times the strong regions are strengthened.", low=0, high=100)
    strength: float = parameter(
        0.2, "How much each refinement strengthens them, as a share.", low=0.01, high=5.0, step=0.1
    )
    fresh: int = parameter(64, "Samples on which the finished map is measured.", low=1, high=10_000)


class Waves:
    """Vectors read as pictures: weights of cosines cos(π j y) cos(π k x), falling as 1/√(1 + j² + k²), in each axis.

    The first axis is lightness; with `colour` above 0 red − green and yellow − blue follow, weighted by it.
    """

    def __init__(self, size: Size, waves: int, colour: float, window: float) -> None:
        places = [(torch.arange(side) + 0.5) / side for side in size]
        self._down, self._across = (torch.cos(math.pi * torch.arange(waves)[:, None] * place) for place in places)
        order = torch.arange(waves)
        self._weight = 1 / torch.sqrt(1 + order[:, None] ** 2 + order[None] ** 2)
        self._window = window_of(size, window)
        axes = torch.tensor([[1.0, 1.0, 1.0], [1.0, -1.0, 0.0], [0.5, 0.5, -1.0]])
        axes = axes / axes.norm(dim=1, keepdim=True) * torch.tensor([[1.0], [colour], [colour]])
        self._axes = axes if colour else axes[:1]

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return len(self._axes) * self._weight.numel()

    def pictures(self, vectors: Tensor) -> Tensor:
        """N×D to N×3×H×W, linear."""
        weights = vectors.view(len(vectors), len(self._axes), *self._weight.shape) * self._weight
        shapes = torch.einsum("jy,najx->nayx", self._down, torch.einsum("najk,kx->najx", weights, self._across))
        return torch.einsum("nayx,ac->ncyx", shapes, self._axes) * self._window


class _Search:
    """The search for one question's map."""

    def __init__(self, question: ClassQuestion, settings: BlackBoxSettings) -> None:
        self.settings, self.question = settings, question
        self.size, self.seed = question.classifier.input_size, question.seed
        self.road, self.draw = Road.of([question]), samples.sampler(settings.samples, question.pictures)
        self.threshold = unit_thresholds(self.road, self.draw, self._random(_WAITING), settings.fresh)
        self.waves = Waves(self.size, settings.waves, settings.colour, settings.window)
        self.radius = radius_of(settings.norm, self.size)
        self.pool = self.draw(settings.pool, self.size, self._random(_DRAWING))
        self.moments = Moments(each=False)
        self.pattern = torch.zeros(3, *self.size)
        self.pairs = min(settings.pairs, settings.budget // 2)
        if self.pairs < settings.pairs:
            question.ledger.note(
                f"The budget of {settings.budget:,} pays for {self.pairs} pairs a step, fewer than were asked for."
            )
        self.steps = settings.budget // (2 * self.pairs)
        self.fidelity = 0.0

    def run(self) -> OneClass:
        """Steps until the goal or the budget's end, refinement, and the finished map."""
        settings = self.settings
        recent: list[float] = []
        for number in range(1, self.steps + 1):
            yield from self._climb(number)
            recent = [*recent[1 - RECENT :], self.fidelity]
            if len(recent) == RECENT and sum(recent) / RECENT >= settings.goal:
                break
        checked = self.draw(settings.fresh, self.size, self._random(_REFINING))
        for _ in range(settings.refinements):
            self._refine(checked)
            yield self._progress(self.steps)
        fresh = FreshSamples.drawn(self.draw, self.size, stage_seed(self.seed, _MEASURING), settings.fresh)
        found = measured(self.road, 0, self.pattern, self.threshold[0], fresh)
        if sum(recent) / len(recent) < settings.goal:
            self.question.ledger.note(fallen_short(found.fidelity, settings.goal))
        return found

    def _random(self, *stage: int) -> torch.Generator:
        return generator_of(stage_seed(self.seed, *stage))

    def _progress(self, step: int) -> Progress:
        curves = {"fidelity": self.fidelity, "norm": float(self.pattern.norm())}
        asked = self.question.ledger.evaluations
        return Progress(step, self.steps, asked, curves=curves, pattern=self.pattern.clone().numpy())

    def _climb(self, number: int) -> Generator[Progress, None, None]:
        """One step along the estimated gradient; an event after each batch of pairs."""
        settings, generator = self.settings, self._random(_TRYING, number)
        tries = torch.randn(self.pairs, self.waves.dimensions, generator=generator)
        chosen = torch.randint(settings.pool, (self.pairs,), generator=generator)
        gains, values = [], []
        together = max(1, self.question.classifier.execution.batch_size)
        for vectors, places in zip(torch.split(tries, together), torch.split(chosen, together), strict=True):
            moves = unit_length(self.waves.pictures(vectors)) * (settings.reach * self.radius)
            here = self.pool[places] + self.pattern
            answers = self._values(torch.cat([here + moves, here - moves]))
            with_it, without_it = answers.clamp_min(FLOOR).log().chunk(2)
            gains.append(with_it - without_it)
            values.append(raised(answers, self.threshold.expand(len(answers))))
            yield Progress(number - 1, self.steps, self.question.ledger.evaluations)
        slope = (torch.cat(gains)[:, None] * tries).mean(0, keepdim=True)
        direction = unit_length(self.waves.pictures(self.moments.step(slope)))[0]
        fading = 1 - (1 - LAST) * (number - 1) / self.steps
        step = direction * (settings.step * fading * self.radius)
        self.pattern = project((self.pattern + step)[None], self.radius)[0]
        self.fidelity = float(torch.cat(values).mean())
        yield self._progress(number)

    def _values(self, pictures: Tensor) -> Tensor:
        return self.road.values(pictures, torch.zeros(len(pictures), dtype=torch.long))

    def _refine(self, checked: Tensor) -> None:
        """Strengthen where the map is strong, and keep it if fidelity has not fallen."""
        where = region(torch.from_numpy(magnitude(self.pattern.numpy())), self.size)
        threshold, strength = self.threshold[0], self.settings.strength
        self.pattern = refined(
            self.road, 0, self.pattern, where, checked, threshold, strength=strength, radius=self.radius
        )


def black_box(question: ClassQuestion, settings: BlackBoxSettings) -> OneClass:
    """The map to which estimated gradients lead, refined."""
    return _Search(question, settings).run()


INPUT_AGNOSTIC_BLACK_BOX = ClassMethod(
    name=BLACK_BOX,
    title="Black-box input-agnostic map",
    family=FAMILY,
    summary="The input-agnostic map from answers alone: gradients are estimated from pairs of answers, over low waves.",
    reference="Akhtar & Jalwana, Rethinking interpretation: Input-agnostic saliency mapping of deep visual classifiers "
    "(2023), for the aim",
    url="https://arxiv.org/abs/2303.17836",
    formula=r"\delta \leftarrow \mathcal{P}\Bigl(\delta + \alpha \sum_i \log\tfrac{p_c(x_i + \delta + u_i)}"
    r"{p_c(x_i + \delta - u_i)}\, u_i\Bigr)",
    strengths="Asks for answers only, so any model that can be asked can be looked into.",
    misleads="It sees low waves alone: a small or a fine pattern is out of its reach.",
    needs=frozenset({"output"}),
    signed=True,
    settings=BlackBoxSettings,
    cost=lambda settings, _: settings.budget + (2 * settings.refinements + MEASURED) * settings.fresh,
    series=SERIES,
    run=one_by_one(black_box),
)
