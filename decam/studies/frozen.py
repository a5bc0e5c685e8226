"""The files of a study: named by the SHA-256 of what they hold, so that nothing in them can change unseen."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from decam.figures.stimulus import RawMap
from decam.files import npz_bytes, write_atomically
from decam.studies.design import Stimulus, Study, StudyError

PICTURE, ARRAY = ".png", ".npz"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def digest_of(content: bytes) -> str:
    """The name of a file that holds this: its SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def keep(folder: Path, content: bytes, ending: str) -> str:
    """Write a file that is not there yet, whole or not at all; its digest. Raises StudyError where the disk refuses."""
    digest = digest_of(content)
    path = folder / f"{digest}{ending}"
    try:
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
    except OSError as error:
        raise StudyError(f"A file of the study cannot be written in {folder}: {error.strerror or error}.") from error
    return digest


def read(folder: Path, digest: str, ending: str) -> bytes:
    """What a file holds; raises StudyError where it is missing, or holds something else than it did."""
    if not _DIGEST.fullmatch(digest):
        raise StudyError(f"{digest[:40]!r} is no digest of a file; it must have 64 hexadecimal digits.")
    path = folder / f"{digest}{ending}"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StudyError(
            f"The study's file {path.name} cannot be read: {error.strerror or error}. Import the study's ZIP again."
        ) from error
    if digest_of(content) != digest:
        raise StudyError(f"The study's file {path.name} was changed or is damaged. Import the study's ZIP again.")
    return content


def keep_array(folder: Path, array: RawMap) -> str:
    """Keep a map's values; the digest of their file."""
    arrays = {
        "saliency": np.asarray(array.saliency, np.float32),
        "signed": np.array(array.signed),
        "silent": np.array(array.silent),
    }
    return keep(folder, npz_bytes(arrays), ARRAY)


def read_array(folder: Path, digest: str) -> RawMap:
    """A map's values; raises StudyError as `read` does."""
    content = read(folder, digest, ARRAY)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            saliency = np.asarray(arrays["saliency"], np.float32)
            return RawMap(saliency, bool(arrays["signed"]), bool(arrays["silent"]))
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise StudyError(f"The study's file {digest[:12]}…{ARRAY} holds no map.") from error


def names(study: Study) -> tuple[str, ...]:
    """The names of all files that a study refers to, each once."""
    return tuple(dict.fromkeys(name for stimulus in study.stimuli for name in _names(stimulus)))


def sweep(study: Study, folder: Path) -> int:
    """Remove the files of earlier versions that the study no longer refers to; how many there were."""
    kept = set(names(study))
    old = [
        path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if _DIGEST.fullmatch(path.stem) and path.suffix in (PICTURE, ARRAY) and path.name not in kept
    ]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _names(stimulus: Stimulus) -> Iterator[str]:
    yield f"{stimulus.image}{PICTURE}"
    if stimulus.view:
        yield f"{stimulus.view}{PICTURE}"
    for one in stimulus.maps:
        yield f"{one.image}{PICTURE}"
        if one.array:
            yield f"{one.array}{ARRAY}"
