"""Files of more than 8 bits a sample, written byte by byte, and what is seen of them."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from decam.images.reading import Picture

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2


def png(values: np.ndarray, *extra: tuple[bytes, bytes], interlaced: bool = False) -> bytes:
    """A PNG of 16 bits a sample, H×W×C, as the format's own words say; `extra` chunks come before the data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def rows(part: np.ndarray) -> bytes:
        return b"".join(b"\0" + row.astype(">u2").tobytes() for row in part)

    values = values.astype(np.uint16).reshape(*values.shape[:2], -1)
    height, width, channels = values.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, interlaced)
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    parts = [values[top::down, left::right] for top, left, down, right in passes] if interlaced else [values]
    data = zlib.compress(b"".join(map(rows, parts)))
    chunks = ((b"IHDR", header), *extra, (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks)


def tiff(values: np.ndarray, photometric: int = BLACK_IS_ZERO, order: str = "<", bits: int = 0, **tags: float) -> bytes:
    """An uncompressed TIFF of the values' own type, written by hand; further tags by number, as "t340"."""
    values = values.reshape(*values.shape[:2], -1)
    height, width, channels = values.shape
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    after = 8 + len(data)
    entries: dict[int, tuple[str, tuple[float, ...]]] = {
        256: ("I", (width,)),
        257: ("I", (height,)),
        258: ("H", (bits or 8 * values.itemsize,) * channels),
        259: ("H", (1,)),
        262: ("H", (photometric,)),
        273: ("I", (8,)),
        277: ("H", (channels,)),
        278: ("I", (height,)),
        279: ("I", (len(data),)),
        339: ("H", ({"u": 1, "i": 2, "f": 3}[values.dtype.kind],) * channels),
    }
    if channels in (2, 4):
        entries[338] = ("H", (2,))
    for name, value in tags.items():
        entries[int(name[1:])] = ("f" if isinstance(value, float) else "H", (value,))
    kinds, out, beside = {"H": 3, "I": 4, "f": 11}, b"", b""
    place = after + 2 + 12 * len(entries) + 4
    for tag, (kind, numbers) in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(numbers)}{kind}", *numbers)
        if len(packed) > 4:
            packed, beside = struct.pack(f"{order}I", place + len(beside)), beside + packed
        out += struct.pack(f"{order}HHI", tag, kinds[kind], len(numbers)) + packed.ljust(4, b"\0")
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", after)
    return start + data + struct.pack(f"{order}H", len(entries)) + out + b"\0\0\0\0" + beside


def grey(picture: Picture) -> np.ndarray:
    """The grey values of a picture, of which all three channels say the same."""
    values = np.asarray(picture.image)
    assert (values == values[..., :1]).all()
    return values[..., 0].astype(int)


def rounded(share: np.ndarray) -> np.ndarray:
    """Shares of white as 8 bits."""
    return np.floor(share * 255 + 0.5).astype(int)


def near(seen: np.ndarray, expected: np.ndarray, most: int = 0) -> None:
    assert np.abs(seen.astype(int) - expected).max() <= most
