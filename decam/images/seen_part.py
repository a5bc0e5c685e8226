"""Which part of a picture a model sees: found by asking its own preprocessing, whatever that does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from decam.classifier import Pixels

Point: TypeAlias = tuple[float, float]
Outline: TypeAlias = Sequence[Point]
"""Corners as shares (across, down) of a picture's sides, or of those of a part of it."""

_RAMP = 512  # pixels of the longer side of the picture by which a part is found
_EXACT = 0.004
_WAVES = 8  # in which rounding is varied along a side


@dataclass(frozen=True)
class Part:
    """A rectangle of a picture, as shares of its height and width from the top and the left, in [0, 1].

    It is larger than the picture where a view has bars beside it.
    """

    top: float = 0.0
    left: float = 0.0
    bottom: float = 1.0
    right: float = 1.0

    @property
    def whole(self) -> bool:
        """True for all of a picture, up to half a per cent."""
        return max(self.top, self.left, 1 - self.bottom, 1 - self.right) < 0.005

    def of(self, image: Image.Image) -> Image.Image:
        """This part of a picture."""
        width, height = image.size
        box = (self.left * width, self.top * height, self.right * width, self.bottom * height)
        return image.crop((round(box[0]), round(box[1]), round(box[2]), round(box[3])))

    def inward(self, outline: Outline) -> Outline:
        """An outline on the whole picture, as shares of the part; what lies outside is drawn to the edge."""
        width, height = self.right - self.left, self.bottom - self.top
        return tuple((_clipped((x - self.left) / width), _clipped((y - self.top) / height)) for x, y in outline)

    def outward(self, outline: Outline) -> Outline:
        """An outline on the part, as shares of the whole picture."""
        width, height = self.right - self.left, self.bottom - self.top
        return tuple((self.left + x * width, self.top + y * height) for x, y in outline)


def seen_part(view: Callable[[Image.Image], Pixels], size: tuple[int, int]) -> Part:
    """The part of a picture of a size (height, width) that `view` keeps; `view` resizes and crops, and turns nothing.

    It is shown a picture whose red and green say where they are, and a line is fitted to what comes back along each
    axis: to about a thousandth of the side, or to a pixel of the view where `view` rounds its own sizes.
    """
    height, width = (max(2, round(side * _RAMP / max(size))) for side in size)
    across, down = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    # Pixels beside each other are rounded differently: else a view that is as fine as the levels meets one error only.
    levels = [255 * across + _dither(down), 255 * down + _dither(across), np.zeros_like(across)]
    seen = view(Image.fromarray(np.rint(np.stack(levels, axis=2)).clip(0, 255).astype(np.uint8))) / 255
    left, right = _ends(seen[..., 0].mean(axis=0))
    top, bottom = _ends(seen[..., 1].mean(axis=1))
    # Rounding must not move an outline where the whole picture is seen.
    close = np.allclose((top, left, bottom, right), (0, 0, 1, 1), atol=_EXACT)
    return Part() if close else Part(top, left, bottom, right)


def _dither(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is added to levels before rounding: from −0.5 to 0.5, so that rounding averages out."""
    return shares * _WAVES % 1 - 0.5


def _ends(shares: NDArray[np.float64]) -> tuple[float, float]:
    """Where pixels that show these shares of a side begin and end; the outermost repeat the edge and are left out."""
    places = (np.arange(len(shares)) + 0.5) / len(shares)
    inner = slice(len(shares) // 8, len(shares) - len(shares) // 8)
    slope, start = np.polyfit(places[inner], shares[inner], 1)
    return _clipped(float(start)), _clipped(float(start + slope))


def _clipped(share: float) -> float:
    return min(1.0, max(0.0, share))
