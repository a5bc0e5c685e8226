"""A guess at what a model would answer to a mask, from all that it has answered: cheap enough to ask hundreds of times.

Ordinary Gaussian process regression (Rasmussen and Williams 2006, algorithm 2.1) of the answers' log odds.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from decam.methods.smooth_ridge import smooth_kernel

CELLS = 7
LATEST = 1024  # answers that count: the cost of a fit grows with their cube
FEW = 256  # of them, from which the noise is found
FLOOR = 0.01  # probabilities closer than this to 0 or 1 count as about this far from them
LINEAR = 0.3  # variance of the linear part; that of the local part is 1
REACH = 0.7  # of the local part: its length as a share of the median distance between masks
NOISE = (0.01, 0.03, 0.1, 0.3, 1.0)  # variances of what neither explains, the likeliest of which is taken


class Surrogate:
    """Predicts a target's probability behind masks from their visible share in 7×7 cells.

    Two masks are alike where the shares of neighbouring cells together are alike. The covariance of the log odds is a
    linear one plus a squared exponential one of that distance.
    """

    def __init__(self) -> None:
        self._root = _factor(smooth_kernel(CELLS), 1e-6)
        self._seen: list[Tensor] = []
        self._answers: list[Tensor] = []

    def add(self, masks: Tensor, answers: Tensor) -> None:
        """Masks (N×h×w, visible shares or booleans) and the probabilities that the model answered to them (N)."""
        self._seen.append(self._places(masks))
        self._answers.append(answers.double().cpu())

    def fit(self) -> None:
        """Take account of all that was added."""
        seen = torch.cat(self._seen)[-LATEST:]
        answers = torch.cat(self._answers)[-LATEST:]
        odds = ((answers + FLOOR) / (1 + FLOOR - answers)).log()
        self._level, self._scale = odds.mean(), odds.std(correction=0).clamp_min(1e-6)
        wanted = ((odds - self._level) / self._scale).unsqueeze(1)
        self._centre = seen.mean(0)
        self._points = seen - self._centre
        distances = torch.cdist(self._points, self._points).square()
        self._width = 2 * REACH**2 * distances.median().clamp_min(1e-12)
        self._power = self._points.square().sum(1).mean().clamp_min(1e-12) / LINEAR
        covariance = self._points @ self._points.T / self._power + torch.exp(-distances / self._width)
        some = slice(None, None, -(-len(wanted) // FEW))
        noise = max(NOISE, key=lambda noise: _likelihood(covariance[some, some], wanted[some], noise))
        self._weights = torch.cholesky_solve(wanted, _factor(covariance, noise))

    def predict(self, masks: Tensor) -> Tensor:
        """The probabilities expected behind masks (N×h×w), N float32; `fit` comes first."""
        points = self._places(masks) - self._centre
        distances = torch.cdist(points, self._points).square()
        covariance = points @ self._points.T / self._power + torch.exp(-distances / self._width)
        odds = ((covariance @ self._weights)[:, 0] * self._scale + self._level).exp()
        expected: Tensor = ((1 + FLOOR) * odds - FLOOR) / (1 + odds)
        return expected.float()

    def _places(self, masks: Tensor) -> Tensor:
        """Visible shares of the cells, turned so that their distance is one between smoothed masks."""
        shares: Tensor = F.adaptive_avg_pool2d(masks.float().unsqueeze(1), CELLS)
        return shares.flatten(1).double().cpu() @ self._root


def _factor(covariance: Tensor, noise: float) -> Tensor:
    factor: Tensor = torch.linalg.cholesky(covariance + noise * torch.eye(len(covariance), dtype=covariance.dtype))
    return factor


def _likelihood(covariance: Tensor, wanted: Tensor, noise: float) -> float:
    """Of the numbers wanted (N×1), logarithmic, up to a constant and with the scale of the whole at its best."""
    factor = _factor(covariance, noise)
    misfit = (wanted * torch.cholesky_solve(wanted, factor)).mean()
    return float(-0.5 * len(wanted) * misfit.log() - factor.diagonal().log().sum())
