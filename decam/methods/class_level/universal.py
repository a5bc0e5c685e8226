"""Universal adversarial perturbation towards a class, Moosavi-Dezfooli, Fawzi, Fawzi and Frossard (2017), algorithm 1.

Their perturbation leads away from each picture's class; here each step leads to the target's (targeted form).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from decam.explanation import ClassQuestion
from decam.methods.base import ClassMethod
from decam.methods.class_level.asking import Road
from decam.methods.class_level.base import BLACK_BOX, FAMILY, SERIES, OneClass, one_by_one, single_class
from decam.methods.class_level.common import project
from decam.methods.class_level.competitors import CompetitorSettings, Work
from decam.settings import parameter


@dataclass(frozen=True)
class UniversalSettings(CompetitorSettings):
    """Each iteration is one sample; the perturbation stays within the radius."""

    overshoot: float = parameter(0.02, "Share by which a step goes beyond the boundary.", low=0.0, high=1.0)


def step_to(target: Tensor, rival: Tensor, behind: float, overshoot: float) -> Tensor:
    """The smallest step (3×H×W) that closes a gap of logits to first order: (1 + overshoot) · gap · w / ‖w‖².

    w is the difference of the two logits' gradients and `behind` the gap, at least 0.
    """
    normal = target - rival
    return (1 + overshoot) * behind * normal / normal.square().sum().clamp_min(torch.finfo(torch.float32).tiny)


def universal(question: ClassQuestion, settings: UniversalSettings) -> OneClass:
    """Where a sample with the map is not yet of the class, the smallest step to it is added, and the map projected.

    Raises SettingError where the target is not one class.
    """
    wanted = single_class(question, "A universal perturbation leads to")
    work = Work(question, settings)
    count = len(question.classifier.labels)
    road = Road(question.classifier, tuple((label,) for label in range(count)), [question.ledger] * count, logit=True)
    colours = torch.zeros(3, *work.size)
    for _ in range(settings.iterations):
        sample = work.draw(1, work.size, work.generator) + colours
        shown = road.probabilities(sample)[0]
        rival = int(shown.argmax())
        if rival != wanted:
            slopes, values = road.slopes(sample.expand(2, -1, -1, -1), torch.tensor([wanted, rival]))
            own, other = values.clamp_min(torch.finfo(torch.float32).tiny).log().tolist()
            nearer = step_to(slopes[0], slopes[1], max(other - own, 0.0), settings.overshoot)
            colours = project((colours + nearer)[None], work.radius)[0]
        yield work.progress(colours, float(shown[wanted]))
    return work.finished(colours, scaled=False)


UNIVERSAL = ClassMethod(
    name="universal",
    title="Universal perturbation",
    family=FAMILY,
    summary="The sum of the smallest steps that lead samples to the class, kept within a ball.",
    reference="Moosavi-Dezfooli et al., Universal adversarial perturbations (2017)",
    url="https://arxiv.org/abs/1610.08401",
    formula=r"\delta \leftarrow \mathcal{P}\Bigl(\delta + \tfrac{S_k - S_c}{\lVert w \rVert_2^2}\, w\Bigr),\quad "
    r"w = \nabla (S_c - S_k)",
    strengths="The smallest steps that lead samples to the class.",
    misleads="It looks like noise: it is made to mislead, and not to be read.",
    needs=frozenset({"gradients"}),
    signed=True,
    settings=UniversalSettings,
    cost=lambda settings, _: 3 * settings.iterations + 3 * settings.fresh,
    series=SERIES,
    run=one_by_one(universal),
    instead=BLACK_BOX,
)
