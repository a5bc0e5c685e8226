"""How a class's map is shown: its signs and colours around grey."""

from __future__ import annotations

import numpy as np

from decam.classifier import Pixels
from decam.explanation import Map

REACH = 99.5
"""Percentile of the absolute values that is shown as the strongest colour; what lies beyond is clipped."""


def shown(pattern: Map) -> Pixels:
    """A pattern (3×H×W, signed) as a picture (H×W×3 uint8): grey where it is zero, brighter where it adds light."""
    finite = np.nan_to_num(pattern.astype(np.float32), posinf=0.0, neginf=0.0)
    limit = float(np.percentile(np.abs(finite), REACH))
    scaled = finite / limit if limit > 0 else np.zeros_like(finite)
    picture: Pixels = np.rint(127.5 + 127.5 * np.clip(scaled, -1, 1)).astype(np.uint8).transpose(1, 2, 0)
    return np.ascontiguousarray(picture)
