"""Chance that is the same on every machine and with every NumPy: a key of whole numbers gives a stream."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TypeVar

from decam.images.scenes.rng import PortableRng

T = TypeVar("T")


class Use(IntEnum):
    """What a stream is drawn for; no two uses share one."""

    DESIGN = 1
    STIMULI = 2
    ROUND = 3
    COLOURS = 4
    PLACES = 5
    SIDES = 6
    DEALING = 7
    ORDER = 8
    LETTERS = 9
    SCREENS = 10
    OPTIONS = 11
    BLOCK = 12


class Chance(PortableRng):
    """The stream of a seed, a use and further whole numbers, such as that of a sequence; none may be negative."""

    def __init__(self, seed: int, use: Use, *more: int) -> None:
        super().__init__((seed, int(use), *more))

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in an order of which all are equally likely (Fisher and Yates)."""
        mixed = list(items)
        for last in range(len(mixed) - 1, 0, -1):
            other = self.whole(last + 1)
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed
