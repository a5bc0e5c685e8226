"""The masked pictures behind a map: made again from the map's seed, and those that tell of one place of a picture."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from decam.classifier import Classifier, Pixels
from decam.errors import MethodError
from decam.experiments.evaluate import question_of
from decam.explanation import Explanation, Map, MaskedBatch, Progress
from decam.methods import get as get_method

MOST = 500
"""Masked pictures that are made again; a longer search's later ones are not."""
LONGEST = 112
"""Pixels along the longer side of what is kept of each."""
HALF = 0.5
ALIKE = 1e-3
"""Share of a map's range by which the same map may differ on another machine."""


@dataclass(frozen=True)
class Masked:
    """One masked picture: its number from 1 in the order of asking, what was seen (h×w×3), the target's probability."""

    number: int
    picture: Pixels
    probability: float


@dataclass(frozen=True)
class Side:
    """The masked pictures that all hid a place, or all showed it: how many, their mean probability, and a few.

    The mean is None where there are none.
    """

    count: int
    mean: float | None
    few: tuple[Masked, ...]


@dataclass(frozen=True)
class Masks:
    """The first N masked pictures behind a map.

    `visible` (N×h×w) is the share of each pixel that was left, 0 to 255 for 0 to 1, `pictures` (N×h×w×3) is what the
    model saw, and `answers` (N) are the target's probabilities. `asked` counts those that the map itself stands on.
    `same` says whether the map came out as before, None where not all of it was made again.
    """

    visible: NDArray[np.uint8]
    pictures: NDArray[np.uint8]
    answers: NDArray[np.float32]
    asked: int
    same: bool | None = None

    def hid(self, across: float, down: float, few: int) -> Side:
        """Those that hid at least half of a place (shares of width and height), and the few lowest answers to them."""
        return self._side(self._left(across, down) < HALF, few, 1)

    def showed(self, across: float, down: float, few: int) -> Side:
        """Those that showed more than half of it or all, and the few highest answers to them."""
        return self._side(self._left(across, down) >= HALF, few, -1)

    def _left(self, across: float, down: float) -> NDArray[np.float64]:
        """The share of the place that each mask left."""
        _, height, width = self.visible.shape
        row, column = min(int(down * height), height - 1), min(int(across * width), width - 1)
        left: NDArray[np.float64] = self.visible[:, row, column] / 255
        return left

    def _side(self, which: NDArray[np.bool_], few: int, direction: int) -> Side:
        # A picture that hides nothing, or everything, says nothing of one place.
        telling = (self.visible.min((1, 2)) < 255) & (self.visible.max((1, 2)) > 0)
        found = np.flatnonzero(which & telling)
        order = found[np.argsort(direction * self.answers[found], kind="stable")][:few]
        return Side(
            len(found),
            float(self.answers[found].mean(dtype=np.float64)) if len(found) else None,
            tuple(Masked(int(one) + 1, self.pictures[one], float(self.answers[one])) for one in order),
        )


class Recorder:
    """Keeps the first masked pictures that a model answers to, small."""

    def __init__(self, most: int = MOST) -> None:
        self.left = most
        self._visible: list[NDArray[np.uint8]] = []
        self._pictures: list[NDArray[np.uint8]] = []
        self._answers: list[NDArray[np.float32]] = []

    def __call__(self, batch: MaskedBatch) -> None:
        """Take in a batch, as far as there is room."""
        count = min(self.left, len(batch.answers))
        self.left -= count
        if count:
            self._visible.append(_bytes(batch.visible[:count])[:, 0])
            self._pictures.append(np.moveaxis(_bytes(batch.pictures[:count]), 1, -1))
            self._answers.append(batch.answers[:count].float().cpu().numpy())

    def masks(self, asked: int, same: bool | None) -> Masks:
        """What was kept, of so many; raises MethodError where the model was asked about no masked picture."""
        if not self._answers:
            raise MethodError("This method asked the model about no masked image; choose another one.")
        visible, pictures = np.concatenate(self._visible), np.concatenate(self._pictures)
        return Masks(visible, pictures, np.concatenate(self._answers), asked, same)


def replayed(
    classifier: Classifier, view: Pixels, made: Explanation, most: int = MOST
) -> Generator[Progress, None, Masks]:
    """Make the first masked pictures behind a map again, from the map's settings and seed.

    `view` is the picture (H×W×3). Where fewer than `most` were asked the whole map is made again, and compared. Raises
    MethodError for a method whose row does not say that it hides parts, and where it cannot explain this classifier.
    """
    row = get_method(made.method)
    if not row.hides:
        raise MethodError(f"{row.title} does not ask about masked images, so there are none behind its map.")
    if obstacle := row.obstacle(classifier):
        raise MethodError(obstacle)
    recorder = Recorder(most)
    question = replace(question_of(classifier, view, made.target, made.against), listener=recorder)
    total = min(most, made.evaluations)
    with closing(row.run(question, made.settings, made.seed)) as steps:
        while recorder.left:
            try:
                next(steps)
            except StopIteration as end:
                return recorder.masks(made.evaluations, alike(end.value, made.saliency))
            done = most - recorder.left
            yield Progress(min(done, total), total, done)
    return recorder.masks(made.evaluations, None)


def alike(again: Map, before: Map) -> bool:
    """Whether two maps (H×W) are the same but for rounding."""
    return bool(np.abs(again - before).max() <= ALIKE * max(float(np.ptp(before)), float(np.abs(before).max())))


def _bytes(images: torch.Tensor) -> NDArray[np.uint8]:
    """Images (N×C×H×W in [0, 1]) made small, as bytes."""
    height, width = images.shape[-2:]
    scale = min(1.0, LONGEST / max(height, width))
    small = F.adaptive_avg_pool2d(images.float(), (max(1, round(scale * height)), max(1, round(scale * width))))
    found: NDArray[np.uint8] = (small.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    return found
