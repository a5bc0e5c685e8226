"""DE-CAM: Differential Evolution searches for the pixels that carry a decision, seeing the model's output alone.

Karatsiolis and Kamilaris (2022, arXiv 2209.08906) give the idea: a black-box model, Differential Evolution over what
is shown of the image, a class activation map at the end, paid for in evaluations. No implementation of theirs is
public. The encoding (the ranking of a coarse grid fitted to the picture's edges), the fitness (a Gaussian process's
estimate at many shares, from answers at a few), the seeding by a smooth regression, the screening of trial vectors, the
averaging of the best tenth and the expected drop are this project's own.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch
from torch import Tensor

from decam.evolution.differential_evolution import DifferentialEvolution, EvolutionSettings
from decam.evolution.generation import Generation, diversity
from decam.evolution.operators import Box
from decam.evolution.trace import Asked, Trace
from decam.explanation import Map, Progress, Question, Steps, relayed
from decam.masking import MaskedQueries, fill, upsample
from decam.methods.base import SHORT, Method
from decam.methods.de_cam.curves import CURVES, values_of
from decam.methods.de_cam.encoding import Encoding, rank_masks
from decam.methods.de_cam.expected_drop import ExpectedDrop
from decam.methods.de_cam.fitness import KEEPS, FitnessEstimator, Shares, standardised
from decam.methods.de_cam.hindsight import Hindsight
from decam.methods.de_cam.optimisers import OptimiserOf, Start, differential_evolution, random_search
from decam.methods.de_cam.seeding import PAIRS, SmoothRidge
from decam.methods.de_cam.settings import DeCamSettings, Spending, shortage
from decam.methods.de_cam.settling import Settling
from decam.methods.de_cam.shown import Shown
from decam.methods.de_cam.stability import Half, halved, in_words, rank_errors
from decam.methods.de_cam.surrogate import log_odds
from decam.methods.support.silence import silences

SEED_CELLS = 5  # a side of the random masks: large ones change the answer most, and so tell most
SHOWN = 0.25  # of the pixels, in pictures of what a ranking shows


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
        self._begun = question.ledger.evaluations
        self._image = question.image
        self._precision = classifier.execution.precision
        self._queries = MaskedQueries(question, fill(settings.fill, question.image, classifier.mean, seed))

    @property
    def spent(self) -> int:
        """Evaluations that this search has asked for; the ledger may hold those of others before it."""
        return self._ledger.evaluations - self._begun

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
        done = self.spent
        total = done if self.settling.settled else self.spending.cost
        return Progress(done, total, self._ledger.evaluations, saliency, mask, curves or {}, trace)

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
            pairs = min(left, PAIRS)
            left -= pairs
            halves = (torch.rand(pairs, SEED_CELLS, SEED_CELLS, generator=self.generator) < 0.5).float()
            grids = torch.cat([halves, 1 - halves])
            masks = upsample(grids.to(self._image.device), self.size)
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
        """Shares drawn for genotypes (N×cells²), and the target's probability behind each of their masks (N×2)."""
        shares = Shares.drawn(self.generator)
        masks = rank_masks(self.encoding.maps(genotypes), shares.kept, shares.removed).flatten(0, 1)
        answers = yield from self.ask(masks.unsqueeze(1))
        self.drop.add(masks, answers)
        return shares, answers.view(len(genotypes), len(KEEPS))

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
        """True once the map has settled, of which this genotype is the latest; False where nobody asked for that.

        Maps are not looked at before the answer has moved: those of chance settle as they are averaged.
        """
        return self._judges and self.settling.observe(self.spent, self.map_of(genotype))

    @property
    def _judges(self) -> bool:
        """True where the map was to settle, and the answers say something of the picture."""
        return self.settling.wanted > 0 and not silences(self._ledger, self._precision, self._image)

    def finished(self, genotype: Tensor, half: Half | None = None) -> Steps:
        """A genotype, and the expected drop if any was asked for, as a map H×W float32 that begins at zero.

        Where the map was to settle the ledger is told whether it did, and with `half` how sure its ranks are; of chance
        nothing is told.
        """
        ranking = self.encoding.maps(genotype.unsqueeze(0))[0].cpu()
        full: Map = (self.drop.fit().beside(ranking) if self.drop else ranking).numpy()
        if self._judges:
            self._ledger.note(self.settling.in_words(self.spent, self.spending.cost))
            yield self.progress()  # whose total says that it ended here
            if half is not None and full.max() > full.min():
                yield from self._rank_errors(full, half)
        full -= full.min()
        return full

    def look_back(self, past: Hindsight) -> Generator[Progress, None, None]:
        """Put into the ledger what the generations are worth by all answers."""
        self._ledger.fitness = yield from relayed(past.judged(), lambda _: [self.progress()])

    def _rank_errors(self, full: Map, half: Half) -> Generator[Progress, None, None]:
        """Put into the ledger how sure the ranks of the finished map (H×W) are."""
        replicates = []
        for replicate in halved(half, self.map_of, self.drop, self.draw_seed()):
            replicates.append(replicate)
            yield self.progress()
        self._ledger.rank_errors = rank_errors(full, replicates)
        self._ledger.note(in_words(self._ledger.rank_errors))

    def event(
        self,
        mask: Tensor,
        probability: float,
        genotype: Tensor,
        generation: Generation,
        apart: float,
        asked: tuple[Asked, ...],
    ) -> Progress:
        """What a page plots and shows after a generation.

        The fittest's mask and the target's probability behind it, the map so far, how far apart the individuals are,
        and what was asked for the fittest.
        """
        curves = values_of(generation, apart, probability)
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
    past = Hindsight(estimator)
    shown = Shown.none(settings.population, KEEPS)
    for number in range(search.spending.generations):
        candidates = evolution.ask(estimator.predict, settings.screening)
        shares, answers = yield from search.show(candidates)
        worth = estimator.observe(candidates, shares, answers)
        standing = estimator.predict(evolution.population) if number else None
        generation = evolution.tell(worth, standing)
        past.add(generation)
        shown.replace(generation.accepted, shares.kept + shares.removed, answers)
        best = evolution.best
        fittest = evolution.population[best]
        mask = rank_masks(search.encoding.thumbnails(fittest.unsqueeze(0)), (SHOWN,), ())[0, 0]
        expected = estimator.kept(fittest, SHOWN)
        # Only rankings are selected, so that scales drift: at unit deviation distances mean something.
        apart = diversity(standardised(generation.population))
        yield search.event(mask, expected, estimator.best(), generation, apart, shown.of(best))
        if search.settled(estimator.best()):
            break
    yield from search.look_back(past)
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
    shown = Shown.none(search.spending.population, KEEPS)
    for _ in range(search.spending.generations):
        fitness, answers = yield from search.score_alone(evolution.ask())
        generation = evolution.tell(fitness)
        shown.replace(generation.accepted, (0.0, 0.0), answers)
        fittest = evolution.population[evolution.best]
        mask = search.encoding.thumbnails(fittest.unsqueeze(0))[0].clamp(0, 1)
        asked = shown.of(evolution.best)
        yield search.event(mask, asked[0].probability, fittest, generation, generation.diversity, asked)
        if search.settled(fittest):
            break
    return (yield from search.finished(evolution.population[evolution.best]))


DE_CAM = Method(
    name="de-cam",
    title="DE-CAM",
    family="perturbation",
    summary=(
        "Evolves a coarse map so that its top-ranked regions alone keep the model's decision. Needs only the model's "
        "output."
    ),
    formula=r"\max_g \, \mathbb{E}_{s} \big[p^c(x \text{ with the top } s \text{ of } g \text{ kept})\big] - "
    r"\mathbb{E}_{s} \big[p^c(x \text{ with them removed})\big]",
    reference="Karatsiolis & Kamilaris, A model-agnostic approach for generating Saliency Maps (2022)",
    url="https://arxiv.org/abs/2209.08906",
    strengths="Works for any model, from its output alone; more faithful per evaluation than random masks.",
    misleads=(
        "Maps from different seeds differ in detail. Where answers are hard to predict, the map ranks the pixels and "
        "says little about how much each counts."
    ),
    needs=frozenset({"output"}),
    hides=True,
    signed=False,
    settings=DeCamSettings,
    run=de_cam,
    example=SHORT,
    cost=lambda settings, _: Spending.of(settings).cost,
    series=CURVES,
    default=True,
)
