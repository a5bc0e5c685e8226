"""Results in a file of JSON lines, each written the moment it is there: a long run that was stopped goes on."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from decam.explanation import Map

PLACES = 56  # a side, of the small maps that are kept to compare seeds


@dataclass(frozen=True)
class Key:
    """What a result is known by: the picture by its fingerprint, the row's settings by their version."""

    model: str
    sha256: str
    seed: int
    row: str
    version: str


@dataclass(frozen=True)
class Result:
    """The curves of one map: areas with deletion by mean and insertion from blur, and with the fills swapped.

    `places` is the map averaged to at most 56×56 places where seeds are compared, else the empty string.
    """

    key: Key
    picture: str
    target: int
    evaluations: int
    deletion: float
    insertion: float
    swapped_deletion: float
    swapped_insertion: float
    places: str = ""

    @property
    def difference(self) -> float:
        """Insertion − deletion."""
        return self.insertion - self.deletion

    @property
    def swapped(self) -> float:
        """Insertion − deletion with the fills swapped."""
        return self.swapped_insertion - self.swapped_deletion


@dataclass(frozen=True)
class Hit:
    """Whether the brightest pixel of a scene's map lies on the object asked for."""

    key: Key
    hit: bool


Record: TypeAlias = Result | Hit
_KINDS: dict[str, type[Result] | type[Hit]] = {"curves": Result, "scene": Hit}


class Store:
    """The records of a file, and the way to add to them; a file that is not there is an empty one.

    A last line that was cut off, as by a process that ended while writing, is dropped. Raises ValueError for a file
    that is damaged elsewhere. One process at a time may add to a file.
    """

    def __init__(self, path: Path) -> None:
        self.records: dict[Key, Record] = {}
        self._path = path
        self._end = 0  # bytes that were read well
        content = path.read_bytes() if path.is_file() else b""
        lines = content.splitlines(keepends=True)
        for number, line in enumerate(lines, 1):
            try:
                if not line.endswith(b"\n"):
                    raise ValueError("the line is cut off")
                record = _parse(line)
            except (ValueError, TypeError, KeyError) as error:
                if number < len(lines):
                    raise ValueError(f"Line {number} of {path} is damaged ({error}): remove it.") from error
                break
            self.records[record.key] = record
            self._end += len(line)

    def __contains__(self, key: Key) -> bool:
        return key in self.records

    def results(self) -> Iterator[Result]:
        """The curves among the records."""
        return (record for record in self.records.values() if isinstance(record, Result))

    def hits(self) -> Iterator[Hit]:
        """The scenes among the records."""
        return (record for record in self.records.values() if isinstance(record, Hit))

    def add(self, record: Record) -> None:
        """Keep a record and append it to the file at once, over a last line that was cut off."""
        kind = next(name for name, wanted in _KINDS.items() if isinstance(record, wanted))
        line = json.dumps({"kind": kind, **asdict(record)}).encode() + b"\n"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("r+b" if self._path.is_file() else "xb") as file:
            file.truncate(self._end)
            file.seek(self._end)
            file.write(line)
            file.flush()
        self._end += len(line)
        self.records[record.key] = record


def _parse(line: bytes) -> Record:
    read = json.loads(line)
    kind = _KINDS[read.pop("kind")]
    wanted = {described.name for described in fields(kind)}
    if set(read) != wanted:
        raise ValueError(f"it holds {', '.join(sorted(read))}, not {', '.join(sorted(wanted))}")
    return kind(**{**read, "key": Key(**read["key"])})


def small(saliency: Map) -> str:
    """A map (H×W) averaged to at most 56×56 places, as text."""
    size = (min(PLACES, saliency.shape[0]), min(PLACES, saliency.shape[1]))
    averaged = torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(saliency).unsqueeze(0), size)
    return base64.b64encode(averaged.numpy().astype("<f4").tobytes()).decode()


def places(text: str) -> NDArray[np.float32]:
    """The values of a small map, flat."""
    return np.frombuffer(base64.b64decode(text), "<f4")
