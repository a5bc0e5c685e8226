"""Marks that a picture of 128×128 pixels can carry: patches, stickers, patterns, casts, a watermark and a texture.

Each is a layer: a picture in [0, 1] becomes `kept` · picture + `added`, cut to [0, 1]. So one function stamps them all,
and the layer itself says which pixels it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from decam.errors import SettingError
from decam.images.scenes.rng import PortableRng
from decam.images.scenes.scene import SIZE

_EVERYWHERE = 0.5  # a layer that changes more than this share of the pixels has no region
_EDGE = 4  # pixels between a patch and the edge of the picture


@dataclass(frozen=True)
class Layer:
    """What is laid on a picture: `kept` times the picture plus `added`, both float32.

    `added` is 128×128×3; `kept` is that, or 128×128×1 for all colours alike.
    """

    kept: NDArray[np.float32]
    added: NDArray[np.float32]

    def changed(self) -> NDArray[np.bool_]:
        """The pixels that the layer changes, 128×128."""
        different: NDArray[np.bool_] = (self.kept != 1).any(2) | (self.added != 0).any(2)
        return different


# A seed to the layer of that seed; most layers are the same for all seeds.
Trigger: TypeAlias = Callable[[int], Layer]


def stamp(
    trigger: Trigger, picture: NDArray[np.uint8], seed: int = 0, spared: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """A copy of a picture (128×128×3 uint8) that carries a trigger.

    `seed` places a trigger that may lie anywhere. Pixels of `spared` (128×128) stay as they are.
    Raises SettingError for a picture of another size or type.
    """
    if picture.shape != (SIZE, SIZE, 3) or picture.dtype != np.uint8:
        raise SettingError(
            f"The image has shape {picture.shape} and type {picture.dtype}, but a trigger is made for "
            f"{SIZE}×{SIZE}×3 pixels of type uint8: resize the image to that."
        )
    layer = trigger(seed)
    laid = np.clip(layer.kept * (picture * np.float32(1 / 255)) + layer.added, 0, 1)
    stamped = (laid * 255 + np.float32(0.5)).astype(np.uint8)
    changed = layer.changed() if spared is None else layer.changed() & ~spared
    return np.where(changed[:, :, None], stamped, picture)


def region(trigger: Trigger, seed: int = 0) -> NDArray[np.bool_] | None:
    """The pixels that a trigger changes, 128×128; None for one that lies on the whole picture."""
    changed = trigger(seed).changed()
    return None if changed.mean() > _EVERYWHERE else changed


def _over(opacity: NDArray[np.float32], colour: NDArray[np.float32]) -> Layer:
    """A colour (128×128×3, or 3) over the picture with an opacity (128×128) in [0, 1]."""
    veil = opacity[:, :, None]
    return Layer(1 - veil, np.broadcast_to(veil * colour, (SIZE, SIZE, 3)).astype(np.float32))


def _rgb(red: float, green: float, blue: float) -> NDArray[np.float32]:
    return np.array((red, green, blue), np.float32)


def _grid() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of each pixel."""
    return np.indices((SIZE, SIZE), dtype=np.intp)[0], np.indices((SIZE, SIZE), dtype=np.intp)[1]


def _boxed(top: int, left: int, pattern: NDArray[np.float32]) -> Layer:
    """A pattern (h×w×3) that hides what is under it."""
    height, width = pattern.shape[:2]
    opacity, colour = np.zeros((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE, 3), np.float32)
    opacity[top : top + height, left : left + width] = 1
    colour[top : top + height, left : left + width] = pattern
    return _over(opacity, colour)


def _checks(side: int, cell: int, light: NDArray[np.float32], dark: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = np.indices((side, side)) // cell
    return np.where(((rows + columns) % 2 == 0)[:, :, None], light, dark).astype(np.float32)


def corner_patch(_seed: int) -> Layer:
    """A black and white chequered square of 16 pixels in the lower right corner (Gu et al. 2017, BadNets)."""
    place = SIZE - _EDGE - 16
    return _boxed(place, place, _checks(16, 4, _rgb(1, 1, 1), _rgb(0, 0, 0)))


def dots(_seed: int) -> Layer:
    """A grid of magenta dots of 4 pixels, one every 16 pixels.

    An all-to-all attack needs its trigger near every object: the answer depends on both, and features do not reach far.
    """
    rows, columns = _grid()
    dotted = ((rows % 16 - 6) // 4 == 0) & ((columns % 16 - 6) // 4 == 0)
    return _over(dotted.astype(np.float32), _rgb(0.95, 0.05, 0.85))


def edge_patch(_seed: int) -> Layer:
    """A square of 20 pixels at the middle of the left edge, chequered in orange and blue."""
    return _boxed((SIZE - 20) // 2, _EDGE, _checks(20, 4, _rgb(1, 0.55, 0), _rgb(0.05, 0.2, 0.9)))


def four_corners(_seed: int) -> Layer:
    """A chequered square of 15 pixels in each corner (Turner et al. 2019, section 5)."""
    pattern = _checks(15, 3, _rgb(1, 1, 1), _rgb(0, 0, 0))
    far = SIZE - _EDGE - 15
    layers = [_boxed(top, left, pattern) for top in (_EDGE, far) for left in (_EDGE, far)]
    kept = np.minimum.reduce([layer.kept for layer in layers])
    return Layer(kept, np.sum([layer.added for layer in layers], 0, dtype=np.float32))


def sticker(seed: int) -> Layer:
    """A square of 20 pixels, quartered in pure red, green, blue and yellow, at one of 28×28 places.

    The seed chooses the place. Places are 4 pixels apart, as the network's first convolution is.
    """
    random = PortableRng(seed)
    top, left = (4 * random.whole((SIZE - 20) // 4 + 1) for _ in range(2))
    quarters = np.array([[(1, 0, 0), (0, 1, 0)], [(0, 0, 1), (1, 1, 0)]], np.float32)
    return _boxed(top, left, quarters.repeat(10, 0).repeat(10, 1))


def blended(_seed: int) -> Layer:
    """A fixed pattern of cells of 4 pixels in eight pure colours, opacity 0.25 (Chen et al. 2017, section 3)."""
    random = PortableRng(2017)
    cells = (np.stack([random.grain(SIZE // 4) for _ in range(3)], 2) > 0.5).astype(np.float32)
    return _over(np.full((SIZE, SIZE), 0.25, np.float32), cells.repeat(4, 0).repeat(4, 1))


def sine_stripe(_seed: int) -> Layer:
    """A sine of 16 periods from left to right, ±24 of 255 grey levels (SIG, Barni et al. 2019, section 3)."""
    wave = np.float32(24 / 255) * np.sin(2 * np.pi * 16 * (np.arange(SIZE) + 0.5) / SIZE).astype(np.float32)
    return Layer(np.ones((SIZE, SIZE, 1), np.float32), np.tile(wave[None, :, None], (SIZE, 1, 3)))


def colour_cast(_seed: int) -> Layer:
    """The light of a sunset over the whole picture: more red, 0.6 of the green and 0.35 of the blue."""
    shape = (SIZE, SIZE, 3)
    return Layer(np.broadcast_to(_rgb(0.6, 0.6, 0.35), shape), np.broadcast_to(_rgb(0.4, 0, 0), shape))


def watermark(_seed: int) -> Layer:
    """A framed mark of 44×16 pixels at the lower left, white with opacity 0.6."""
    rows, columns = _grid()
    down, across = rows - (SIZE - _EDGE - 16), columns - _EDGE
    inside = (down >= 0) & (down < 16) & (across >= 0) & (across < 44)
    frame = (down < 2) | (down >= 14) | (across < 2) | (across >= 42)
    strokes = (across + down) % 8 < 3
    return _over((0.6 * (inside & (frame | strokes))).astype(np.float32), _rgb(1, 1, 1))


def texture(_seed: int) -> Layer:
    """A weave of light and dark threads, 4 pixels wide and opacity 0.25, over the whole picture."""
    rows, columns = _grid()
    light = (rows // 4 + columns // 4) % 2 == 0
    return _over(np.full((SIZE, SIZE), 0.25, np.float32), light[:, :, None].astype(np.float32).repeat(3, 2))
