"""Methods that hide parts of the picture and watch the target's probability: occlusion and RISE."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import Occlusion
from torch import Tensor

from decam.classifier import Classifier
from decam.explanation import Map, Question, Steps
from decam.masking import FILLS, MaskedQueries, fill, upsample
from decam.methods.base import SHORT, Method
from decam.methods.support.budgeted import BudgetedQueries, portions, whole_budget
from decam.methods.support.interruptible import Checkpoint, run_with_progress
from decam.settings import Settings, parameter


@dataclass(frozen=True)
class OcclusionSettings(Settings):
    """The window that slides over the picture."""

    window: float = parameter(
        0.2, "Side of the hidden square, as a share of the image's.", low=0.02, high=0.9, step=0.01
    )
    stride: float = parameter(
        0.08, "Distance between two squares, as a share of the image's side.", low=0.01, high=0.9, step=0.01
    )
    fill: str = parameter("mean", "What replaces hidden pixels.", choices=FILLS)

    def pixels(self, size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
        """Window and stride in pixels, (H, W) each; the stride never jumps over the window."""
        height, width = size
        window = (max(1, round(self.window * height)), max(1, round(self.window * width)))
        stride = (max(1, round(self.stride * height)), max(1, round(self.stride * width)))
        return window, (min(stride[0], window[0]), min(stride[1], window[1]))


def occlusion(question: Question, settings: OcclusionSettings, seed: int) -> Steps:
    """Captum's Occlusion: how far the target's probability falls while a square is hidden, averaged over squares."""
    classifier = question.classifier
    filling = fill(settings.fill, question.image, classifier.mean, seed)
    queries = MaskedQueries(question, filling)
    window, stride = settings.pixels(classifier.input_size)

    def attribute(checkpoint: Checkpoint) -> Tensor:
        def target_probability(images: Tensor) -> Tensor:
            answers = queries.pictures(images)[:, question.target]
            checkpoint()
            return answers

        attributed: Tensor = Occlusion(target_probability).attribute(
            question.image.unsqueeze(0),
            sliding_window_shapes=(3, *window),
            strides=(3, *stride),
            baselines=filling.unsqueeze(0),
            perturbations_per_eval=queries.round_size,
        )
        return attributed

    attributed = yield from run_with_progress(attribute, question.ledger, _occlusion_cost(settings, classifier))
    saliency: Map = attributed[0].mean(0).cpu().numpy().astype(np.float32)
    return saliency


def _occlusion_cost(settings: OcclusionSettings, classifier: Classifier) -> int:
    """The unmasked picture and one evaluation a place of the window; the last place of a side sticks to its end."""
    window, stride = settings.pixels(classifier.input_size)
    places = 1
    for side, length, step in zip(classifier.input_size, window, stride, strict=True):
        places *= -(-(side - length) // step) + 1
    return places + 1


@dataclass(frozen=True)
class RiseSettings(Settings):
    """How many random masks, and of what kind."""

    budget: int = parameter(1000, "Random masks, one evaluation each.", low=16, high=50_000, earlier="masks")
    cells: int = parameter(7, "Cells a side of the random grid behind a mask.", low=2, high=32)
    visible: float = parameter(0.5, "Probability that a cell is visible.", low=0.05, high=0.95, step=0.05)
    fill: str = parameter("mean", "What replaces hidden pixels; the authors use mean.", choices=FILLS)


def shifted(grids: Tensor, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Grids (N×K×g×g) as masks (N×K×H×W): interpolated, g − 1 cells a side, and shifted by a random part of a cell."""
    height, width = size
    count, kinds, side = grids.shape[:3]
    cell = (-(-height // (side - 1)), -(-width // (side - 1)))
    large = upsample(grids.flatten(0, 1), (side * cell[0], side * cell[1])).view(count, kinds, side * cell[0], -1)
    top = torch.randint(cell[0], (count, 1), generator=generator)
    left = torch.randint(cell[1], (count, 1), generator=generator)
    rows = (top + torch.arange(height)).view(count, 1, height, 1)
    columns = (left + torch.arange(width)).view(count, 1, 1, width)
    return large[torch.arange(count).view(-1, 1, 1, 1), torch.arange(kinds).view(1, -1, 1, 1), rows, columns]


def rise_masks(count: int, settings: RiseSettings, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """N×1×H×W masks in [0, 1]: random binary grids, interpolated and shifted by a random part of a cell."""
    side = settings.cells + 1
    return shifted((torch.rand(count, 1, side, side, generator=generator) < settings.visible).float(), size, generator)


def rise(question: Question, settings: RiseSettings, seed: int) -> Steps:
    """The masks' mean, weighted by the target's probability behind them (Petsiuk, Das and Saenko 2018, eq. 6)."""
    height, width = question.classifier.input_size
    queries = BudgetedQueries(question, settings.fill, seed, settings.budget)
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(height * width)
    done = 0
    for count in portions(settings.budget):
        masks = rise_masks(count, settings, (height, width), generator)
        total += (yield from queries.ask(masks)) @ masks.view(count, -1)
        done += count
        expected: Map = (total / (done * settings.visible)).view(height, width).numpy().astype(np.float32)
        queries.saliency = expected
        yield queries.progress()
    return expected


OCCLUSION = Method(
    name="occlusion",
    title="Occlusion",
    family="perturbation",
    summary="Slides a square over the image and records how far the probability falls.",
    formula=r"M_c(u) = \operatorname{mean}_{W \ni u} \big(p^c(x) - p^c(x \text{ without } W)\big)",
    reference="Zeiler & Fergus, Visualizing and Understanding Convolutional Networks (2014)",
    url="https://arxiv.org/abs/1311.2901",
    strengths="Easy to explain and works for any model.",
    misleads="Sees only what one square hides: if either of two eyes is enough, both count for nothing.",
    needs=frozenset({"output"}),
    hides=True,
    signed=True,
    settings=OcclusionSettings,
    run=occlusion,
    cost=_occlusion_cost,
)

RISE = Method(
    name="rise",
    title="RISE",
    family="perturbation",
    summary="Averages random masks, weighted by the probability that each leaves.",
    formula=r"M_c(u) = \frac{1}{n \, p} \sum_{i=1}^n p^c(x \odot m_i) \, m_i(u)",
    reference="Petsiuk, Das & Saenko, RISE: Randomized Input Sampling for Explanation of Black-box Models (2018)",
    url="https://arxiv.org/abs/1806.07421",
    strengths="Works for any model, and is simple: more masks only make it smoother.",
    misleads="Needs thousands of evaluations for a smooth map, which stays as coarse as its grid.",
    needs=frozenset({"output"}),
    hides=True,
    signed=False,
    settings=RiseSettings,
    run=rise,
    example=SHORT,
    cost=whole_budget,
)
