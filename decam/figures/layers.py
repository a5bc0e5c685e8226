"""A map as a layer that a browser lays over its picture, so that its opacity can change without another picture."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from decam.classifier import Pixels
from decam.explanation import Map
from decam.figures.colours import CENTRE, lut, table_for
from decam.figures.contours import LINE, lines
from decam.figures.legend import Scale
from decam.figures.overlays import GREY, png_bytes, steps_at


def heat_png(scale: Scale, signed: bool, colours: str, size: tuple[int, int]) -> bytes:
    """A map in colour at the size (H, W), which covers what is beneath as `overlay` does at full opacity.

    Over a picture that turns grey by the share o, drawn with opacity o, it looks as `overlay` with opacity o.
    """
    steps = steps_at(scale.values, signed, scale.limits, size)
    table = lut(table_for(colours, signed))
    if signed:  # evenly spaced by their cover, of which the eye sees steps first
        places = CENTRE + 127 * np.sign(steps) * np.sqrt(np.abs(steps) / 255)
        levels = np.clip((np.arange(256) - CENTRE) / 127, -1, 1)
        cover, table = np.abs(levels), table[np.rint(CENTRE + 127 * levels * np.abs(levels)).astype(np.uint8)]
    else:
        places, cover = steps, np.arange(256) / 255
    image = Image.fromarray(np.rint(places).astype(np.uint8), mode="P")
    image.putpalette(table.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", transparency=np.rint(255 * cover).astype(np.uint8).tobytes())
    return buffer.getvalue()


def grey_png(view: Pixels) -> bytes:
    """A picture (H×W×3) without its colours."""
    return png_bytes(np.rint(view.astype(np.float32) @ GREY).astype(np.uint8))


def lines_png(saliency: Map, size: tuple[int, int]) -> bytes:
    """The lines that `contoured` draws, on nothing, at the size (H, W)."""
    drawn = lines(saliency, size).astype(np.uint8)
    image = Image.fromarray(drawn, mode="P")
    image.putpalette(bytes((*LINE, *LINE)))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", transparency=bytes((0, 255)))
    return buffer.getvalue()
