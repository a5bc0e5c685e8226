"""Well-known files that are no pictures this project reads: what they are and what to do, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FileKind:
    """A kind of file: what it is, with its article, and what makes a picture of it."""

    title: str
    advice: str


_HEIC = FileKind(
    "a HEIC photo",
    "open it in Preview, Photos or another viewer and export it as JPEG; "
    "an iPhone takes JPEG at once with Settings → Camera → Formats → Most Compatible",
)
AVIF = FileKind("an AVIF image", "export it as PNG or JPEG, or install Pillow 11.3 or newer, which reads AVIF")
_VIDEO = FileKind("a video", "save one frame of it as PNG")
_RAW = FileKind("a camera's raw file", "develop it in the camera's program or a photo editor and export it as TIFF")
_JPEG_2000 = FileKind("a JPEG 2000 image", "export it as PNG")
_JPEG_XL = FileKind("a JPEG XL image", "export it as PNG or JPEG")
_ARCHIVE = FileKind("a ZIP archive or an office document", "unpack or export the image in it")
_EXR = FileKind("an OpenEXR image", "tone-map it and export it as PNG")
_HDR = FileKind("a Radiance HDR image", "tone-map it and export it as PNG")
_TABLE = FileKind("an HDF5 file", "save the image in it as PNG or TIFF")
_NUMPY = FileKind("a NumPy array", "save it as PNG, or hand the array to decam.explain in Python")
_NIFTI = FileKind("a NIfTI volume", "export one slice of it as PNG")
_SVG = FileKind("an SVG drawing", "export it as PNG at the size that you want")
_PAGE = FileKind("a web page", "save the image itself, not the page that shows it")
_POINTER = FileKind("a Git LFS pointer", "fetch the file itself with git lfs pull")
_PLAIN = FileKind("a Netpbm image", "convert it to PNG")

_CANON = b"CR\x02\0"

# Where in the file, which bytes, what it is.
_MAGIC: tuple[tuple[int, bytes, FileKind], ...] = (
    (0, b"%PDF", FileKind("a PDF document", "export the page or the image in it as PNG")),
    (0, b"8BPS", FileKind("a Photoshop document", "export it as PNG or TIFF")),
    (0, b"gimp xcf", FileKind("a GIMP document", "export it as PNG or TIFF")),
    (0, b"%!PS", FileKind("a PostScript drawing", "export it as PNG at the size that you want")),
    (128, b"DICM", FileKind("a DICOM file", "export one image of it as PNG or TIFF with a DICOM viewer")),
    (0, b"FUJIFILMCCD-RAW", _RAW),
    (0, b"IIRO", _RAW),
    (0, b"IIRS", _RAW),
    (0, b"MMOR", _RAW),
    (0, b"IIU\0", _RAW),
    (0, b"FOVb", _RAW),
    (0, b"\0MRM", _RAW),
    (6, b"HEAPCCDR", _RAW),
    (8, _CANON, _RAW),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", _JPEG_2000),
    (0, b"\xff\x4f\xff\x51", _JPEG_2000),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", _JPEG_XL),
    (0, b"\xff\x0a", _JPEG_XL),
    (8, b"AVI LIST", _VIDEO),
    (0, b"\x1a\x45\xdf\xa3", _VIDEO),
    (0, b"\0\0\x01\xba", _VIDEO),
    (0, b"\0\0\x01\xb3", _VIDEO),
    (0, b"FLV\x01", _VIDEO),
    (0, b"OggS", _VIDEO),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _VIDEO),
    (4, b"moov", _VIDEO),
    (4, b"mdat", _VIDEO),
    (0, b"v/1\x01", _EXR),
    (0, b"#?RADIANCE", _HDR),
    (0, b"#?RGBE", _HDR),
    (0, b"\x89HDF\r\n\x1a\n", _TABLE),
    (0, b"SIMPLE  =", FileKind("a FITS file", "export its image as PNG or TIFF")),
    (0, b"\x93NUMPY", _NUMPY),
    (344, b"n+1\0", _NIFTI),
    (344, b"ni1\0", _NIFTI),
    (0, b"\0\0\x01\0", FileKind("an icon", "convert it to PNG")),
    (0, b"icns", FileKind("an icon", "convert it to PNG")),
    (0, b"qoif", FileKind("a QOI image", "convert it to PNG")),
    (0, b"DDS ", FileKind("a DDS texture", "convert it to PNG")),
    (0, b"PK\x03\x04", _ARCHIVE),
    (0, b"\x1f\x8b", FileKind("a gzip archive", "unpack it first")),
    (0, b"Rar!", FileKind("a RAR archive", "unpack it first")),
    (0, b"7z\xbc\xaf\x27\x1c", FileKind("a 7z archive", "unpack it first")),
    (0, b"version https://git-lfs", _POINTER),
)

# Brands of ISO base media files, which HEIC, AVIF and most videos are.
_BRANDS: tuple[tuple[tuple[bytes, ...], FileKind], ...] = (
    ((b"avif", b"avis"), AVIF),
    ((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), _HEIC),
    ((b"crx ",), _RAW),
    ((b"jp2 ", b"jpx "), _JPEG_2000),
)

# Tags that tell a raw file, which is laid out as a TIFF file, from a picture.
_DNG_VERSION, _NEW_SUBFILE, _PHOTOMETRIC, _SUB_FILES = 50706, 254, 262, 330
_SENSOR = (32803, 34892)  # samples as the sensor has them: a colour filter array, linear raw


def recognise(content: bytes) -> FileKind | None:
    """What a file is by its first bytes, if it is well known and no picture that can be read; else None."""
    for place, magic, kind in _MAGIC:
        if content[place : place + len(magic)] == magic:
            return kind
    if content[4:8] == b"ftyp":
        return _of_brands(content)
    if re.match(rb"P[1-7][ \t\r\n]", content):
        return _PLAIN
    head = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<svg") or (head.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in head):
        return _SVG
    if head.startswith((b"<!doctype html", b"<html")):
        return _PAGE
    return None


def raw_tiff(tags: Mapping[int, Any], content: bytes) -> FileKind | None:
    """A camera's raw file, from the tags of a TIFF file's first page: that page is only a thumbnail."""
    subfile = tags.get(_NEW_SUBFILE)
    preview = isinstance(subfile, int) and subfile & 1 and _SUB_FILES in tags
    sensor = tags.get(_PHOTOMETRIC) in _SENSOR
    return _RAW if _DNG_VERSION in tags or sensor or preview or content[8:12] == _CANON else None


def _of_brands(content: bytes) -> FileKind | None:
    """HEIC, AVIF, a raw file, or the video that an ISO base media file is otherwise."""
    end = max(16, min(int.from_bytes(content[:4], "big"), 256))
    names = [content[8:12], *(content[place : place + 4] for place in range(16, end, 4))]
    for brands, kind in _BRANDS:
        if any(name in brands for name in names):
            return kind
    # General image brands: Pillow names no decoder for what they hold, and HEVC is what is usual.
    if names[0] in (b"mif1", b"msf1", b"mif2"):
        return _HEIC
    return _VIDEO
