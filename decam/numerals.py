"""How numbers and lists are written, everywhere the same: with a minus as wide as the digits, and never minus zero."""

from __future__ import annotations

import math
from collections.abc import Sequence

_SMALL = 1e-6


def several(count: int, one: str, many: str = "") -> str:
    """1 image, 2 images, 1,000 images."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence, one at least: A, B and C."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def bounds(low: float | None, high: float | None) -> str:
    """What values lie between: −1 to 1, at least 0, at most 1, any number."""
    ends = [None if end is None else minus(f"{end:g}") for end in (low, high)]
    if None not in ends:
        return f"{ends[0]} to {ends[1]}"
    return f"at least {ends[0]}" if ends[0] else f"at most {ends[1]}" if ends[1] else "any number"


def minus(written: str) -> str:
    """What Python wrote of numbers, with real minus signs."""
    return written.replace("-", "−")


def fixed(value: float, places: int = 2) -> str:
    """A value with so many places, such as −0.07; one that rounds to nothing is 0.00 without a sign."""
    return minus(f"{value:z.{places}f}")


def significant(value: float, digits: int = 3) -> str:
    """A value in so many digits, never in powers of ten, such as 0.0000312."""
    if not value or not math.isfinite(value):
        return fixed(value, 0)
    return fixed(value, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def score(value: float) -> str:
    """A metric's value: three places, or as many as show two digits, such as 0.0042; 1e-7 is only said to be small.

    Three places alone would write values that a table calls best and second as the same 0.000.
    """
    size = abs(value)
    if 0 < size < _SMALL:
        return f"<{_SMALL:.6f}" if value > 0 else f">−{_SMALL:.6f}"
    return fixed(value, max(3, 1 - math.floor(math.log10(size))) if size else 3)


def apart(one: float, other: float, least: int = 3, most: int = 9) -> int:
    """With how many places, at least and at most so many, two values are written so that their difference is seen."""
    difference = abs(one - other)
    return min(most, max(least, 1 - math.floor(math.log10(difference)))) if difference else least
