"""How a share is written, everywhere the same: 42 %, with a space before the sign."""

from __future__ import annotations

import math

from decam.numerals import fixed


def percent(share: float, places: int | None = None) -> str:
    """A probability or another share as 78 %, with so many places.

    Without `places` it has at least two digits that tell something: 78 %, 3.2 % or 0.0032 %.
    """
    value = 100 * share
    if places is None:
        size = abs(value)
        places = 0 if size >= 9.95 or size < 1e-12 else 1 - math.floor(math.log10(size))
    return f"{fixed(value, places)} %"


def whole(share: float) -> str:
    """A share from 0 to 1 as 12 %; what would round to nothing or to all says so."""
    written = percent(share, 0)
    if written == "0 %" and share > 0:
        return "under 1 %"
    return "over 99 %" if written == "100 %" and share < 1 else written


def done(step: int, total: int) -> str:
    """How much is done, such as "42 %"; empty where the total is not known."""
    return f"{100 * min(step, total) // total} %" if total > 0 else ""
