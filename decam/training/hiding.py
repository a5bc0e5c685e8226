"""Variations of scenes: turned, recoloured, and partly hidden as perturbation methods hide them.

A network that never saw a masked picture answers it by guessing. So a share of each batch keeps only part of every
picture, the rest is blurred or grey, and the answer asked for is the objects still visible, or none in particular.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from decam.models.networks.blocks import LABELS, MEAN

_SIGMA = 32 * 20 / 224  # the fill `blur` of decam.masking, at a quarter of the resolution
_SEEN, _UNSEEN = 0.7, 0.3  # visible shares from which an object counts wholly, and below which not at all


def turned(images: Tensor, masks: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """The batch under one of the eight symmetries of the square, its colour channels in any order."""
    quarter, flip = int(torch.randint(4, (), generator=random)), bool(torch.rand((), generator=random) < 0.5)
    order = torch.randperm(3, generator=random)
    images, masks = images[:, order].rot90(quarter, (2, 3)), masks.rot90(quarter, (2, 3))
    return (images.flip(3), masks.flip(3)) if flip else (images, masks)


def recoloured(images: Tensor, random: torch.Generator) -> Tensor:
    """Each picture with its own contrast and brightness, each colour a little apart."""
    count = len(images)
    gain = 1 + 0.25 * (torch.rand(count, 1, 1, 1, generator=random) - 0.5)
    shift = 0.2 * (torch.rand(count, 1, 1, 1, generator=random) - 0.5)
    tint = 0.1 * (torch.rand(count, 3, 1, 1, generator=random) - 0.5)
    return ((images - 0.5) * gain + (0.5 + shift + tint)).clamp(0, 1)


def hidden(images: Tensor, masks: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """The batch with a part of every picture hidden, and each object's visible share (N×2)."""
    count, side = len(images), images.shape[-1]
    visible = _visible(masks, side, random)
    fill = _blurred(images)
    grey = torch.rand(count, 1, 1, 1, generator=random) < 0.3
    fill = torch.where(grey, torch.tensor(MEAN).view(1, 3, 1, 1), fill)
    coarse = F.adaptive_avg_pool2d(visible, masks.shape[-1])
    shares = (coarse * masks).sum((2, 3)) / masks.sum((2, 3)).clamp(min=1e-6)
    return fill + visible * (images - fill), shares


def answers(labels: Tensor, shares: Tensor) -> Tensor:
    """The probabilities asked for, N×10: each object's part by how much of it is visible, all classes alike for none.

    From 0.7 of it on an object counts wholly, below 0.3 not at all, and in between in proportion. As far as no object
    counts wholly, all classes share what is left.
    `labels` N×2 (−1: no object), `shares` N×2 visible shares in [0, 1].
    """
    present = (labels >= 0).float()
    weights = ((shares - _UNSEEN) / (_SEEN - _UNSEEN)).clamp(0, 1) * present
    total = weights.sum(1, keepdim=True)
    certain = weights.amax(1, keepdim=True)
    named = (F.one_hot(labels.clamp(min=0), len(LABELS)) * weights.unsqueeze(2)).sum(1) / total.clamp(min=1e-6)
    return certain * named + (1 - certain) / len(LABELS)


def _visible(masks: Tensor, side: int, random: torch.Generator) -> Tensor:
    """Smooth random masks, N×1×side×side in [0, 1]: some cut to a share of the pixels, some grey in between."""
    count = len(masks)
    cells = 5 + int(torch.randint(6, (), generator=random))
    noise = torch.randn(count, 1, cells, cells, generator=random)
    # Pure chance shows or hides an object whole too rarely: lean toward or away from one of the objects.
    first = torch.rand(count, 1, 1, 1, generator=random) < 0.5
    one, two = masks[:, :1], masks[:, 1:]
    object_ = torch.where(first | (two.sum((2, 3), keepdim=True) == 0), one, two)
    lean = 4 * torch.randn(count, 1, 1, 1, generator=random)
    noise = noise + lean * F.adaptive_avg_pool2d(object_, cells)
    smooth = F.interpolate(noise, (side, side), mode="bilinear", align_corners=False)
    kept = 0.05 + 0.9 * torch.rand(count, generator=random)
    coarse = F.interpolate(noise, (32, 32), mode="bilinear", align_corners=False).flatten(1).sort(1).values
    threshold = coarse.gather(1, ((1 - kept) * 1023).long().unsqueeze(1)).view(count, 1, 1, 1)
    steep = torch.where(torch.rand(count, 1, 1, 1, generator=random) < 0.5, 60.0, 1.5)
    return ((smooth - threshold) * steep + 0.5).clamp(0, 1)


def _blurred(images: Tensor) -> Tensor:
    small = F.avg_pool2d(images, 4)
    radius = int(3 * _SIGMA)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32)
    weights = torch.exp(-0.5 * (offsets / _SIGMA) ** 2)
    weights = (weights / weights.sum()).view(1, 1, 1, -1).repeat(3, 1, 1, 1)
    small = F.conv2d(F.pad(small, (radius, radius, 0, 0), "reflect"), weights, groups=3)
    small = F.conv2d(F.pad(small, (0, 0, radius, radius), "reflect"), weights.transpose(2, 3), groups=3)
    return F.interpolate(small, scale_factor=4, mode="bilinear", align_corners=False)
