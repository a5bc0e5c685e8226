"""A method about classes that needs no model's weights: it pulls towards a colour a class, from its question's seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from decam.errors import ModelError
from decam.explanation import ClassMap, ClassQuestion, ClassSteps, Progress, Unit
from decam.methods.base import ClassMethod, Series
from decam.settings import Settings, parameter

NAME = "pull"
BROKEN = 2
"""The class whose map cannot be made."""


@dataclass(frozen=True)
class PullSettings(Settings):
    steps: int = parameter(3, "How many steps.", low=1, high=50)


def _run(questions: Sequence[ClassQuestion], settings: PullSettings) -> ClassSteps:
    for step in range(settings.steps):
        for place, question in enumerate(questions):
            if question.target == (BROKEN,):
                raise ModelError("This class has no map.")
            question.ledger.evaluations += 4
            curves = {"fidelity": (step + 1) / settings.steps}
            done = question.ledger.evaluations
            yield place, Progress(step + 1, settings.steps, done, curves=curves, pattern=_pattern(question, step))
    for place, question in enumerate(questions):
        pattern = _pattern(question, settings.steps)
        yield place, ClassMap(pattern, 0.9, 0.1, 0.2, float(np.linalg.norm(pattern)))


def _pattern(question: ClassQuestion, step: int) -> np.ndarray:
    height, width = question.classifier.input_size
    number = 100 + question.target.channel if isinstance(question.target, Unit) else question.target[0]
    drawn = np.random.default_rng([question.seed, number]).normal(size=(3, height, width)).astype(np.float32)
    return drawn * np.float32((step + 1) / 10)


PULL = ClassMethod(
    name=NAME,
    title="Pull",
    family="class",
    summary="Pulls towards a colour.",
    reference="",
    url="",
    needs=frozenset({"output"}),
    signed=True,
    settings=PullSettings,
    cost=lambda settings, _: 4 * settings.steps,
    series=(Series("fidelity", "Fidelity", "Mean probability."),),
    run=_run,
)
