"""Gradient methods that set the picture against a baseline, which stands for nothing.

Captum computes all but DeepLIFT.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from captum.attr import IntegratedGradients, Saliency
from torch import Tensor

from decam.classifier import Classifier
from decam.explanation import Question
from decam.masking import FILLS, fill
from decam.methods.base import Method
from decam.methods.gradient.deep_lift import deep_lift
from decam.methods.gradient.gradients import GRADIENTS, attributing, leaf, samples, shares, summed, two
from decam.methods.support.interruptible import Checkpoint
from decam.methods.support.seeded_globals import generator_of, normals
from decam.methods.support.white_box import Opened
from decam.settings import Settings, parameter


@dataclass(frozen=True)
class BaselineSettings(Settings):
    """What the picture is compared with."""

    baseline: str = parameter("mean", "The image that stands for nothing.", choices=FILLS)


@dataclass(frozen=True)
class GradientShapSettings(BaselineSettings):
    """What the picture is compared with, and how often."""

    samples: int = parameter(
        24, "Random points between baseline and image, with noise, one evaluation each.", low=2, high=500
    )
    noise: float = parameter(
        0.1, "Standard deviation of the noise, as a share of the range of colours.", low=0.0, high=1.0, step=0.05
    )


@dataclass(frozen=True)
class IntegratedGradientsSettings(Settings):
    """The path that is integrated along."""

    steps: int = parameter(
        32, "Points on the straight path from baseline to image, one evaluation each.", low=4, high=500
    )
    baseline: str = parameter("mean", "Where the path begins: the image that stands for nothing.", choices=FILLS)
    absolute: bool = parameter(
        False, "Sum the channels' magnitudes: what mattered, whether it spoke for or against the class."
    )


def _baseline(question: Question, name: str, seed: int) -> Tensor:
    return fill(name, question.image, question.classifier.mean, seed).unsqueeze(0)


def _deep_lift(question: Question, settings: BaselineSettings, seed: int, checkpoint: Checkpoint, batch: int) -> Tensor:
    del batch
    found = deep_lift(question, _baseline(question, settings.baseline, seed), checkpoint)
    for note in found.notes():
        question.ledger.note(note)
    return found.contributions


def _gradient_shap(
    question: Question, settings: GradientShapSettings, seed: int, checkpoint: Checkpoint, batch: int
) -> Tensor:
    """Gradients at random points of straight paths from the baseline to noisy copies of the picture.

    Expected gradients, as in Captum's GradientShap, which draws from the generators of the process.
    """
    explainer, generator = Saliency(Opened(question, checkpoint)), generator_of(seed)
    baseline = _baseline(question, settings.baseline, seed)
    places = torch.rand(settings.samples, 1, 1, 1, generator=generator).to(baseline)
    total = torch.zeros_like(baseline)
    for part in torch.split(places, batch):
        copies = question.image + settings.noise * normals(len(part), question.image, generator)
        points = (baseline + part * (copies - baseline)).requires_grad_()
        slopes = explainer.attribute(points, target=question.target, abs=False)
        total += ((copies - baseline) * slopes).sum(0, keepdim=True)
    return total / settings.samples


def _integrated(
    question: Question, settings: IntegratedGradientsSettings, seed: int, checkpoint: Checkpoint, batch: int
) -> Tensor:
    """Sundararajan, Taly and Yan (2017), eq. 1, by Gauss–Legendre quadrature."""
    found: Tensor = IntegratedGradients(Opened(question, checkpoint)).attribute(
        leaf(question),
        baselines=_baseline(question, settings.baseline, seed),
        target=question.target,
        n_steps=settings.steps,
        internal_batch_size=batch,
    )
    return found


def _steps(settings: IntegratedGradientsSettings, classifier: Classifier) -> int:
    del classifier
    return settings.steps


INTEGRATED_GRADIENTS = Method(
    name="integrated-gradients",
    title="Integrated Gradients",
    family="gradient",
    summary=(
        "Adds up the gradient along a straight path from an empty image to this one. Shows pixels for and against "
        "the class."
    ),
    formula=r"M_c = (x - x') \odot \int_0^1 \frac{\partial y^c\big(x' + a (x - x')\big)}{\partial x} \, da",
    reference="Sundararajan, Taly & Yan, Axiomatic Attribution for Deep Networks (2017)",
    url="https://arxiv.org/abs/1703.01365",
    strengths="Complete: the values add up to the score's difference from the baseline.",
    misleads="Depends on the baseline, and looks noisy where the model is far from linear.",
    needs=GRADIENTS,
    signed=True,
    settings=IntegratedGradientsSettings,
    run=attributing(_integrated, summed, _steps, shares),
    cost=_steps,
    default=True,
)


DEEP_LIFT = Method(
    name="deeplift",
    title="DeepLIFT",
    family="gradient",
    summary="Shares out the score's difference from a baseline, step by step, by differences of activations; "
    "computed by this project itself.",
    formula=r"\sum_i C_{\Delta x_i \Delta y} = \Delta y, \quad m_{\Delta x \Delta y} = \frac{C_{\Delta x "
    r"\Delta y}}{\Delta x}",
    reference="Shrikumar, Greenside & Kundaje, Learning Important Features Through Propagating Activation "
    "Differences (2017)",
    url="https://arxiv.org/abs/1704.02685",
    strengths="Complete like Integrated Gradients, in two passes; sees what lies behind rectifiers that are off.",
    misleads="Depends on the baseline. For products and normalisations, as in attention, the rules are this project's "
    "and not the paper's; a note says where the sum misses the score's difference all the same.",
    needs=frozenset({"activations"}),  # differences of activations: a network without gradients has them too
    signed=True,
    settings=BaselineSettings,
    run=attributing(_deep_lift, summed, two, shares),
    cost=two,
)


GRADIENT_SHAP = Method(
    name="gradient-shap",
    title="GradientSHAP",
    family="gradient",
    summary="Integrated Gradients at random points, with noise: an estimate of SHAP values.",
    formula=r"M_c = \mathbb{E}_{a, \epsilon} \Big[(x + \epsilon - x') \odot "
    r"\frac{\partial y^c\big(x' + a (x + \epsilon - x')\big)}{\partial x}\Big]",
    reference="Lundberg & Lee, A Unified Approach to Interpreting Model Predictions (2017)",
    url="https://arxiv.org/abs/1705.07874",
    strengths="Smoother than Integrated Gradients at the same cost.",
    misleads="SHAP values only if the model is linear and pixels are independent, which they are not.",
    needs=GRADIENTS,
    signed=True,
    settings=GradientShapSettings,
    run=attributing(_gradient_shap, summed, samples, shares),
    cost=samples,
)
