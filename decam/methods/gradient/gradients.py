"""Methods that follow the class score's gradient back to the pixels; Captum computes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from captum.attr import (
    Deconvolution,
    GuidedBackprop,
    InputXGradient,
    Saliency,
)
from torch import Tensor
from torchcam.methods import GradCAM

from decam.classifier import Classifier, Need, TorchClassifier
from decam.explanation import Map, Question, Steps
from decam.methods.activation.cam import CamSettings, grid_of, weighed
from decam.methods.base import Method
from decam.methods.support.interruptible import Checkpoint
from decam.methods.support.layers import layer_of
from decam.methods.support.rectifiers import RECTIFIER, rewired, without
from decam.methods.support.seeded_globals import generator_of, normals
from decam.methods.support.weight_sharing import share_weights
from decam.methods.support.white_box import SLOPE, Opened, by_library, white_box
from decam.settings import Settings, parameter

# What attributes 1×3×H×W to a question's picture: question, settings, seed, checkpoint, and how many images fit.
Attribute: TypeAlias = Callable[[Question, Any, int, Checkpoint, int], Tensor]

GRADIENTS: frozenset[Need] = frozenset({"gradients"})


@dataclass(frozen=True)
class GradientSettings(Settings):
    """Nothing to choose."""


@dataclass(frozen=True)
class NoiseSettings(Settings):
    """How noise is averaged out."""

    samples: int = parameter(24, "Noisy copies of the image, one evaluation each.", low=2, high=500)
    noise: float = parameter(
        0.15, "Standard deviation of the noise, as a share of the range of colours.", low=0.01, high=1.0, step=0.05
    )


def magnitude(attributed: Tensor, settings: Settings) -> Tensor:
    """The largest magnitude over the channels, H×W: Simonyan et al. (2013), section 3.1."""
    del settings
    return attributed[0].abs().amax(0)


def summed(attributed: Tensor, settings: Settings) -> Tensor:
    """The sum over the channels, H×W, signed; of magnitudes where the settings say so."""
    return (attributed.abs() if getattr(settings, "absolute", False) else attributed)[0].sum(0)


def attributing(
    attribute: Attribute,
    reduce: Callable[[Tensor, Settings], Tensor],
    cost: Callable[[Any, Classifier], int],
    reach: Callable[[Tensor], tuple[str, float]] | None,
) -> Callable[[Question, Any, int], Steps]:
    """A method that attributes the target's logit to the pixels of the three colours.

    `reach` says of what was attributed (1×3×H×W) how far the logit moves; None where `attribute` has said it.
    """

    def run(question: Question, settings: Any, seed: int) -> Steps:
        work = partial(attribute, question, settings, seed)
        attributed = yield from by_library(question, cost(settings, question.classifier), work)
        if reach is not None:
            question.ledger.reach = reach(attributed.detach())
        saliency: Map = reduce(attributed.detach(), settings).cpu().numpy().astype(np.float32)
        return saliency

    return run


def slopes(attributed: Tensor) -> tuple[str, float]:
    """The reach of derivatives by colours, which have a range of 1."""
    return SLOPE, float(attributed.abs().sum())


def shares(attributed: Tensor) -> tuple[str, float]:
    """The reach of shares of the logit."""
    return "All pixels together move the class's logit", float(attributed.abs().sum())


def _variances(attributed: Tensor) -> tuple[str, float]:
    """The reach of variances of derivatives."""
    deviations = attributed.clamp(min=0).sqrt()
    return "Between noisy copies of the image, the slope of the class's logit changes", float(deviations.sum())


def leaf(question: Question) -> Tensor:
    """The picture, 1×3×H×W, as something that gradients reach."""
    return question.image.unsqueeze(0).clone().requires_grad_()


def opened_rectifiers(question: Question, checkpoint: Checkpoint) -> Opened:
    """The model with rectifiers that may be hooked."""
    made = rewired(white_box(question)).module
    return Opened(question, checkpoint, model=None if made is None else share_weights(made))


def _gradient(question: Question, settings: Settings, seed: int, checkpoint: Checkpoint, batch: int) -> Tensor:
    del settings, seed, batch
    found: Tensor = Saliency(Opened(question, checkpoint)).attribute(leaf(question), target=question.target, abs=False)
    return found


def _input_gradient(question: Question, settings: Settings, seed: int, checkpoint: Checkpoint, batch: int) -> Tensor:
    del settings, seed, batch
    found: Tensor = InputXGradient(Opened(question, checkpoint)).attribute(leaf(question), target=question.target)
    return found


def _guided(question: Question, settings: Settings, seed: int, checkpoint: Checkpoint, batch: int) -> Tensor:
    del settings, seed, batch
    found: Tensor = GuidedBackprop(opened_rectifiers(question, checkpoint)).attribute(
        leaf(question), target=question.target
    )
    return found


def _deconvolution(question: Question, settings: Settings, seed: int, checkpoint: Checkpoint, batch: int) -> Tensor:
    del settings, seed, batch
    found: Tensor = Deconvolution(opened_rectifiers(question, checkpoint)).attribute(
        leaf(question), target=question.target
    )
    return found


def _guided_cam(question: Question, settings: CamSettings, seed: int, checkpoint: Checkpoint, batch: int) -> Tensor:
    classifier = white_box(question)
    model = Opened(question, checkpoint)
    layer = layer_of(classifier, settings.layer)
    grid = grid_of(model, layer)
    guided = _guided(question, settings, seed, checkpoint, batch)
    question.ledger.reach = slopes(guided.detach())
    with GradCAM(model, grid) as extractor:
        coarse = weighed(extractor, layer, question.target, model(leaf(question)))
    size = classifier.input_size
    return guided * F.interpolate(coarse.unsqueeze(1), size, mode="bilinear", align_corners=False)


def _noisy(
    kind: str, question: Question, settings: NoiseSettings, seed: int, checkpoint: Checkpoint, batch: int
) -> Tensor:
    """Mean or variance of the gradient at noisy copies of the picture.

    Smilkov et al. (2017) and Adebayo et al. (2018), as Captum's NoiseTunnel, which draws its noise from the process's
    generator.
    """
    explainer, generator = Saliency(Opened(question, checkpoint)), generator_of(seed)
    total, squares = torch.zeros_like(question.image), torch.zeros_like(question.image)
    for start in range(0, settings.samples, batch):
        count = min(batch, settings.samples - start)
        images = question.image + settings.noise * normals(count, question.image, generator)
        found = explainer.attribute(images.requires_grad_(), target=question.target, abs=False)
        total += found.sum(0)
        squares += found.square().sum(0)
    mean = total / settings.samples
    return (mean if kind == "smoothgrad" else squares / settings.samples - mean.square()).unsqueeze(0)


def _one(settings: Settings, classifier: Classifier) -> int:
    del settings, classifier
    return 1


def two(settings: Settings, classifier: Classifier) -> int:
    """The cost of a method that asks twice."""
    del settings, classifier
    return 2


def samples(settings: Any, classifier: Classifier) -> int:
    """The cost of a method that asks about as many samples as its settings say."""
    del classifier
    count: int = settings.samples
    return count


def knows(title: str, activations: frozenset[str]) -> Callable[[Classifier], str]:
    """Why a method that knows these activations alone cannot explain a classifier, if so."""

    def obstacle(classifier: Classifier) -> str:
        return without(classifier, title, activations) if isinstance(classifier, TorchClassifier) else ""

    return obstacle


_RECTIFIED = frozenset({RECTIFIER})

GRADIENT = Method(
    name="gradient",
    title="Gradient",
    family="gradient",
    summary="How much the class score changes with each pixel: the plain derivative.",
    formula=r"M_c = \max_{\mathrm{rgb}} \Big|\frac{\partial y^c}{\partial x}\Big|",
    reference="Simonyan, Vedaldi & Zisserman, Deep Inside Convolutional Networks (2013)",
    url="https://arxiv.org/abs/1312.6034",
    strengths="One pass: what the model is locally sensitive to, with nothing added.",
    misleads="Noisy, and blind where the score is saturated: a pixel can matter and have no slope.",
    needs=GRADIENTS,
    signed=False,
    settings=GradientSettings,
    run=attributing(_gradient, magnitude, _one, slopes),
    cost=_one,
)


INPUT_X_GRADIENT = Method(
    name="input-x-gradient",
    title="Input × gradient",
    family="gradient",
    summary="Each pixel's value times its derivative: a first-order account of the score.",
    formula=r"M_c = \sum_{\mathrm{rgb}} x \odot \frac{\partial y^c}{\partial x}",
    reference="Shrikumar et al., Not Just a Black Box: Learning Important Features Through Propagating "
    "Activation Differences (2016)",
    url="https://arxiv.org/abs/1605.01713",
    strengths="Signed: pixels for and against the class.",
    misleads="Black pixels count as nothing, whatever they mean; shows the image's own edges.",
    needs=GRADIENTS,
    signed=True,
    settings=GradientSettings,
    run=attributing(_input_gradient, summed, _one, shares),
    cost=_one,
)


GUIDED_BACKPROP = Method(
    name="guided-backprop",
    title="Guided backpropagation",
    family="gradient",
    summary="The gradient, with every negative value stopped at each ReLU on the way back.",
    formula=r"R^l = \mathbb{1}[f^l > 0] \cdot \mathbb{1}[R^{l+1} > 0] \cdot R^{l+1}",
    reference="Springenberg et al., Striving for Simplicity: The All Convolutional Net (2014)",
    url="https://arxiv.org/abs/1412.6806",
    strengths="Crisp images of what excites the network.",
    misleads="Fails the sanity checks: it nearly restores the image, and hardly changes with class or weights.",
    needs=GRADIENTS,
    signed=False,
    settings=GradientSettings,
    run=attributing(_guided, magnitude, _one, slopes),
    cost=_one,
    requires=knows("Guided backpropagation", _RECTIFIED),
)


DECONVOLUTION = Method(
    name="deconvolution",
    title="Deconvolution",
    family="gradient",
    summary="The gradient, with each ReLU applied to what comes back instead of what went forward.",
    formula=r"R^l = \mathbb{1}[R^{l+1} > 0] \cdot R^{l+1}",
    reference="Zeiler & Fergus, Visualizing and Understanding Convolutional Networks (2014)",
    url="https://arxiv.org/abs/1311.2901",
    strengths="The oldest look inside; shows which structures a layer answers to.",
    misleads="Checkerboards from pooling, and hardly any dependence on the class.",
    needs=GRADIENTS,
    signed=False,
    settings=GradientSettings,
    run=attributing(_deconvolution, magnitude, _one, slopes),
    cost=_one,
    requires=knows("Deconvolution", _RECTIFIED),
)


SMOOTH_GRAD = Method(
    name="smoothgrad",
    title="SmoothGrad",
    family="gradient",
    summary="The gradient averaged over noisy copies of the image.",
    formula=r"M_c = \max_{\mathrm{rgb}} \Big|\frac{1}{n} \sum_{i=1}^n \frac{\partial y^c(x + "
    r"\epsilon_i)}{\partial x}\Big|, \quad \epsilon_i \sim \mathcal{N}(0, \sigma^2)",
    reference="Smilkov et al., SmoothGrad: removing noise by adding noise (2017)",
    url="https://arxiv.org/abs/1706.03825",
    strengths="Much smoother than the gradient for a few dozen evaluations.",
    misleads="Smooth is not correct: noise that the model never saw decides what is averaged.",
    needs=GRADIENTS,
    signed=False,
    settings=NoiseSettings,
    run=attributing(partial(_noisy, "smoothgrad"), magnitude, samples, slopes),
    cost=samples,
)


VAR_GRAD = Method(
    name="vargrad",
    title="VarGrad",
    family="gradient",
    summary="The variance of the gradient over noisy copies of the image.",
    formula=r"M_c = \max_{\mathrm{rgb}} \mathrm{Var}_i \Big(\frac{\partial y^c(x + \epsilon_i)}{\partial x}\Big)",
    reference="Adebayo et al., Local Explanation Methods for Deep Neural Networks Lack Sensitivity to "
    "Parameter Values (2018)",
    url="https://arxiv.org/abs/1810.03307",
    strengths="Independent of the gradient itself: shows where the model is unstable.",
    misleads="High variance means that the slope changes, not that the class is there.",
    needs=GRADIENTS,
    signed=False,
    settings=NoiseSettings,
    run=attributing(partial(_noisy, "vargrad"), magnitude, samples, _variances),
    cost=samples,
)


GUIDED_GRAD_CAM = Method(
    name="guided-grad-cam",
    title="Guided Grad-CAM",
    family="gradient",
    summary="Guided backpropagation where Grad-CAM is high: fine detail in the right place.",
    formula=r"M_c = \max_{\mathrm{rgb}} |R| \odot U\Big(\mathrm{ReLU}\Big(\sum_k \alpha_k^c A_k\Big)\Big)",
    reference="Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks (2017)",
    url="https://arxiv.org/abs/1610.02391",
    strengths="Sharp and, through Grad-CAM, in the right region.",
    misleads="Its detail is guided backpropagation's: the image's edges, not the reason.",
    needs=frozenset({"gradients", "activations"}),
    signed=False,
    settings=CamSettings,
    run=attributing(_guided_cam, magnitude, two, None),
    cost=two,
    requires=knows("Guided Grad-CAM", _RECTIFIED),
)
