"""SHAP partition: Owen values of the halves of the picture, of their halves and so on, where it matters most first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from decam.classifier import Classifier
from decam.explanation import Map, Question, Steps
from decam.masking import FILLS
from decam.methods.base import SHORT, Method
from decam.methods.support.budgeted import BudgetedQueries
from decam.settings import Settings, parameter

ROUND = 16  # parts that are split at a time; a number of its own, so that the model's batch does not change the map


@dataclass(frozen=True)
class PartitionSettings(Settings):
    """What the values may cost, and what replaces hidden parts."""

    budget: int = parameter(1000, "Evaluations, two for each part that is split.", low=16, high=50_000)
    fill: str = parameter("blur", "What replaces hidden pixels.", choices=FILLS)


class Part(NamedTuple):
    """A rectangle of the picture, in pixels; `bottom` and `right` lie beyond its last ones."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def inside(self) -> tuple[slice, slice]:
        """Where it lies in an array H×W."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def area(self) -> int:
        """Its pixels."""
        return (self.bottom - self.top) * (self.right - self.left)

    def halves(self) -> tuple[Part, Part]:
        """Both halves of its longer side; of a square its upper and lower half."""
        if self.bottom - self.top >= self.right - self.left:
            middle = (self.top + self.bottom) // 2
            return self._replace(bottom=middle), self._replace(top=middle)
        middle = (self.left + self.right) // 2
        return self._replace(right=middle), self._replace(left=middle)


@dataclass(frozen=True)
class _Change:
    """What a part changes in one context: the answers without and with it, where the parts of `context` are visible."""

    part: Part
    context: tuple[Part, ...]
    without: float
    having: float
    weight: float

    @property
    def share(self) -> float:
        """What it adds to the part's value."""
        return self.weight * (self.having - self.without)

    def asked(self) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
        """What is visible in its two questions: the context with each of the two halves."""
        first, second = self.part.halves()
        return (*self.context, first), (*self.context, second)

    def split(self, first_shown: float, second_shown: float) -> Iterator[_Change]:
        """The changes by both halves, each without and with the other, at half the weight."""
        first, second = self.part.halves()
        half = self.weight / 2
        yield _Change(first, self.context, self.without, first_shown, half)
        yield _Change(first, (*self.context, second), second_shown, self.having, half)
        yield _Change(second, self.context, self.without, second_shown, half)
        yield _Change(second, (*self.context, first), first_shown, self.having, half)


class _Values:
    """The map so far: the value of every part that is not split yet lies evenly on its pixels."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._values = np.zeros(size)
        self._queue: list[tuple[float, int, _Change]] = []
        self._numbers = count()  # of equal parts the oldest comes first

    def add(self, change: _Change) -> None:
        """Spread a change over its part, which may be split later unless it is a single pixel."""
        self._values[change.part.inside] += change.share / change.part.area
        if change.part.area > 1:
            heapq.heappush(self._queue, (-abs(change.share), next(self._numbers), change))

    def take(self, most: int) -> list[_Change]:
        """The changes with the largest shares, at most so many, taken out of the map to be split."""
        taken = [heapq.heappop(self._queue)[2] for _ in range(min(most, len(self._queue)))]
        for change in taken:
            self._values[change.part.inside] -= change.share / change.part.area
        return taken

    def map(self) -> Map:
        """H×W, float32; its sum is the answer to the whole picture minus that to the fill."""
        return self._values.astype(np.float32)


def shap_partition(question: Question, settings: PartitionSettings, seed: int) -> Steps:
    """Owen values (Owen 1977) over a tree of halves, estimated as in the `PartitionExplainer` of Lundberg's shap.

    The part whose change counts most is split next, in the context in which it was seen: the context is asked with
    each half, and each half's change without and with the other gets half the weight. A tree that is split to its end
    gives the exact Owen values of the pixels. What is not split when the budget ends is spread over its pixels.
    """
    height, width = question.classifier.input_size
    queries = BudgetedQueries(question, settings.fill, seed, _cost(settings, question.classifier))
    whole = Part(0, height, 0, width)
    values = _Values((height, width))
    ends = yield from queries.ask(torch.tensor([False, True]).view(2, 1, 1, 1).expand(2, 1, height, width))
    values.add(_Change(whole, (), float(ends[0]), float(ends[1]), 1.0))
    while taken := values.take(min(ROUND, queries.left // 2)):
        answers = yield from queries.ask(
            torch.cat([_shown(context, (height, width)) for change in taken for context in change.asked()])
        )
        for change, shown in zip(taken, answers.double().view(-1, 2).tolist(), strict=True):
            for smaller in change.split(*shown):
                values.add(smaller)
        queries.saliency = values.map()
        yield queries.progress()
    return values.map()


def _shown(parts: tuple[Part, ...], size: tuple[int, int]) -> Tensor:
    """A mask (1×1×H×W, True = visible) that shows these parts."""
    mask = torch.zeros(1, 1, *size, dtype=torch.bool)
    for part in parts:
        mask[0, 0][part.inside] = True
    return mask


@lru_cache(maxsize=4096)
def _splits(height: int, width: int) -> int:
    """How often parts of this size can be split in all contexts until each is a pixel."""
    if height * width == 1:
        return 0
    return 1 + 2 * sum(_splits(half.bottom - half.top, half.right - half.left) for half in _halves_of(height, width))


def _halves_of(height: int, width: int) -> tuple[Part, Part]:
    return Part(0, height, 0, width).halves()


def _cost(settings: PartitionSettings, classifier: Classifier) -> int:
    """The whole picture, none of it, and two evaluations a split, of which a small picture has few."""
    return min(settings.budget // 2 * 2, 2 + 2 * _splits(*classifier.input_size))


SHAP_PARTITION = Method(
    name="shap-partition",
    title="SHAP partition",
    family="perturbation",
    summary=(
        "Repeatedly halves the image where a half changes the answer most, and shares the change fairly between the "
        "halves."
    ),
    formula=r"\phi_h = \tfrac{w}{2} \big[p^c(S \cup h) - p^c(S)\big] + \tfrac{w}{2} \big[p^c(S \cup h \cup h') - "
    r"p^c(S \cup h')\big]",
    reference="Owen, Values of Games with A Priori Unions (1977), by the PartitionExplainer of Lundberg & Lee's shap",
    url="https://shap.readthedocs.io/en/latest/generated/shap.PartitionExplainer.html",
    strengths="Signed values that always add up to the answer's difference, finer where it matters.",
    misleads="Borders of the halves show: what two of them share is dealt out by the tree, not by the image.",
    needs=frozenset({"output"}),
    hides=True,
    signed=True,
    settings=PartitionSettings,
    run=shap_partition,
    example=SHORT,
    cost=_cost,
)
