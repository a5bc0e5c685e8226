"""Runs from their start to long after: computed in the background, watched by many, kept on disk."""

from __future__ import annotations

import dataclasses
import logging
import secrets
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from typing import TypeAlias

from decam.classifier import Classifier, Execution, Pixels, TorchClassifier
from decam.errors import NoSuchRunError, StoreError
from decam.experiments.events import Event, Progressed
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.plan import MetricChoice, Plan
from decam.experiments.status import Status
from decam.experiments.variants import models_by
from decam.explanation import Truth
from decam.lru import Lru
from decam.runs.listing import merged
from decam.runs.plans import grown, settled
from decam.runs.queue import Ending, Queue
from decam.runs.recorder import Recorder
from decam.runs.snapshots import SYSTEM_OWNER, RunSnapshot, RunSummary
from decam.runs.state import RunState
from decam.runs.store import Store

__all__ = ["RunSnapshot", "RunSummary", "Runs"]

Loader: TypeAlias = Callable[[str, str], Classifier]
_CACHED = 8
_UNKEPT = 32
_LOG = logging.getLogger(__name__)


class Runs:
    """All runs of a server: those in the making, in memory, and those on disk.

    `load(model, device)` gives a classifier; it is called in a worker thread. All methods may be called from any
    thread. What is finished is on disk before a snapshot shows it. Where the disk refuses, a run goes on in memory and
    its `note` says so; `trouble` has the last such sentence. Only the model's views of pictures are kept.
    """

    def __init__(self, store: Store, load: Loader, queue: Queue | None = None) -> None:
        self._store = store
        self._recorder = Recorder(store)
        self._load = load
        self._queue = queue or Queue()
        self._lock = threading.RLock()  # what is in memory; never held while the disk is used
        self._changing = threading.RLock()  # one resume, measure or delete at a time
        self._lives: dict[str, RunState] = {}
        self._deleted: set[str] = set()  # while they were computed; nobody sees them from then on
        self._cache: Lru[str, tuple[tuple[int, Status], RunSnapshot]] = Lru(_CACHED)
        self.trouble = ""

    @property
    def queue(self) -> Queue:
        """Where runs wait for their device; other work for it waits in the same line."""
        return self._queue

    def start(
        self, plan: Plan, views: Sequence[Pixels], owner: str = "", truths: Sequence[Truth | None] | None = None
    ) -> str:
        """Queue a run of `plan` on the model's views of its pictures (H×W×3 uint8); the run's unguessable link.

        `truths` say where the classes are (H×W bool each, None where that is not known). Raises SettingError where
        they or the views differ from the plan in number or in their fingerprints, or a truth from its view in size.
        """
        return self._start(secrets.token_urlsafe(16), plan, views, owner, truths)

    def shared_run(
        self,
        link: str,
        plan: Plan,
        views: Sequence[Pixels],
        truths: Sequence[Truth | None] | None = None,
        asker: str = "",
    ) -> str:
        """Return the shared, unlisted run with this link; start it if absent, resume it if it was cut short.

        `link` must say all that the plan is made from. A shared run gives way to every run that is started later, and
        goes on from its last finished map. With an `asker`, the owner who waits for it, it has that owner's turn in the
        queue, gives way to nobody, and is resumed if it was stopped. Raises as `start` does.
        """
        with self._changing:
            try:
                there = self.snapshot(link)
            except NoSuchRunError:
                return self._start(link, plan, views, SYSTEM_OWNER, truths, asker)
            resumed = (Status.INTERRUPTED, Status.FAILED, *((Status.STOPPED,) if asker else ()))
            if there.status in resumed:
                self.resume(link, asker)
            return link

    def _start(
        self,
        link: str,
        plan: Plan,
        views: Sequence[Pixels],
        owner: str,
        truths: Sequence[Truth | None] | None,
        asker: str = "",
    ) -> str:
        truths = [None] * len(views) if truths is None else truths
        grid = Grid.empty(settled(plan, views, truths), views, truths)
        run = RunSnapshot(link, datetime.now(UTC), Status.QUEUED, grid, owner=owner)
        live = RunState(run)
        live.asker = asker
        self._keep(live, lambda: self._store.add(run))
        with self._lock:
            self._lives[run.id] = live
        self._submit(live)
        return run.id

    def stop(self, run_id: str) -> None:
        """End a run within one event and keep what is finished; nothing for one that has ended."""
        with self._lock:
            live_here = run_id in self._lives
        if live_here:
            self._queue.stop(run_id)
        elif self._store.version(run_id)[1].active:
            raise StoreError("This run is being computed by another process; stop it there.")

    def resume(self, run_id: str, asker: str = "") -> None:
        """Compute what a run that has ended is missing, failed cells included; nothing for one that is active.

        `asker` as in `shared_run`. Raises StoreError for a run that does not exist or that another process computes.
        """
        with self._changing:
            live = self._adopt(run_id)
            if live is not None:
                live.asker = asker
                self._enqueue(live, maps=True)

    def measure(self, run_id: str, metrics: Sequence[MetricChoice]) -> None:
        """Add metrics to a run and compute only what is missing; one that the run has already is not asked again.

        Raises StoreError as `resume` does.
        """
        with self._changing:
            wanted = grown(self.snapshot(run_id).plan, metrics).metrics
            live = self._adopt(run_id)
            with self._lock:
                live = live or self._lives[run_id]
                plan = dataclasses.replace(live.plan, metrics=wanted)
                live.replan(plan)
            self._keep(live, lambda: self._store.save_plan(run_id, plan))
            with self._lock:
                live.again = live.active
            if not live.again:
                self._enqueue(live, maps=False)

    def delete(self, run_id: str) -> None:
        """Forget a run and its files, stopping it first; raises StoreError as `resume` does."""
        with self._changing:
            with self._lock:
                live = self._lives.get(run_id)
                active = live is not None and live.active
                if active:
                    self._deleted.add(run_id)
                else:
                    self._lives.pop(run_id, None)
                    self._cache.discard(run_id)
            if active:
                self._queue.stop(run_id)
            elif live is not None:
                self._remove(live)
            else:
                self._store.delete(run_id)

    def snapshot(self, run_id: str) -> RunSnapshot:
        """A run as it is now; raises StoreError where there is no such run. Cheap enough for many watchers."""
        ahead = self._queue.ahead(run_id)
        with self._lock:
            if run_id in self._deleted:
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

    def recent(self, owner: str | None = None, limit: int = 20, kind: str | None = None) -> list[RunSummary]:
        """The newest runs, of one owner or of all, of one kind or of all, newest first.

        Where the disk cannot be read, those in memory.
        """
        stored: list[RunSummary] = []
        try:
            stored = self._store.recent(owner, limit, kind)
            self.trouble = ""
        except StoreError as error:
            self.trouble = str(error)
        with self._lock:
            lives = {
                live.id: live.snapshot()
                for live in self._lives.values()
                if live.id not in self._deleted
                and live.owner != SYSTEM_OWNER
                and owner in (None, live.owner)
                and kind in (None, live.plan.kind)
            }
            deleted = set(self._deleted)
        return merged(stored, lives, deleted, limit)

    def close(self) -> None:
        """Stop everything and let go of the data directory."""
        self._queue.close()
        self._store.close()

    def _adopt(self, run_id: str) -> RunState | None:
        """An ended run, taken into memory and made this process's own; None where it is active here already."""
        with self._lock:
            live = self._lives.get(run_id)
            if live is not None and live.active:
                return None
        if live is None:
            live = RunState(self.snapshot(run_id))
            self._store.claim(run_id)
            with self._lock:
                live.end(Status.STOPPED)
                self._lives[run_id] = live
                self._cache.discard(run_id)
        return live

    def _enqueue(self, live: RunState, *, maps: bool) -> None:
        with self._lock:
            live.queue(maps=maps)
        self._keep(live, lambda: self._store.save_status(live.id, Status.QUEUED))
        self._submit(live)

    def _submit(self, live: RunState) -> None:
        self._queue.submit(
            live.id,
            live.asker or live.owner,
            live.plan.device,
            lambda: self._work(live),
            lambda event: self._on_event(live, event),
            lambda ending: self._on_end(live, ending),
            (lambda: self._on_displaced(live)) if live.owner == SYSTEM_OWNER and not live.asker else None,
        )

    def _work(self, live: RunState) -> Generator[Event, None, None]:
        """The job: load the model, ask it in the plan's way, write down which way that was, execute the plan."""
        with self._lock:
            live.begin(live.plan, live.grid.labels)
        usual: list[tuple[Classifier, Execution]] = []

        def load(name: str) -> Classifier:
            """The plan's model, or another one that a variant needs, asked in the plan's way."""
            model = self._load(name, live.plan.device)
            usual.append((model, model.execution))
            _use(model, live.plan.execution or model.execution)
            return model

        try:
            classifier = load(live.plan.model)
            labels = tuple(classifier.labels)
            with self._lock:
                plan = dataclasses.replace(live.plan, execution=classifier.execution)
            self._keep(live, lambda: self._store.begin(live.id, plan, labels))
            with self._lock:
                plan = dataclasses.replace(live.plan, execution=classifier.execution)
                live.begin(plan, labels)
                grid, maps = live.grid, live.maps
            yield from execute(grid, models_by(load), maps=maps)
        finally:
            for model, before in reversed(usual):
                _use(model, before)

    def _on_event(self, live: RunState, event: Event) -> None:
        """To the disk first, then into view."""
        with self._lock:
            grid = live.grid if isinstance(event, Progressed) else live.grid.after(event)
        if not isinstance(event, Progressed):
            self._keep(live, lambda: self._recorder.record(live.id, event, grid))
        with self._lock:
            live.apply(event)

    def _on_displaced(self, live: RunState) -> None:
        with self._lock:
            live.queue(maps=live.maps)
        self._keep(live, lambda: self._store.save_status(live.id, Status.QUEUED))

    def _on_end(self, live: RunState, ending: Ending) -> None:
        with self._lock:
            status = live.ending(ending.reason)
        self._keep(live, lambda: self._store.save_status(live.id, status, ending.sentence))
        with self._lock:
            deleted = live.id in self._deleted  # whoever deletes it from here on finds that it has ended
            again, live.again = live.again and ending.reason is Status.DONE and not deleted, False
            if not again:
                live.end(status, ending.sentence)
        if deleted:
            self._forget(live)
        elif again:
            self._enqueue(live, maps=False)
        else:
            self._retire(live)

    def _forget(self, live: RunState) -> None:
        """Remove the files of a run that was deleted while it was computed; where the disk refuses, it is back."""
        try:
            self._remove(live)
        except StoreError as error:
            _LOG.warning("A deleted run is still there: %s", error)
            self.trouble = str(error)
            with self._lock:
                self._deleted.discard(live.id)
            self._retire(live)
        else:
            with self._lock:
                self._lives.pop(live.id, None)

    def _remove(self, live: RunState) -> None:
        """Remove what the disk has of a run; where it refused one before, it may have nothing and may refuse again."""
        with nullcontext() if live.kept else suppress(StoreError):
            self._store.delete(live.id)

    def _retire(self, live: RunState) -> None:
        """Leave an ended run to the disk, or where that refused, keep it in memory among the newest of its kind."""
        if live.kept:
            # Not while somebody is continuing it: it would be forgotten here and computed all the same.
            with self._changing, suppress(StoreError):  # the disk is asked again, and heard, when somebody looks at it
                version = self._store.version(live.id)
                with self._lock:
                    if not live.active:  # somebody may have continued it by now
                        self._cache.put(live.id, (version, live.snapshot()))
                        self._lives.pop(live.id, None)
            return
        with self._lock:
            unkept = [other for other in self._lives.values() if not other.kept and not other.active]
            for other in unkept[:-_UNKEPT]:
                del self._lives[other.id]

    def _keep(self, live: RunState, write: Callable[[], None]) -> None:
        """Write, unless an earlier write of this run failed; where this one does, the run says so and goes on."""
        if not live.kept:
            return
        try:
            write()
        except StoreError as error:
            _LOG.warning("A run is no longer kept: %s", error)
            self.trouble = str(error)
            with self._lock:
                live.unkept(str(error))


def _use(classifier: Classifier, execution: Execution) -> None:
    """Ask the model in this way; a function has one way only."""
    if isinstance(classifier, TorchClassifier) and classifier.execution != execution:
        classifier.configure(execution)
