"""Square grids of cells over a picture, for methods whose features they are: cells to masks, scores to a map."""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from torch import Tensor
from torch.quasirandom import SobolEngine

from decam.explanation import Map


def sobol_points(count: int, dimensions: int, seed: int) -> Tensor:
    """The first points of a scrambled Sobol sequence, count×dimensions in [0, 1)."""
    engine = SobolEngine(dimensions, scramble=True, seed=seed)  # type: ignore[no-untyped-call]  # torch leaves it so
    points: Tensor = engine.draw(count)
    return points


def cell_masks(rows: Tensor, size: tuple[int, int]) -> Tensor:
    """Visible shares of cells (N×cells²) as masks with sharp borders between them (N×1×H×W)."""
    return F.interpolate(_grids(rows), size=size, mode="nearest")


def cell_map(scores: Tensor, size: tuple[int, int], *, signed: bool) -> Map:
    """One score a cell (cells²) as a map (H×W, float32), bicubic between the cells; unsigned scores stay above 0."""
    large = F.interpolate(_grids(scores.unsqueeze(0)).float(), size=size, mode="bicubic", align_corners=False)[0, 0]
    found: Map = (large if signed else large.clamp_min(0)).cpu().numpy().astype(np.float32)
    return found


def _grids(rows: Tensor) -> Tensor:
    cells = round(rows.shape[1] ** 0.5)
    return rows.view(len(rows), 1, cells, cells)
