"""A run in the making: events go in, immutable snapshots come out."""

from __future__ import annotations

import collections
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np

from decam.classifier import Pixels
from decam.evolution.trace import Trace
from decam.experiments.events import (
    Cell,
    Event,
    Explained,
    Explaining,
    Finished,
    Judged,
    Measured,
    Measuring,
    Predicted,
)
from decam.experiments.plan import Plan
from decam.explanation import Map, Progress, Truth
from decam.runs.snapshots import CellSnapshot, CellState, Curves, Frame, Guess, RunSnapshot, Status

T = TypeVar("T")
FRAMES = 120
TRACES = 120
TRACE_BYTES = 4 * 2**20
FRAME_SIZE = 56
TOP = 5
_RATE_SECONDS = 10.0


def top_guesses(probabilities: Map) -> tuple[Guess, ...]:
    """The five likeliest classes with their probabilities, likeliest first."""
    order = np.argsort(-probabilities, kind="stable")[:TOP]
    return tuple((int(index), float(probabilities[index])) for index in order)


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
        pictured = progress.mask is not None or progress.saliency is not None
        generation = bool(progress.curves) or progress.trace is not None
        if generation:
            self._generations[place] = Frame(progress.evaluations, dict(progress.curves))
        if pictured:
            (self._pictures if generation else self._between).add(place, frame_of(progress))
        if progress.trace is not None:
            self._traces.add(place, progress.trace)

    def frames(self) -> tuple[Frame, ...]:
        """All that is kept, in order."""
        kept = self._generations | self._pictures.items | self._between.items
        for place, trace in self._traces.items.items():
            kept[place] = replace(kept[place], trace=trace)
        return tuple(kept[place] for place in sorted(kept))


def frame_of(progress: Progress) -> Frame:
    """A moment of a map, shrunk to at most 56×56 bytes."""
    mask = None if progress.mask is None else _bytes(np.clip(shrink(progress.mask), 0, 1))
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


@dataclass
class _Making:
    """What is known of a cell while it is being made: when it began, how fast it goes, what it has shown."""

    began: float
    history: History = field(default_factory=History)
    marks: collections.deque[tuple[float, int]] = field(default_factory=collections.deque)

    def seconds_left(self, now: float, progress: Progress) -> float | None:
        """An estimate from the steps of the last ten seconds; None while there is nothing to go by."""
        self.marks.append((now, progress.step))
        while len(self.marks) > 2 and self.marks[1][0] < now - _RATE_SECONDS:
            self.marks.popleft()
        (since, first), steps_left = self.marks[0], progress.total - progress.step
        if progress.step <= first or now <= since:
            return None
        return max(0.0, steps_left * (now - since) / (progress.step - first))


class LiveRun:
    """The state of one run; every method is cheap and must be called under the owner's lock."""

    def __init__(self, run: RunSnapshot, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._run = run
        self._cells = dict(run.cells)
        self._predictions = list(run.predictions)
        self._making: dict[Cell, _Making] = {}
        self._shown: RunSnapshot | None = None
        self._histories: set[Cell] = set()
        self._version = run.version
        self.kept = True
        self.maps = True
        self.again = False
        self.asker = ""  # whose turn in the queue it has, where that is not its owner's

    @property
    def plan(self) -> Plan:
        """The plan as it stands."""
        return self._run.plan

    @property
    def id(self) -> str:
        """The run's link."""
        return self._run.id

    @property
    def owner(self) -> str:
        """Who asked for it."""
        return self._run.owner

    @property
    def status(self) -> Status:
        """How it stands."""
        return self._run.status

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self._run.active

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's labels, empty until it has been loaded once."""
        return self._run.labels

    @property
    def views(self) -> tuple[Pixels, ...]:
        """The model's views of its pictures."""
        return self._run.views

    @property
    def truths(self) -> tuple[Truth | None, ...]:
        """Where the classes of its pictures are, as far as that is known."""
        return self._run.truths

    def snapshot(self, ahead: int = 0) -> RunSnapshot:
        """The run now; the same object as long as nothing has changed."""
        if self._shown is None or self._shown.ahead != ahead:
            self._version = max(self._version + 1, time.time_ns())
            for cell in self._histories:
                self._cells[cell] = replace(self._cells[cell], frames=self._making[cell].history.frames())
            self._histories.clear()
            self._shown = replace(
                self._run,
                cells=dict(self._cells),
                predictions=tuple(self._predictions),
                ahead=ahead,
                version=self._version,
            )
        return self._shown

    def finished(self) -> Finished:
        """What need not be computed again."""
        return Finished(
            predictions={
                picture: guesses[0][0] for picture, guesses in enumerate(self._predictions) if guesses is not None
            },
            explanations={
                cell: shown.explanation for cell, shown in self._cells.items() if shown.explanation is not None
            },
            measured={cell: {curves.fills for curves in shown.curves} for cell, shown in self._cells.items()},
            judged={cell: set(shown.judgements) for cell, shown in self._cells.items()},
        )

    def frames(self, cell: Cell) -> tuple[Frame, ...]:
        """The frames of a cell up to now."""
        return self._making[cell].history.frames() if cell in self._making else self._cells[cell].frames

    def complete(self) -> bool:
        """Whether no map, curve or value of the plan is missing, but for cells that failed."""
        return all(shown.state == "failed" or shown.answers(self.plan) for shown in self._cells.values())

    def queue(self, *, maps: bool) -> None:
        """What is missing waits, what failed or was stopped included; without `maps`, only curves of maps there are."""
        self.maps = maps
        self._set(status="queued", note="" if self.kept else self._run.note)
        for cell, shown in self._cells.items():
            if maps or shown.explanation is not None:
                self._cells[cell] = self._waiting(shown)

    def begin(self, plan: Plan, labels: tuple[str, ...]) -> None:
        """The run has the device."""
        self._set(status="running", plan=plan, labels=labels)

    def replan(self, plan: Plan) -> None:
        """The plan asks more of its maps."""
        self._set(plan=plan)
        if self._run.active:
            for cell, shown in self._cells.items():
                if shown.state == "done":
                    self._cells[cell] = self._waiting(shown)

    def ending(self, reason: Status) -> Status:
        """How the run stands when its job has ended for `reason`: done only if no map was left out."""
        return "stopped" if reason == "done" and not self.complete() else reason

    def end(self, status: Status, note: str = "") -> None:
        """The run has ended; what it did not finish is stopped, or failed with the run."""
        self._set(status=status, note=" ".join(part for part in (note, self._run.note) if part))
        self._making.clear()
        self._histories.clear()
        for cell, shown in self._cells.items():
            if shown.state in ("waiting", "running", "measuring"):
                error = note if status == "failed" else ""
                state: CellState = "failed" if error else "stopped"
                self._cells[cell] = replace(shown, state=state, seconds_left=None, error=error)

    def unkept(self, reason: str) -> None:
        """The run goes on in memory alone."""
        self.kept = False
        self._set(note="This run is not being kept on disk, so export what you need before the server ends. " + reason)

    def apply(self, event: Event) -> None:
        """Take in what the comparison reports."""
        self._shown = None
        if isinstance(event, Predicted):
            self._predictions[event.picture] = top_guesses(event.probabilities)
            return
        if isinstance(event, Judged):
            for cell, judgement in event.judgements.items():
                shown = self._cells[cell]
                judgements = {**shown.judgements, event.metric: judgement}
                self._cells[cell] = self._judged(cell, replace(shown, judgements=judgements))
            return
        cell, shown = event.cell, self._cells[event.cell]
        if isinstance(event, Explaining):
            self._cells[cell] = self._explaining(cell, shown, event.progress)
        elif isinstance(event, Explained):
            frames = self.frames(cell)
            self._making.pop(cell, None)
            self._histories.discard(cell)
            explanation = event.explanation
            finished = CellSnapshot(
                state="measuring",
                evaluations=explanation.evaluations,
                seconds=explanation.seconds,
                saliency=explanation.saliency,
                explanation=explanation,
                frames=frames,
            )
            self._cells[cell] = self._judged(cell, finished)
        elif isinstance(event, Measuring):
            making = self._making.setdefault(cell, _Making(self._clock()))
            self._cells[cell] = replace(
                shown,
                state="measuring",
                step=event.progress.step,
                total=event.progress.total,
                seconds_left=making.seconds_left(self._clock(), event.progress),
            )
        elif isinstance(event, Measured):
            found = {kept.fills: kept for kept in shown.curves}
            found[event.fills] = Curves(event.fills, event.deletion, event.insertion)
            ordered = tuple(found[pair] for pair in self.plan.fills if pair in found)
            self._cells[cell] = self._judged(cell, replace(shown, curves=ordered))
        else:
            self._making.pop(cell, None)
            self._histories.discard(cell)
            self._cells[cell] = replace(shown, state="failed", error=event.sentence, seconds_left=None)

    def _explaining(self, cell: Cell, shown: CellSnapshot, progress: Progress) -> CellSnapshot:
        now = self._clock()
        making = self._making.setdefault(cell, _Making(now))
        making.history.add(progress)
        self._histories.add(cell)
        saliency = shown.saliency if progress.saliency is None else np.array(progress.saliency, dtype=np.float32)
        return replace(
            shown,
            state="running",
            step=progress.step,
            total=progress.total,
            evaluations=progress.evaluations,
            seconds=now - making.began,
            seconds_left=making.seconds_left(now, progress),
            saliency=saliency,
        )

    def _judged(self, cell: Cell, shown: CellSnapshot) -> CellSnapshot:
        if not shown.answers(self.plan):
            return replace(shown, state="measuring")
        self._making.pop(cell, None)
        return replace(shown, state="done", step=1, total=1, seconds_left=None)

    def _waiting(self, shown: CellSnapshot) -> CellSnapshot:
        if shown.explanation is None:
            return CellSnapshot()
        state: CellState = "done" if shown.answers(self.plan) else "measuring"
        return replace(shown, state=state, step=0, total=0, seconds_left=None, error="")

    def _set(self, **changes: object) -> None:
        self._shown = None
        self._run = replace(self._run, **changes)  # type: ignore[arg-type]  # names are those of RunSnapshot


def empty_grid(plan: Plan) -> Mapping[Cell, CellSnapshot]:
    """All cells of a plan, waiting."""
    pictures, methods = range(len(plan.pictures)), range(len(plan.methods))
    return {Cell(picture, method): CellSnapshot() for picture in pictures for method in methods}
