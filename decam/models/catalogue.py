"""The models on offer: what each is, whether its weights are here, and how to get them."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import urllib.error
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from decam.errors import ModelError, unknown
from decam.files import writing_atomically
from decam.models.sources.base import Entry, Source, published
from decam.models.sources.table import SOURCES

TIMEOUT = 10.0  # seconds without a byte
CHUNK = 256 * 1024
SPARE = 64 * 2**20  # bytes left free on the disk beside the download


@dataclass(frozen=True)
class Download:
    """Bytes fetched so far, of how many."""

    done: int
    total: int


def find(name: str) -> Entry | None:
    """The entry of that name, which need not be listed; None where no source knows it."""
    if name in ENTRIES:
        return ENTRIES[name]
    return next((found for source in SOURCES.values() if (found := source.entry(name)) is not None), None)


def title_of(name: str) -> str:
    """The title of the model of that name; the name itself where no source knows it."""
    entry = find(name)
    return name if entry is None else entry.title


def get(name: str) -> Entry:
    """The entry of that name, which need not be listed; raises ModelError, with the nearest name, if there is none."""
    found = find(name)
    if found is None:
        raise ModelError(unknown("model", name, ENTRIES))
    return found


def label_shuffled_version(name: str) -> str | None:
    """The same network trained on shuffled labels, by name; None where there is none or its weights are missing."""
    entry = find(name)
    return entry.shuffled if entry and entry.shuffled and get(entry.shuffled).present() else None


def digest(name: str) -> str:
    """The SHA-256 of a model's weights, in hexadecimal; empty where they are those that the name says."""
    entry = find(name)
    return entry.origin.digest(entry) if entry else ""


def labels_digest(name: str) -> str:
    """The SHA-256 of the file of labels beside a model's weights, in hexadecimal; empty where there is none."""
    entry = find(name)
    return entry.origin.labels_digest(entry) if entry else ""


def download(entry: Entry) -> Generator[Download, None, Path]:
    """Fetch an entry's weights and return their path; weights that are here already are left alone.

    Nothing is left behind when the generator is closed early or fails. Raises ModelError, one sentence, when there
    is no network, the server refuses, the file is not the one expected, or the disk is full or read-only.
    """
    path = entry.weights_path()
    if entry.present():
        return path
    if not entry.url:
        raise ModelError(f"{path} is missing, and it belongs to decam itself: install decam again.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _check_space(entry, path.parent)
    except OSError as error:
        raise _unstorable(entry, error) from error
    try:
        with writing_atomically(path) as file:  # a generator that is closed early leaves nothing behind
            yield from _fetch(entry, file)
    except OSError as error:
        raise _unstorable(entry, error) from error
    return path


def _check_space(entry: Entry, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < entry.size + SPARE:
        raise ModelError(
            f"{entry.title} needs {entry.size / 1e6:.0f} MB, but only {free / 1e6:.0f} MB are free in {folder}; "
            "make room, or set TORCH_HOME to a folder on a larger disk."
        )


def _fetch(entry: Entry, file: BinaryIO) -> Generator[Download, None, None]:
    """Copy the weights into `file`, then check that all came and that they are the right ones."""
    digest = hashlib.sha256()
    done = 0
    try:
        with urllib.request.urlopen(entry.url, timeout=TIMEOUT) as response:
            length = int(response.headers.get("Content-Length") or 0)
            total = length or entry.size  # which is rounded, and good for the progress alone
            yield Download(0, total)
            while chunk := response.read(CHUNK):
                _write(entry, file, chunk)
                digest.update(chunk)
                done += len(chunk)
                yield Download(done, max(done, total))
    except urllib.error.HTTPError as error:
        raise _unreachable(entry, f"the server answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise _unreachable(entry, str(getattr(error.reason, "strerror", None) or error.reason)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _unreachable(entry, str(error) or type(error).__name__) from error
    if done < length:
        raise _unreachable(entry, f"the connection ended after {done:,} of {length:,} bytes")
    expected = published(entry.url)
    if not digest.hexdigest().startswith(expected):
        raise _unreachable(entry, f"what came is another file: its SHA-256 does not begin with {expected}")


def _write(entry: Entry, file: BinaryIO, chunk: bytes) -> None:
    """Write, telling a full disk from a broken connection."""
    try:
        file.write(chunk)
    except OSError as error:
        raise _unstorable(entry, error) from error


def _unstorable(entry: Entry, error: OSError) -> ModelError:
    folder = entry.weights_path().parent
    return ModelError(f"The weights of {entry.title} cannot be stored in {folder}: {error.strerror or error}.")


def _unreachable(entry: Entry, reason: str) -> ModelError:
    return ModelError(
        f"The weights of {entry.title} could not be fetched from {entry.url} ({reason.rstrip('.')}); "
        f"fetch that file by hand and put it at {entry.weights_path()}, or choose another model."
    )


def _listed(source: Source) -> dict[str, Entry]:
    found = {name: source.entry(name) for name in source.offered}
    return {name: entry for name, entry in found.items() if entry is not None}


ENTRIES: dict[str, Entry] = {name: entry for source in SOURCES.values() for name, entry in _listed(source).items()}
"""The models that the catalogue lists, source after source."""

__all__ = [
    "ENTRIES",
    "Download",
    "Entry",
    "digest",
    "download",
    "find",
    "get",
    "label_shuffled_version",
    "labels_digest",
]
