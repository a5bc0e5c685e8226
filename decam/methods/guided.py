"""A coarse map fitted to its picture: it may change where the colours change, and stays even where they do not."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from decam.explanation import Map
from decam.masking import gaussian

RADIUS = 0.19  # of the picture's width: as far as a cell or two of the search
EPSILON = 1e-2  # a variance of colour below this counts as even
GRAIN = 0.012  # of the width: colours are smoothed by this before they guide, so that noise and fine texture do not


def guided(saliency: Map, image: Tensor, radius: float = RADIUS, epsilon: float = EPSILON) -> Map:
    """A map (H×W) filtered by the picture that it explains (3×H×W in [0, 1]), H×W float32.

    In every window of `radius` (a share of the width) the map is written as a linear function of the colour, with
    a penalty of `epsilon`; each pixel gets the mean over the windows that hold it (He, Sun and Tang 2013, Guided image
    filtering, eq. 14 to 16).
    """
    pixels = max(1, round(radius * image.shape[-1]))
    colour = gaussian(image.cpu().double(), GRAIN * image.shape[-1])
    values = torch.from_numpy(saliency).double().unsqueeze(0)
    pairs = (colour.unsqueeze(0) * colour.unsqueeze(1)).flatten(0, 1)
    means = _box(torch.cat([colour, values, colour * values, pairs]), pixels)
    mean, level = means[:3], means[3:4]
    shared = (means[4:7] - mean * level).permute(1, 2, 0)
    spread = (means[7:].reshape(3, 3, *saliency.shape) - mean.unsqueeze(0) * mean.unsqueeze(1)).permute(2, 3, 0, 1)
    slope = torch.linalg.solve(spread + epsilon * torch.eye(3, dtype=spread.dtype), shared).permute(2, 0, 1)
    offset = level - (slope * mean).sum(0, keepdim=True)
    smooth = _box(torch.cat([slope, offset]), pixels)
    fitted: Map = ((smooth[:3] * colour).sum(0) + smooth[3]).to(torch.float32).numpy()
    return fitted


def _box(planes: Tensor, radius: int) -> Tensor:
    """Means over square windows (N×H×W) that are cut at the borders."""
    side = 2 * radius + 1
    rows = F.avg_pool2d(planes.unsqueeze(0), (1, side), 1, (0, radius), count_include_pad=False)
    return F.avg_pool2d(rows, (side, 1), 1, (radius, 0), count_include_pad=False)[0]
