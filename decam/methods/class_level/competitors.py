"""What the class-level methods that maps are compared to share: their settings, and measuring what they found."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from decam.explanation import Progress
from decam.methods.class_level import samples
from decam.methods.class_level.asking import Road
from decam.methods.class_level.base import ClassMap, ClassQuestion
from decam.methods.class_level.common import (
    finished,
    magnitude,
    measure,
    norms,
    radius_of,
    unit_length,
    unit_thresholds,
)
from decam.methods.support.seeded_globals import generator_of
from decam.settings import Settings, parameter


@dataclass(frozen=True)
class CompetitorSettings(Settings):
    """What every method of a class can be compared by: one norm, and the samples on which fidelity is measured."""

    iterations: int = parameter(100, "Steps of the method.", low=1, high=10_000)
    radius: float = parameter(
        0.2, "Root mean square of the finished map's values, to which it is scaled.", low=0.001, high=1.0, step=0.05
    )
    samples: str = parameter("scenes", "Samples on which fidelity is measured.", choices=samples.CHOICES)
    fresh: int = parameter(64, "How many of them.", low=1, high=10_000)


class Work:
    """One run of a method for one target: its road, its random numbers, and the events it reports."""

    def __init__(self, question: ClassQuestion, settings: CompetitorSettings, seed: int, logit: bool = True) -> None:
        self.question, self.settings = question, settings
        self.size = question.classifier.input_size
        self.road = Road(question.classifier, (question.targets,), question.ledger, logit)
        self.draw = samples.sampler(settings.samples, question.pictures)
        self.generator = generator_of(seed)
        self.radius = radius_of(settings.radius, self.size)
        self.history: list[float] = []
        self._measuring = int(torch.randint(2**62, (1,), generator=self.generator))

    def progress(self, colours: Tensor, fidelity: float | None = None) -> Progress:
        """An event after a step: the map so far (3×H×W), and the target's mean value on what was asked last."""
        curves = {"norm": float(colours.norm())}
        if fidelity is not None:
            self.history.append(fidelity)
            curves["fidelity"] = fidelity
        step, total = len(self.history), self.settings.iterations + 1
        saliency = magnitude(colours.numpy())
        return Progress(min(step, total), total, self.question.ledger.evaluations, saliency, None, curves)

    def finished(self, colours: Tensor, scaled: bool = True) -> Generator[Progress, None, ClassMap]:
        """The map (3×H×W) at the settings' norm unless it has its own, measured on fresh samples."""
        maps = colours[None]
        if scaled and float(norms(maps)[0]) > 0:
            maps = unit_length(maps) * self.radius
        thresholds = unit_thresholds(self.road, self.draw, self.generator, self.settings.fresh)
        measured = measure(self.road, maps, thresholds, self.draw, self._measuring, self.settings.fresh)
        yield self.progress(maps[0])
        (found,) = finished(self.road, maps, measured, [self.history], [True], 0.0)
        return found


def grey(question: ClassQuestion) -> Tensor:
    """The colour that is zero after the model's normalisation, 3×1×1."""
    return torch.tensor(question.classifier.mean).view(3, 1, 1)


ONE = torch.zeros(1, dtype=torch.long)
"""The row of a single picture that is for the only target."""
