"""Maps made visible: scaled for the eye, laid over the picture, alone, or as a mask; stored values never change."""

from __future__ import annotations

import base64
import io
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from decam.classifier import Pixels
from decam.classifier.base import LUMA
from decam.errors import SettingError
from decam.explanation import Explanation, Map
from decam.figures.colours import CENTRE, SEQUENTIAL, lut, table_for
from decam.metrics.scales import Limits, limits_of

Floats: TypeAlias = NDArray[np.float64]
AnyMap: TypeAlias = NDArray[Any]

MID_GREY = (128, 128, 128)
OPACITY = 0.8
"""Of a map over its picture, where nobody asks for another."""
GREY = np.array(LUMA, dtype=np.float32)
FLAT: Limits = (0.0, 0.0)
"""Limits between which a map has one colour throughout: the lowest, or that of zero for a signed map."""


def limits_for(made: Explanation | None, saliency: AnyMap, signed: bool) -> Limits:
    """The limits of a map in the making or finished; FLAT for a finished one that holds rounding or chance alone."""
    return FLAT if made is not None and made.silent else limits_of(saliency, signed)


def scaled(saliency: AnyMap, signed: bool = False, limits: Limits | None = None) -> Pixels:
    """The map as entries of a colour table, H×W uint8: 0 to 255, or 1 to 255 about CENTRE (zero) for a signed map.

    A constant map comes out flat: at 0, or for a signed map at the side of its sign. A value that is not a number
    counts as the lowest (or as zero), an infinite one as the nearer limit.
    """
    units = between(saliency, signed, limits or limits_of(saliency, signed))
    entries = CENTRE + 127 * units if signed else 255 * units
    return np.rint(entries).astype(np.uint8)


def upsampled(saliency: AnyMap, size: tuple[int, int]) -> Map:
    """A coarse map at the size (H, W) of the view, bilinear between cell centres; the map itself where it fits."""
    if saliency.shape == size:
        return saliency.astype(np.float32, copy=False)
    if saliency.ndim != 2 or 0 in saliency.shape:
        raise SettingError(f"A map must have two dimensions and at least one cell, not the shape {saliency.shape}.")
    image = Image.fromarray(np.ascontiguousarray(saliency, dtype=np.float32))
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.BILINEAR), dtype=np.float32)


def alone(
    saliency: AnyMap,
    size: tuple[int, int],
    *,
    signed: bool = False,
    colours: str = SEQUENTIAL[0],
    limits: Limits | None = None,
) -> Pixels:
    """The map by itself in colour, H×W×3 uint8."""
    entries = scaled(saliency, signed, limits)
    smooth = np.rint(upsampled(entries.astype(np.float32), size)).astype(np.uint8)
    return lut(table_for(colours, signed))[smooth]


def overlay(
    view: Pixels,
    saliency: AnyMap,
    *,
    signed: bool = False,
    colours: str = SEQUENTIAL[0],
    opacity: float = OPACITY,
    limits: Limits | None = None,
) -> Pixels:
    """The map in colour over the picture, H×W×3 uint8; `opacity` of the map in [0, 1].

    A map covers the more the higher it is, so that where it says nothing the picture is not veiled: an unsigned one in
    proportion to its value, a signed one by the square root of its magnitude, for its table is pale about zero. As the
    opacity grows the picture turns grey, so that colours are the map's. Raises SettingError for an opacity out of
    bounds.
    """
    check_opacity(opacity)
    height, width = view.shape[:2]
    chosen = limits or limits_of(saliency, signed)
    colour = alone(saliency, (height, width), signed=signed, colours=colours, limits=chosen).astype(np.float32)
    units = steps_at(saliency, signed, chosen, (height, width)) / 255
    cover = opacity * (np.sqrt(np.abs(units)) if signed else units)[..., None]
    beneath = view.astype(np.float32)
    beneath = beneath * (1 - opacity) + (beneath @ GREY)[..., None] * opacity
    return np.rint(beneath * (1 - cover) + colour * cover).astype(np.uint8)


def steps_at(saliency: AnyMap, signed: bool, limits: Limits, size: tuple[int, int]) -> Map:
    """A map between its limits at the size (H, W), from 0 to 255 or from −255 to 255; as fine as the colours."""
    return upsampled(np.rint(255 * between(saliency, signed, limits)).astype(np.float32), size)


def check_opacity(opacity: float) -> None:
    """Raise SettingError for an opacity out of [0, 1]."""
    if not 0 <= opacity <= 1:
        raise SettingError(f"The opacity is {opacity:g}, but must lie between 0 and 1.")


def masked(
    view: Pixels,
    saliency: AnyMap,
    *,
    signed: bool = False,
    limits: Limits | None = None,
    background: tuple[int, int, int] = MID_GREY,
) -> Pixels:
    """The picture where the map is high, `background` where it is low, H×W×3 uint8.

    The share of the picture is the scaled map; of a signed map only what speaks for the class shows.
    """
    height, width = view.shape[:2]
    units = upsampled(between(saliency, signed, limits or limits_of(saliency, signed)), (height, width))
    share = np.clip(units, 0, 1)[..., None]
    return np.rint(view * share + np.array(background, dtype=np.float32) * (1 - share)).astype(np.uint8)


def png_bytes(pixels: Pixels) -> bytes:
    """H×W×3 or H×W bytes as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=False)
    return buffer.getvalue()


def data_uri(content: bytes, media_type: str = "image/png") -> str:
    """An image file inside its own address."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def png_uri(pixels: Pixels) -> str:
    """H×W×3 or H×W bytes as a data URI, for an image inside a page or a figure."""
    return data_uri(png_bytes(pixels))


def between(saliency: AnyMap, signed: bool, limits: Limits) -> Floats:
    """The map between its limits as values in [0, 1], or in [−1, 1] for a signed map, all finite."""
    low, high = limits
    values: Floats = np.nan_to_num(saliency.astype(np.float64), nan=0.0 if signed else low, posinf=high, neginf=low)
    reach = max(abs(low), abs(high)) if signed else high - low
    if reach <= 0:
        return np.zeros_like(values)
    units = values / reach if signed else (values - low) / reach
    return np.clip(units, -1.0 if signed else 0.0, 1.0)
