"""Greedy regions: superpixels ranked by adding the best to those chosen before, and setting the worst aside."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from decam.classifier import Classifier
from decam.explanation import Map, Progress, Question, Steps
from decam.images.superpixels import superpixels
from decam.masking import FILLS, to_pixels
from decam.methods.base import SHORT, Method
from decam.methods.support.budgeted import BudgetedQueries
from decam.settings import Settings, parameter

WORST = 4  # candidates of the lowest score, of which one is set aside: two questions decide on each
FEWEST = 2


@dataclass(frozen=True)
class GreedySettings(Settings):
    """What the search may cost, which decides the number of regions, and what it maximises."""

    budget: int = parameter(
        1000, "Evaluations; as many regions as they pay for, about the root of twice as many.", low=16, high=50_000
    )
    both_ends: bool = parameter(
        True, "Set the worst region of each round aside, so that a round settles two; off, rounds settle one."
    )
    score: str = parameter(
        "difference",
        "Difference: probability with the regions kept minus that with them removed. Weighted: the published score, "
        "20 for kept, 5 for removed and 0.01 for how sure the model is.",
        choices=("difference", "weighted"),
    )
    fill: str = parameter("blur", "What replaces hidden pixels.", choices=FILLS)


def difference(kept: Tensor, removed: Tensor, target: int) -> Tensor:
    """p(S) − p(V∖S), N, from the answers (N×C) with sets kept and with them removed."""
    return kept[:, target] - removed[:, target]


def weighted(kept: Tensor, removed: Tensor, target: int) -> Tensor:
    """20 p(S) + 5 (1 − p(V∖S)) + 0.01 (1 − H / log C), N, with H the entropy of the answer to what is kept (N×C)."""
    entropy: Tensor = torch.special.entr(kept.clamp(0, 1)).sum(1)
    sure = 1 - entropy / math.log(kept.shape[1])
    score: Tensor = 20 * kept[:, target] + 5 * (1 - removed[:, target]) + 0.01 * sure
    return score


SCORES: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {"difference": difference, "weighted": weighted}


class _Ranking:
    """Which regions come first, which last, and how those in between scored when they were last asked."""

    def __init__(self, count: int) -> None:
        self.head: list[int] = []
        self.tail: list[int] = []  # the worst first
        self.candidates = list(range(count))
        self.scores = torch.zeros(count, dtype=torch.float64)

    def observe(self, candidates: list[int], scores: Tensor) -> None:
        """What these candidates scored."""
        self.scores[candidates] = scores.double()

    def by_score(self) -> list[int]:
        """The candidates, the best first; of equal ones the lower number."""
        return sorted(self.candidates, key=lambda region: -float(self.scores[region]))

    def settle(self, region: int, end: list[int]) -> None:
        """Put a candidate at an end."""
        self.candidates.remove(region)
        end.append(region)

    def levels(self) -> Tensor:
        """From 1 for the first region down to 1/n for the last (n, float32)."""
        order = [*self.head, *self.by_score(), *reversed(self.tail)]
        levels = torch.empty(len(order))
        levels[order] = torch.arange(len(order), 0, -1) / len(order)
        return levels


class _Search:
    """A picture cut into regions, and the answers about sets of them."""

    def __init__(self, question: Question, settings: GreedySettings, seed: int) -> None:
        count = regions_for(settings, question.classifier)
        self.queries = BudgetedQueries(question, settings.fill, seed, _cost(settings, question.classifier))
        self.ranking = _Ranking(count)
        self._regions = torch.from_numpy(superpixels(to_pixels(question.image), count))
        self._score = SCORES[settings.score]
        self._target = question.target

    def score(self, base: list[int], candidates: list[int]) -> Generator[Progress, None, Tensor]:
        """The score (N) of a set of regions with each of the candidates (N) added."""
        kept = torch.zeros(len(candidates), len(self.ranking.scores), dtype=torch.bool)
        kept[:, base] = True
        kept[torch.arange(len(candidates)), candidates] = True
        sets = torch.cat([kept, ~kept])
        answers = yield from self.queries.answers(sets[:, self._regions].unsqueeze(1))
        return self._score(answers[: len(candidates)], answers[len(candidates) :], self._target)

    def map(self) -> Map:
        """The ranking so far, H×W."""
        levels: Map = self.ranking.levels()[self._regions].numpy().astype(np.float32)
        return levels


def greedy_regions(question: Question, settings: GreedySettings, seed: int) -> Steps:
    """The order in which regions are best shown, found greedily from both ends, as a map of ranks in (0, 1].

    Every round asks about the regions chosen so far with each candidate added, kept alone and removed, and chooses the
    best. With `both_ends` the candidates that scored lowest are asked with the regions set aside so far, and the one
    that scores lowest there is set aside too. It follows LiMA (Chen et al. 2024; from both ends Chen et al. 2025).
    """
    search = _Search(question, settings, seed)
    ranking = search.ranking
    while len(ranking.candidates) > 1:
        candidates = list(ranking.candidates)
        ranking.observe(candidates, (yield from search.score(ranking.head, candidates)))
        ranking.settle(ranking.by_score()[0], ranking.head)
        if settings.both_ends and len(ranking.candidates) > 1:
            worst = ranking.by_score()[-WORST:]
            scores = yield from search.score(ranking.tail, worst)
            ranking.settle(worst[int(scores.argmin())], ranking.tail)
        search.queries.saliency = search.map()
        yield search.queries.progress()
    return search.map()


def evaluations(regions: int, both_ends: bool) -> int:
    """What ranking so many regions costs: n (n + 1) − 2 from one end, about half of that from both."""
    asked = 0
    while regions > 1:
        asked += 2 * regions
        regions -= 1
        if both_ends and regions > 1:
            asked += 2 * min(WORST, regions)
            regions -= 1
    return asked


def regions_for(settings: GreedySettings, classifier: Classifier) -> int:
    """The most regions whose ranking the budget pays for, and no more than there are pixels."""
    height, width = classifier.input_size
    regions = FEWEST
    while regions < height * width and evaluations(regions + 1, settings.both_ends) <= settings.budget:
        regions += 1
    return regions


def _cost(settings: GreedySettings, classifier: Classifier) -> int:
    return evaluations(regions_for(settings, classifier), settings.both_ends)


GREEDY_REGIONS = Method(
    name="greedy-regions",
    title="Greedy regions",
    family="perturbation",
    summary="Ranks superpixels by repeatedly adding the one that helps the answer most beside those already chosen.",
    formula=r"r_k = \arg\max_r \, p^c(x \text{ with } S_{k-1} \cup r \text{ kept}) - p^c(x \text{ without } S_{k-1} "
    r"\cup r)",
    reference="Chen et al., Less is More: Fewer Interpretable Region via Submodular Subset Selection (2024)",
    url="https://arxiv.org/abs/2402.09164",
    strengths="Maximises what insertion and deletion measure: each question builds on the best regions so far.",
    misleads="Never takes a choice back, and is lost where no single region changes the answer.",
    needs=frozenset({"output"}),
    hides=True,
    signed=False,
    settings=GreedySettings,
    run=greedy_regions,
    example=SHORT,
    cost=_cost,
)
