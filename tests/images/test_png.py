"""Texts and profiles of a PNG file: none of them decides whether its picture can be read."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from decam.errors import ImageError
from decam.images import png
from decam.images.reading import read

LONG = b"a" * (3 * 2**20)  # more than Pillow decompresses
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 20, 3), dtype=np.uint8))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunks(*chunks: bytes, late: bool = False) -> bytes:
    """PICTURE as PNG with further chunks before or after its data."""
    file = BytesIO()
    PICTURE.save(file, "PNG")
    data = file.getvalue()
    place = data.index(b"IEND" if late else b"IDAT") - 4
    return data[:place] + b"".join(chunks) + data[place:]


def same(data: bytes) -> bool:
    return np.array_equal(np.asarray(read(data, "a").image), np.asarray(PICTURE))


TEXTS = {
    "zTXt": chunk(b"zTXt", b"workflow\0\0" + zlib.compress(LONG)),
    "iTXt": chunk(b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(LONG)),
    "XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(LONG)),
    "EXIF": chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(LONG)),
    "profile": chunk(b"iCCP", b"wide\0\0" + zlib.compress(LONG)),
    "damaged": chunk(b"zTXt", b"Raw profile type exif\0\0" + b"no zlib"),
}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("kind", TEXTS)
def test_a_picture_with_a_long_text_is_read(kind: str, late: bool) -> None:
    assert same(with_chunks(TEXTS[kind], late=late))


def test_many_long_texts_are_not_kept_in_memory() -> None:
    assert same(with_chunks(*[TEXTS["XMP"]] * 200, *[TEXTS["zTXt"]] * 200))


def test_the_limits_of_pillow_itself_stay_as_they_were() -> None:
    before = (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY)
    read(with_chunks(TEXTS["zTXt"]), "a")
    assert before == (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY)


@pytest.mark.parametrize("packed", [False, True])
def test_an_orientation_that_is_kept_in_a_text_is_obeyed(packed: bool) -> None:
    text = b'<x tiff:Orientation="6"/>'
    data = b"XML:com.adobe.xmp\0" + (b"\1\0\0\0" + zlib.compress(text) if packed else b"\0\0\0\0" + text)
    turned = read(with_chunks(chunk(b"iTXt", data), TEXTS["XMP"]), "a").image
    np.testing.assert_array_equal(np.asarray(turned), np.rot90(np.asarray(PICTURE), -1))


@pytest.mark.parametrize("cut", [20, 45, 200])
def test_a_file_that_ends_early_is_still_damaged(cut: int) -> None:
    with pytest.raises(ImageError, match="damaged"):
        read(with_chunks(chunk(b"zTXt", b"note\0\0" + zlib.compress(b"short")))[:cut], "a")


def test_what_is_no_png_is_left_alone() -> None:
    assert png.without_text(b"GIF89a...") == b"GIF89a..."
    assert png.significant_bits(b"GIF89a...") is None


def test_significant_bits_are_those_of_the_richest_channel() -> None:
    assert png.significant_bits(with_chunks(chunk(b"sBIT", bytes([5, 6, 5])))) == 6
    assert png.significant_bits(with_chunks()) is None
