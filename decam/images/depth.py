"""Samples of more than 8 bits, as cameras, scanners and X-ray machines write them, brought to 8."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.ImageFile import ImageFile

from decam.errors import ImageError
from decam.images import png

ROWS = 64  # that are scaled at a time
DEPTHS = (8, 10, 12, 14, 16)  # bits that cameras and scanners use

WHITE_IS_ZERO = 0  # a photometric interpretation
_BITS, _PHOTOMETRIC, _PLANES, _SAMPLE_FORMAT = 258, 262, 284, 339
_MAX_SAMPLE, _S_MIN_SAMPLE, _S_MAX_SAMPLE = 281, 340, 341

Values = NDArray[Any]


@dataclass(frozen=True)
class Range:
    """What a file says of its samples.

    `bits` are stored for each. `used` is how many of them the file says it uses. `least` is the largest value that it
    says it has. `span` is the darkest and the brightest value.
    """

    bits: int
    signed: bool = False
    used: int | None = None
    least: float = 0.0
    span: tuple[float, float] | None = None
    inverted: bool = False  # zero is white

    @property
    def positive(self) -> int:
        """Bits for values above zero."""
        return self.bits - self.signed


def reduced(opened: ImageFile, content: bytes, again: Callable[[], ImageFile]) -> tuple[Image.Image, list[str]]:
    """A file of at most 8 bits as it is; one of more as L, LA, RGB or RGBA, with notes. Both upright.

    `opened` is not decoded yet, `content` are the file's bytes, and `again` opens the file once more.
    """
    stated = _range_of(opened, content)
    transparent = opened.info.get("transparency")
    if _has_wide_colours(opened):
        values = _wide_colours(opened, again)
    else:
        opened.load()
        image = ImageOps.exif_transpose(opened)
        if stated.signed and stated.bits == 8 and image.mode == "L":
            values = np.asarray(image).view(np.int8)[..., None]  # Pillow takes them for unsigned
        elif not is_wide(image.mode):
            return image, []
        else:
            values = unsigned(np.asarray(image), stated)[..., None]
    return to_image(values, stated, transparent)


def is_wide(mode: str) -> bool:
    """True for Pillow's modes of one channel with more than 8 bits."""
    return mode in ("I", "F") or mode.startswith("I;16")


def unsigned(values: Values, stated: Range) -> Values:
    """Pillow's 32-bit values, which it takes for signed even where the file says that they are not."""
    return values.view(np.uint32) if values.dtype == np.int32 and stated.bits == 32 and not stated.signed else values


def to_image(values: Values, stated: Range, transparent: Any = None) -> tuple[Image.Image, list[str]]:
    """H×W×C samples as L, LA, RGB or RGBA (C from 1 to 4), with notes on how they were scaled.

    `transparent` is the sample, or the three samples, of a colour that is fully transparent. Raises ImageError as
    `scale` does.
    """
    channels = values.shape[2]
    colours = values[..., :3] if channels > 2 else values[..., :1]
    alpha = values[..., -1] if channels in (2, 4) else None
    if alpha is not None and alpha.dtype.kind != "f" and _depth(float(alpha.max())) < stated.positive:
        # Opaque places do not reach the top either: colours and opacity share one range.
        stated = replace(stated, least=max(stated.least, float(colours.max()), float(alpha.max())))
    scaled, notes = scale(colours, stated)
    layers = [scaled]
    if alpha is not None:
        _check_finite(alpha)
        layers.append(_to_bytes(alpha[..., None], 0.0, _alpha_full(alpha, stated)))
    elif transparent is not None and not isinstance(transparent, bytes):
        hidden = (colours == np.atleast_1d(transparent)).all(axis=2)
        layers.append(np.where(hidden, 0, 255).astype(np.uint8)[..., None])
    joined = np.concatenate(layers, axis=2)
    return Image.fromarray(joined[..., 0] if joined.shape[2] == 1 else joined), notes


def divided_by_alpha(values: Values) -> Values:
    """Samples in which alpha, the last channel, is multiplied in, without it; of the same type and range."""
    alpha = values[..., -1:].astype(np.float64)
    full = 1.0 if values.dtype.kind == "f" else float(np.iinfo(values.dtype).max)
    colours = values[..., :-1] / np.where(alpha > 0, alpha, 1) * full
    return np.concatenate([np.minimum(colours, full).astype(values.dtype), values[..., -1:]], axis=2)


def scale(values: Values, stated: Range) -> tuple[NDArray[np.uint8], list[str]]:
    """Samples as 8 bits, 0 black and 255 white, and a note where the range had to be guessed.

    A file seldom says how many of its bits it uses: the range is that of the smallest of DEPTHS which holds the
    largest value, unless the file says more. Raises ImageError for values that are not finite.
    """
    _check_finite(values)
    low, high = float(values.min()), float(values.max())
    (black, white), notes = _range(low, high, values.dtype.kind, stated)
    if black == white:
        return np.full(values.shape, 128, np.uint8), notes
    ends = (white, black) if stated.inverted else (black, white)
    return _to_bytes(values, *ends), notes


def _check_finite(values: Values) -> None:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ImageError("holds values that are not finite; replace them by numbers.")


def _to_bytes(values: Values, black: float, white: float) -> NDArray[np.uint8]:
    """Samples as 8 bits; a few rows at a time, since floats take eight times the memory of what they become."""
    found = np.empty(values.shape, np.uint8)
    part = 1.0 if isfinite(white - black) else 0.5  # of doubles, whose range may be larger than any number
    black, white = black * part, white * part
    for start in range(0, len(values), ROWS):
        share = (values[start : start + ROWS].astype(np.float64) * part - black) / (white - black)
        found[start : start + ROWS] = np.clip(share, 0, 1) * 255 + 0.5
    return found


def _range(low: float, high: float, kind: str, stated: Range) -> tuple[tuple[float, float], list[str]]:
    """The values that become black and white, and notes on them."""
    natural = (0.0, 1.0) if kind == "f" else (0.0, float(2**stated.bits - 1))
    if stated.span is not None and stated.span[0] <= low and high <= stated.span[1]:
        black, white = stated.span
        declared = f"Grey values from {black:g} to {white:g}, the range that the file states, go from black to white."
        return stated.span, [] if stated.span == natural else [declared]
    if kind == "f":
        return (natural, []) if low >= 0 and high <= 1 else _stretched(low, high)
    largest = max(high, stated.least)
    if low < 0 or largest > 65535:
        return _stretched(low, high)
    if stated.used is not None:  # sBIT: the bits used are the upper ones, though some programs keep the lower ones
        bits = stated.used if largest < 2**stated.used else stated.bits
    elif stated.bits in DEPTHS and stated.bits < 16:
        bits = stated.positive  # no room to spare
    else:
        bits = min(_depth(largest), stated.positive)
    note = f"The image uses {bits} of its {stated.bits} bits; it was brightened to full range."
    return (0.0, float(2**bits - 1)), [note] if high > 0 and bits < stated.positive else []


def _stretched(low: float, high: float) -> tuple[tuple[float, float], list[str]]:
    if low == high:
        return (low, high), [f"All grey values are {low:g}, whose brightness is not known: they are shown as mid-grey."]
    return (low, high), [f"Grey values from {low:g} to {high:g} were stretched from black to white."]


def _depth(largest: float) -> int:
    """The smallest usual depth, in bits, that holds a value up to 65535."""
    return next((bits for bits in DEPTHS if largest < 2**bits), 16)


def _alpha_full(alpha: Values, stated: Range) -> float:
    """The value of an opaque place."""
    if alpha.dtype.kind == "f":
        return max(1.0, float(alpha.max()))
    if stated.span is not None and alpha.max() <= stated.span[1]:
        return stated.span[1]
    if stated.used is not None:
        return float(2**stated.used - 1) if alpha.max() < 2**stated.used else float(2**stated.bits - 1)
    largest = max(float(alpha.max()), stated.least)
    bits = stated.positive if largest > 65535 else min(_depth(largest), stated.positive)
    return float(2**bits - 1)


def _range_of(opened: ImageFile, content: bytes) -> Range:
    """What a file that Pillow opened says of its samples."""
    tags = getattr(opened, "tag_v2", None)
    if tags is None:
        used = png.significant_bits(content)
        return Range(16, used=used if used is not None and 1 <= used <= 16 else None)
    formats = tags.get(_SAMPLE_FORMAT, 1)
    rawmode = _rawmode(opened.tile[0].args) if opened.tile else ""
    return Range(
        bits=int(max(_numbers(tags.get(_BITS, 1)))),
        signed=2 in _numbers(formats),
        **stated_range(tags),
        # Pillow itself inverts where the name of what it decodes ends with I, and leaves other depths as they are.
        inverted=tags.get(_PHOTOMETRIC) == WHITE_IS_ZERO and not rawmode.rstrip("R").endswith("I"),
    )


def stated_range(tags: Any) -> dict[str, Any]:
    """The darkest and brightest value, and the largest value, where the tags of a TIFF file have them."""
    lowest, highest = _numbers(tags.get(_S_MIN_SAMPLE)), _numbers(tags.get(_S_MAX_SAMPLE))
    span = (min(lowest, default=0.0), max(highest, default=0.0))
    largest = max(_numbers(tags.get(_MAX_SAMPLE)), default=0.0)
    return {"span": span if span[0] < span[1] else None, "least": largest}


def _numbers(value: Any) -> tuple[float, ...]:
    values = () if value is None else value if isinstance(value, tuple) else (value,)
    return tuple(number for number in values if isinstance(number, int | float))


# Colours of 16 bits: Pillow keeps the upper half of each sample, so a file is decoded twice, once for each half.


def _rawmode(args: Any) -> str:
    return str(args[0] if isinstance(args, tuple) else args)


def _has_wide_colours(opened: ImageFile) -> bool:
    if opened.format not in ("PNG", "TIFF") or opened.mode not in ("RGB", "RGBA") or not opened.tile:
        return False
    bits = getattr(opened, "tag_v2", {}).get(_BITS, 8)
    return ";16" in _rawmode(opened.tile[0].args) or _numbers(bits)[:1] == (16,)


def _wide_colours(opened: ImageFile, again: Callable[[], ImageFile]) -> Values:
    """Upright H×W×C of 16 bits."""
    rawmode = _rawmode(opened.tile[0].args)
    if opened.tile[0].codec_name == "libtiff" and opened.tag_v2.get(_PLANES) == 2:  # type: ignore[attr-defined]
        raise ImageError("has compressed colour planes of 16 bits, one after the other; save it as PNG.")
    if rawmode == "LA;16B":
        halves = _decoded(opened, "RGBA").astype(np.uint16)
        return halves[..., 0::2] << 8 | halves[..., 1::2]
    with again() as second:
        values = _decoded(opened, _half(opened, upper=True)).astype(np.uint16)
        values <<= 8
        values |= _decoded(second, _half(second, upper=False))
    return divided_by_alpha(values) if rawmode.startswith("RGBa") else values


def _half(image: ImageFile, *, upper: bool) -> str:
    """The name under which Pillow decodes one half of each sample; without bands where each has a tile of its own."""
    bands, _, order = _rawmode(image.tile[0].args).partition(";16")
    if not order:
        tags: Any = image.tag_v2  # type: ignore[attr-defined]
        bands, order = "", "L" if tags.prefix == b"II" else "B"
    if order == "N":
        order = "L" if sys.byteorder == "little" else "B"
    bands = bands.replace("RGBa", "RGBA")  # a half cannot be divided by a half
    if not upper:
        order = "B" if order == "L" else "L"
    return f"{bands};16{order}"


def _decoded(image: ImageFile, rawmode: str) -> NDArray[np.uint8]:
    tiles = []
    for tile in image.tile:
        args = tile.args
        name = _rawmode(args) + rawmode if rawmode.startswith(";") else rawmode
        tiles.append(tile._replace(args=(name, *args[1:]) if isinstance(args, tuple) else name))
    image.tile = tiles
    image.load()
    return np.asarray(ImageOps.exif_transpose(image))
