"""The way to a map: moments small enough to keep many, thinned out evenly."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from decam.classifier import Pixels
from decam.evolution.trace import Trace
from decam.explanation import JUDGED, Map, Progress
from decam.methods.class_level.display import shown

T = TypeVar("T")
FRAMES = 120
TRACES, TRACE_BYTES = 120, 4 * 2**20
FRAME_SIZE = 56


@dataclass(frozen=True)
class Frame:
    """One moment of a map in the making, small enough to keep many.

    `mask` and `saliency` are uint8, at most 56×56, or None where the method reported none or, in a long run, where
    only the curves were kept. 0 to 255 stand for 0 to 1 in the mask and for `low` to `high` in the map. `trace` says
    how a generation came about; it is there for evenly many generations of a search. `pattern` is a class's map as it
    is shown, h×w×3 uint8.
    """

    evaluations: int
    curves: Mapping[str, float]
    mask: Pixels | None = None
    saliency: Pixels | None = None
    low: float = 0.0
    high: float = 0.0
    trace: Trace | None = None
    pattern: Pixels | None = None

    def values(self) -> Map | None:
        """The map in its own units, float32, to 1/255 of its range."""
        if self.saliency is None:
            return None
        step = np.float32((self.high - self.low) / 255)
        return np.float32(self.low) + self.saliency.astype(np.float32) * step


class Thinned(Generic[T]):
    """Items by the place of their frame, thinned out evenly; the first and the last are always kept.

    At most `most` items are kept, of at most `most_bytes` together where `size` says how large each is. The two ends
    stay even beyond that.
    """

    def __init__(self, most: int, most_bytes: int = 0, size: Callable[[T], int] = lambda _: 0) -> None:
        self._most, self._most_bytes, self._size = most, most_bytes, size
        self._count = 0
        self._stride = 1
        self.items: dict[int, T] = {}

    def add(self, place: int, item: T) -> None:
        """Keep an item of a later place than all before, dropping those whose turn is over."""
        places = list(self.items)
        if places and (self._count - 1) % self._stride:
            del self.items[places[-1]]
        self.items[place] = item
        self._count += 1
        while len(self.items) > 2 and self._too_many():
            self._stride *= 2
            *before, last = self.items
            self.items = {kept: self.items[kept] for kept in (*before[::2], last)}

    def _too_many(self) -> bool:
        return len(self.items) > self._most or sum(map(self._size, self.items.values())) > self._most_bytes


class History:
    """The frames of one map: every generation's curves, and evenly many of the pictures, however long it takes.

    A generation is a frame that reports curves or a trace. At most 120 generations keep their pictures, thinned out by
    the number of generations alone: how many frames lie between them depends on the batch size, and changes nothing.
    Pictures between generations are thinned out by themselves, to 120 too, and so are traces, to 120 and 4 MiB. Of each
    kind the first and the last are kept. Frames with nothing to show are not kept.
    """

    def __init__(self) -> None:
        self._count = 0
        self._generations: dict[int, Frame] = {}
        self._pictures: Thinned[Frame] = Thinned(FRAMES)
        self._between: Thinned[Frame] = Thinned(FRAMES)
        self._traces: Thinned[Trace] = Thinned(TRACES, TRACE_BYTES, lambda trace: trace.nbytes)

    def add(self, progress: Progress) -> None:
        """Take in a frame."""
        place, self._count = self._count, self._count + 1
        pictured = any(one is not None for one in (progress.mask, progress.saliency, progress.pattern))
        generation = bool(progress.curves) or progress.trace is not None
        if generation:
            self._generations[place] = Frame(progress.evaluations, dict(progress.curves))
        if pictured:
            (self._pictures if generation else self._between).add(place, frame_of(progress))
        if progress.trace is not None:
            self._traces.add(place, progress.trace)

    def frames(self) -> tuple[Frame, ...]:
        """All that is kept, in order."""
        frames_by_place = self._generations | self._pictures.items | self._between.items
        for place, trace in self._traces.items.items():
            frames_by_place[place] = replace(frames_by_place[place], trace=trace)
        return tuple(frames_by_place[place] for place in sorted(frames_by_place))


def in_hindsight(generations: Sequence[Frame], fitness: Map | None) -> tuple[Frame, ...]:
    """The generations of a search with the fitness (G×3) that all its answers give them; as they are without it."""
    if fitness is None or len(fitness) != len(generations):
        return tuple(generations)
    return tuple(
        replace(frame, curves={**frame.curves, **dict(zip(JUDGED, map(float, values), strict=True))})
        for frame, values in zip(generations, fitness, strict=True)
    )


def frame_of(progress: Progress) -> Frame:
    """A moment of a map, shrunk to at most 56×56 bytes."""
    mask = None if progress.mask is None else _bytes(np.clip(shrink(progress.mask), 0, 1))
    if progress.pattern is not None:
        small = np.stack([shrink(colour) for colour in progress.pattern])
        return Frame(progress.evaluations, dict(progress.curves), mask, pattern=shown(small))
    if progress.saliency is None:
        return Frame(progress.evaluations, dict(progress.curves), mask)
    small = np.nan_to_num(shrink(progress.saliency), posinf=0.0, neginf=0.0)
    low, high = float(small.min()), float(small.max())
    scaled = (small - low) / (high - low) if high > low else np.zeros_like(small)
    return Frame(progress.evaluations, dict(progress.curves), mask, _bytes(scaled), low, high)


def shrink(values: Map) -> Map:
    """A map of at most 56×56 by averaging blocks of equal size; the rest at the right and lower edges is cut."""
    height, width = values.shape
    rows, columns = math.ceil(height / FRAME_SIZE), math.ceil(width / FRAME_SIZE)
    if rows == columns == 1:
        return values.astype(np.float32)
    cut = values[: height // rows * rows, : width // columns * columns]
    blocks = cut.reshape(height // rows, rows, width // columns, columns)
    means: Map = blocks.mean(axis=(1, 3), dtype=np.float32)
    return means


def _bytes(values: Map) -> Pixels:
    return np.rint(values * 255).astype(np.uint8)
