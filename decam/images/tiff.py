"""TIFF files of layouts that Pillow does not know, such as 64-bit floats or 16-bit grey with alpha."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from decam.errors import ImageError
from decam.images import depth, file_kinds

_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_UNCOMPRESSED = 1
_ORIENTATION = 274
_GREY = (0, 1)  # photometric interpretations: white is zero, black is zero
_RGB = 2
_MULTIPLIED, _UNMULTIPLIED = 1, 2  # kinds of alpha


def is_tiff(content: bytes) -> bool:
    """True for files that begin as TIFF files do."""
    return content.startswith(_STARTS)


def read(content: bytes, check_size: Callable[[int, int], None]) -> tuple[Image.Image, list[str]]:
    """The first page of an uncompressed file, grey or RGB with or without alpha, as 8 bits and upright, with notes.

    `check_size` takes width and height. Raises ImageError, the end of a sentence, for other files, also for complex
    numbers. What is compressed is left out on purpose: it could unpack to any size.
    """
    import tifffile  # few files need it

    with tifffile.TiffFile(BytesIO(content)) as file:
        page, pages = file.pages.first, len(file.pages)
        tags = {tag.code: tag.value for tag in page.tags}
        raw = file_kinds.raw_tiff(tags, content)
        if raw is not None:
            raise ImageError(f"is {raw.title}: {raw.advice}.")
        _check_layout(page, content)
        check_size(page.imagewidth, page.imagelength)
        values = _values(page)
    stated = depth.Range(
        bits=page.bitspersample,
        signed=values.dtype.kind == "i",
        inverted=page.photometric == depth.WHITE_IS_ZERO,
        **depth.stated_range(tags),
    )
    image, notes = depth.to_image(values, stated)
    image.getexif()[_ORIENTATION] = int(tags.get(_ORIENTATION, 1))
    if pages > 1:
        notes.append(f"Only the first of {pages} pages is used.")
    return ImageOps.exif_transpose(image), notes


def _check_layout(page: Any, content: bytes) -> None:
    colours = page.photometric in (*_GREY, _RGB)
    plain = page.compression == _UNCOMPRESSED and page.axes in ("YX", "YXS", "SYX")
    enough = page.samplesperpixel >= (3 if page.photometric == _RGB else 1)
    real = page.dtype is not None and page.dtype.kind in "buif"
    if not (colours and plain and enough and real) or page.nbytes > len(content):
        raise _unknown(page)


def _unknown(page: Any) -> ImageError:
    return ImageError(
        f"is a TIFF file of a layout that cannot be read ({page.bitspersample} bits, {page.samplesperpixel} "
        f"channels, compression {int(page.compression)}); save it as PNG."
    )


def _values(page: Any) -> depth.Values:
    """H×W×C samples, alpha last where there is one; other extra channels are left out."""
    try:
        values = page.asarray()
    except NotImplementedError:  # samples that are packed, such as those of 14 bits
        raise _unknown(page) from None
    if page.axes == "SYX":
        values = values.transpose(1, 2, 0)
    values = values.reshape(page.imagelength, page.imagewidth, -1)
    kind = int(page.extrasamples[0]) if page.extrasamples else 0
    colours = 3 if page.photometric == _RGB else 1
    values = np.ascontiguousarray(values[..., : colours + (kind in (_MULTIPLIED, _UNMULTIPLIED))])
    return depth.divided_by_alpha(values) if kind == _MULTIPLIED else values
