"""Captum's KernelShap and FeatureAblation on a grid of cells, as whole maps of one image."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np
import torch
from captum.attr import FeatureAblation, KernelShap
from torch import Tensor

from decam.explanation import Map

CELLS = 7

Ask: TypeAlias = Callable[[Tensor], Tensor]  # N×3×H×W pictures to the target's N probabilities


class LeastSquares:
    """The weighted linear regression of Captum's KernelShap, which by itself needs scikit-learn.

    Lundberg and Lee (2017), theorem 2; coefficients 1×D, the intercept left out.
    """

    def __init__(self) -> None:
        self._coefficients = torch.empty(0)

    def fit(self, train_data: Iterable[tuple[Tensor, Tensor, Tensor]]) -> None:
        """Fit to batches of inputs (N×D), outputs (N) and weights (N)."""
        inputs, outputs, weights = (torch.cat(parts).double().cpu().numpy() for parts in zip(*train_data, strict=True))
        root = np.sqrt(weights)
        design = np.column_stack([inputs, np.ones(len(inputs))])
        solved = np.linalg.lstsq(design * root[:, None], outputs * root, rcond=None)[0]
        self._coefficients = torch.from_numpy(solved[:-1].astype(np.float32)).unsqueeze(0)

    def representation(self) -> Tensor:
        """The coefficients."""
        return self._coefficients


def grid(size: tuple[int, int], cells: int = CELLS) -> Tensor:
    """Which cell each pixel belongs to, 1×3×H×W int64, the same for the three channels."""
    height, width = size
    rows = torch.arange(height) * cells // height
    columns = torch.arange(width) * cells // width
    return (rows.unsqueeze(1) * cells + columns).expand(1, 3, height, width)


def kernel_shap(
    ask: Ask, image: Tensor, baseline: Tensor, samples: int, batch: int, seed: int, cells: int = CELLS
) -> Map:
    """Shapley values of the cells from `samples` evaluations; picture and baseline are 3×H×W."""
    explainer = KernelShap(ask)
    explainer.interpretable_model = LeastSquares()
    with torch.random.fork_rng(devices=[]):  # Captum draws from the process's own generator
        torch.default_generator.manual_seed(seed)
        attributed = explainer.attribute(
            image.unsqueeze(0),
            baselines=baseline.unsqueeze(0),
            feature_mask=grid((image.shape[1], image.shape[2]), cells).to(image.device),
            n_samples=samples,
            perturbations_per_eval=batch,
        )
    return _first_channel(attributed)


def feature_ablation(ask: Ask, image: Tensor, baseline: Tensor, batch: int, cells: int = CELLS) -> Map:
    """How far the probability falls without each cell: one evaluation a cell and one of the whole picture."""
    attributed = FeatureAblation(ask).attribute(
        image.unsqueeze(0),
        baselines=baseline.unsqueeze(0),
        feature_mask=grid((image.shape[1], image.shape[2]), cells).to(image.device),
        perturbations_per_eval=batch,
    )
    return _first_channel(attributed)


def _first_channel(attributed: Tensor) -> Map:
    saliency: Map = attributed[0, 0].detach().cpu().numpy().astype(np.float32)
    return saliency
