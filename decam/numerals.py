"""How numbers are written, everywhere the same: with a minus as wide as the digits, and never minus zero."""

from __future__ import annotations


def minus(written: str) -> str:
    """What Python wrote of numbers, with real minus signs."""
    return written.replace("-", "−")


def fixed(value: float, places: int = 2) -> str:
    """A value with so many places, such as −0.07; one that rounds to nothing is 0.00 without a sign."""
    return minus(f"{value:z.{places}f}")
