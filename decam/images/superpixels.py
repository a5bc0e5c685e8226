"""Regions of a picture that belong together, exactly as many as are asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import slic

from decam.errors import SettingError

Regions = NDArray[np.int64]

SURPLUS = 1.3  # more than are wanted, of which the smallest are merged
COMPACTNESS = 10.0  # of Achanta et al. (2012): how square against how even in colour


def superpixels(view: NDArray[np.uint8], count: int) -> Regions:
    """Which of `count` regions each pixel belongs to: H×W from 0 on, for a picture H×W×3 of bytes.

    SLIC (Achanta et al. 2012), whose smallest regions are merged with the neighbour most alike in colour, or whose
    largest are cut in two, until there are exactly that many. Raises SettingError for more regions than pixels.
    """
    height, width = view.shape[:2]
    if not 1 <= count <= height * width:
        raise SettingError(f"An image of {height}×{width} pixels cannot have {count} regions.")
    found = slic(view, n_segments=max(1, round(SURPLUS * count)), compactness=COMPACTNESS, start_label=0)
    regions = _numbered(found.astype(np.int64))
    while regions.max() + 1 > count:
        regions = _merged(regions, view)
    while regions.max() + 1 < count:
        regions = _cut(regions)
    return regions


def _numbered(regions: Regions) -> Regions:
    """The same regions, numbered from 0 without gaps."""
    return np.unique(regions, return_inverse=True)[1].reshape(regions.shape).astype(np.int64)


def _merged(regions: Regions, view: NDArray[np.uint8]) -> Regions:
    """The smallest region joined with the neighbour whose mean colour is nearest."""
    sizes = np.bincount(regions.ravel())
    smallest = int(sizes.argmin())
    sums = [np.bincount(regions.ravel(), weights=view[..., channel].ravel()) for channel in range(3)]
    colours = np.stack(sums, axis=1) / sizes[:, None]
    near = _neighbours(regions, smallest)
    nearest = near[int(np.square(colours[near] - colours[smallest]).sum(axis=1).argmin())]
    return _numbered(np.where(regions == smallest, nearest, regions))


def _neighbours(regions: Regions, one: int) -> Regions:
    """The regions that share a side of a pixel with one."""
    beside = set()
    for first, second in ((regions[1:], regions[:-1]), (regions[:, 1:], regions[:, :-1])):
        beside |= set(second[first == one].tolist()) | set(first[second == one].tolist())
    return np.array(sorted(beside - {one}), dtype=np.int64)


def _cut(regions: Regions) -> Regions:
    """The largest region in two halves, across its longer side."""
    largest = int(np.bincount(regions.ravel()).argmax())
    places = np.argwhere(regions == largest)
    axis = int(np.ptp(places, axis=0).argmax())
    ordered = places[np.argsort(places[:, axis], kind="stable")]
    half = ordered[len(ordered) // 2 :]
    changed = regions.copy()
    changed[half[:, 0], half[:, 1]] = regions.max() + 1
    return changed
