"""What a vector that evolves stands for: a coarse grid, read as a map of the picture, and its ranking as masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from decam.hardware.parallel_batches import side_by_side
from decam.masking import upsample
from decam.methods.de_cam.guided_filter import Guide, coarse_size

FEW = 4  # shares of which so many are found faster than by sorting


class Encoding:
    """Genotypes (N×cells²) read as maps of a picture (3×H×W in [0, 1]): interpolated between the cells' centres.

    With `follow_edges` each map is fitted to the picture's edges, as a `Guide` does; that is linear, so the slopes of
    single cells are computed once and added up.
    """

    def __init__(self, cells: int, image: Tensor, follow_edges: bool) -> None:
        self._cells = cells
        self._device = image.device
        self._size = (int(image.shape[-2]), int(image.shape[-1]))
        self._small = coarse_size(*self._size)
        self._guide = Guide(image) if follow_edges else None
        if self._guide is not None:
            single = torch.eye(cells**2, device=image.device).view(-1, cells, cells)
            slopes = self._guide.slopes(upsample(single, self._small)[:, 0])
            self._slopes, self._few = slopes.flatten(1), F.avg_pool2d(slopes, 2).flatten(1)

    def maps(self, genotypes: Tensor) -> Tensor:
        """N×cells² to N×H×W, on the picture's device."""
        if self._guide is None:
            return self._interpolated(genotypes, self._size)
        return self._guide.fitted(self._summed(genotypes, self._slopes, self._small))

    def thumbnails(self, genotypes: Tensor) -> Tensor:
        """The same maps with at most 56 pixels along the shorter side."""
        if self._guide is None:
            return self._interpolated(genotypes, self._small)
        return self._guide.thumbnails(self._summed(genotypes, self._slopes, self._small))

    def sketches(self, genotypes: Tensor) -> Tensor:
        """About the same with half as many pixels a side, for what needs many of them."""
        size = (self._small[0] // 2, self._small[1] // 2)
        if self._guide is None:
            return self._interpolated(genotypes, size)
        return self._guide.sketches(self._summed(genotypes, self._few, size))

    def _summed(self, genotypes: Tensor, slopes: Tensor, size: tuple[int, int]) -> Tensor:
        return (genotypes.to(self._device) @ slopes).view(-1, 4, *size)

    def _interpolated(self, genotypes: Tensor, size: tuple[int, int]) -> Tensor:
        return upsample(genotypes.view(-1, self._cells, self._cells).to(self._device), size)[:, 0]


def rank_masks(maps: Tensor, kept: Sequence[float], removed: Sequence[float]) -> Tensor:
    """Masks (N×S×H×W, True = visible) that keep the first shares of what each map (N×H×W) ranks first, then remove.

    Pixels as salient as the last of a share belong to it.
    """
    flat = maps.flatten(1)
    last = [-max(1, round(share * flat.shape[1])) for share in (*kept, *removed)]
    thresholds = _in_order(flat, last).unsqueeze(2)
    visible = torch.empty(len(flat), len(last), flat.shape[1], dtype=torch.bool, device=flat.device)
    torch.ge(flat.unsqueeze(1), thresholds[:, : len(kept)], out=visible[:, : len(kept)])
    torch.lt(flat.unsqueeze(1), thresholds[:, len(kept) :], out=visible[:, len(kept) :])
    return visible.view(len(flat), len(last), *maps.shape[1:])


def _in_order(rows: Tensor, places: Sequence[int]) -> Tensor:
    """What stands at these places of each row once it is sorted, N×places.

    On the CPU by numpy, whose vectorised sort takes a fifth of torch's time. For few places a row is only divided
    there, on all cores, which takes a third of that.
    """
    if rows.device.type != "cpu":
        return rows.sort(dim=1).values[:, places]
    values = rows.numpy()
    if len(places) > FEW:
        return torch.from_numpy(np.sort(values, axis=1)[:, places])
    count = torch.get_num_threads()
    parts = np.array_split(values, min(count, len(values)))
    divided = side_by_side(lambda part: np.partition(part, places, axis=1)[:, places], parts, count)
    return torch.from_numpy(np.concatenate(list(divided)))
