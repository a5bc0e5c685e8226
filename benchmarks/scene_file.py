"""Judgements in a file of JSON lines, each written the moment it is there, by as many processes as like."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any

if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def _alone(file: IO[bytes]) -> Iterator[None]:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        try:
            yield
        finally:
            file.flush()
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    @contextmanager
    def _alone(file: IO[bytes]) -> Iterator[None]:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            file.flush()
            fcntl.flock(file, fcntl.LOCK_UN)


@dataclass(frozen=True)
class Asked:
    """Which object of which scene a model was asked about: `objects` of the scene, its seed, and the asked one's."""

    model: str
    objects: int
    number: int
    which: int


@dataclass(frozen=True)
class Known:
    """A method or a metric by its name, and the version of its settings."""

    name: str
    version: str


@dataclass(frozen=True)
class Key:
    """What a value is known by."""

    asked: Asked
    metric: Known
    row: Known


@dataclass(frozen=True)
class Judged:
    """What one metric says of some methods' maps of one question; NaN where it says nothing."""

    asked: Asked
    metric: Known
    rows: tuple[Known, ...]
    values: tuple[float, ...]


class Journal:
    """The values of a file, and the way to add to them; a file that is not there is an empty one.

    Whoever adds has the file alone while it does, takes in what others have added, and writes over a last line that
    was cut off, as by a process that ended while writing. Raises ValueError for a file that is damaged elsewhere.
    """

    def __init__(self, path: Path) -> None:
        self.values: dict[Key, float] = {}
        self._path = path
        self._end = 0  # bytes that were read well
        self._lines = 0
        self.refresh()

    def __contains__(self, key: Key) -> bool:
        return key in self.values

    def refresh(self) -> None:
        """Take in what other processes have added."""
        if self._path.is_file():
            with self._path.open("rb") as file:
                self._take(file)

    def add(self, judged: Judged) -> None:
        """Keep values and append them to the file at once."""
        written = {**asdict(judged), "values": [None if math.isnan(value) else value for value in judged.values]}
        line = json.dumps(written, allow_nan=False).encode() + b"\n"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch()
        with self._path.open("r+b") as file, _alone(file):
            self._take(file)
            file.truncate(self._end)
            file.seek(self._end)
            file.write(line)
        self._keep(judged)
        self._end += len(line)
        self._lines += 1

    def _take(self, file: IO[bytes]) -> None:
        file.seek(self._end)
        for line in file.read().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            try:
                self._keep(_parsed(line))
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError(f"Line {self._lines + 1} of {self._path} is damaged ({error}): remove it.") from error
            self._lines += 1
            self._end += len(line)

    def _keep(self, judged: Judged) -> None:
        for row, value in zip(judged.rows, judged.values, strict=True):
            self.values[Key(judged.asked, judged.metric, row)] = value


def _parsed(line: bytes) -> Judged:
    read = _only(json.loads(line), Judged)
    return Judged(
        asked=Asked(**_only(read["asked"], Asked)),
        metric=Known(**_only(read["metric"], Known)),
        rows=tuple(Known(**_only(row, Known)) for row in read["rows"]),
        values=_numbers(read["values"], len(read["rows"])),
    )


def _only(read: Any, kind: type[Any]) -> dict[str, Any]:
    wanted = {described.name for described in fields(kind)}
    if not isinstance(read, dict) or set(read) != wanted:
        raise ValueError(f"{kind.__name__.lower()} must hold {', '.join(sorted(wanted))}")
    return read


def _numbers(read: Sequence[float | None], count: int) -> tuple[float, ...]:
    if len(read) != count:
        raise ValueError(f"it names {count} methods and holds {len(read)} values")
    return tuple(math.nan if value is None else float(value) for value in read)
