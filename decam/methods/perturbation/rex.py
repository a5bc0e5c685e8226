"""ReX: which parts of random quarterings are responsible for the label, by label agreement alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from decam.classifier import Classifier
from decam.explanation import Map, Question, Steps
from decam.masking import FILLS
from decam.methods.base import SHORT, Method
from decam.methods.perturbation.shap_partition import Part
from decam.methods.support.budgeted import BudgetedQueries
from decam.methods.support.seeded_globals import generator_of
from decam.settings import Settings, parameter

QUARTERS = 4
SETS: int = 2**QUARTERS  # of quarters, each a number whose bit i says that quarter i is shown; 0 is none, the last all
MUTANTS = SETS - 2  # asked a split: that all are shown was asked before, and none is taken to lose the label


@dataclass(frozen=True)
class RexSettings(Settings):
    """What the search may cost, and how fine it becomes."""

    budget: int = parameter(1000, "Evaluations, 14 for each part that is quartered.", low=30, high=50_000)
    trees: int = parameter(
        4, "Random quarterings that are refined side by side; a finished one makes room for another.", low=1, high=64
    )
    smallest: float = parameter(
        0.05, "Side of the smallest part, as a share of the image's.", low=0.01, high=0.5, step=0.01
    )
    fill: str = parameter("blur", "What replaces hidden pixels.", choices=FILLS)


def responsibilities(kept: Tensor) -> Tensor:
    """Each quarter's responsibility (4, in [0, 1]) from which of the 16 sets of quarters keep the label (booleans).

    1 / (1 + k), where k is the least number of quarters to be hidden so that the label is kept, and lost once this
    quarter is hidden too; 0 where there is no such set. Chockler, Kroening and Sun (2021), after Chockler and Halpern's
    degree of responsibility.
    """
    found = torch.zeros(QUARTERS)
    for shown in range(SETS):
        for quarter in range(QUARTERS):
            if shown >> quarter & 1 and kept[shown] and not kept[shown & ~(1 << quarter)]:
                found[quarter] = max(float(found[quarter]), 1 / (1 + QUARTERS - shown.bit_count()))
    return found


def quartered(part: Part, smallest: tuple[int, int], generator: torch.Generator) -> tuple[Part, ...]:
    """Four parts by a random row and a random column, none with sides below `smallest`."""
    row = _between(part.top + smallest[0], part.bottom - smallest[0], generator)
    column = _between(part.left + smallest[1], part.right - smallest[1], generator)
    return tuple(
        Part(*rows, *columns)
        for rows in ((part.top, row), (row, part.bottom))
        for columns in ((part.left, column), (column, part.right))
    )


def _between(first: int, final: int, generator: torch.Generator) -> int:
    return int(torch.randint(first, final + 1, (1,), generator=generator))


def smallest_sides(share: float, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the smallest part: a share of the picture's, of which each is halved once at least."""
    height, width = (max(1, min(round(share * side), side // 2)) for side in size)
    return height, width


@dataclass
class _Tree:
    """A random quartering: the parts that are shown, of which `waiting` may still be quartered."""

    kept: bool
    waiting: list[Part]
    settled: list[Part] = field(default_factory=list)
    quarters: tuple[Part, ...] = ()

    def mutants(self, smallest: tuple[int, int], generator: torch.Generator, size: tuple[int, int]) -> Tensor:
        """Masks (14×1×H×W) of the sets of quarters of the next part, beside all other parts that are shown."""
        self.quarters = quartered(self.waiting.pop(0), smallest, generator)
        masks = torch.zeros(MUTANTS, 1, *size, dtype=torch.bool)
        for part in (*self.waiting, *self.settled):
            masks[:, 0, *part.inside] = True
        for shown in range(1, SETS - 1):
            for quarter, part in enumerate(self.quarters):
                if shown >> quarter & 1:
                    masks[shown - 1, 0][part.inside] = True
        return masks

    def settle(self, agreed: Tensor, smallest: tuple[int, int]) -> Tensor:
        """Go on with the smallest set that keeps the label, given which mutants did (14); the responsibilities (4)."""
        kept = torch.cat([torch.tensor([False]), agreed, torch.tensor([self.kept])])
        keeping = [shown for shown in range(1, SETS) if kept[shown]]
        chosen = min(keeping, key=self._area) if keeping else 0
        self.kept = bool(keeping)
        for quarter, part in enumerate(self.quarters):
            if chosen >> quarter & 1:
                (self.waiting if divisible(part, smallest) else self.settled).append(part)
        return responsibilities(kept)

    def _area(self, shown: int) -> int:
        return sum(part.area for quarter, part in enumerate(self.quarters) if shown >> quarter & 1)


def divisible(part: Part, smallest: tuple[int, int]) -> bool:
    """True if four quarters fit into a part."""
    return part.bottom - part.top >= 2 * smallest[0] and part.right - part.left >= 2 * smallest[1]


def rex(question: Question, settings: RexSettings, seed: int) -> Steps:
    """Responsibility for the label, summed over the parts of random quarterings that hold a pixel, H×W, from 0 on.

    A part is quartered at random, and all sets of its quarters are shown beside the other parts that are shown. Of the
    sets that keep the label the smallest goes on, quarter by quarter. After Chockler, Kelly, Kroening and Sun (2024).
    """
    size = question.classifier.input_size
    smallest = smallest_sides(settings.smallest, size)
    queries = BudgetedQueries(question, settings.fill, seed, _cost(settings, question.classifier))
    generator = generator_of(seed)
    answers = yield from queries.answers(torch.ones(1, 1, *size, dtype=torch.bool))
    labelled = bool(answers[0].argmax() == question.target)
    if not labelled:
        question.ledger.note("The model's label for the whole image is another class, and ReX looks at labels alone.")
    trees: list[_Tree] = []
    total = np.zeros(size)
    while queries.left >= MUTANTS:
        trees = [tree for tree in trees if tree.waiting]
        trees += [_Tree(labelled, [Part(0, size[0], 0, size[1])]) for _ in range(settings.trees - len(trees))]
        growing = trees[: queries.left // MUTANTS]
        masks = torch.cat([tree.mutants(smallest, generator, size) for tree in growing])
        answers = yield from queries.answers(masks)
        agreed = (answers.argmax(1) == question.target).view(-1, MUTANTS)
        for tree, kept in zip(growing, agreed, strict=True):
            for part, share in zip(tree.quarters, tree.settle(kept, smallest).tolist(), strict=True):
                total[part.inside] += share
        found: Map = total.astype(np.float32)
        queries.saliency = found
        yield queries.progress()
    return found


def _cost(settings: RexSettings, classifier: Classifier) -> int:
    """The whole picture, and as many splits as the rest pays for."""
    del classifier
    return 1 + (settings.budget - 1) // MUTANTS * MUTANTS


REX = Method(
    name="rex",
    title="ReX",
    family="perturbation",
    summary="Repeatedly quarters the image at random, and notes which quarters the label depends on.",
    formula=r"r_i = \max_W \frac{1}{1 + |W|} \text{ over sets } W \text{ without which } c \text{ is the label, but "
    r"not without } W \cup i",
    reference="Chockler, Kelly, Kroening & Sun, Causal Explanations for Image Classifiers (2024)",
    url="https://arxiv.org/abs/2411.08875",
    strengths="Needs only the label, so it works for a model without probabilities.",
    misleads="Says nothing about a class that is not the model's label, and ignores how sure the model is.",
    needs=frozenset({"output"}),
    hides=True,
    signed=False,
    settings=RexSettings,
    run=rex,
    example=SHORT,
    cost=_cost,
)
