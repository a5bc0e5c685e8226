"""A regression of what a model answers on which cells of a grid are visible, smooth over neighbouring cells."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from decam.methods.de_cam.halves import half_of

LENGTH = 0.1
STRENGTHS = torch.logspace(-4, 4, 33, dtype=torch.float64)
PAIRS = 32  # random halves and their complements that are asked before a guess is fitted anew


def smooth_kernel(cells: int) -> Tensor:
    """How alike the cells of a grid are (cells²×cells²): squared exponential, its length a tenth of the width."""
    places = (torch.arange(cells, dtype=torch.float64) + 0.5) / cells
    grid = torch.cartesian_prod(places, places)
    return torch.exp(-torch.cdist(grid, grid).square() / (2 * LENGTH**2))


@dataclass(frozen=True)
class Posterior:
    """Gaussian posterior of the cells' weights: its mean (cells²) and a factor of its covariance."""

    mean: Tensor
    factor: Tensor

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Samples, count×cells²."""
        normal = torch.randn(count, self.factor.shape[1], dtype=torch.float64, generator=generator)
        return self.mean + (normal @ self.factor.T).float()


class SmoothRidge:
    """Ridge regression with a Gaussian-process prior (RBF, length a tenth of the width) over a square grid of cells.

    The prior is w = L v with K = L Lᵀ and v standard normal, so that an ordinary ridge in v is a smooth one in w. Its
    strength minimises generalised cross-validation (Golub, Heath and Wahba 1979, eq. 1.4). Without `smooth` K is the
    identity, and the ridge an ordinary one.
    """

    def __init__(self, cells: int, smooth: bool = True) -> None:
        alone = torch.eye(cells**2, dtype=torch.float64)
        self._root = torch.linalg.cholesky(smooth_kernel(cells) + 1e-9 * alone) if smooth else alone
        self._seen: list[Tensor] = []
        self._answers: list[Tensor] = []

    def add(self, grids: Tensor, answers: Tensor) -> None:
        """Which cells were visible (N×cells², in [0, 1]) and what the model answered (N)."""
        self._seen.append(grids.double())
        self._answers.append(answers.double())

    def half(self, generator: torch.Generator) -> SmoothRidge:
        """Another one that was given a random half of the answers."""
        seen, answers = torch.cat(self._seen), torch.cat(self._answers)
        kept = half_of(len(answers), generator)
        other = copy.copy(self)
        other._seen, other._answers = [seen[kept]], [answers[kept]]
        return other

    def fit(self) -> Posterior:
        """The posterior given all that was added."""
        seen, answers = torch.cat(self._seen), torch.cat(self._answers)
        design = (seen - seen.mean(0)) @ self._root
        centred = answers - answers.mean()
        values, vectors = torch.linalg.eigh(design.T @ design)
        values = values.clamp_min(0)
        projected = vectors.T @ (design.T @ centred)
        count = len(answers)
        shrink = values / (values + STRENGTHS.unsqueeze(1))
        used = shrink.sum(1)
        explained = (
            projected**2 * (2 / (values + STRENGTHS.unsqueeze(1)) - shrink / (values + STRENGTHS.unsqueeze(1)))
        ).sum(1)
        residual = (centred.square().sum() - explained).clamp_min(1e-12)
        free = (count - 1 - used).clamp_min(1e-3)
        best = int((residual / free**2).argmin())
        strength = STRENGTHS[best]
        noise = residual[best] / free[best]
        mean = self._root @ vectors @ (projected / (values + strength))
        factor = self._root @ vectors @ torch.diag((noise / (values + strength)).sqrt())
        return Posterior(mean.float(), factor)
