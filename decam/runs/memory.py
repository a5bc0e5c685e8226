"""The runs that a process knows: in memory those in the making and those that the disk refused, on disk all others."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress

from decam.errors import NoSuchRunError, StoreError
from decam.experiments.status import Status
from decam.lru import Lru
from decam.runs.listing import merged, summarise
from decam.runs.snapshots import SYSTEM_OWNER, RunSnapshot, RunSummary
from decam.runs.state import RunState
from decam.runs.store import Store

_CACHED = 8
_UNKEPT = 32
_LOG = logging.getLogger(__name__)


class Memory:
    """Runs in memory over those of a store; all methods may be called from any thread.

    `lock` guards what is in memory, and is never held while the disk is used. Whoever resumes, extends or deletes a run
    holds `changing`. `trouble` is the last sentence that the disk refused something with.
    """

    def __init__(self, store: Store) -> None:
        self.lock = threading.RLock()
        self.changing = threading.RLock()
        self.trouble = ""
        self._store = store
        self._lives: dict[str, RunState] = {}
        self._hidden: dict[str, float] = {}  # deleted while in memory, at these Unix times; nobody sees them since
        self._cache: Lru[str, tuple[tuple[int, Status], RunSnapshot]] = Lru(_CACHED)

    def put(self, live: RunState) -> None:
        """Take in a new run."""
        with self.lock:
            self._lives[live.id] = live
            self._hidden.pop(live.id, None)

    def holds(self, run_id: str) -> bool:
        """True for a run that is in memory."""
        with self.lock:
            return run_id in self._lives

    def is_hidden(self, run_id: str) -> bool:
        """True for a run in memory that was deleted."""
        with self.lock:
            return run_id in self._hidden

    def owner(self, run_id: str) -> str:
        """Whose a run is, one that was deleted included; raises StoreError where there is none."""
        with self.lock:
            live = self._lives.get(run_id)
        return self._store.owner(run_id) if live is None else live.owner

    def snapshot(self, run_id: str, ahead: int = 0) -> RunSnapshot:
        """A run as it is now, with `ahead` others before it where it waits; raises StoreError where there is none."""
        with self.lock:
            if run_id in self._hidden:
                raise NoSuchRunError(run_id)
            live = self._lives.get(run_id)
            if live is not None:
                return live.snapshot(ahead if live.status is Status.QUEUED else 0)
            cached = self._cache.get(run_id)
        version = self._store.version(run_id)
        if cached is not None and cached[0] == version:
            return cached[1]
        loaded = self._store.load(run_id)
        self._cache.put(run_id, (version, loaded))
        return loaded

    def recent(self, owner: str | None, limit: int, kind: str | None, search: str = "") -> list[RunSummary]:
        """The newest runs, as `Runs.recent` gives them."""
        stored: list[RunSummary] = []
        try:
            stored = self._store.recent(owner, limit, kind, search)
            self.trouble = ""
        except StoreError as error:
            self.trouble = str(error)
        with self.lock:
            lives = {live.id: live.snapshot() for live in self._listed(owner, kind) if live.id not in self._hidden}
            hidden = set(self._hidden)
        return merged(stored, lives, hidden, limit, search)

    def deleted(self, owner: str | None, limit: int, kind: str | None) -> list[RunSummary]:
        """The runs that can be brought back, as `Runs.deleted` gives them."""
        try:
            stored = self._store.deleted(owner, kind, limit)
        except StoreError:  # the list of runs, which is asked for beside this one, says why
            stored = []
        there = {summary.id for summary in stored}
        with self.lock:
            unkept = [live for live in self._listed(owner, kind) if live.id in self._hidden and live.id not in there]
            last = sorted(unkept, key=lambda live: self._hidden[live.id], reverse=True)
            return [*(summarise(live.snapshot()) for live in last), *stored][:limit]

    def _listed(self, owner: str | None, kind: str | None) -> list[RunState]:
        """Those in memory that a list of these runs may show."""
        return [
            live
            for live in self._lives.values()
            if live.owner != SYSTEM_OWNER and owner in (None, live.owner) and kind in (None, live.plan.kind)
        ]

    def adopt(self, run_id: str) -> RunState | None:
        """An ended run, taken into memory and made this process's own; None where it is active here already.

        Raises StoreError where there is no such run.
        """
        with self.lock:
            if run_id in self._hidden:
                raise NoSuchRunError(run_id)
            live = self._lives.get(run_id)
            if live is not None and live.active:
                return None
        if live is None:
            live = RunState(self.snapshot(run_id))
            self._store.claim(run_id)
            with self.lock:
                live.end(Status.STOPPED)
                self._lives[run_id] = live
                self._cache.discard(run_id)
        return live

    def at_hand(self, run_id: str) -> RunState:
        """A run in memory: active here, or adopted."""
        live = self.adopt(run_id)
        with self.lock:
            return live or self._lives[run_id]

    def keep(self, live: RunState, write: Callable[[], None]) -> None:
        """Write, unless an earlier write of this run failed; where this one does, the run says so and goes on."""
        if not live.kept:
            return
        try:
            write()
        except StoreError as error:
            _LOG.warning("A run is no longer kept: %s", error)
            self.trouble = str(error)
            with self.lock:
                live.unkept(str(error))

    def describe(self, run_id: str, name: str, remark: str) -> None:
        """Keep what the owner calls a run, and says of it; raises StoreError where there is no such run."""
        with self.lock:
            if run_id in self._hidden:
                raise NoSuchRunError(run_id)
            live = self._lives.get(run_id)
        if live is None or live.kept:
            self._store.describe(run_id, name, remark)
        if live is not None:
            with self.lock:
                live.describe(name, remark)

    def delete(self, run_id: str) -> bool:
        """Hide a run; True where it is computed, which must be stopped. Raises StoreError where the disk refuses."""
        with self.lock:
            if run_id in self._hidden:
                raise NoSuchRunError(run_id)
            live = self._lives.get(run_id)
        with self._where_kept(live):
            self._store.mark_deleted(run_id)
        with self.lock:
            self._cache.discard(run_id)
            if live is not None:
                self._hidden[run_id] = time.time()
            return live is not None and live.active

    def restore(self, run_id: str) -> None:
        """Show a deleted run again, as it was; raises StoreError where it is gone."""
        with self.lock:
            live = self._lives.get(run_id)
        with self._where_kept(live):
            self._store.restore(run_id)
        with self.lock:
            self._hidden.pop(run_id, None)

    def remove_deleted(self, before: float) -> float | None:
        """Remove what was deleted before this Unix time for good; when the oldest of those still there was deleted."""
        with self.lock:
            for run_id, moment in list(self._hidden.items()):
                live = self._lives[run_id]
                if moment < before and not live.kept and not live.active:
                    del self._hidden[run_id], self._lives[run_id]
            later = [moment for run_id, moment in self._hidden.items() if not self._lives[run_id].kept]
        oldest = self._store.remove_deleted(before)
        return min((moment for moment in (oldest, *later) if moment is not None), default=None)

    @staticmethod
    def _where_kept(live: RunState | None) -> AbstractContextManager[None]:
        """Where the disk refused a run before, it may have nothing of it and may refuse again."""
        return nullcontext() if live is None or live.kept else suppress(StoreError)

    def retire(self, live: RunState) -> None:
        """Leave an ended run to the disk, or where that refused, keep it in memory among the newest of its kind."""
        if live.kept:
            # Not while somebody is continuing it: it would be forgotten here and computed all the same.
            with self.changing, suppress(StoreError):  # the disk is asked again, and heard, when somebody looks at it
                with self.lock:
                    if live.id in self._hidden and not live.active:
                        del self._hidden[live.id], self._lives[live.id]
                        return
                version = self._store.version(live.id)
                with self.lock:
                    if not live.active:  # somebody may have continued it by now
                        self._cache.put(live.id, (version, live.snapshot()))
                        self._lives.pop(live.id, None)
            return
        with self.lock:
            unkept = [other for other in self._lives.values() if not other.kept and not other.active]
            for other in unkept[:-_UNKEPT]:
                del self._lives[other.id]
                self._hidden.pop(other.id, None)
