"""Predicts what a model would answer to a mask from its earlier answers, cheaply enough for hundreds of predictions.

Ordinary Gaussian process regression (Rasmussen and Williams 2006, algorithm 2.1) of the answers' log odds.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from decam.methods.de_cam.halves import half_of
from decam.methods.de_cam.seeding import smooth_kernel

CELLS = 7
LATEST = 512  # answers that a fit uses, or the last batch if that is larger: its cost grows with their cube
FEW = 128  # of them, from which the noise is found
FLOOR = 0.01  # probabilities closer than this to 0 or 1 count as about this far from them
LINEAR = 0.3  # variance of the linear part; that of the local part is 1
REACH = 0.7  # of the local part: its length as a share of the median distance between masks
NOISE = (0.03, 0.1, 0.3, 1.0)  # variances of what neither explains, the likeliest of which is taken


_ROOT: Tensor = torch.linalg.cholesky(smooth_kernel(CELLS) + 1e-6 * torch.eye(CELLS**2, dtype=torch.float64)).float()


def places(masks: Tensor) -> Tensor:
    """Masks (N×h×w, visible shares or booleans) as points (N×49, on the CPU): visible shares of 7×7 cells, smoothed.

    Two masks are near each other where the shares of neighbouring cells together are alike.
    """
    shares: Tensor = F.adaptive_avg_pool2d(masks.float().unsqueeze(1), CELLS)
    return shares.flatten(1).cpu() @ _ROOT


def log_odds(probabilities: Tensor) -> Tensor:
    """Of probabilities in [0, 1], kept finite: what masks change adds up in them better than in probabilities."""
    return ((probabilities + FLOOR) / (1 + FLOOR - probabilities)).log()


class Surrogate:
    """Predicts a target's probability behind masks, given as `places`.

    The covariance of the log odds is a linear one plus a squared exponential one of the distance.
    """

    def __init__(self) -> None:
        self._seen: list[Tensor] = []
        self._answers: list[Tensor] = []

    def add(self, seen: Tensor, answers: Tensor) -> None:
        """Places of masks (N×49) and the probabilities that the model answered to them (N)."""
        self._seen.append(seen)
        self._answers.append(answers.float().cpu())

    def fit(self) -> None:
        """Take account of the latest of what was added."""
        count = max(LATEST, len(self._answers[-1]))
        seen, answers = torch.cat(self._seen)[-count:], torch.cat(self._answers)[-count:]
        self._seen, self._answers = [seen], [answers]
        odds = log_odds(answers)
        self._level, self._scale = odds.mean(), odds.std(correction=0).clamp_min(1e-6)
        wanted = ((odds - self._level) / self._scale).unsqueeze(1)
        self._centre = seen.mean(0)
        self._points = seen - self._centre
        distances = torch.cdist(self._points, self._points).square_()
        self._width = 2 * REACH**2 * distances.median().clamp_min(1e-12)
        self._power = self._points.square().sum(1).mean().clamp_min(1e-12) / LINEAR
        covariance = self._covariance(self._points, distances)
        some = slice(None, None, -(-len(wanted) // FEW))
        noise = max(NOISE, key=lambda noise: _likelihood(covariance[some, some], wanted[some], noise))
        self._weights = torch.cholesky_solve(wanted, _factor(covariance, noise))

    def half(self, generator: torch.Generator) -> Surrogate:
        """Another one, fitted to a random half of the answers that this one was fitted to."""
        seen, answers = torch.cat(self._seen), torch.cat(self._answers)
        kept = half_of(len(answers), generator)
        other = Surrogate()
        other.add(seen[kept], answers[kept])
        other.fit()
        return other

    def predict(self, asked: Tensor) -> Tensor:
        """The probabilities expected behind masks, N from their places (N×49); `fit` comes first."""
        points = asked - self._centre
        covariance = self._covariance(points, torch.cdist(points, self._points).square_())
        odds = ((covariance @ self._weights)[:, 0] * self._scale + self._level).exp()
        expected: Tensor = ((1 + FLOOR) * odds - FLOOR) / (1 + odds)
        return expected

    def _covariance(self, points: Tensor, distances: Tensor) -> Tensor:
        """Of so many points with those of the regression, at these squared distances."""
        linear = points @ (self._points.T / self._power)
        return linear.add_(distances.div_(-self._width).exp_())


def _factor(covariance: Tensor, noise: float) -> Tensor:
    factor: Tensor = torch.linalg.cholesky(covariance + noise * torch.eye(len(covariance), dtype=covariance.dtype))
    return factor


def _likelihood(covariance: Tensor, wanted: Tensor, noise: float) -> float:
    """Of the numbers wanted (N×1), logarithmic, up to a constant and with the scale of the whole at its best."""
    factor = _factor(covariance, noise)
    misfit = (wanted * torch.cholesky_solve(wanted, factor)).mean()
    return float(-0.5 * len(wanted) * misfit.log() - factor.diagonal().log().sum())
