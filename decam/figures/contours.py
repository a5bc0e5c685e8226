"""Lines about the highest places of a map: they enclose equal areas whatever a method's unit and tail are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, gaussian_filter

from decam.classifier import Pixels
from decam.explanation import Map, Truth
from decam.figures.overlays import upsampled
from decam.metrics.scales import cleaned

AREAS = (0.05, 0.2, 0.5)
"""Shares of the picture that the lines enclose."""
SMOOTHED = 0.03
"""Deviation of the Gaussian that a map is smoothed with first, as a share of the longer side: grains have no lines."""
REACH = 3.0
"""Deviations at which the Gaussian is cut off."""
LINE = (127, 255, 212)


def smoothed(saliency: Map, size: tuple[int, int]) -> Map:
    """The map at the size (H, W) of the view, smoothed for its lines; float32."""
    field = upsampled(cleaned(saliency).astype(np.float32), size)
    smooth: Map = gaussian_filter(field, SMOOTHED * max(size), mode="nearest", truncate=REACH)
    return smooth


def top(values: NDArray[np.floating], share: float) -> Truth:
    """The highest `share` of values (H×W); equal values come together, and the lowest value is never among them."""
    count = max(1, round(share * values.size))
    threshold = np.partition(values, values.size - count, axis=None)[values.size - count]
    found: Truth = (values >= threshold) & (values > values.min())
    return found


def contoured(pixels: Pixels, saliency: Map) -> Pixels:
    """A picture (H×W×3) with lines about the top 5, 20 and 50 % of a map, as wide as a pixel; none on a flat map."""
    drawn = pixels.copy()
    drawn[lines(saliency, (pixels.shape[0], pixels.shape[1]))] = LINE
    return drawn


def lines(saliency: Map, size: tuple[int, int]) -> Truth:
    """Where the lines about the top 5, 20 and 50 % of a map run at the size (H, W) of the view."""
    field, found = smoothed(saliency, size), np.zeros(size, np.bool_)
    for share in AREAS:
        inside = top(field, share)
        found |= inside & ~binary_erosion(inside, border_value=1)
    return found
