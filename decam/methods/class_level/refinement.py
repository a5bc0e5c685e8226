"""Refinement: what a map does in the regions that the model's own early activations agree on is strengthened.

The paper (Akhtar and Jalwana 2020, algorithm 2, and 2023) gives the idea: the mean activation map of the early layers,
Otsu's threshold, upsampling, and the region strengthened. That a step is kept only where fidelity has not fallen, and
that the map is projected back onto its ball, is how this project does it. The black-box variant has no activations:
the region is Otsu's of the map's own magnitude.
"""

from __future__ import annotations

import torch
from torch import Tensor

from decam.masking import upsample
from decam.methods.class_level.asking import Road
from decam.methods.class_level.common import project, raised
from decam.metrics.localisation import otsu


def region(grid: Tensor, size: tuple[int, int]) -> Tensor:
    """H×W in [0, 1]: where a grid (h×w) lies above Otsu's threshold, upsampled; ones for a constant grid."""
    cut = otsu(grid.double().flatten().unsqueeze(0).numpy())[0]
    above = (grid.double() > cut).float() if cut == cut else torch.ones_like(grid)
    return upsample(above.unsqueeze(0), size)[0, 0]


def refined(
    road: Road,
    row: int,
    pattern: Tensor,
    where: Tensor,
    samples: Tensor,
    threshold: Tensor,
    *,
    strength: float,
    radius: float,
) -> Tensor:
    """A pattern (3×H×W) strengthened where `where` (H×W) says, or as it was if its fidelity on samples would fall."""
    rows = torch.full((len(samples),), row)
    stronger = strengthened(pattern[None], where[None], strength, radius)[0]
    before, after = (
        float(raised(road.values(samples + one, rows), threshold.expand(len(samples))).mean())
        for one in (pattern, stronger)
    )
    return stronger if after >= before else pattern


def strengthened(maps: Tensor, regions: Tensor, strength: float, radius: float) -> Tensor:
    """Maps (K×3×H×W) with their values in the regions (K×H×W) raised by that share, within the ball again."""
    return project(maps * (1 + strength * regions.unsqueeze(1)), radius)
