"""Runs and other work as they change: what is new since a version, encoded once however many watch it."""

from __future__ import annotations

import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from decam.experiments.cells import Cell, CellKey
from decam.experiments.status import Status
from decam.export import wire
from decam.export.standing import Standing
from decam.export.wire import Best, GridCell
from decam.lru import Lru
from decam.methods import described
from decam.runs.snapshots import RunSnapshot

PACE = 0.5  # seconds between two looks at a run or other work, however many watch it
PROGRESS, SELDOM = 1.0, 3.0
"""Seconds between two news of which nothing but progress is new, at first and at last: drawing them costs most."""
PATIENCE = 0.1
"""The pause between such news, as a share of the time that the run has been seen running."""
_FEEDS = 64  # runs whose changes are remembered for new watchers


class Source(Protocol):
    """Where runs are read: `decam.runs.service.Runs`."""

    def snapshot(self, run_id: str, /) -> RunSnapshot:
        """A run as it is now; raises StoreError where there is no such run."""


@dataclass(frozen=True)
class News:
    """What changed: cells as JSON objects, then what is watched as a whole. `ended` says that nothing follows."""

    version: int
    cells: tuple[bytes, ...]
    run: bytes
    ended: bool


@dataclass(frozen=True)
class _Seen:
    """A cell as it was last seen: the value itself, the best marks of its row, and at which version it came."""

    cell: Cell
    best: tuple[bool, ...]
    version: int
    fresh: int  # number of the first point of its search that the version before did not have, 0 where all are new


class Feed(ABC):
    """The changes of a run or of other work, looked at twice a second at most.

    All methods may be called from any thread. A later version has a higher number.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._looked = float("-inf")
        self._version = 0

    @abstractmethod
    def news(self, since: int | None = None, drawn: bool = False) -> News:
        """What changed since a version; everything where the version is none that this feed has seen.

        `drawn` says that the version is what a page has drawn.
        """

    def is_new(self, since: int | None) -> bool:
        """True where `news` has something newer, or would have to look to know; never waits."""
        return self._version != since or self._due()

    def _due(self) -> bool:
        return time.monotonic() >= self._looked + PACE


class RunFeed(Feed):
    """The changes of one run, of which mere progress is taken up once a second, and more seldom in a long run.

    Cells are compared by identity. A cell is encoded only when somebody asks for it, once a version.
    """

    def __init__(self, source: Source, run: str) -> None:
        super().__init__()
        self._source, self._run = source, run
        self._noted = float("-inf")
        self._begun: float | None = None
        self._snapshot: RunSnapshot | None = None
        self._first = self._previous = 0
        self._cells: dict[CellKey, _Seen] = {}
        self._grid: dict[CellKey, GridCell] = {}
        self._best: Best = frozenset()
        self._news: dict[tuple[int | None, bool], News] = {}
        self._whole: dict[CellKey, tuple[int, bytes]] = {}

    def note(self, snapshot: RunSnapshot) -> None:
        """Remember which cells are new in a snapshot; what is older than the last one says nothing."""
        with self._lock:
            last = self._snapshot
            if last is not None and snapshot.version <= last.version:
                return
            self._grid = wire.grid_cells(snapshot)
            self._best = wire.best_places(list(self._grid.values()), wire.grid_metrics(snapshot.plan))
            for key, cell in snapshot.cells.items():
                self._see(key, cell, snapshot.version)
            self._previous = snapshot.version if last is None else last.version
            self._first = self._first or snapshot.version
            self._snapshot, self._version = snapshot, snapshot.version
            self._noted = time.monotonic()
            if snapshot.status is not Status.RUNNING:
                self._begun = None
            elif self._begun is None:
                self._begun = self._noted
            self._news.clear()

    def _see(self, key: CellKey, cell: Cell, version: int) -> None:
        shown, before = self._grid[key], self._cells.get(key)
        best = tuple((shown.row, shown.column, index) in self._best for index in range(len(shown.values)))
        if before is not None and before.cell is cell and before.best == best:
            return
        now, then = wire.curved(cell), [] if before is None else wire.curved(before.cell)
        continued = len(now) >= len(then) > 0 and now[len(then) - 1].evaluations == then[-1].evaluations
        self._cells[key] = _Seen(cell, best, version, len(then) if continued else 0)

    def news(self, since: int | None = None, drawn: bool = False) -> News:
        """What changed since a version of the run; raises DecamError where the run cannot be read.

        A search's points are those that came since, if the version is the one before the present one, and else all of
        them. What a page has drawn has no points yet.
        """
        with self._lock:
            snapshot = self._look()
            if since is not None and not self._first <= since <= snapshot.version:
                since = None
            key = (since, drawn)
            if key not in self._news:
                self._news[key] = self._gather(snapshot, since, drawn)
            return self._news[key]

    def _look(self) -> RunSnapshot:
        if self._snapshot is None or self._due():
            snapshot = self._source.snapshot(self._run)
            self._looked = time.monotonic()
            if self._looked >= self._noted + self._pause() or self._has_moved(snapshot):
                self.note(snapshot)
            return self._snapshot or snapshot
        return self._snapshot

    def _pause(self) -> float:
        watched = 0.0 if self._begun is None else self._looked - self._begun
        return max(PROGRESS, min(SELDOM, PATIENCE * watched))

    def _has_moved(self, snapshot: RunSnapshot) -> bool:
        """True where more than the progress of maps is new."""
        last = self._snapshot
        if last is None or _apart_from_cells(last) != _apart_from_cells(snapshot):
            return True
        pairs = ((last.cells.get(key), cell) for key, cell in snapshot.cells.items())
        return any(before is None or _milestones(before) != _milestones(cell) for before, cell in pairs)

    def _gather(self, snapshot: RunSnapshot, since: int | None, drawn: bool) -> News:
        changed = [key for key, seen in sorted(self._cells.items()) if since is None or seen.version > since]
        stepwise = not drawn and since == self._previous
        cells = tuple(self._encoded(snapshot, key, stepwise) for key in changed)
        run = {"version": str(snapshot.version), **wire.run_object(snapshot)}
        return News(snapshot.version, cells, encoded(run), not snapshot.active)

    def _encoded(self, snapshot: RunSnapshot, key: CellKey, stepwise: bool) -> bytes:
        seen = self._cells[key]
        if stepwise and seen.fresh:
            return encoded(self._object(snapshot, key, seen.fresh))
        version, made = self._whole.get(key, (0, b""))
        if version != seen.version:
            made = encoded(self._object(snapshot, key, 0))
            self._whole[key] = (seen.version, made)
        return made

    def _object(self, snapshot: RunSnapshot, key: CellKey, first: int) -> dict[str, Any]:
        signed = described(snapshot.plan.methods[key.method].name).signed
        series, cell = wire.search_series(snapshot.plan, key.method), self._cells[key].cell
        search = wire.search_object(cell, wire.curved(cell), series, first) if series else None
        return {"cell": wire.cell_object(self._grid[key], self._best, signed), "search": search}


def _apart_from_cells(run: RunSnapshot) -> tuple[object, ...]:
    return run.status, run.ahead, run.note, run.predictions, len(run.labels), len(run.plan.metrics)


def _milestones(cell: Cell) -> tuple[object, ...]:
    return cell.state, cell.explanation is None, len(cell.measurements), cell.error


class WorkFeed(Feed):
    """How work that is no run stands.

    Each piece of work is a cell, whose row is its name, in the state `running` or `ended`. `look` says by the name how
    a piece stands, None once it has ended.
    """

    def __init__(self, look: Callable[[str], Standing | None]) -> None:
        super().__init__()
        self._look = look
        self._version = 1  # a page has drawn version 0
        self._cells: dict[str, tuple[int, dict[str, Any]]] = {}

    def follow(self, name: str) -> None:
        """Tell of this piece of work from now on."""
        with self._lock:
            self._cells.setdefault(name, (self._version, {}))
            self._looked = float("-inf")

    def news(self, since: int | None = None, drawn: bool = False) -> News:
        """The pieces that changed since a version; all of them for a page, which has drawn none."""
        with self._lock:
            if self._due():
                self._take_up()
            first = -1 if since is None or drawn or since > self._version else since
            changed = [cell for version, cell in self._cells.values() if version > first]
            ended = all(cell["state"] == "ended" for _, cell in self._cells.values())
            cells = tuple(encoded({"cell": cell, "search": None}) for cell in changed)
            return News(self._version, cells, encoded({"version": str(self._version)}), ended)

    def _take_up(self) -> None:
        self._looked = time.monotonic()
        awaited = {name: cell for name, (_, cell) in self._cells.items() if cell.get("state") != "ended"}
        seen = {name: wire.work_object(name, self._look(name)) for name in awaited}
        if changed := {name: cell for name, cell in seen.items() if cell != awaited[name]}:
            self._version = max(self._version + 1, time.time_ns())
            self._cells |= {name: (self._version, cell) for name, cell in changed.items()}


class Feeds:
    """The feeds of runs, and of other work, that were lately watched."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._lock = threading.Lock()
        self._feeds: Lru[str, Feed] = Lru(_FEEDS)

    def note(self, snapshot: RunSnapshot) -> None:
        """Remember what a page has drawn, so that a watcher who begins there is sent only what came since."""
        feed = self.of(snapshot.id)
        if isinstance(feed, RunFeed):
            feed.note(snapshot)

    def of(self, name: str) -> Feed:
        """The feed of this name, the same for all who watch it at a time: that of a run where there is no other."""
        return self._made(name, lambda: RunFeed(self.source, name))

    def work(self, name: str, look: Callable[[str], Standing | None]) -> WorkFeed:
        """The feed of a visitor's other work, made where there is none under this name, which nobody can guess."""
        feed = self._made(name, lambda: WorkFeed(look))
        assert isinstance(feed, WorkFeed)  # runs have names of their own
        return feed

    def _made(self, name: str, make: Callable[[], Feed]) -> Feed:
        with self._lock:
            feed = self._feeds.get(name)
            if feed is None:
                feed = make()
                self._feeds.put(name, feed)
            return feed

    def touch(self, name: str) -> None:
        """Keep what is watched now longer than what is not."""
        self._feeds.get(name)

    def forget(self, run: str) -> None:
        """Let go of a run that nobody need watch any longer; those who still do keep their feed.

        A visitor's other work stays: a page that was drawn before the work ended may begin to watch after it.
        """
        with self._lock:
            if not isinstance(self._feeds.get(run), WorkFeed):
                self._feeds.discard(run)


def encoded(value: dict[str, Any]) -> bytes:
    """One line of JSON."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


class _Serving:
    """What this process serves: the runs, once a page has opened them, and whether routes stream them."""

    feeds: Feeds | None = None
    streams = False


def offer(source: Source | None) -> None:
    """Say which runs this process serves; None takes them away."""
    _Serving.feeds = None if source is None else Feeds(source)


def feeds() -> Feeds | None:
    """The feeds of the runs that this process serves, None before there are any."""
    return _Serving.feeds


def streams() -> bool:
    """Whether this process answers requests for live runs, so that pages need not look again and again."""
    return _Serving.streams


@contextmanager
def streaming() -> Iterator[None]:
    """While this lasts, the process answers requests for live runs."""
    _Serving.streams = True
    try:
        yield
    finally:
        _Serving.streams = False
