"""Files that are either whole or not there; arrays as the bytes of an NPZ file, files as those of a ZIP, and JSON."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import secrets
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_DRAFT = ".part"
_COMPRESSED = (".png", ".npz", ".jpg", ".webp")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP can hold: the same files give the same bytes


def npz_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Compressed, and read back by `numpy.load` without pickle."""
    buffer = io.BytesIO()
    named: dict[str, Any] = dict(arrays)  # numpy's types take any name for one of its own options
    np.savez_compressed(buffer, **named)
    return buffer.getvalue()


def json_text(content: object) -> str:
    """JSON for people to read and programs to keep, with a line's end; raises ValueError for NaN, which JSON lacks."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def json_digest(content: object) -> str:
    """The SHA-256 of what JSON says of `content`, in hexadecimal, whatever the order of names."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Files by their names, with forward slashes, as one ZIP: the same bytes for the same files.

    Pictures and arrays are stored as they are, for they are compressed already.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(_COMPRESSED) else zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` at `path`, whole or not at all, on the disk before this returns; raises OSError."""
    with writing_atomically(path) as file:
        file.write(content)


@contextlib.contextmanager
def writing_atomically(path: Path) -> Iterator[BinaryIO]:
    """A file that is at `path` once the block has ended, and is gone where the block raises.

    What was at `path` before stays until then. The file and its name are on the disk when the block ends. Raises
    OSError; the folder must exist.
    """
    draft = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}{_DRAFT}")
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # the first error is the one to report
            draft.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def drafts(folder: Path) -> list[Path]:
    """Files in a folder that are being written, or were when their process was killed."""
    return list(folder.glob(f".*{_DRAFT}"))


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
