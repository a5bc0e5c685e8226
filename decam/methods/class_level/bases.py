"""In what a pattern is measured, and the steepest way to change it: one row a measure.

In each measure a pattern (K×3×H×W, added to pictures in [0, 1]) has a cost, which is a norm, and a gradient by the
pattern has a steepest direction: of all patterns of cost 1 the one with the largest inner product with the gradient.
What is cheap differs: a wave costs little as a wave and much as pixels, and a patch the other way round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from decam.methods.class_level.common import norms, unit_length

BLOCK = 1 / 8
"""Side of a block, in shares of the shorter side."""


@dataclass(frozen=True)
class Measure:
    """A norm of patterns: `cost` (K×3×H×W to K) and the steepest direction of a gradient (K×3×H×W, cost 1).

    `title` says in words what is counted. `spread` is how far the cheapest class of a clean model typically is below
    the next, in logarithms of cost, rounded: taken from clean models of drawn shapes.
    """

    title: str
    spread: float
    cost: Callable[[Tensor], Tensor]
    steepest: Callable[[Tensor], Tensor]


def _flat(patterns: Tensor) -> Tensor:
    """The mean colour of each pattern, everywhere."""
    return patterns.mean((-1, -2), keepdim=True).expand_as(patterns)


def _wave_lengths(patterns: Tensor) -> Tensor:
    """The L2 norm over the colours of each wave, K×H×(W//2+1).

    A wave has two coefficients, at a frequency and its opposite. Where both are in the half that is kept, the first of
    them has the wave's length and the second has 0.
    """
    height, width = patterns.shape[-2:]
    squares = torch.fft.rfft2(patterns, norm="ortho").abs().square().sum(1)
    alone = _columns_alone(width)
    rows = torch.arange(height)
    opposite = (-rows) % height
    both = torch.where((rows == opposite)[:, None], squares, squares + squares[:, opposite])
    first = torch.where((rows <= opposite)[:, None], both, torch.zeros(()))
    return torch.where(alone, first, 2 * squares).sqrt()


def _columns_alone(width: int) -> Tensor:
    """Columns of a half spectrum whose opposite frequencies lie in the same column, W//2+1."""
    columns = torch.arange(width // 2 + 1)
    return (columns == 0) | (2 * columns == width)


def _wave(slopes: Tensor) -> Tensor:
    """The one wave, of all colours, that the gradient has most of."""
    height, width = slopes.shape[-2:]
    lengths = _wave_lengths(slopes)
    chosen = F.one_hot(lengths.flatten(1).argmax(1), lengths[0].numel()).view_as(lengths).bool()
    twin = chosen[:, (-torch.arange(height)) % height] & _columns_alone(width)
    kept = torch.fft.rfft2(slopes, norm="ortho") * (chosen | twin)[:, None]
    waves: Tensor = torch.fft.irfft2(kept, s=(height, width), norm="ortho")
    return unit_length(waves)


def _side(patterns: Tensor) -> int:
    return max(1, round(BLOCK * min(patterns.shape[-2:])))


def _block_lengths(patterns: Tensor) -> Tensor:
    """The L2 norm of each block of a pattern, K×h×w; blocks at the edges may be smaller."""
    squares = patterns.square().sum(1, keepdim=True)
    side = _side(patterns)
    means = F.avg_pool2d(squares, side, ceil_mode=True, count_include_pad=False, divisor_override=1)
    return means[:, 0].sqrt()


def _block(slopes: Tensor) -> Tensor:
    """The one block that the gradient has most of."""
    lengths = _block_lengths(slopes)
    best = lengths.flatten(1).argmax(1)
    chosen = F.one_hot(best, lengths[0].numel()).view_as(lengths).float()
    side = _side(slopes)
    mask = chosen.repeat_interleave(side, 1).repeat_interleave(side, 2)[:, : slopes.shape[-2], : slopes.shape[-1]]
    return unit_length(slopes * mask[:, None])


MEASURES: dict[str, Measure] = {
    "pixels": Measure("the L2 norm of its pixels", 0.1, norms, unit_length),
    "waves": Measure(
        "the amplitudes of its waves, added up", 0.5, lambda patterns: _wave_lengths(patterns).flatten(1).sum(1), _wave
    ),
    "blocks": Measure(
        "the L2 norms of its blocks, added up", 0.2, lambda patterns: _block_lengths(patterns).flatten(1).sum(1), _block
    ),
    "colour": Measure(
        "the L2 norm of one colour for the whole image", 0.2, norms, lambda slopes: unit_length(_flat(slopes))
    ),
}
