"""Which processes are alive, told by locks that the operating system lets go of when a process dies."""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path
from typing import IO

from decam.runs.store.files import as_store_error

_YOUNG_SECONDS = 60.0

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes], *, shared: bool = False) -> bool:  # noqa: ARG001 - Windows has one kind
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: IO[bytes], *, shared: bool = False) -> bool:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def alive(folder: Path, token: str) -> bool:
    """Whether the process with this token, among those that keep their locks in `folder`, still runs."""
    path = _name(folder, token)
    with as_store_error(f"read {path}"):
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return False
        with file:
            return not _lock(file, shared=True)


class Instance:
    """This process among those that share a data directory: a token, and a locked file named after it."""

    def __init__(self, folder: Path) -> None:
        self.token = secrets.token_hex(8)
        self._path = _name(folder, self.token)
        with as_store_error(f"write in {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            _sweep(folder)
            self._file = self._path.open("wb")
            if not _lock(self._file):
                raise OSError(f"{self._path} is locked by somebody else")

    def close(self) -> None:
        """Let go; the runs of this process then count as abandoned."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def _name(folder: Path, token: str) -> Path:
    return folder / f"{token}.lock"


def _sweep(folder: Path) -> None:
    """Remove what dead processes left behind, but nothing so young that its owner may be about to lock it."""
    for path in folder.glob("*.lock"):
        if path.stat().st_mtime < time.time() - _YOUNG_SECONDS and not alive(folder, path.stem):
            path.unlink(missing_ok=True)
