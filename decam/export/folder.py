"""An export in a folder: nothing of a stranger's is overwritten, and what lies there is whole or absent."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

from decam.errors import StoreError
from decam.experiments.grid import Grid
from decam.export.files import KIND, SETTINGS, files
from decam.figures.look import Look
from decam.files import write_atomically


def check_folder(folder: Path) -> bool:
    """Make the folder if need be and check that an export can go there; whether one is there already.

    An empty folder and one that holds an earlier export (which `write` replaces) will do. Raises StoreError for a
    folder with anything else in it, so that nothing is overwritten that decam has not written, and for a folder that
    cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{uuid.uuid4().hex}.part"
        probe.touch()
        probe.unlink()
        occupied = any(folder.iterdir())
    except OSError as error:
        raise _unwritable(folder, error) from error
    if occupied and not earlier_files(folder):
        raise StoreError(f"{folder} is not empty and holds no earlier export; give a new or an empty folder.")
    return occupied


def write(
    grid: Grid, folder: Path, look: Look | None = None, created: str = "", *, drawn: bool = True
) -> tuple[Path, ...]:
    """Write the export of a grid into a folder and return the paths of its files; `created` and `drawn` as in `files`.

    Each file is written under a temporary name and renamed; settings.json comes last, so that where it lies the
    export is whole. An earlier export there is replaced: its settings.json goes first, and its files that the new one
    lacks go in the end. Files that neither lists stay. Raises StoreError as `check_folder` does, and when the disk is
    full.
    """
    check_folder(folder)
    stale = set(earlier_files(folder))
    written = []
    try:
        (folder / SETTINGS).unlink(missing_ok=True)
        for name, content in files(grid, look, created, drawn=drawn):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
            written.append(path)
            stale.discard(name)
        for name in stale:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return tuple(written)


def earlier_files(folder: Path) -> tuple[str, ...]:
    """The files of the export that a folder holds, from its settings.json; none where it holds no export."""
    try:
        read: object = json.loads((folder / SETTINGS).read_bytes())
    except (OSError, ValueError, RecursionError):
        return ()  # no settings, or not ours: to be treated as a stranger's folder
    if not isinstance(read, dict) or read.get("kind") != KIND or not isinstance(read.get("files"), list):
        return ()
    # Names from a file that anybody may have edited: nothing outside the folder is ever named.
    names = [name for name in read["files"] if isinstance(name, str)]
    return tuple(name for name in names if re.fullmatch(r"(\w+/)?\.*[\w-][\w.+-]*", name))


def _unwritable(folder: Path, error: OSError) -> StoreError:
    return StoreError(f"{folder} cannot be written to ({error.strerror or error}); give another folder.")
