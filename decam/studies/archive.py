"""A study as one ZIP that can be imported elsewhere: its document, and the files that it refers to."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from decam.files import zipped
from decam.studies import frozen
from decam.studies.design import Study, StudyError
from decam.studies.document import study_from_json, study_to_json

DOCUMENT = "study.json"
FILES = "files/"
LARGEST = 64_000_000
"""Bytes of one file of an archive, unpacked."""
MOST = 50_000
"""Files of an archive."""
DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError)
"""What the standard library raises while it reads a ZIP that is damaged, encrypted or packed in an unknown way."""
_ZIPPED = b"PK\x03\x04"


def packed(study: Study, folder: Path, more: Mapping[str, bytes] | None = None) -> bytes:
    """The study's ZIP, with further files by their names; raises StudyError for a file that is missing or changed."""

    def files() -> Iterator[tuple[str, bytes]]:
        yield DOCUMENT, study_to_json(study).encode()
        for name in frozen.names(study):
            path = Path(name)
            yield FILES + name, frozen.read(folder, path.stem, path.suffix)
        yield from (more or {}).items()

    return zipped(files())


def document_of(content: bytes) -> Study:
    """The study of an archive, or of a document by itself; raises StudyError for anything else."""
    if not content.startswith(_ZIPPED):
        return study_from_json(content)
    with _opened(content) as archive:
        return study_from_json(_read(archive, DOCUMENT))


def unpack(content: bytes, study: Study, folder: Path) -> list[str]:
    """Put the files that a study refers to into `folder`; those that are in neither place, by their names.

    Raises StudyError for an archive that is damaged, and for a file that is not what its name says.
    """
    wanted = [name for name in frozen.names(study) if not (folder / name).is_file()]
    if not content.startswith(_ZIPPED):
        return wanted
    missing = []
    with _opened(content) as archive:
        there = set(archive.namelist())
        for name in wanted:
            if FILES + name not in there:
                missing.append(name)
                continue
            keep(archive, name, folder)
    return missing


def keep(archive: zipfile.ZipFile, name: str, folder: Path) -> None:
    """Put one frozen file of a ZIP into a folder; raises StudyError where it is damaged or not what its name says."""
    path = Path(name)
    content = _read(archive, FILES + name)
    if frozen.digest_of(content) != path.stem:
        raise StudyError(f"{name} in this ZIP is not what it was when the ZIP was made. Download the ZIP again.")
    frozen.keep(folder, content, path.suffix)


def _opened(content: bytes) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise StudyError("This ZIP is damaged or incomplete. Export the study again.") from error
    if len(archive.namelist()) > MOST:
        raise StudyError(f"This ZIP has more than {MOST:,} files, and a study has fewer.")
    return archive


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with archive.open(name) as file:
            content = file.read(LARGEST + 1)
    except KeyError as error:
        raise StudyError(f"This ZIP has no {name}. Give the ZIP that a study's page exports.") from error
    except DAMAGED as error:
        raise StudyError(f"{name} in this ZIP cannot be read. Download the ZIP again.") from error
    if len(content) > LARGEST:
        raise StudyError(f"{name} in this ZIP is larger than {LARGEST / 1e6:.0f} MB, and no file of a study is.")
    return content
