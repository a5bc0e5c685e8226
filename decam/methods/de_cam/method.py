"""DE-CAM: Differential Evolution searches for the pixels that carry a decision, seeing the model's output alone.

Karatsiolis and Kamilaris (2022, arXiv 2209.08906) give the idea: a black-box model, Differential Evolution over what
is shown of the image, a class activation map at the end, paid for in evaluations. No implementation of theirs is
public. The encoding (the ranking of a coarse grid fitted to the picture's edges), the fitness (a Gaussian process's
estimate at many shares, from answers at a few), the seeding by a smooth regression, the screening of trial vectors, the
averaging of the best tenth and the expected drop are this project's own.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from decam.evolution.differential_evolution import DifferentialEvolution, EvolutionSettings
from decam.evolution.generation import Generation, diversity
from decam.evolution.operators import Box
from decam.evolution.trace import Asked, Trace
from decam.explanation import Map, Progress, Question, Steps
from decam.masking import FILLS, MaskedQueries, fill, upsample
from decam.methods.base import SHORT, Method
from decam.methods.de_cam.curves import CURVES
from decam.methods.de_cam.encoding import Encoding, rank_masks
from decam.methods.de_cam.expected_drop import ExpectedDrop
from decam.methods.de_cam.fitness import KEPT, QUESTIONS, FitnessEstimator, Shares, standardised
from decam.methods.de_cam.optimisers import OptimiserOf, Start, differential_evolution, random_search
from decam.methods.de_cam.seeding import SmoothRidge
from decam.methods.de_cam.settling import Settling
from decam.methods.de_cam.shown import Shown
from decam.methods.de_cam.stability import Half, halved, in_words, rank_errors
from decam.methods.de_cam.surrogate import log_odds
from decam.settings import Settings, parameter

VARIANTS = ("seeded", "plain", "random search", "seed only")
SEED_CELLS = 5  # a side of the random masks: large ones change the answer most, and so tell most
AUTO, AUTO_BUDGET, AUTO_SETTLED = "auto", 4000, 0.95  # what a budget of "auto" stands for
SHOWN = 0.25  # of the pixels, in pictures of what a ranking shows


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
        "make edges that no photograph has; the map follows what this fill hides best.",
        choices=FILLS,
    )
    follow_edges: bool = parameter(
        True, "Fit every map to the picture's edges (guided filter) before it is judged; off, the grid is interpolated."
    )
    screening: int = parameter(
        8,
        "Trial vectors bred for each place, of which the one that is expected to be best is evaluated; more converge "
        "faster and rely more on what was learnt (seeded and random search).",
        low=1,
        high=64,
    )
    settled: float = parameter(
        0.0,
        "Ends the search once its map has settled: once its rank correlation with the map of half as many evaluations "
        "was at least this in three generations running. The budget is then the most that it may cost, and the map "
        "says how sure each place's rank is. 0 spends the whole budget.",
        low=0.0,
        high=0.999,
        step=0.01,
    )

    @property
    def ends_early(self) -> bool:
        """True if the search ends once its map has settled."""
        return self.settled > 0

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> Self:
        """Settings from names and values; a budget of "auto" is at most 4000 evaluations, and settled 0.95."""
        if values.get("budget") == AUTO:
            values = {"settled": AUTO_SETTLED, **values, "budget": AUTO_BUDGET}
        return super().from_mapping(values)


@dataclass(frozen=True)
class Spending:
    """How a budget is split: random masks first, then generations of a population at so many evaluations each."""

    seeds: int
    generations: int
    population: int
    each: int = QUESTIONS

    @classmethod
    def of(cls, settings: DeCamSettings) -> Spending:
        """Seeding saturates early: about 150 of 500, 250 of 1000, 300 of 2000; the rest are whole generations.

        Plain evolution has no more individuals than the budget pays for once.
        """
        population = settings.population
        if settings.variant == "plain":
            population = min(population, settings.budget // 2)
            return cls(0, settings.budget // (population * 2), population, each=2)
        if settings.variant == "seed only":
            return cls(settings.budget // 2 * 2, 0, population)
        wanted = _seeds(settings.budget)
        generation = population * QUESTIONS
        generations = max(0, round((settings.budget - wanted) / generation))
        while generations and settings.budget - generations * generation < wanted / 2:
            generations -= 1
        return cls((settings.budget - generations * generation) // 2 * 2, generations, population)

    @property
    def cost(self) -> int:
        """Evaluations in all."""
        return self.seeds + self.generations * self.population * self.each


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


class _Search:
    """One run of DE-CAM: its random numbers, its questions and everything it has evaluated."""

    def __init__(self, question: Question, settings: DeCamSettings, seed: int) -> None:
        classifier = question.classifier
        self.settings = settings
        self.size = classifier.input_size
        self.target = question.target
        self.encoding = Encoding(settings.cells, question.image, settings.follow_edges)
        self.estimator = FitnessEstimator(self.encoding)
        self.drop = ExpectedDrop(question.image, settings.follow_edges)
        self.spending = Spending.of(settings)
        self.settling = Settling(settings.settled)
        self.generator = torch.Generator().manual_seed(seed)
        self._ledger = question.ledger
        self._device = question.image.device
        self._queries = MaskedQueries(question, fill(settings.fill, question.image, classifier.mean, seed))

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
        total = done if self.settling.settled else self.spending.cost
        return Progress(done, total, done, saliency, mask, curves or {}, trace)

    def ask(self, masks: Tensor) -> Generator[Progress, None, Tensor]:
        """The target's probability behind each mask (N, on the CPU)."""
        answers = []
        for batch in self._queries.batches(masks):
            answers.append(batch[:, self.target])
            yield self.progress()
        return torch.cat(answers).cpu()  # at the end: a GPU is not kept waiting between two batches

    def seed(self) -> Generator[Progress, None, SmoothRidge]:
        """Random halves of a grid and their complements, and a smooth regression on the log odds of the answers."""
        cells = self.settings.cells
        ridge = SmoothRidge(cells)
        left = self.spending.seeds // 2
        while left:
            pairs = min(left, 32)
            left -= pairs
            halves = (torch.rand(pairs, SEED_CELLS, SEED_CELLS, generator=self.generator) < 0.5).float()
            grids = torch.cat([halves, 1 - halves])
            masks = upsample(grids.to(self._device), self.size)
            answers = yield from self.ask(masks)
            ridge.add(upsample(grids, (cells, cells)).flatten(1), log_odds(answers))
            self.estimator.observe_seed(masks[:, 0], answers)
            self.drop.add(masks[:, 0], answers)
            guess = ridge.fit().mean
            yield self.progress(saliency=self.map_of(guess))
            if self.spending.generations == 0 and self.settled(guess):
                break
        return ridge

    def show(self, genotypes: Tensor) -> Generator[Progress, None, tuple[Shares, Tensor]]:
        """Shares drawn for genotypes (N×cells²), and the target's probability behind each of their masks (N×6)."""
        shares = Shares.drawn(self.generator)
        masks = rank_masks(self.encoding.maps(genotypes), shares.kept, shares.removed).flatten(0, 1)
        answers = yield from self.ask(masks.unsqueeze(1))
        self.drop.add(masks, answers)
        return shares, answers.view(len(genotypes), QUESTIONS)

    def score_alone(self, genotypes: Tensor) -> Generator[Progress, None, tuple[Tensor, Tensor]]:
        """Fitness of genotypes in [0, 1] as masks: probability kept minus probability removed minus visible area.

        N×cells² to fitness in [−2, 1], and the target's probability behind each mask and without it (N×2). The area is
        that of the grid, before it is fitted to the picture's edges.
        """
        masks = self.encoding.maps(genotypes).clamp_(0, 1).unsqueeze(1)
        kept = yield from self.ask(masks)
        removed = yield from self.ask(masks.neg_().add_(1))
        return kept - removed - genotypes.mean(1), torch.stack([kept, removed], dim=1)

    def map_of(self, genotype: Tensor) -> Map:
        """A genotype as a small map for whoever watches, float32."""
        small: Map = self.encoding.thumbnails(genotype.unsqueeze(0))[0].cpu().numpy()
        return small

    def settled(self, genotype: Tensor) -> bool:
        """True once the map has settled, of which this genotype is the latest; False where nobody asked for that."""
        return self.settling.wanted > 0 and self.settling.observe(self._ledger.evaluations, self.map_of(genotype))

    def finished(self, genotype: Tensor, half: Half | None = None) -> Steps:
        """A genotype, and the expected drop if any was asked for, as a map H×W float32 that begins at zero.

        Where the map was to settle the ledger is told whether it did, and with `half` how sure its ranks are.
        """
        ranking = self.encoding.maps(genotype.unsqueeze(0))[0].cpu()
        full: Map = (self.drop.fit().beside(ranking) if self.drop else ranking).numpy()
        if self.settling.wanted:
            self._ledger.note(self.settling.in_words(self._ledger.evaluations, self.spending.cost))
            yield self.progress()  # whose total says that it ended here
            if half is not None and full.max() > full.min():
                yield from self._rank_errors(full, half)
        full -= full.min()
        return full

    def _rank_errors(self, full: Map, half: Half) -> Generator[Progress, None, None]:
        """Put into the ledger how sure the ranks of the finished map (H×W) are."""
        replicates = []
        for replicate in halved(half, self.map_of, self.drop, self.draw_seed()):
            replicates.append(replicate)
            yield self.progress()
        self._ledger.rank_errors = rank_errors(full, replicates)
        self._ledger.note(in_words(self._ledger.rank_errors))

    def event(
        self, mask: Tensor, genotype: Tensor, generation: Generation, apart: float, asked: tuple[Asked, ...]
    ) -> Progress:
        """What a page plots and shows after a generation.

        The fittest's mask, the map so far, how far apart the individuals are, and what was asked for the fittest.
        """
        kept = [picture.probability for picture in asked if picture.keeps]
        curves = {
            "best": generation.best,
            "mean": generation.mean,
            "spread": generation.spread,
            "probability": kept[len(kept) // 2],
            "diversity": apart,
        }
        if generation.bred is not None:  # a first generation has no trials
            curves["accepted"] = float(generation.accepted.sum())
            if generation.bred.recipe:
                curves["weight"] = float(generation.bred.weights.mean())
                curves["rate"] = float(generation.bred.rates.mean())
        trace = Trace.of(generation, (self.settings.cells, self.settings.cells), asked)
        return self.progress(self.map_of(genotype), mask.cpu().numpy().astype(np.float32), curves, trace)


def de_cam(question: Question, settings: DeCamSettings, seed: int) -> Steps:
    """Differential Evolution on what is shown of a picture; `settings.variant` says in which form."""
    optimiser = random_search if settings.variant == "random search" else differential_evolution
    return (yield from searched(question, settings, seed, optimiser))


def searched(question: Question, settings: DeCamSettings, seed: int, optimiser: OptimiserOf) -> Steps:
    """DE-CAM with its candidates bred by this optimiser, and all else as it is; plain evolution has its own."""
    search = _Search(question, settings, seed)
    if short := shortage(settings):
        question.ledger.note(short)
    return (yield from (_plain(search) if settings.variant == "plain" else _seeded(search, optimiser)))


def _seeded(search: _Search, optimiser: OptimiserOf) -> Steps:
    """From a smooth guess on, judged by rankings; the map is the best tenth's mean, beside the expected drop."""
    settings, estimator = search.settings, search.estimator
    ridge = yield from search.seed()
    posterior = ridge.fit()
    if search.spending.generations == 0:
        return (yield from search.finished(posterior.mean, lambda by: ridge.half(by).fit().mean))

    def drawn(count: int) -> Tensor:
        return standardised(posterior.draw(count, search.generator))

    own = search.draw_seed()  # by both variants, so that their first generations are the same
    first = torch.cat([standardised(posterior.mean.unsqueeze(0)), drawn(settings.population - 1)])
    evolution = optimiser(Start(first, drawn, own, settings.greediness))
    shown = Shown.none(settings.population, (True,) * len(KEPT) + (False,) * (QUESTIONS - len(KEPT)))
    for number in range(search.spending.generations):
        candidates = evolution.ask(estimator.predict, settings.screening)
        shares, answers = yield from search.show(candidates)
        worth = estimator.observe(candidates, shares, answers)
        standing = estimator.predict(evolution.population) if number else None
        generation = evolution.tell(worth, standing)
        shown.replace(generation.accepted, shares.kept + shares.removed, answers)
        best = evolution.best
        mask = rank_masks(search.encoding.thumbnails(evolution.population[best].unsqueeze(0)), (SHOWN,), ())[0, 0]
        # Only rankings are selected, so that scales drift: at unit deviation distances mean something.
        apart = diversity(standardised(generation.population))
        yield search.event(mask, estimator.best(), generation, apart, shown.of(best))
        if search.settled(estimator.best()):
            break
    return (yield from search.finished(estimator.best(again=True), estimator.half))


def _plain(search: _Search) -> Steps:
    """Storn and Price's rand/1/bin (F 0.5, CR 0.9) on masks from a uniform start; the map is the fittest mask."""
    settings = search.settings
    how = EvolutionSettings(
        budget=0,
        control="fixed",
        weight=0.5,
        rate=0.9,
        strategy="rand/1",
        population=search.spending.population,
        start="uniform",
    )
    box = Box.of(0.0, 1.0, settings.cells**2, dtype=torch.float32)
    evolution = DifferentialEvolution(box, how, seed=search.draw_seed())
    shown = Shown.none(search.spending.population, (True, False))
    for _ in range(search.spending.generations):
        fitness, answers = yield from search.score_alone(evolution.ask())
        generation = evolution.tell(fitness)
        shown.replace(generation.accepted, (0.0, 0.0), answers)
        fittest = evolution.population[evolution.best]
        mask = search.encoding.thumbnails(fittest.unsqueeze(0))[0].clamp(0, 1)
        yield search.event(mask, fittest, generation, generation.diversity, shown.of(evolution.best))
        if search.settled(fittest):
            break
    return (yield from search.finished(evolution.population[evolution.best]))


DE_CAM = Method(
    name="de-cam",
    title="DE-CAM",
    family="perturbation",
    summary="Evolves a coarse map until what it ranks first carries the decision, from the model's output alone.",
    formula=r"\max_g \, \mathbb{E}_{s} \big[p^c(x \text{ with the top } s \text{ of } g \text{ kept})\big] - "
    r"\mathbb{E}_{s} \big[p^c(x \text{ with them removed})\big]",
    reference="Karatsiolis & Kamilaris, A model-agnostic approach for generating Saliency Maps (2022)",
    url="https://arxiv.org/abs/2209.08906",
    strengths="Any model, from its output alone; more faithful for each evaluation than random masks.",
    misleads="Two seeds' maps differ in detail; where answers are hard to predict, the map is an order of the pixels "
    "and says little about how much each counts.",
    needs=frozenset({"output"}),
    signed=False,
    settings=DeCamSettings,
    run=de_cam,
    example=SHORT,
    cost=lambda settings, _: Spending.of(settings).cost,
    series=CURVES,
    default=True,
)
