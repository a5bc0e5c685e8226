"""DE-CAM: Differential Evolution searches for the pixels that carry a decision, seeing the model's output alone.

Karatsiolis and Kamilaris (2022, arXiv 2209.08906) give the idea: a black-box model, Differential Evolution over what
is shown of the image, a class activation map at the end, paid for in evaluations. No implementation of theirs is
public. The encoding (the ranking of a coarse grid), the fitness over several shares, the seeding by a smooth
regression, the averaging of the best quarter and fitting the map to the picture's edges are this project's own.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from decam.classifier import Classifier
from decam.evolution import DifferentialEvolution, EvolutionSettings, Generation
from decam.explanation import Map, Progress, Question, Steps
from decam.masking import FILLS, MaskedQueries, fill, upsample
from decam.methods.base import Method, Series
from decam.methods.guided import guided
from decam.methods.smooth_ridge import SmoothRidge
from decam.settings import Settings, parameter

KEPT = (0.10, 0.25, 0.50)
REMOVED = (0.05, 0.15, 0.30)
QUESTIONS = len(KEPT) + len(REMOVED)
SHOWN = KEPT.index(0.25)


@dataclass(frozen=True)
class DeCamSettings(Settings):
    """What a search may cost and how it looks at the picture."""

    budget: int = parameter(
        1000, "Images that the model is asked about; more makes a better map and takes longer.", low=200, high=50_000
    )
    population: int = parameter(
        16, "Candidate maps that evolve together; more search wider, fewer get more generations.", low=6, high=128
    )
    cells: int = parameter(
        7, "Cells a side of the map that evolves; more show finer detail and need a larger budget.", low=3, high=16
    )
    greediness: float = parameter(
        0.2,
        "Share of the fittest towards which the others are drawn; small converges fast.",
        low=0.05,
        high=1.0,
        step=0.05,
    )
    fill: str = parameter("blur", "What replaces hidden pixels during the search.", choices=FILLS)
    follow_edges: bool = parameter(
        True, "Fit the finished map to the picture's edges (guided filter); off shows the bare grid, interpolated."
    )


@dataclass(frozen=True)
class Spending:
    """How a budget is split: random masks first, then whole generations."""

    seeds: int
    generations: int

    @classmethod
    def of(cls, settings: DeCamSettings) -> Spending:
        """Seeding saturates early: 150 of 500, 250 of 1000, 300 of 2000 evaluations; the rest are generations."""
        wanted = float(np.interp(settings.budget, (200, 500, 1000, 2000), (80, 150, 250, 300)))
        generation = settings.population * QUESTIONS
        generations = max(0, round((settings.budget - wanted) / generation))
        while generations and settings.budget - generations * generation < wanted / 2:
            generations -= 1
        return cls(seeds=(settings.budget - generations * generation) // 2 * 2, generations=generations)

    def cost(self, settings: DeCamSettings) -> int:
        """Evaluations in all."""
        return self.seeds + self.generations * settings.population * QUESTIONS


def _standardised(genotypes: Tensor) -> Tensor:
    """Each row at zero mean and unit deviation, so that genotypes of the same ranking style can be averaged."""
    centred = genotypes - genotypes.mean(1, keepdim=True)
    return centred / centred.std(1, correction=0, keepdim=True).clamp_min(1e-12)


def rank_masks(genotypes: Tensor, cells: int, size: tuple[int, int]) -> Tensor:
    """Six masks (N·6×1×H×W, True = visible) a genotype: its top 10, 25, 50 % kept, its top 5, 15, 30 % removed."""
    maps = upsample(genotypes.view(-1, cells, cells), size).flatten(1)
    last = [-round(share * maps.shape[1]) for share in (*KEPT, *REMOVED)]
    thresholds = _ascending(maps)[:, last].unsqueeze(2)
    visible = torch.empty(len(maps), QUESTIONS, maps.shape[1], dtype=torch.bool, device=maps.device)
    torch.ge(maps.unsqueeze(1), thresholds[:, : len(KEPT)], out=visible[:, : len(KEPT)])
    torch.lt(maps.unsqueeze(1), thresholds[:, len(KEPT) :], out=visible[:, len(KEPT) :])
    return visible.view(-1, 1, *size)


def _ascending(rows: Tensor) -> Tensor:
    """Each row sorted; on the CPU by numpy, whose vectorised sort takes a fifth of torch's time."""
    if rows.device.type != "cpu":
        return rows.sort(dim=1).values
    return torch.from_numpy(np.sort(rows.numpy(), axis=1))


class _Search:
    """One run of DE-CAM: its random numbers, its questions and everything it has evaluated."""

    def __init__(self, question: Question, settings: DeCamSettings, seed: int) -> None:
        classifier = question.classifier
        self.settings = settings
        self.size = classifier.input_size
        self.target = question.target
        self._image = question.image
        self.spending = Spending.of(settings)
        self.evolution = EvolutionSettings(
            budget=0, control="shade", memory=6, archive=1.0, greediness=settings.greediness
        )
        self.generator = torch.Generator().manual_seed(seed)
        self._ledger = question.ledger
        self._device = question.image.device
        self._queries = MaskedQueries(question, fill(settings.fill, question.image, classifier.mean, seed))
        self._tried: list[Tensor] = []
        self._scores: list[Tensor] = []

    def progress(
        self, saliency: Map | None = None, mask: Map | None = None, curves: dict[str, float] | None = None
    ) -> Progress:
        done = self._ledger.evaluations
        return Progress(done, self.spending.cost(self.settings), done, saliency, mask, curves or {})

    def ask(self, masks: Tensor) -> Generator[Progress, None, Tensor]:
        """The target's probability behind each mask (N, on the CPU)."""
        answers = []
        for batch in self._queries.batches(masks):
            answers.append(batch[:, self.target].cpu())
            yield self.progress()
        return torch.cat(answers)

    def seed(self) -> Generator[Progress, None, SmoothRidge]:
        """Random halves of the grid and their complements, and a smooth regression on what the model said."""
        ridge = SmoothRidge(self.settings.cells)
        left = self.spending.seeds // 2
        while left:
            pairs = min(left, 32)
            left -= pairs
            halves = (torch.rand(pairs, self.settings.cells**2, generator=self.generator) < 0.5).float()
            grids = torch.cat([halves, 1 - halves])
            cells = self.settings.cells
            masks = upsample(grids.view(-1, cells, cells).to(self._device), self.size)
            answers = yield from self.ask(masks)
            ridge.add(grids, answers)
            yield self.progress(saliency=self.map_of(ridge.fit().mean))
        return ridge

    def score(self, genotypes: Tensor) -> Generator[Progress, None, tuple[Tensor, Tensor]]:
        """Rank fitness of genotypes (N×cells²), in [−1, 1], and the target's probability behind their top quarter."""
        masks = rank_masks(genotypes.to(self._device), self.settings.cells, self.size)
        answers = (yield from self.ask(masks)).view(len(genotypes), QUESTIONS)
        kept, removed = answers[:, : len(KEPT)], answers[:, len(KEPT) :]
        fitness = kept.mean(1) - removed.mean(1)
        self._tried.append(_standardised(genotypes))
        self._scores.append(fitness)
        return fitness, answers[:, SHOWN]

    def best_quarter(self) -> Map:
        """Mean of the best quarter of all genotypes ever evaluated, as a map."""
        scores, tried = torch.cat(self._scores), torch.cat(self._tried)
        best = scores.argsort(descending=True, stable=True)[: max(1, len(scores) // 4)]
        return self.map_of(tried[best].mean(0))

    def map_of(self, genotype: Tensor) -> Map:
        """A genotype as a map on its own grid, float32."""
        cells = self.settings.cells
        return genotype.view(cells, cells).numpy().astype(np.float32)

    def finished(self, saliency: Map) -> Map:
        """A map on the grid, interpolated to H×W and fitted to the picture."""
        full: Map = upsample(torch.from_numpy(saliency).unsqueeze(0), self.size)[0, 0].numpy()
        return guided(full, self._image) if self.settings.follow_edges else full

    def event(self, genotype: Tensor, generation: Generation, probability: float) -> Progress:
        """What a page plots after a generation."""
        mask = rank_masks(genotype.unsqueeze(0), self.settings.cells, _THUMBNAIL)[SHOWN, 0].numpy().astype(np.float32)
        curves = {
            "best": generation.best,
            "mean": generation.mean,
            "spread": generation.spread,
            "probability": probability,
            "diversity": generation.diversity,
            "accepted": float(generation.accepted.sum()),
        }
        return self.progress(self.best_quarter(), mask, curves)


_THUMBNAIL = (56, 56)


def de_cam(question: Question, settings: DeCamSettings, seed: int) -> Steps:
    """Seeded Differential Evolution on a rank fitness; the map is the mean of the best quarter of all it has tried."""
    search = _Search(question, settings, seed)
    ridge = yield from search.seed()
    posterior = ridge.fit()
    if search.spending.generations == 0:
        return search.finished(search.map_of(posterior.mean))
    drawn = posterior.draw(settings.population - 1, search.generator)
    population = _standardised(torch.cat([posterior.mean.unsqueeze(0), drawn]))
    drawn_seed = int(torch.randint(2**31, (1,), generator=search.generator))
    evolution = DifferentialEvolution(None, search.evolution, seed=drawn_seed, population=population)
    shown = torch.zeros(settings.population)
    for _ in range(search.spending.generations):
        fitness, answered = yield from search.score(evolution.ask())
        generation = evolution.tell(fitness)
        shown = torch.where(generation.accepted, answered, shown)
        yield search.event(evolution.population[evolution.best], generation, float(shown[evolution.best]))
    return search.finished(search.best_quarter())


def _cost(settings: DeCamSettings, classifier: Classifier) -> int:
    del classifier
    return Spending.of(settings).cost(settings)


DE_CAM = Method(
    name="de-cam",
    title="DE-CAM",
    family="perturbation",
    summary="Evolves a coarse map until what it ranks first carries the decision, from the model's output alone.",
    reference="Karatsiolis & Kamilaris, A model-agnostic approach for generating Saliency Maps (2022)",
    url="https://arxiv.org/abs/2209.08906",
    needs=frozenset({"output"}),
    signed=False,
    settings=DeCamSettings,
    run=de_cam,
    cost=_cost,
    series=(
        Series("best", "Best fitness", "Kept minus removed probability of the fittest map.", "Fitness"),
        Series("mean", "Mean fitness", "Mean over the population.", "Fitness"),
        Series("spread", "Spread", "Standard deviation of the fitness over the population.", "Fitness"),
        Series(
            "probability",
            "Target behind the best mask",
            "Probability with the best map's top quarter kept.",
            "Probability",
        ),
        Series("diversity", "Diversity", "Mean distance of the candidate maps from their mean.", "Diversity"),
        Series(
            "accepted", "Accepted trials", "Trial vectors that replaced their target in this generation.", "Accepted"
        ),
    ),
    default=True,
)
