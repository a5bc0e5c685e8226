"""How much of each part a picture shows: read from the pixels alone, whatever replaces those that are hidden."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from decam.benchmark.known_answers.grounds import Colours
from decam.benchmark.known_answers.parts import BLOCK, SIDE, Blocks, Random, pixels

Reader: TypeAlias = Callable[[Tensor], Tensor]
"""Pictures (N×3×112×112 in [0, 1]) to shares of the parts (N×P in [0, 1])."""

PERIOD = 4  # pixels, of the stripes
STRIPES = 0.2  # their amplitude
PATCH = 8  # pixels a side of the patches in which stripes are looked for
FAINT = 0.35  # of their amplitude, up to which nothing counts: a step from a picture to a fill has as much
RED = (0.85, 0.15, 0.15)
PALE, FULL = 0.5, 0.66  # how much red stands above the other colours where it counts as not there, and as there


def visible_shares(image: Tensor, parts: Sequence[Blocks]) -> Reader:
    """The visible share of each part of the picture (3×H×W).

    In each block of 4×4 pixels it is the slope of the pixels shown along the original ones, after a plane is taken out
    of these. Blends have exactly their share. Fills without grain have none, whatever their colour.
    """
    template = _without_planes(image)
    strength = _blocks(template * image)
    template = template / strength.clamp_min(1e-6).repeat_interleave(BLOCK, 0).repeat_interleave(BLOCK, 1)
    weights = _weights(parts)

    def read(images: Tensor) -> Tensor:
        return (_blocks(images * template).flatten(1) @ weights).clamp(0, 1)

    return read


def _without_planes(image: Tensor) -> Tensor:
    """What is left of each colour of each block (of 3×H×W) after the plane that fits it best is taken out."""
    steps = torch.arange(BLOCK, dtype=torch.float32) - (BLOCK - 1) / 2
    rows, columns = steps.repeat_interleave(BLOCK), steps.repeat(BLOCK)
    planes = torch.stack([torch.ones(BLOCK**2), rows, columns])
    planes = planes / planes.norm(dim=1, keepdim=True)
    cut = F.unfold(image.unsqueeze(1), BLOCK, stride=BLOCK)
    cut = cut - planes.T @ (planes @ cut)
    return F.fold(cut, image.shape[-2:], BLOCK, stride=BLOCK)[:, 0]


def _blocks(images: Tensor) -> Tensor:
    """Sums over the colours and pixels of each block (…×3×H×W to …×H/4×W/4)."""
    return F.avg_pool2d(images.sum(-3, keepdim=True), BLOCK, divisor_override=1).squeeze(-3)


def _weights(parts: Sequence[Blocks]) -> Tensor:
    """Columns that take the mean over each part, blocks × P."""
    flat = torch.from_numpy(np.stack([part.ravel() for part in parts], axis=1)).float()
    return flat / flat.sum(0)


def striped(made: Colours, parts: Sequence[Blocks], random: Random) -> Colours:
    """The picture with upright stripes in its parts."""
    waves = STRIPES * np.sin(2 * np.pi * (np.arange(SIDE) + random.uniform(0, PERIOD)) / PERIOD)
    inside = pixels(np.any(parts, axis=0))
    found: Colours = made + (inside * waves[None, :])[..., None]
    return found


def stripes(image: Tensor, parts: Sequence[Blocks]) -> Reader:
    """How much of the picture's stripes is left, wherever they are (N×1)."""
    del parts
    angle = 2 * torch.pi * torch.arange(image.shape[-1]) / PERIOD
    waves = torch.stack([angle.cos(), angle.sin()]).unsqueeze(1)

    def strength(images: Tensor) -> Tensor:
        grey = images.mean(1, keepdim=True)
        amplitude = 2 * F.avg_pool2d(grey * waves, PATCH, stride=BLOCK).square().sum(1).sqrt()
        return (amplitude - FAINT * STRIPES).clamp_min(0).sum((1, 2))

    whole = strength(image.unsqueeze(0)).clamp_min(1e-6)
    return lambda images: (strength(images) / whole).clamp(0, 1).unsqueeze(1)


def reddened(made: Colours, parts: Sequence[Blocks], random: Random) -> Colours:
    """The picture, its own colours halved, with red parts; where these are scattered a blur makes them too pale."""
    del random
    found: Colours = (made + made.mean(2, keepdims=True)) / 2
    found[pixels(np.any(parts, axis=0))] = RED
    return found


def redness(image: Tensor, parts: Sequence[Blocks]) -> Reader:
    """How much of the picture's red is left, wherever it is (N×1)."""
    del parts

    def strength(images: Tensor) -> Tensor:
        colours = F.avg_pool2d(images, BLOCK)
        above = colours[:, 0] - torch.maximum(colours[:, 1], colours[:, 2])
        return ((above - PALE) / (FULL - PALE)).clamp(0, 1).sum((1, 2))

    whole = strength(image.unsqueeze(0)).clamp_min(1e-6)
    return lambda images: (strength(images) / whole).clamp(0, 1).unsqueeze(1)
