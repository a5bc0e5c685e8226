"""The chunks of a PNG file: which of them a picture needs, and how many bits of a sample carry something."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LONGEST_TEXT = 2**20  # bytes once decompressed: what Pillow takes at most

_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_ORIENTATION = (b"Raw profile type exif", b"XML:com.adobe.xmp")  # texts from which Pillow reads the orientation


def without_text(content: bytes) -> bytes:
    """The file without its texts and its colour profile, which a picture here does not need.

    Pillow refuses a file whose compressed text or profile grows beyond 1 MB; its limits hold for the whole process and
    stay as they are. The first text that may hold the orientation stays, unless it is too long itself.
    """
    if not content.startswith(SIGNATURE):
        return content
    kept, keywords = [SIGNATURE], set()
    end = len(SIGNATURE)
    for kind, start, stop in _chunks(content):
        data, end = content[start + 8 : stop - 4], stop
        if kind == b"iCCP":
            continue
        if kind in _TEXTS:
            keyword = data.partition(b"\0")[0]
            if keyword not in _ORIENTATION or keyword in keywords:
                continue
            keywords.add(keyword)
            if not _is_short(kind, data):
                continue
        kept.append(content[start:stop])
    return b"".join((*kept, content[end:]))


def significant_bits(content: bytes) -> int | None:
    """The most bits of a sample that carry something, as the sBIT chunk says; None where there is none."""
    if not content.startswith(SIGNATURE):
        return None
    for kind, start, stop in _chunks(content):
        if kind == b"sBIT":
            return max(content[start + 8 : stop - 4], default=None)
        if kind == b"IDAT":
            break
    return None


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each whole chunk."""
    start = len(SIGNATURE)
    while start + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, start)
        stop = start + 12 + length
        if stop > len(content):
            return
        yield kind, start, stop
        start = stop


def _is_short(kind: bytes, data: bytes) -> bool:
    """Whether a text is within Pillow's limit once decompressed."""
    _, _, rest = data.partition(b"\0")
    if kind == b"tEXt" or (kind == b"iTXt" and rest[:1] != b"\1"):
        return True
    packed = rest[1:] if kind == b"zTXt" else rest[2:].split(b"\0", 2)[-1]
    reader = zlib.decompressobj()
    try:
        reader.decompress(packed, LONGEST_TEXT)
    except zlib.error:
        return False
    return not reader.unconsumed_tail
