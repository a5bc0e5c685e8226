"""Neural Cleanse: the smallest mask and the pattern behind it that lead any picture to a class.

Wang, Yao, Shan, Li, Viswanath, Zheng and Zhao, Neural Cleanse: Identifying and Mitigating Backdoor Attacks in Neural
Networks (IEEE S&P 2019), section IV-B, equations 2 and 3. The schedule of λ is that of section IV-C: it rises while
enough samples are answered as the class, and falls otherwise. Here samples need not be real pictures, and success is
the mean probability over recent steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from decam.explanation import ClassMap, ClassQuestion, Progress
from decam.methods.base import ClassMethod, Series
from decam.methods.class_level import samples
from decam.methods.class_level.asking import Road
from decam.methods.class_level.base import BLACK_BOX_SMALLEST, FAMILY, SERIES, OneClass, one_by_one
from decam.methods.class_level.common import FreshSamples, stage_seed
from decam.methods.class_level.scoring import anomaly_indices
from decam.methods.support.seeded_globals import generator_of
from decam.settings import Settings, parameter

BETAS = (0.5, 0.9)
"""Adam's, as in the authors' code."""
_STARTING, _WORKING, _MEASURING = range(3)
GREY = 0.5


@dataclass(frozen=True)
class NeuralCleanseSettings(Settings):
    """The optimisation of mask and pattern, and the schedule of the penalty."""

    iterations: int = parameter(100, "Steps of Adam.", low=1, high=10_000)
    batch: int = parameter(6, "Samples drawn for each step.", low=1, high=256)
    samples: str = parameter("mixed", "The images on which the mask is laid.", choices=samples.CHOICES)
    rate: float = parameter(0.1, "Adam's step size.", low=0.0001, high=1.0)
    penalty: float = parameter(0.001, "λ at the start: the weight of the mask's L1 norm.", low=0.0, high=10.0)
    factor: float = parameter(1.5, "By what λ rises; it falls by the 1.5th power of that.", low=1.0, high=10.0)
    patience: int = parameter(5, "Steps in a row after which λ changes.", low=1, high=100)
    goal: float = parameter(0.9, "Mean probability that counts as success.", low=0.0, high=1.0, step=0.05)
    fresh: int = parameter(24, "Samples on which the finished mask is measured.", low=1, high=10_000)


@dataclass
class Schedule:
    """λ over the steps: it rises after `patience` successes in a row, and falls after as many failures."""

    value: float
    factor: float
    patience: int
    successes: int = 0
    failures: int = 0

    def after(self, success: bool) -> None:
        """Take in how one step went."""
        self.successes, self.failures = (self.successes + 1, 0) if success else (0, self.failures + 1)
        if self.successes >= self.patience:
            self.value, self.successes = self.value * self.factor, 0
        elif self.failures >= self.patience:
            self.value, self.failures = self.value / self.factor**1.5, 0


def laid(pictures: Tensor, mask: Tensor, pattern: Tensor) -> Tensor:
    """Equation 2: (1 − m) · x + m · Δ, with the mask (H×W in [0, 1]) the same for all colours."""
    return (1 - mask) * pictures + mask * pattern


def _bounded(free: Tensor) -> Tensor:
    """From any number to [0, 1], (tanh + 1) / 2, so that Adam needs no projection."""
    return (torch.tanh(free) + 1) / 2


def neural_cleanse(question: ClassQuestion, settings: NeuralCleanseSettings) -> OneClass:
    """Adam on −log p_c(A(x, m, Δ)) + λ ‖m‖₁ (equation 3); the cost is the L1 norm of the smallest mask that succeeds.

    The map is m · (Δ − grey), the change of a grey picture; fidelity is that of mask and pattern themselves. Where
    no mask succeeds, the last one is given, with a note.
    """
    size = question.classifier.input_size
    road = Road.of([question])
    draw = samples.sampler(settings.samples, question.pictures)
    starting = generator_of(stage_seed(question.seed, _STARTING))
    free_mask = (torch.randn(size, generator=starting) * 0.1 - 1).requires_grad_()
    free_pattern = (torch.randn(3, *size, generator=starting) * 0.1).requires_grad_()
    adam = torch.optim.Adam([free_mask, free_pattern], lr=settings.rate, betas=BETAS)
    schedule = Schedule(settings.penalty, settings.factor, settings.patience)
    best: tuple[Tensor, Tensor] | None = None
    rows = torch.zeros(settings.batch, dtype=torch.long)
    smallest, recent = float("inf"), 0.0
    for step in range(1, settings.iterations + 1):
        drawn = draw(settings.batch, size, generator_of(stage_seed(question.seed, _WORKING, step)))
        with torch.enable_grad():
            mask, pattern = _bounded(free_mask), _bounded(free_pattern)
            pictures = laid(drawn, mask, pattern)
            slopes, values = road.slopes(pictures.detach(), rows)
            loss = schedule.value * mask.sum() - (pictures * slopes).sum() / settings.batch
            gradients = torch.autograd.grad(loss, [free_mask, free_pattern])
        recent = 0.7 * recent + 0.3 * float(values.mean())
        success, area = recent >= settings.goal, float(mask.detach().sum())
        if success and area < smallest:
            smallest, best = area, (mask.detach().clone(), pattern.detach().clone())
        schedule.after(success)
        for free, gradient in zip((free_mask, free_pattern), gradients, strict=True):
            free.grad = gradient
        adam.step()
        shown = (mask * (pattern - GREY)).detach()
        curves = {"fidelity": float(values.mean()), "norm": float(shown.norm()), "area": area}
        yield Progress(step, settings.iterations, question.ledger.evaluations, curves=curves, pattern=shown.numpy())
    if best is None:
        question.ledger.note(f"No mask reached {settings.goal:.2f}, so its area says little: give more iterations.")
        best = _bounded(free_mask.detach()), _bounded(free_pattern.detach())
    return _measured(road, question, settings, *best)


def _measured(
    road: Road, question: ClassQuestion, settings: NeuralCleanseSettings, mask: Tensor, pattern: Tensor
) -> ClassMap:
    draw, size = samples.sampler(settings.samples, question.pictures), question.classifier.input_size
    fresh = FreshSamples.drawn(draw, size, stage_seed(question.seed, _MEASURING), settings.fresh)
    drawn, shown = fresh.samples, mask * (pattern - GREY)
    rows = torch.zeros(settings.fresh, dtype=torch.long)
    fidelity, without, control = (
        float(road.values(pictures, rows).mean())
        for pictures in (laid(drawn, mask, pattern), drawn, drawn + fresh.noise * shown.norm())
    )
    found = shown.numpy().astype(np.float32)
    return ClassMap(found, fidelity, without, control, float(shown.norm()), float(mask.sum()))


NEURAL_CLEANSE = ClassMethod(
    name="neural-cleanse",
    title="Neural Cleanse",
    family=FAMILY,
    summary="The smallest mask, and the pattern behind it, that lead any image to the class.",
    reference="Wang et al., Neural Cleanse: Identifying and Mitigating Backdoor Attacks in Neural Networks (2019)",
    url="https://doi.org/10.1109/SP.2019.00031",
    formula=r"\min_{m, \Delta} \; \mathbb{E}_x\bigl[-\log p_c((1 - m) \odot x + m \odot \Delta)\bigr] "
    r"+ \lambda \lVert m \rVert_1",
    strengths="A patch that hides what is under it is small for it.",
    misleads="A trigger that lies faintly over the whole image is a large mask, and is missed.",
    needs=frozenset({"gradients"}),
    signed=True,
    settings=NeuralCleanseSettings,
    cost=lambda settings, _: settings.iterations * settings.batch + 3 * settings.fresh,
    series=(*SERIES, Series("area", "Area", "L1 norm of the mask, in pixels.", "area", detail=True)),
    run=one_by_one(neural_cleanse),
    instead=BLACK_BOX_SMALLEST,
    scores=lambda _, costs: anomaly_indices(costs),
    unit="deviation",
)
