"""Random numbers and smooth noise that come out the same on every machine.

Only NumPy's raw generator stream, which is guaranteed across versions, and operations that IEEE 754 rounds
correctly (+, -, ×, ÷, √, comparisons), each on its own elements, go into a scene. Sums over an axis, matrix
products and library sines depend on the processor and are avoided.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]  # float32; the type of a product with a plain number is wider

_BLOCK = 512
_OCTAVES = 6  # grids of 4, 6, 10, 18, 34, 66 and finally 130 samples, of which 128 are used


class PortableRng:
    """A seeded stream of numbers."""

    def __init__(self, seed: int | Sequence[int]) -> None:
        self._bits = np.random.PCG64(seed)
        self._block: list[int] = []

    def unit(self) -> float:
        """A number in [0, 1)."""
        if not self._block:
            self._block = self._bits.random_raw(_BLOCK).tolist()
        return (self._block.pop() >> 11) * 2.0**-53

    def between(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.unit()

    def whole(self, count: int) -> int:
        """A whole number in 0 … count − 1."""
        return int(self.unit() * count)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.unit() < probability

    def sign(self) -> float:
        """−1 or 1."""
        return -1.0 if self.unit() < 0.5 else 1.0

    def grain(self, side: int) -> Field:
        """White noise in [0, 1], side × side."""
        words = self._bits.random_raw((side * side + 7) // 8).astype("<u8")
        bytes_ = words.view(np.uint8)[: side * side].reshape(side, side)
        return bytes_.astype(np.float32) * np.float32(1 / 255)

    def noise(self, start: int, persistence: float) -> Field:
        """Smooth noise of several scales, 128×128, about 0 and mostly in [−1, 1].

        `start` (0 … 4) leaves out that many of the coarsest scales; each finer one weighs `persistence` times
        the one before it.
        """
        side = 4
        for _ in range(start):
            side = 2 * side - 2
        field = self.grain(side) * 2 - 1
        weight = 1.0
        total = 1.0
        for _ in range(start, _OCTAVES):
            field = _twice(field)
            weight *= persistence
            if weight > 0.04:
                total += weight
                field += (self.grain(field.shape[0]) * 2 - 1) * np.float32(weight)
        return field[1:129, 1:129] * np.float32(1.6 / math.sqrt(total))


def direction(turn: float) -> tuple[float, float]:
    """Cosine and sine of an angle in turns, by polynomials, so that no library's last digit matters."""
    turn -= math.floor(turn)
    quarter = int(turn * 4)
    angle = (turn * 4 - quarter - 0.5) * 1.5707963267948966
    square = angle * angle
    sine = angle * (1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72))))
    cosine = 1 - square / 2 * (1 - square / 12 * (1 - square / 30 * (1 - square / 56)))
    x, y = (cosine - sine) * 0.7071067811865476, (cosine + sine) * 0.7071067811865476
    for _ in range(quarter):
        x, y = -y, x
    return x, y


def wave(phase: Field) -> Field:
    """A smooth wave in [0, 1] with period 1 (a cubic, close to a raised cosine)."""
    fold: Field = np.abs((phase - np.floor(phase)) * 2 - 1)
    return fold * fold * (3 - 2 * fold)


def clamp(field: Field) -> Field:
    """The field with every value below 0 or above 1 moved to that bound."""
    bounded: Field = np.clip(field, 0, 1)
    return bounded


def _twice(field: Field) -> Field:
    """The field at twice the resolution by a quadratic spline: side n becomes 2 n − 2."""
    for _ in range(2):
        near, far = field[:-1] * np.float32(0.75), field[1:] * np.float32(0.75)
        near += field[1:] * np.float32(0.25)
        far += field[:-1] * np.float32(0.25)
        fine = np.empty((2 * near.shape[0], near.shape[1]), np.float32)
        fine[0::2], fine[1::2] = near, far
        field = fine.T
    return field
