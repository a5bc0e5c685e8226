"""Files that are no picture to read are called what they are, with what to do."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pytest
import tifffile
from PIL import Image, features

from decam.errors import ImageError
from decam.images import reading
from decam.images.reading import FORMATS, KINDS, read


def media(brand: bytes, *compatible: bytes) -> bytes:
    """The start of an ISO base media file (ISO/IEC 14496-12): its brand and those that it is compatible with."""
    names = brand + b"\0\0\0\0" + b"".join(compatible)
    return struct.pack(">I", 8 + len(names)) + b"ftyp" + names + b"\0\0\0\x08free" + b"\0" * 300


FILES = {
    "HEIC": (media(b"heic", b"mif1", b"heic"), "HEIC"),
    "HEIC sequence": (media(b"hevc"), "HEIC"),
    "HEIC by its second brand": (media(b"mif1", b"heix"), "HEIC"),
    "HEIF": (media(b"mif1", b"miaf"), "HEIC"),
    "MP4": (media(b"isom", b"iso2", b"mp41"), "video"),
    "QuickTime": (media(b"qt  "), "video"),
    "Matroska": (b"\x1a\x45\xdf\xa3" + b"\0" * 50, "video"),
    "AVI": (b"RIFF\0\0\0\0AVI LIST" + b"\0" * 50, "video"),
    "CR3": (media(b"crx ", b"isom"), "raw"),
    "RAF": (b"FUJIFILMCCD-RAW 0201" + b"\0" * 50, "raw"),
    "PDF": (b"%PDF-1.7\n" + b"\0" * 50, "PDF"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    "SVG with a declaration": (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<svg/>", "SVG"),
    "web page": (b"<!DOCTYPE html><html></html>", "web page"),
    "Photoshop": (b"8BPS\0\1" + b"\0" * 50, "Photoshop"),
    "DICOM": (b"\0" * 128 + b"DICM" + b"\0" * 50, "DICOM"),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 50, "JPEG 2000"),
    "JPEG XL": (b"\xff\x0a" + b"\0" * 50, "JPEG XL"),
    "EXR": (b"v/1\x01" + b"\0" * 50, "OpenEXR"),
    "NumPy": (b"\x93NUMPY\1\0" + b"\0" * 50, "NumPy"),
    "ZIP": (b"PK\x03\x04" + b"\0" * 50, "ZIP"),
    "PPM": (b"P6\n2 2\n255\n" + b"\0" * 12, "Netpbm"),
    "LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_well_known_file_is_called_what_it_is_with_what_to_do(kind: str) -> None:
    data, word = FILES[kind]
    with pytest.raises(ImageError) as caught:
        read(data, "file")
    sentence = str(caught.value)
    assert sentence.startswith("file is a") and sentence.endswith(".")
    assert word in sentence.split(";")[0]
    assert KINDS in sentence


def test_for_a_heic_photograph_computer_and_telephone_are_told_what_to_do() -> None:
    with pytest.raises(ImageError) as caught:
        read(media(b"heic"), "IMG_1.HEIC")
    sentence = str(caught.value)
    for word in ("IMG_1.HEIC", "Preview", "JPEG", "Settings → Camera → Formats → Most Compatible"):
        assert word in sentence


def test_a_raw_file_is_refused_although_its_thumbnail_could_be_read() -> None:
    thumbnail, dng, nef = np.zeros((16, 16, 3), np.uint8), BytesIO(), BytesIO()
    tifffile.imwrite(dng, thumbnail, photometric="rgb", extratags=[(50706, "B", 4, bytes([1, 4, 0, 0]), True)])
    with tifffile.TiffWriter(nef) as file:
        file.write(thumbnail, photometric="rgb", subfiletype=1, subifds=1)
        file.write(np.zeros((64, 64), np.uint16), photometric="minisblack")
    for data in (dng, nef):
        with pytest.raises(ImageError, match="raw file"):
            read(data.getvalue(), "a.dng")


def test_a_tiff_page_of_reduced_size_alone_is_a_picture() -> None:
    file = BytesIO()
    tifffile.imwrite(file, np.zeros((16, 16, 3), np.uint8), photometric="rgb", subfiletype=1)
    assert read(file.getvalue(), "a").image.size == (16, 16)


# AVIF, which depends on Pillow

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")


def avif(image: Image.Image, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, "AVIF", **options)  # type: ignore[arg-type]
    return file.getvalue()


@needs_avif
def test_avif_is_read_with_colours_and_transparency() -> None:
    assert "AVIF" in FORMATS and "AVIF" in KINDS
    image = Image.new("RGBA", (64, 48), (200, 100, 50, 255))
    image.paste((0, 0, 0, 0), (32, 0, 64, 48))
    seen = np.asarray(read(avif(image, quality=100), "a").image).astype(int)
    assert np.abs(seen[:, :24] - [200, 100, 50]).max() <= 6
    assert np.abs(seen[:, 40:] - 255).max() <= 6


@needs_avif
def test_a_damaged_avif_is_not_sent_away_to_be_converted() -> None:
    data = avif(Image.new("RGB", (64, 48), "red"))
    for share in (0.2, 0.5, 0.9):
        with pytest.raises(ImageError, match="damaged"):
            read(data[: int(len(data) * share)], "a")


def test_without_a_decoder_avif_gets_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_AVIF", False)
    monkeypatch.setattr(reading, "FORMATS", ("PNG", "JPEG"))
    with pytest.raises(ImageError, match=r"is an AVIF image; .*Pillow 11\.3"):
        read(media(b"avif", b"mif1", b"miaf"), "a.avif")
