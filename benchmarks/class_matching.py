"""Which shape a class's map shows, and whether two maps show the same: edges compared whatever their place and size.

Nothing is trained. A map's lightness, averaged to 64×64 places and blurred, is compared with a template by the
normalised cross-correlation of their gradients, |Σ ∇m·∇t| / (‖∇t‖ · √(Σ|∇m|² + E/4)), within the template's disc; E is
the largest energy that the map has in such a disc anywhere, so that faint places count less. The best place, size and
turn count, and the sign does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter
from torch import Tensor

from decam.explanation import Map
from decam.images.scenes.rng import PortableRng
from decam.images.scenes.scene import CLASSES
from decam.images.scenes.shapes import TARGETS

SIDE = 64
BLUR = 1.0  # places
RADII = (9.0, 11.0, 13.0, 15.0, 17.5, 20.0)  # of silhouettes, in places: those of scenes, 18 to 40 pixels
REACH = 1.3  # of a template's disc, in radii
STEP = 15  # degrees between turns
PROPORTIONS = (1, 2)  # seeds of a shape's proportions
PERIODS = {"disc": STEP, "ring": STEP, "square": 90, "cross": 90, "star": 72, "hexagon": 60}  # degrees; else 360
FAINT = 0.25
PATCHES = 3  # of a map, which are looked for in another one
PATCH = 9.0  # radius of a patch, in places
ZOOMS = (0.71, 0.84, 1.0, 1.19, 1.41)
Templates = tuple[Tensor, Tensor]
"""Gradients of pictures (M×2×n×n, of unit length) and the disc within which they count (n×n)."""


def lightness(maps: Sequence[Map]) -> Tensor:
    """Maps (each 3×H×W) to K×64×64: the mean of the colours, averaged to places and blurred."""
    grey = torch.from_numpy(np.stack([pattern.mean(axis=0) for pattern in maps]))
    small = F.adaptive_avg_pool2d(grey[:, None], SIDE)[:, 0].numpy()
    return torch.from_numpy(gaussian_filter(small, (0, BLUR, BLUR), mode="nearest"))


def edges(pictures: Tensor) -> Tensor:
    """Gradients of pictures: N×H×W to N×2×H×W."""
    return torch.stack(torch.gradient(pictures, dim=(1, 2)), dim=1)


def disc(side: int, radius: float) -> Tensor:
    """n×n: 1 within the radius of the middle."""
    place = torch.arange(side) - side // 2
    return (place[:, None] ** 2 + place[None] ** 2 <= radius**2).float()


def prepared(pictures: Tensor, radius: float) -> Templates:
    """Pictures (M×n×n) as templates within a radius."""
    within = disc(pictures.shape[-1], radius)
    gradients = edges(pictures) * within
    return gradients / gradients.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1), within


@cache
def silhouettes(name: str) -> tuple[Templates, ...]:
    """The templates of a shape, for each radius: its turns and proportions."""
    return tuple(prepared(torch.from_numpy(np.stack(list(_drawn(name, radius)))), REACH * radius) for radius in RADII)


def _drawn(name: str, radius: float) -> Iterator[Map]:
    half = math.ceil(REACH * radius) + 1
    down, across = (np.mgrid[-half : half + 1, -half : half + 1] / radius).astype(np.float32)
    for seed in PROPORTIONS:
        for degrees in range(0, PERIODS.get(name, 360), STEP):
            cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
            x, y = (
                across * np.float32(cosine) + down * np.float32(sine),
                down * np.float32(cosine) - across * np.float32(sine),
            )
            distance = TARGETS[name](x, y, PortableRng(seed)) * radius
            yield gaussian_filter(np.clip(0.5 - distance, 0, 1).astype(np.float32), BLUR)


def likeness(maps: Tensor, templates: Sequence[Templates]) -> Tensor:
    """The best correlation of each map (K×64×64) with any of the templates, K values in [0, 1]."""
    gradients = edges(maps)
    squares = gradients.square().sum(1, keepdim=True)
    best = torch.zeros(len(maps))
    for kernels, within in templates:
        half = within.shape[0] // 2
        energy = F.conv2d(squares, within[None, None], padding=half)
        faint = FAINT * energy.flatten(1).amax(1).view(-1, 1, 1, 1)
        found = F.conv2d(gradients, kernels, padding=half).abs() / (energy + faint).clamp_min(1e-12).sqrt()
        best = torch.maximum(best, found.flatten(1).amax(1))
    return best


def shape_scores(maps: Tensor, chance: Tensor) -> Tensor:
    """How much better each map fits each shape than maps of nothing do, in their standard deviations: K×10.

    `chance` are maps of noise, made as maps are: a shape that fits everything is thereby no match.
    """
    columns = []
    for name in CLASSES:
        usual = likeness(chance, silhouettes(name))
        columns.append((likeness(maps, silhouettes(name)) - usual.mean()) / usual.std())
    return torch.stack(columns, dim=1)


def patches(one: Tensor) -> Iterator[Templates]:
    """The strongest places of a map (64×64), which do not overlap, turned and zoomed."""
    half = math.ceil(PATCH)
    squares = edges(one[None]).square().sum(1, keepdim=True)
    energy = F.conv2d(squares, disc(2 * half + 1, PATCH)[None, None], padding=half)[0, 0]
    place = torch.arange(SIDE)
    for _ in range(PATCHES):
        row, column = divmod(int(energy.argmax()), SIDE)
        energy = energy.masked_fill((place[:, None] - row) ** 2 + (place[None] - column) ** 2 < (1.5 * PATCH) ** 2, -1)
        for zoom in ZOOMS:
            yield prepared(_turned(one, row, column, zoom), PATCH * zoom)


def _turned(one: Tensor, row: int, column: int, zoom: float) -> Tensor:
    """A place of a map and what is around it, scaled by `zoom`, in all turns: M×n×n."""
    half = math.ceil(PATCH * zoom) + 1
    offsets = torch.arange(-half, half + 1) / zoom
    angles = torch.deg2rad(torch.arange(0, 360, STEP, dtype=torch.float32))
    down, across = offsets[None, :, None], offsets[None, None, :]
    cosine, sine = angles.cos().view(-1, 1, 1), angles.sin().view(-1, 1, 1)
    x, y = column + across * cosine + down * sine, row + down * cosine - across * sine
    grid = torch.stack([x, y], dim=-1) * 2 / (SIDE - 1) - 1
    stack = one[None, None].expand(len(angles), -1, -1, -1)
    return F.grid_sample(stack, grid, padding_mode="border", align_corners=True)[:, 0]


def seed_scores(ones: Tensor, others: Tensor) -> Tensor:
    """How much more alike two maps are than each is to the rest of the other's kind: K maps by M others.

    Alike is the mean over the strongest places of a map of their best match in the other one, both ways. Less the mean
    of the row and of the column: plain maps are like all others, and without this would be closest to many (Conneau et
    al. 2018 call such points hubs).
    """

    def one_way(sources: Tensor, looked_in: Tensor) -> Tensor:
        rows = []
        for source in sources:
            found = torch.stack([likeness(looked_in, [template]) for template in patches(source)])
            rows.append(found.view(PATCHES, len(ZOOMS), -1).amax(1).mean(0))
        return torch.stack(rows)

    alike = (one_way(ones, others) + one_way(others, ones).T) / 2
    return alike - alike.mean(0) - alike.mean(1, keepdim=True)
