"""What the class-level methods that maps are compared to share: their settings, and measuring what they found."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from decam.explanation import ClassMap, ClassQuestion, Progress
from decam.methods.class_level import samples
from decam.methods.class_level.asking import Road
from decam.methods.class_level.common import FreshSamples, measured, radius_of, stage_seed, unit_length, unit_thresholds
from decam.methods.support.seeded_globals import generator_of
from decam.settings import Settings, parameter

_WORKING, _WAITING, _MEASURING = range(3)


@dataclass(frozen=True)
class CompetitorSettings(Settings):
    """What every method of a class can be compared by: one norm, and the samples on which fidelity is measured."""

    iterations: int = parameter(100, "Steps of the method.", low=1, high=10_000)
    norm: float = parameter(
        0.3,
        "L2 norm to which the finished map is scaled, divided by the root of the number of its values.",
        low=0.001,
        high=1.0,
        step=0.05,
    )
    samples: str = parameter("scenes", "Samples on which fidelity is measured.", choices=samples.CHOICES)
    fresh: int = parameter(64, "How many of them.", low=1, high=10_000)


class Work:
    """One run of a method for one question: its road, its random numbers, and the events it reports."""

    def __init__(self, question: ClassQuestion, settings: CompetitorSettings, logit: bool = True) -> None:
        self.question, self.settings = question, settings
        self.size = question.classifier.input_size
        self.road = Road.of([question], logit)
        self.draw = samples.sampler(settings.samples, question.pictures)
        self.generator = generator_of(stage_seed(question.seed, _WORKING))
        self.radius = radius_of(settings.norm, self.size)
        self.step = 0

    def progress(self, pattern: Tensor, fidelity: float) -> Progress:
        """An event after a step: the map so far (3×H×W), and the target's mean value on what was asked last."""
        self.step += 1
        curves = {"norm": float(pattern.norm()), "fidelity": fidelity}
        evaluations = self.question.ledger.evaluations
        shown = pattern.detach().clone().numpy()
        return Progress(self.step, self.settings.iterations, evaluations, curves=curves, pattern=shown)

    def finished(self, pattern: Tensor, scaled: bool = True) -> ClassMap:
        """The map (3×H×W) at the settings' norm unless it has its own, measured on fresh samples."""
        if scaled and bool(pattern.any()):
            pattern = unit_length(pattern[None])[0] * self.radius
        seed, fresh = self.question.seed, self.settings.fresh
        threshold = unit_thresholds(self.road, self.draw, generator_of(stage_seed(seed, _WAITING)), fresh)[0]
        drawn = FreshSamples.drawn(self.draw, self.size, stage_seed(seed, _MEASURING), fresh)
        return measured(self.road, 0, pattern, threshold, drawn)


def grey(question: ClassQuestion) -> Tensor:
    """The colour that is zero after the model's normalisation, 3×1×1."""
    return torch.tensor(question.classifier.mean).view(3, 1, 1)


ONE = torch.zeros(1, dtype=torch.long)
"""The row of a single picture that is for the only target."""
