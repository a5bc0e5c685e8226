"""How close a way of asking is to float32, judged by what maps need: the answers about masked photographs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import torch
from PIL import Image
from torch import Tensor

from decam.classifier import EAGER, Execution, TorchClassifier, to_tensor
from decam.errors import ImageError
from decam.explanation import Question
from decam.images import samples
from decam.images.scenes import scene
from decam.masking import MaskedQueries, fill, upsample

RANKS = 0.995  # the least rank correlation of answers with float32's,
CHANGE = 0.01  # and the largest mean change of a probability, that a way of asking may have
PICTURES = 3
MASKS = (24, 32)  # a picture: of fewer, two that change places would already count
CELLS = 7
PATIENCE = 3.0  # seconds that float32 may take before the masks become the fewest


@dataclass(frozen=True)
class Closeness:
    """Answers about masked pictures beside those in float32.

    `ranks` is the rank correlation within a picture, the mean of the pictures, None where no picture's answers vary;
    `change` the mean absolute change of the probability of the class that the unmasked picture gets.
    """

    ranks: float | None = 1.0
    change: float = 0.0

    @classmethod
    def of(cls, found: Sequence[Tensor], expected: Sequence[Tensor]) -> Closeness:
        """Of the answers (N each) about some pictures. One whose answers lie within CHANGE has no ranks to keep."""
        change = float(torch.cat([(one - other).abs() for one, other in zip(found, expected, strict=True)]).mean())
        told = [pair for pair in zip(found, expected, strict=True) if float(pair[1].max() - pair[1].min()) > CHANGE]
        ranks = [rank_correlation(one, other) for one, other in told]
        return cls(sum(ranks) / len(ranks) if ranks else None, change)

    @property
    def enough(self) -> bool:
        """True if maps of such answers are those of float32."""
        return (self.ranks is None or self.ranks >= RANKS) and self.change <= CHANGE  # NaN is not enough

    def __str__(self) -> str:
        if self.ranks is None:
            ranks = (
                f"answers in float32 hardly vary over masked photos (by at most {CHANGE:g}), so no ranks were compared"
            )
        else:
            ranks = f"rank correlation with float32's over masked photos {self.ranks:.4f} (at least {RANKS:g} is asked)"
        return f"{ranks}, mean change of a probability {self.change:.4f} (at most {CHANGE:g})"


def rank_correlation(first: Tensor, second: Tensor) -> float:
    """Spearman's ρ of N values each, ties sharing their mean rank; NaN where one does not vary or is no number."""
    ranks = torch.stack([_ranks(first), _ranks(second)])
    return float(torch.corrcoef(ranks)[0, 1]) if bool((first + second).isfinite().all()) else math.nan


def _ranks(values: Tensor) -> Tensor:
    below = (values.unsqueeze(0) < values.unsqueeze(1)).sum(1)
    level = (values.unsqueeze(0) == values.unsqueeze(1)).sum(1)
    return below.double() + level.double() / 2


class Judge:
    """Asks a classifier about the same masked photographs in several ways, each once, and compares the answers."""

    def __init__(self, classifier: TorchClassifier, plain: Execution, seconds: float) -> None:
        """`plain` is float32 by PyTorch, and `seconds` what one image takes with it."""
        self._classifier = classifier
        fewest, most = MASKS
        count = most if PICTURES * most * seconds < PATIENCE else fewest
        shares = torch.linspace(0.1, 0.9, count).view(-1, 1, 1)
        drawn = torch.rand(count, CELLS, CELLS, generator=torch.Generator().manual_seed(0))
        self._masks = upsample((drawn < shares).float(), classifier.input_size)
        self._plain = plain
        self._targets: list[int] = []
        self._expected: list[Tensor] = []
        self._found: dict[tuple[str, str], Closeness] = {}

    def closeness(self, execution: Execution) -> Closeness:
        """How close a way is; layouts and sizes of batches change nothing that counts."""
        kind = kind_of(execution)
        if kind == (EAGER, "float32"):
            return Closeness()
        if not self._expected:
            self._expected = self._answers(self._plain)
        if kind not in self._found:
            self._found[kind] = Closeness.of(self._answers(execution), self._expected)
        return self._found[kind]

    def _answers(self, execution: Execution) -> list[Tensor]:
        """The probabilities (N) behind all masks, for each picture."""
        classifier = self._classifier
        classifier.configure(replace(execution, batch_size=8))
        images = [to_tensor(classifier, classifier.view(picture)) for picture in pictures()]
        if not self._targets:
            answers = torch.cat([classifier.answer(classifier.normalise(image.unsqueeze(0))) for image in images])
            self._targets = answers.argmax(1).tolist()
        found = []
        for image, target in zip(images, self._targets, strict=True):
            asking = MaskedQueries(Question(classifier, image, target), fill("mean", image, classifier.mean))
            found.append(torch.cat([part[:, target] for part in asking.batches(self._masks)]).float().cpu())
        return found


def kind_of(execution: Execution) -> tuple[str, str]:
    """What decides how close a way is to float32: its engine and its precision."""
    return execution.engine, execution.precision


@cache
def pictures() -> tuple[Image.Image, ...]:
    """The photographs; drawn scenes where scikit-image no longer carries them."""
    photographs = [sample for sample in samples.SAMPLES if sample.kind == "photograph"][:PICTURES]
    try:
        return tuple(sample.load() for sample in photographs)
    except ImageError:
        return tuple(Image.fromarray(scene.scene(seed).image) for seed in range(PICTURES))
