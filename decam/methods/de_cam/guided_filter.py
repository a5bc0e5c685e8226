"""Maps fitted to their picture: they may change where the colours change, and stay even where they do not."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from decam.masking import gaussian

RADIUS = 0.19  # of the picture's width: as far as a cell or two of the search
EPSILON = 1e-2  # a variance of colour below this counts as even
GRAIN = 0.012  # of the width: colours are smoothed by this before they guide, so that noise and fine texture do not
FINEST = 56  # pixels of the shorter side on which slopes are computed; they are smooth, the colours are not


class Guide:
    """A picture (3×H×W in [0, 1]) that guides maps.

    In every window of `radius` (a share of the width) a map is written as a linear function of the colour, with a
    penalty of `epsilon` on its slope; each pixel gets the mean over the windows that hold it (He, Sun and Tang 2013,
    Guided image filtering, eq. 14 to 16). Slopes are computed on a coarse copy and applied to the fine colours (He and
    Sun 2015, Fast guided filter). It is linear in the map.
    """

    def __init__(self, image: Tensor, radius: float = RADIUS, epsilon: float = EPSILON) -> None:
        height, width = image.shape[-2:]
        self.size = coarse_size(height, width)
        self._fine = gaussian(image.float(), GRAIN * width)
        self._coarse = F.interpolate(self._fine.unsqueeze(0), size=self.size, mode="area")[0]
        pixels = max(1, round(radius * self.size[1]))
        self._down = _windows(self.size[0], pixels, image.device)
        self._across = _windows(self.size[1], pixels, image.device).T
        self._mean = self._box(self._coarse)
        pairs = (self._coarse.unsqueeze(0) * self._coarse.unsqueeze(1)).flatten(0, 1)
        spread = self._box(pairs).view(3, 3, *self.size) - self._mean.unsqueeze(0) * self._mean.unsqueeze(1)
        penalty = epsilon * torch.eye(3, device=image.device).view(3, 3, 1, 1)
        self._inverse = torch.linalg.inv((spread + penalty).permute(2, 3, 0, 1)).permute(2, 3, 0, 1)

    def slopes(self, maps: Tensor) -> Tensor:
        """What maps of the guide's own `size` (N×h×w) become: their slopes along the colours, and an offset (N×4×h×w).

        Sums of maps have the sums of their slopes.
        """
        values = maps.unsqueeze(1)
        level = self._box(values)
        shared = self._box(values * self._coarse) - level * self._mean
        slope = torch.einsum("cdhw,ndhw->nchw", self._inverse, shared)
        offset = level - (slope * self._mean).sum(1, keepdim=True)
        return self._box(torch.cat([slope, offset], dim=1))

    def fitted(self, slopes: Tensor) -> Tensor:
        """The maps fitted to the picture, N×H×W."""
        return _along(F.interpolate(slopes, size=self._fine.shape[-2:], mode="bilinear"), self._fine)

    def thumbnails(self, slopes: Tensor) -> Tensor:
        """The same at the guide's own size, N×h×w."""
        return _along(slopes, self._coarse)

    def sketches(self, slopes: Tensor) -> Tensor:
        """About the same from slopes with half as many pixels a side."""
        return _along(slopes, F.avg_pool2d(self._coarse, 2))

    def _box(self, planes: Tensor) -> Tensor:
        """Means over square windows (…×h×w) that are cut at the borders."""
        return self._down @ planes @ self._across


def _windows(pixels: int, radius: int, device: torch.device) -> Tensor:
    """Row i has the weights of the mean over the pixels at most `radius` from pixel i."""
    places = torch.arange(pixels, device=device)
    near = ((places.unsqueeze(0) - places.unsqueeze(1)).abs() <= radius).float()
    return near / near.sum(1, keepdim=True)


def coarse_size(height: int, width: int) -> tuple[int, int]:
    """The size of a copy whose shorter side has at most so many pixels as are enough for what is smooth."""
    step = max(1.0, min(height, width) / FINEST)
    return round(height / step), round(width / step)


def _along(slopes: Tensor, colour: Tensor) -> Tensor:
    """slope · colour + offset in every pixel."""
    return (
        torch.addcmul(slopes[:, 3], slopes[:, 0], colour[0])
        .addcmul_(slopes[:, 1], colour[1])
        .addcmul_(slopes[:, 2], colour[2])
    )
