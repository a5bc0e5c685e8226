"""DE-CAM: Differential Evolution searches for the pixels that carry a decision, seeing the model's output alone.

Karatsiolis and Kamilaris (2022, arXiv 2209.08906) give the idea: a black-box model, Differential Evolution over what
is shown of the image, a class activation map at the end, paid for in evaluations. No implementation of theirs is
public. The encoding (the ranking of a coarse grid fitted to the picture's edges), the fitness over several shares, the
seeding by a smooth regression, the screening of trial vectors by a Gaussian process and the averaging of the best
quarter are this project's own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from decam.breeding import Breeding
from decam.classifier import Classifier
from decam.evolution import DifferentialEvolution, EvolutionSettings, Generation, Screen
from decam.explanation import Map, Progress, Question, Steps
from decam.masking import FILLS, MaskedQueries, fill, upsample
from decam.methods.base import Method, Series
from decam.methods.encoding import Encoding, rank_masks
from decam.methods.smooth_ridge import SmoothRidge
from decam.methods.surrogate import Surrogate
from decam.operators import Box
from decam.settings import Settings, parameter
from decam.trace import Asked, Trace

VARIANTS = ("seeded", "plain", "random search", "seed only")
KEPT = (0.10, 0.25, 0.50)
REMOVED = (0.05, 0.15, 0.30)
QUESTIONS = len(KEPT) + len(REMOVED)
SHOWN = KEPT.index(0.25)


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
        16, "Candidate maps that evolve together; more search wider, fewer get more generations.", low=6, high=128
    )
    cells: int = parameter(
        10, "Cells a side of the map that evolves; more show finer detail and need a larger budget.", low=3, high=16
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
        True, "Fit every map to the picture's edges (guided filter) before it is judged; off, the grid is interpolated."
    )
    screening: int = parameter(
        8,
        "Trial vectors bred for each place; the one that a regression on all answers so far finds best is evaluated. "
        "1 evaluates each as it is bred.",
        low=1,
        high=64,
    )


@dataclass(frozen=True)
class Spending:
    """How a budget is split: random masks first, then whole generations at so many evaluations an individual."""

    seeds: int
    generations: int
    each: int = QUESTIONS

    @classmethod
    def of(cls, settings: DeCamSettings) -> Spending:
        """Seeding saturates early: 150 of 500, 250 of 1000, 300 of 2000 evaluations; the rest are generations."""
        if settings.variant == "plain":
            return cls(seeds=0, generations=max(1, settings.budget // (settings.population * 2)), each=2)
        if settings.variant == "seed only":
            return cls(seeds=settings.budget // 2 * 2, generations=0)
        wanted = float(np.interp(settings.budget, (200, 500, 1000, 2000), (80, 150, 250, 300)))
        generation = settings.population * QUESTIONS
        generations = max(0, round((settings.budget - wanted) / generation))
        while generations and settings.budget - generations * generation < wanted / 2:
            generations -= 1
        return cls(seeds=(settings.budget - generations * generation) // 2 * 2, generations=generations)

    def cost(self, settings: DeCamSettings) -> int:
        """Evaluations in all."""
        return self.seeds + self.generations * settings.population * self.each


def _standardised(genotypes: Tensor) -> Tensor:
    """Each row at zero mean and unit deviation, so that genotypes of the same ranking style can be averaged."""
    centred = genotypes - genotypes.mean(1, keepdim=True)
    return centred / centred.std(1, correction=0, keepdim=True).clamp_min(1e-12)


class _Search:
    """One run of DE-CAM: its random numbers, its questions and everything it has evaluated."""

    def __init__(self, question: Question, settings: DeCamSettings, seed: int) -> None:
        classifier = question.classifier
        self.settings = settings
        self.size = classifier.input_size
        self.target = question.target
        self.encoding = Encoding(settings.cells, question.image, settings.follow_edges)
        self.surrogate = Surrogate() if settings.screening > 1 and settings.variant != "plain" else None
        self.spending = Spending.of(settings)
        self.generator = torch.Generator().manual_seed(seed)
        self._ledger = question.ledger
        self._device = question.image.device
        self._queries = MaskedQueries(question, fill(settings.fill, question.image, classifier.mean, seed))
        self._tried: list[Tensor] = []
        self._scores: list[Tensor] = []

    def draw_seed(self) -> int:
        """A seed for somebody else's random numbers."""
        return int(torch.randint(2**31, (1,), generator=self.generator))

    def progress(
        self,
        saliency: Map | None = None,
        mask: Map | None = None,
        curves: dict[str, float] | None = None,
        trace: Trace | None = None,
    ) -> Progress:
        done = self._ledger.evaluations
        return Progress(done, self.spending.cost(self.settings), done, saliency, mask, curves or {}, trace)

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
            self.learn(masks[:, 0], answers)
            yield self.progress(saliency=self.map_of(ridge.fit().mean))
        return ridge

    def learn(self, masks: Tensor, answers: Tensor) -> None:
        """What the model answered to masks (N×h×w), where trial vectors are screened by it."""
        if self.surrogate is not None:
            self.surrogate.add(masks, answers)

    def screen(self, genotypes: Tensor) -> Tensor:
        """The rank fitness that genotypes (N×cells²) are expected to have."""
        assert self.surrogate is not None
        masks = rank_masks(self.encoding.thumbnails(genotypes), KEPT, REMOVED)
        return _fitness(self.surrogate.predict(masks.flatten(0, 1)).view(-1, QUESTIONS))

    def score(self, genotypes: Tensor) -> Generator[Progress, None, tuple[Tensor, Tensor]]:
        """Rank fitness of genotypes (N×cells²), in [−1, 1], and the target's probability behind each mask (N×6)."""
        masks = rank_masks(self.encoding.maps(genotypes), KEPT, REMOVED)
        answers = yield from self.ask(masks.flatten(0, 1).unsqueeze(1))
        self.learn(rank_masks(self.encoding.thumbnails(genotypes), KEPT, REMOVED).flatten(0, 1), answers)
        answers = answers.view(len(genotypes), QUESTIONS)
        fitness = _fitness(answers)
        self._tried.append(_standardised(genotypes))
        self._scores.append(fitness)
        return fitness, answers

    def score_alone(self, genotypes: Tensor) -> Generator[Progress, None, tuple[Tensor, Tensor]]:
        """Fitness of genotypes in [0, 1] as masks: probability kept minus probability removed minus visible area.

        N×cells² to fitness in [−2, 1], and the target's probability behind each mask and without it (N×2).
        """
        masks = self.encoding.maps(genotypes).clamp_(0, 1).unsqueeze(1)
        kept, removed = (yield from self.ask(torch.cat([masks, 1 - masks]))).chunk(2)
        self._tried.append(genotypes)
        self._scores.append(kept - removed - genotypes.mean(1))
        return self._scores[-1], torch.stack([kept, removed], dim=1)

    def best(self, share: float = 0.25) -> Tensor:
        """Mean of the best share (of one, if it is 0) of all genotypes ever evaluated, a genotype."""
        scores, tried = torch.cat(self._scores), torch.cat(self._tried)
        best = scores.argsort(descending=True, stable=True)[: max(1, int(len(scores) * share))]
        return tried[best].mean(0)

    def map_of(self, genotype: Tensor) -> Map:
        """A genotype as a small map for whoever watches, float32."""
        small: Map = self.encoding.thumbnails(genotype.unsqueeze(0))[0].cpu().numpy()
        return small

    def finished(self, genotype: Tensor) -> Map:
        """A genotype as a map, H×W float32."""
        full: Map = self.encoding.maps(genotype.unsqueeze(0))[0].cpu().numpy()
        return full

    def event(self, mask: Tensor, genotype: Tensor, generation: Generation, asked: tuple[Asked, ...]) -> Progress:
        """What a page plots and shows after a generation: the fittest's mask, the map so far, what was asked for it."""
        curves = {
            "best": generation.best,
            "mean": generation.mean,
            "spread": generation.spread,
            "probability": next(picture.probability for picture in asked if picture.share in (0.0, KEPT[SHOWN])),
            "diversity": generation.diversity,
            "accepted": float(generation.accepted.sum()),
        }
        if generation.bred is not None and generation.bred.recipe:
            curves["weight"] = float(generation.bred.weights.mean())
            curves["rate"] = float(generation.bred.rates.mean())
        trace = Trace.of(generation, (self.settings.cells, self.settings.cells), asked)
        return self.progress(self.map_of(genotype), mask.cpu().numpy().astype(np.float32), curves, trace)


def _asked(answers: Tensor, kept: tuple[float, ...], removed: tuple[float, ...]) -> tuple[Asked, ...]:
    """What one individual was judged by, from the target's probabilities for its kept shares and its removed ones."""
    shares = [(True, share) for share in kept] + [(False, share) for share in removed]
    return tuple(Asked(keeps, share, value) for (keeps, share), value in zip(shares, answers.tolist(), strict=True))


def _fitness(answers: Tensor) -> Tensor:
    """Mean probability behind what is kept minus that behind what is left (N×6 to N)."""
    return answers[:, : len(KEPT)].mean(1) - answers[:, len(KEPT) :].mean(1)


class RandomSearch:
    """The control of a seeded search: trial vectors drawn anew from the guess, selected as evolution selects."""

    def __init__(self, first: Tensor, draw: Callable[[int], Tensor]) -> None:
        self.population = first
        self._fitness = torch.full((len(first),), -torch.inf)
        self._draw = draw
        self._asked: Tensor | None = first

    @property
    def best(self) -> int:
        """Index of the fittest individual."""
        return int(self._fitness.argmax())

    def ask(self, screen: Screen | None = None, candidates: int = 1) -> Tensor:
        """Vectors whose fitness is wanted (N×D): of so many candidates for each place the one that `screen` prefers."""
        if self._asked is None:
            count = len(self.population)
            self._asked = self._draw(count)
            if screen is not None:
                drawn = torch.cat([self._asked, self._draw(count * (candidates - 1))])
                chosen = screen(drawn).cpu().view(candidates, count).argmax(0)
                self._asked = drawn.view(candidates, count, -1)[chosen, torch.arange(count)]
        return self._asked

    def tell(self, fitness: Tensor) -> Generation:
        """Keep each of the vectors last asked for that is at least as good as the one in its place."""
        asked = self.ask()
        accepted = fitness >= self._fitness
        bred = None if asked is self.population else self._drawn(asked, fitness, accepted)
        self.population = torch.where(accepted.unsqueeze(1), asked, self.population)
        self._fitness = torch.maximum(fitness, self._fitness)
        self._asked = None
        return Generation(accepted, self.population, self._fitness, bred)

    def _drawn(self, asked: Tensor, fitness: Tensor, accepted: Tensor) -> Breeding:
        """Trials without parents."""
        none = torch.full((len(fitness), 1), torch.nan)
        no_parents = torch.zeros(0, len(fitness), dtype=torch.int64)
        return Breeding(
            self.population, (), no_parents, no_parents, none, none, asked, asked, self._fitness, fitness, accepted
        )


def de_cam(question: Question, settings: DeCamSettings, seed: int) -> Steps:
    """Differential Evolution on what is shown of a picture; `settings.variant` says in which form."""
    search = _Search(question, settings, seed)
    return (yield from (_plain(search) if settings.variant == "plain" else _seeded(search)))


def _seeded(search: _Search) -> Steps:
    """A rank fitness, from a smooth guess on; the map is the mean of the best quarter of all that was tried."""
    settings = search.settings
    ridge = yield from search.seed()
    posterior = ridge.fit()
    if search.spending.generations == 0:
        return search.finished(posterior.mean)

    def drawn(count: int) -> Tensor:
        return _standardised(posterior.draw(count, search.generator))

    first = torch.cat([_standardised(posterior.mean.unsqueeze(0)), drawn(settings.population - 1)])
    evolution: DifferentialEvolution | RandomSearch
    if settings.variant == "random search":
        evolution = RandomSearch(first, drawn)
    else:
        how = EvolutionSettings(budget=0, control="shade", memory=6, archive=1.0, greediness=settings.greediness)
        evolution = DifferentialEvolution(None, how, seed=search.draw_seed(), population=first)
    shown = torch.zeros(settings.population, QUESTIONS)
    for _ in range(search.spending.generations):
        if search.surrogate is not None:
            search.surrogate.fit()
            asked = evolution.ask(search.screen, settings.screening)
        else:
            asked = evolution.ask()
        fitness, answered = yield from search.score(asked)
        generation = evolution.tell(fitness)
        shown = torch.where(generation.accepted.unsqueeze(1), answered, shown)
        best = evolution.best
        mask = rank_masks(search.encoding.thumbnails(evolution.population[best].unsqueeze(0)), KEPT, ())[0, SHOWN]
        yield search.event(mask, search.best(), generation, _asked(shown[best], KEPT, REMOVED))
    return search.finished(search.best())


def _plain(search: _Search) -> Steps:
    """Storn and Price's rand/1/bin (F 0.5, CR 0.9) on masks from a uniform start; the map is the fittest mask."""
    settings = search.settings
    how = EvolutionSettings(
        budget=0,
        control="fixed",
        weight=0.5,
        rate=0.9,
        strategy="rand/1",
        population=settings.population,
        start="uniform",
    )
    evolution = DifferentialEvolution(
        Box.of(0.0, 1.0, settings.cells**2, dtype=torch.float32), how, seed=search.draw_seed()
    )
    shown = torch.zeros(settings.population, 2)
    for _ in range(search.spending.generations):
        fitness, answered = yield from search.score_alone(evolution.ask())
        generation = evolution.tell(fitness)
        shown = torch.where(generation.accepted.unsqueeze(1), answered, shown)
        best = evolution.best
        genotype = evolution.population[best]
        mask = search.encoding.thumbnails(genotype.unsqueeze(0))[0].clamp(0, 1)
        yield search.event(mask, genotype, generation, _asked(shown[best], (0.0,), (0.0,)))
    return search.finished(search.best(share=0.0))


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
        Series("weight", "F", "Differential weight: how far a mutant goes, mean over the trials.", "F and CR", True),
        Series("rate", "CR", "Crossover rate: how much of the mutant a trial takes, mean.", "F and CR", True),
    ),
    default=True,
)
