"""Pictures of nothing in particular: the distributions over which a map must hold.

The paper (Akhtar and Jalwana 2023) asks for independent samples that carry no information on the class. Which
distributions, and their parameters, are this project's choice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from decam.errors import SettingError, unknown
from decam.images.scenes.scene import SIZE, scene

Size = tuple[int, int]
Sampler = Callable[[int, Size, torch.Generator], Tensor]

DEVIATION = 0.2  # of Gaussian and 1/f colours, around a grey of 0.5
LEAVES = 120
RADII = (0.03, 0.35)  # of dead leaves, in shares of the shorter side
_SCENES = 2**31  # seeds of scenes are drawn below this


def gaussian(count: int, size: Size, generator: torch.Generator) -> Tensor:
    """Independent normal colours, clipped to [0, 1], N×3×H×W."""
    return torch.randn(count, 3, *size, generator=generator).mul_(DEVIATION).add_(0.5).clamp_(0, 1)


def uniform(count: int, size: Size, generator: torch.Generator) -> Tensor:
    """Independent uniform colours, N×3×H×W."""
    return torch.rand(count, 3, *size, generator=generator)


def spectrum_noise(count: int, size: Size, generator: torch.Generator) -> Tensor:
    """Noise whose amplitude falls as 1/f, as that of photographs does (Field 1987); not clipped, N×3×H×W.

    Mean 0.5 and standard deviation `DEVIATION` in each colour of each picture.
    """
    height, width = size
    white = torch.randn(count, 3, height, width, generator=generator)
    frequency = radial_frequency(size).clamp_min(1 / max(size))
    drawn = torch.fft.irfft2(torch.fft.rfft2(white) / frequency, s=size)
    centred = drawn - drawn.mean((-1, -2), keepdim=True)
    noise: Tensor = centred / centred.std((-1, -2), keepdim=True) * DEVIATION + 0.5
    return noise


def pink(count: int, size: Size, generator: torch.Generator) -> Tensor:
    """1/f noise clipped to [0, 1], N×3×H×W."""
    return spectrum_noise(count, size, generator).clamp_(0, 1)


def dead_leaves(count: int, size: Size, generator: torch.Generator) -> Tensor:
    """Discs of uniform colours that cover each other (Lee, Mumford and Huang 2001), N×3×H×W.

    The density of the radii falls as the cube of the radius, within `RADII`.
    """
    height, width = size
    rows = (torch.arange(height) + 0.5)[:, None]
    columns = (torch.arange(width) + 0.5)[None]
    small, large = (bound**-2 for bound in RADII)
    pictures = torch.rand(count, 3, 1, 1, generator=generator).expand(count, 3, height, width).clone()
    for _ in range(LEAVES):
        drawn = torch.rand(count, 6, 1, 1, generator=generator)
        radius = (small + (large - small) * drawn[:, 0]) ** -0.5 * min(size)
        inside = (rows - drawn[:, 1] * height) ** 2 + (columns - drawn[:, 2] * width) ** 2 < radius**2
        pictures = torch.where(inside[:, None], drawn[:, 3:], pictures)
    return pictures


def scenes(count: int, size: Size, generator: torch.Generator, labels: tuple[int, ...] | None = None) -> Tensor:
    """Generated scenes of one object, of any class unless `labels` names it, scaled to the size; N×3×H×W."""
    seeds = torch.randint(_SCENES, (count,), generator=generator).tolist()
    pixels = np.stack([scene(seed, labels=labels).image for seed in seeds])
    pictures = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    if size == (SIZE, SIZE):
        return pictures
    return F.interpolate(pictures, size, mode="bilinear", antialias=True).clamp_(0, 1)


SAMPLERS: dict[str, Sampler] = {
    "gaussian": gaussian,
    "uniform": uniform,
    "1/f noise": pink,
    "dead leaves": dead_leaves,
    "scenes": scenes,
}
MIXED = ("scenes", "dead leaves", "1/f noise")
CHOICES = (*SAMPLERS, "mixed", "pictures")


def sampler(name: str, pictures: Tensor | None = None) -> Sampler:
    """The distribution of that name; "mixed" takes those of `MIXED` in turn, and "pictures" draws from `pictures`.

    Raises SettingError for another name, and for "pictures" where none are given.
    """
    if name == "mixed":
        return _mixed
    if name == "pictures":
        if pictures is None or len(pictures) == 0:
            raise SettingError("The samples are to be images, and none were given: give some, or choose a noise.")
        return partial(_given, pictures)
    if name not in SAMPLERS:
        raise SettingError(unknown("distribution of samples", name, CHOICES))
    return SAMPLERS[name]


def radial_frequency(size: Size) -> Tensor:
    """Cycles a pixel at each place of a real Fourier transform, H×(W//2+1)."""
    return torch.sqrt(torch.fft.fftfreq(size[0])[:, None] ** 2 + torch.fft.rfftfreq(size[1])[None] ** 2)


def _mixed(count: int, size: Size, generator: torch.Generator) -> Tensor:
    """Each distribution gives its share; which gives one more, where the shares are uneven, is drawn."""
    first = int(torch.randint(len(MIXED), (1,), generator=generator))
    parts = []
    for place in range(len(MIXED)):
        share = len(range(place, count, len(MIXED)))
        if share:
            parts.append(SAMPLERS[MIXED[(first + place) % len(MIXED)]](share, size, generator))
    return torch.cat(parts)


def _given(pictures: Tensor, count: int, size: Size, generator: torch.Generator) -> Tensor:
    if tuple(pictures.shape[1:]) != (3, *size):
        raise SettingError(
            f"The images given are {tuple(pictures.shape[1:])}, but must be {(3, *size)}: scale them first."
        )
    return pictures.cpu()[torch.randint(len(pictures), (count,), generator=generator)].float()
