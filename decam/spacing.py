"""Which of many are shown where there is room for few."""

from __future__ import annotations

import numpy as np


def evenly(count: int, most: int) -> list[int]:
    """At most `most` (from 2) of the numbers 0 to count − 1, evenly spread, the first and the last among them."""
    return [int(place) for place in np.unique(np.linspace(0, count - 1, min(count, most)).round())]
