"""How far the answer is expected to fall where a place is hidden, by a regression on everything that was asked.

Gaussian process regression (Rasmussen and Williams 2006, algorithm 2.1) of the probabilities on the visible shares of
28×28 places. Three priors on the places' weights are tried: each place by itself, and smooth over two lengths, among
places alike in colour where edges are followed. What the three expect is averaged, each weighted by the inverse of
what it misses of left-out answers (eq. 5.12; Bates and Granger 1969). So edges count where they predict the answers.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from decam.masking import upsample
from decam.methods.de_cam.halves import half_of

PLACES = 28  # a side
MOST = 1024  # answers that a fit uses: its cost grows with their cube
FEW = 320  # of them, from which the noise is chosen
SMOOTH = (0.05, 0.1)  # lengths of the priors over the picture alone, as shares of its side
EDGED = (0.1, 0.25)  # and of those over places alike in colour, where edges are followed
ALIKE = 0.1  # colours that differ by so much, in [0, 1], are somewhat alike
LINEAR = 0.3  # variance of the additive part; that of the local part is 1
REACH = 0.7  # of the local part: its length as a share of the median distance between masks
NOISE = (0.003, 0.03, 0.3)  # variances of what neither explains
TRUSTED = 0.012  # share of the answers' variance: a drop that misses as much counts as much as what was searched


@dataclass(frozen=True)
class Drop:
    """The expected drop of each place (28×28), and the share of the answers' variance that left-out answers missed."""

    places: Tensor
    missed: float

    def map(self, size: tuple[int, int]) -> Tensor:
        """The drop at a picture's size, H×W."""
        return upsample(self.places.unsqueeze(0), size)[0, 0]

    def beside(self, ranking: Tensor) -> Tensor:
        """The drop and a map that was searched for its ranking (H×W), each at unit deviation, as one map H×W.

        With the trust t = 0.012 / missed the drop's order counts t times as much as the search, and its values t⁴
        times. Where answers are well predicted the map is the drop. Where they are not, as with most networks, its
        order corrects the search's, and its peaks, which are then the least certain part of it, do not count.
        """
        from scipy.stats import rankdata  # here, for it takes a second

        own = self.map((ranking.shape[0], ranking.shape[1]))
        order = torch.from_numpy(rankdata(own.numpy(), axis=None)).view_as(own).float()  # equal drops share a rank
        trust = TRUSTED / max(self.missed, 1e-6)
        parts = ((1.0, ranking), (trust, order), (trust**4, own))
        return torch.stack([weight * _unit(part) for weight, part in parts]).sum(0) / sum(weight for weight, _ in parts)


class ExpectedDrop:
    """Learns from masks and answers what hiding each place of a picture (3×H×W in [0, 1]) does to the answer."""

    def __init__(self, image: Tensor, follow_edges: bool) -> None:
        steps = (torch.arange(PLACES) + 0.5) / PLACES
        grid = torch.cartesian_prod(steps, steps)
        self._apart = torch.cdist(grid, grid).square_()
        colours = F.adaptive_avg_pool2d(image.float().cpu(), PLACES).flatten(1).T
        self._unlike = torch.cdist(colours, colours).square_() / (2 * ALIKE**2)
        self._follow_edges = follow_edges
        self._seen: list[Tensor] = []
        self._answers: list[Tensor] = []
        self._noises: list[float] = []  # one for each prior, once they were chosen

    def __bool__(self) -> bool:
        """True once anything was added."""
        return bool(self._answers)

    def add(self, masks: Tensor, answers: Tensor) -> None:
        """Masks (N×H×W, visible shares or booleans) and what the model answered (N)."""
        self._seen.append(F.adaptive_avg_pool2d(masks.float().unsqueeze(1), PLACES).flatten(1).cpu())
        self._answers.append(answers.float().cpu())
        self._noises = []
        if sum(map(len, self._answers)) > 4 * MOST:  # of very many answers a part tells nearly as much
            self._seen, self._answers = ([kept] for kept in self._part(2 * MOST))

    def _part(self, most: int) -> tuple[Tensor, Tensor]:
        """At most so many masks and answers, drawn evenly: every second one would leave out some shares altogether."""
        seen, answers = torch.cat(self._seen), torch.cat(self._answers)
        drawn = _drawn(len(answers), most)
        return seen[drawn], answers[drawn]

    def fit(self) -> Drop:
        """What all that was added says; no drop, and all missed, where every answer was the same."""
        seen, answers = self._part(MOST)
        spread = answers.std(correction=0)
        if spread < 1e-6:
            return Drop(torch.zeros(PLACES, PLACES), 1.0)
        wanted = ((answers - answers.mean()) / spread).unsqueeze(1)
        self._noises = self._noises or [_noise(prior, seen, wanted) for prior in self._priors()]
        fits = [
            _Regression(seen, prior).fit(wanted, noise)
            for prior, noise in zip(self._priors(), self._noises, strict=True)
        ]
        return _combined(fits, spread)

    def half(self, generator: torch.Generator) -> ExpectedDrop:
        """Another one that was given a random half of what the latest fit used, and keeps to its noises."""
        seen, answers = self._part(MOST)
        kept = half_of(len(answers), generator)
        other = copy.copy(self)
        other._seen, other._answers = [seen[kept]], [answers[kept]]
        return other

    def _priors(self) -> Iterator[Tensor]:
        """Covariances of the places' weights (784×784)."""
        yield torch.eye(PLACES**2)
        for length in EDGED if self._follow_edges else SMOOTH:
            unlike = self._unlike if self._follow_edges else 0
            yield torch.exp(self._apart / (-2 * length**2) - unlike)


@dataclass(frozen=True)
class _Fit:
    """The slope of what is expected along each place (784), and what is wanted minus what the others expect (N)."""

    slopes: Tensor
    left_out: Tensor

    @property
    def missed(self) -> float:
        return float(self.left_out.square().mean())


def _combined(fits: Sequence[_Fit], spread: Tensor) -> Drop:
    """The mean of several fits to the same answers, each weighted by the inverse of what it misses."""
    shares = torch.tensor([1 / max(fit.missed, 1e-12) for fit in fits], dtype=torch.float64)
    shares /= shares.sum()
    slopes, left_out = (
        (shares.unsqueeze(1) * torch.stack(parts).double()).sum(0)
        for parts in zip(*((fit.slopes, fit.left_out) for fit in fits), strict=True)
    )
    return Drop((slopes * spread).float().view(PLACES, PLACES), float(left_out.square().mean()))


def _noise(prior: Tensor, seen: Tensor, wanted: Tensor) -> float:
    """The noise that predicts left-out answers best, by some of them."""
    few = _drawn(len(wanted), FEW)
    regression = _Regression(seen[few], prior)
    return min(NOISE, key=lambda noise: regression.fit(wanted[few], noise).missed)


def _drawn(count: int, most: int) -> Tensor:
    """At most so many of `count` indices, in their order; always the same ones."""
    if count <= most:
        return torch.arange(count)
    return torch.randperm(count, generator=torch.Generator().manual_seed(0))[:most].sort().values


def _unit(values: Tensor) -> Tensor:
    """At zero mean and unit deviation; zero where all are the same."""
    centred = values - values.mean()
    return centred / centred.std(correction=0).clamp_min(1e-12)


class _Regression:
    """A linear covariance of masks under a prior on their places, plus a squared exponential one of their distance."""

    def __init__(self, seen: Tensor, prior: Tensor) -> None:
        self._centred = seen - seen.mean(0)
        self._smoothed = self._centred @ prior
        linear = self._smoothed @ self._centred.T
        self._scale = linear.diagonal().mean().clamp_min(1e-12)
        self._linear = linear / self._scale
        own = self._linear.diagonal()
        distances = (own.unsqueeze(0) + own.unsqueeze(1) - 2 * self._linear).clamp_min_(0)
        self._width = 2 * REACH**2 * distances.median().clamp_min(1e-12)
        self._local = torch.exp(-distances / self._width)

    def fit(self, wanted: Tensor, noise: float) -> _Fit:
        """What is expected of answers (N×1) with so much noise; slopes are means over the masks that were asked."""
        covariance = (LINEAR * self._linear + self._local).double()
        covariance.diagonal().add_(noise)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(covariance))
        weights = inverse @ wanted.double()
        left_out = weights[:, 0] / inverse.diagonal()  # what is wanted minus what the others expect
        weights = weights.float()
        bends = (weights * self._local.sum(1, keepdim=True) - self._local @ weights) * (2 / self._width / len(wanted))
        slopes = self._smoothed.T @ (LINEAR * weights + bends) / self._scale
        return _Fit(slopes[:, 0], left_out)
