"""Extremal perturbation: the smooth mask of a given area that keeps the class's score highest, by gradient ascent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from decam.classifier import Classifier
from decam.explanation import Map, Question, Steps
from decam.masking import FILLS, fill
from decam.methods.base import Method
from decam.methods.gradient.gradients import GRADIENTS
from decam.methods.support.interruptible import Checkpoint
from decam.methods.support.white_box import Opened, by_library, white_box
from decam.settings import Settings, parameter

AREAS = (0.025, 0.05, 0.1, 0.2)  # of the picture, a mask for each
CELLS = 32  # of the mask's grid along the shorter side: 7 pixels each at 224
REACH = 3.0  # σ of the kernel around a cell, in cells
COLDNESS = 20.0  # of the smooth maximum
STRICTNESS, GROWTH = 300.0, 1.0035  # weight of the area's constraint, and its factor each step
RATE, MOMENTUM = 0.01, 0.9


@dataclass(frozen=True)
class ExtremalSettings(Settings):
    """How long the masks are optimised, and what replaces hidden pixels."""

    steps: int = parameter(800, "Steps of gradient ascent, one evaluation for each of four areas.", low=4, high=5000)
    fill: str = parameter("blur", "What replaces hidden pixels.", choices=FILLS)


class SmoothMask:
    """Grids (N×1×h×w in [0, 1]) as masks without fine structure: the smooth maximum of the cells near each place.

    A cell's value counts k(d/σ) = exp(−2 max(d/σ − ½, 0)²) as much at distance d, and the smooth maximum of values v is
    Σ v softmax(20 v): as in the authors' TorchRay, with cells as shares of the picture in place of 7 pixels. It is
    computed at the cells' centres; σ is three cells, so that nothing is lost by interpolating between them.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        step = min(size) / CELLS
        self.grid = (math.ceil(size[0] / step), math.ceil(size[1] / step))
        self._near = 1 + math.ceil(REACH)  # cells on each side that count
        self._weights = self._kernel()

    def _kernel(self) -> Tensor:
        """k of each of the K neighbours of a cell, itself among them."""
        cells = torch.arange(-self._near, self._near + 1, dtype=torch.float32)
        distance = (cells.square().unsqueeze(1) + cells.square()).sqrt()
        return torch.exp(-2 * (distance / REACH - 0.5).clamp_min(0).square()).flatten()

    def coarse(self, grids: Tensor) -> Tensor:
        """The masks at the cells' centres, N×h×w."""
        near = F.unfold(F.pad(grids, (self._near,) * 4), 2 * self._near + 1)
        values = near * self._weights.to(grids).unsqueeze(1)
        smooth: Tensor = (values * torch.softmax(COLDNESS * values, dim=1)).sum(1)
        return smooth.view(len(grids), *self.grid)

    def large(self, coarse: Tensor) -> Tensor:
        """The same as N×1×H×W."""
        return F.interpolate(coarse.unsqueeze(1), self._size, mode="bilinear", align_corners=False)


def area_misfit(masks: Tensor, areas: Tensor) -> Tensor:
    """How far each mask (N×h×w) is from being 1 on its area (N) and 0 elsewhere: mean square, N, after sorting."""
    ascending = masks.flatten(1).sort(dim=1).values
    ranks = torch.arange(ascending.shape[1], device=masks.device)
    template = (ranks >= ((1 - areas) * ascending.shape[1]).round().unsqueeze(1)).to(masks)
    return (ascending - template).square().mean(1)


class _Ascent:
    """The masks of all areas on their way."""

    def __init__(self, question: Question, settings: ExtremalSettings, seed: int, model: Opened) -> None:
        self._question = question
        self._model = model
        self._filling = fill(settings.fill, question.image, question.classifier.mean, seed)
        self._smooth = SmoothMask(question.classifier.input_size)
        self._areas = torch.tensor(AREAS, device=question.image.device)
        self._strictness = STRICTNESS
        self._mirrored = False
        self.grids = torch.ones(len(AREAS), 1, *self._smooth.grid, device=question.image.device, requires_grad=True)
        self._ascent = torch.optim.SGD([self.grids], lr=RATE, momentum=MOMENTUM, dampening=MOMENTUM)

    def step(self, batch: int) -> None:
        """One step up the target's logit and towards the areas; every second time on the mirrored picture."""
        self.grids.grad = torch.zeros_like(self.grids)
        for part in torch.split(torch.arange(len(AREAS)), batch):
            coarse = self._smooth.coarse(self.grids[part])
            mask = self._smooth.large(coarse)
            shown = mask * self._question.image + (1 - mask) * self._filling
            score = self._model(shown.flip(-1) if self._mirrored else shown)[:, self._question.target]
            loss = (self._strictness * area_misfit(coarse, self._areas[part]) - score).sum()
            self.grids.grad += torch.autograd.grad(loss, self.grids)[0]  # and none of the network's weights
        self._ascent.step()
        with torch.no_grad():
            self.grids.clamp_(0, 1)
        self._strictness *= GROWTH
        self._mirrored = not self._mirrored

    def masks(self) -> Tensor:
        """The masks of the areas, N×H×W."""
        with torch.no_grad():
            return self._smooth.large(self._smooth.coarse(self.grids))[:, 0]


def extremal_perturbation(question: Question, settings: ExtremalSettings, seed: int) -> Steps:
    """The mean of the masks of four areas that keep the target's logit highest (Fong, Patrick and Vedaldi 2019), H×W.

    What is hidden is replaced by the fill, where the authors blur more the less a pixel is visible.
    """
    white_box(question)

    def work(checkpoint: Checkpoint, batch: int) -> Tensor:
        model = Opened(question, checkpoint)
        ascent = _Ascent(question, settings, seed, model)
        for _ in range(settings.steps):
            ascent.step(batch)
        question.ledger.reach = ("With parts of the image hidden, the class's logit moves", model.spread)
        return ascent.masks()

    masks = yield from by_library(question, _cost(settings, question.classifier), work)
    saliency: Map = masks.mean(0).cpu().numpy().astype(np.float32)
    return saliency


def _cost(settings: ExtremalSettings, classifier: Classifier) -> int:
    del classifier
    return settings.steps * len(AREAS)


EXTREMAL_PERTURBATION = Method(
    name="extremal-perturbation",
    title="Extremal perturbation",
    family="gradient",
    summary=(
        "Finds, by gradient ascent, the smooth mask of a given area that keeps the class score highest. The map is the "
        "mean over four areas."
    ),
    formula=r"m_a = \arg\max_m \, y^c\big(m \odot x + (1 - m) \odot x_0\big) - \lambda \, \lVert "
    r"\operatorname{sort}(m) - r_a \rVert^2",
    reference="Fong, Patrick & Vedaldi, Understanding Deep Networks via Extremal Perturbations and Smooth Masks (2019)",
    url="https://arxiv.org/abs/1910.08485",
    strengths="Finds with gradients what black-box searches look for: a bound for them.",
    misleads="Thousands of evaluations, and masks that fit the fill: what is kept may be more than the object.",
    needs=GRADIENTS,
    signed=False,
    settings=ExtremalSettings,
    run=extremal_perturbation,
    example={"steps": 125},
    cost=_cost,
)
