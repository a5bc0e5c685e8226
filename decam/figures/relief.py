"""A landscape from above: its heights in bands of colour, dark where it is low."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from decam.classifier import Pixels
from decam.figures.colours import SEQUENTIAL, lut

BANDS = 18


def relief(heights: NDArray[np.float64], lowest: float) -> Pixels:
    """H×W heights as H×W×3 uint8: bands evenly spaced in the logarithm of what lies above the lowest value.

    Bands end in a thin darker line, as contours on a map.
    """
    above = np.log1p(np.clip(heights - lowest, 0.0, None))
    top = float(above.max())
    bands = np.minimum((above / top * BANDS).astype(np.int64), BANDS - 1) if top > 0 else np.zeros(above.shape, int)
    entries = np.rint(40 + bands * (200 / (BANDS - 1))).astype(np.uint8)
    colours = lut(SEQUENTIAL[0])[entries]
    edge = np.zeros(bands.shape, np.bool_)
    edge[:-1] |= bands[:-1] != bands[1:]
    edge[:, :-1] |= bands[:, :-1] != bands[:, 1:]
    drawn: Pixels = np.where(edge[..., None], np.rint(colours * 0.8), colours).astype(np.uint8)
    return drawn
