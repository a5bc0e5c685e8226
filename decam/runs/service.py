"""Runs from their start to long after: computed in the background, watched by many, kept on disk."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TypeAlias

from decam.classifier import Classifier, Pixels
from decam.errors import NoSuchRunError, NotYourRunError, SettingError, StoreError
from decam.experiments.events import Event, Progressed
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.plan import MethodChoice, MetricChoice, Plan
from decam.experiments.status import Status
from decam.experiments.variants import models_by
from decam.explanation import Truth
from decam.runs.describing import checked_name, checked_remark
from decam.runs.loading import in_use, lookup
from decam.runs.memory import Memory
from decam.runs.plans import check_classes, check_mark, grown, items_of, joined, settled
from decam.runs.queue import Ending, Queue
from decam.runs.recorder import Recorder
from decam.runs.snapshots import SYSTEM_OWNER, RunSnapshot, RunSummary
from decam.runs.state import RunState
from decam.runs.store import Store
from decam.runs.sweeping import Sweeper

__all__ = ["RunSnapshot", "RunSummary", "Runs"]

UNDO_SECONDS = 600.0
Loader: TypeAlias = Callable[[str, str], Classifier]


class Runs:
    """All runs of a server: those in the making, in memory, and those on disk.

    `load(model, device)` gives a classifier; it is called in a worker thread. All methods may be called from any
    thread. What is finished is on disk before a snapshot shows it. Where the disk refuses, a run goes on in memory and
    its `note` says so; `trouble` has the last such sentence. Only the model's views of pictures are kept.

    A map that a run in the store has made from the same things is not made again. With `private`, visitors are
    strangers to each other. Only maps of shared runs and of the same owner are taken: nobody learns which pictures
    others have explained. Whoever has a run's link sees all of it, but its owner alone changes it: what changes a run
    is told `by` whom, and raises NotYourRunError for anybody else. A deletion can be undone for `undo_seconds`.
    """

    def __init__(
        self,
        store: Store,
        load: Loader,
        queue: Queue | None = None,
        *,
        private: bool = False,
        undo_seconds: float = UNDO_SECONDS,
    ) -> None:
        self._store = store
        self._recorder = Recorder(store)
        self._load = load
        self._private = private
        self._queue = queue or Queue()
        self._memory = Memory(store)
        self._lock, self._changing = self._memory.lock, self._memory.changing
        self._sweeper = Sweeper(self._memory.remove_deleted, undo_seconds)

    @property
    def queue(self) -> Queue:
        """Where runs wait for their device; other work for it waits in the same line."""
        return self._queue

    @property
    def trouble(self) -> str:
        """The last sentence that the disk refused something with; empty where runs can be listed again."""
        return self._memory.trouble

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
        self._memory.keep(live, lambda: self._store.add(run))
        self._memory.put(live)
        self._submit(live)
        return run.id

    def may_change(self, owner: str, by: str) -> bool:
        """Whether `by` may change the runs of an owner; a shared run is nobody's."""
        return not self._private or (by != "" and by == owner)

    def _allow(self, run_id: str, by: str) -> None:
        if self._private and not self.may_change(self._memory.owner(run_id), by):
            raise NotYourRunError

    def stop(self, run_id: str, by: str = "") -> None:
        """End a run within one event and keep what is finished; nothing for one that has ended."""
        self._allow(run_id, by)
        if self._memory.holds(run_id):
            self._queue.stop(run_id)
        elif self._store.version(run_id)[1].active:
            raise StoreError("This run is being computed by another process; stop it there.")

    def resume(self, run_id: str, asker: str = "", *, by: str = "") -> None:
        """Compute what a run that has ended is missing, failed cells included; nothing for one that is active.

        `asker` as in `shared_run`: a shared run is resumed for anybody. Raises StoreError for a run that does not exist
        or that another process computes.
        """
        if self._private and self._memory.owner(run_id) != SYSTEM_OWNER:
            self._allow(run_id, by)
        with self._changing:
            live = self._memory.adopt(run_id)
            if live is not None:
                live.asker = asker
                self._enqueue(live, maps=True)

    def measure(self, run_id: str, metrics: Sequence[MetricChoice], by: str = "") -> None:
        """Add metrics to a run and compute only what is missing; one that the run has already is not asked again.

        Raises StoreError as `resume` does.
        """
        self._allow(run_id, by)
        self._grow(run_id, metrics, (), maps=False)

    def explain(self, run_id: str, methods: Sequence[MethodChoice], by: str = "") -> None:
        """Add methods to a run and make what is missing, failed maps included; those it has are not asked again.

        Their maps stand after the others and are measured by the run's metrics. Raises StoreError as `resume` does, and
        SettingError for a method that does not answer the run's questions.
        """
        self._allow(run_id, by)
        self._grow(run_id, (), methods, maps=True)

    def _grow(
        self, run_id: str, metrics: Sequence[MetricChoice], methods: Sequence[MethodChoice], *, maps: bool
    ) -> None:
        with self._changing:
            grown(self.snapshot(run_id).plan, metrics, methods)  # refused before anything is changed
            live = self._memory.at_hand(run_id)
            with self._lock:
                plan = grown(live.plan, metrics, methods)
                live.replan(plan)
            self._memory.keep(live, lambda: self._store.save_plan(run_id, plan))
            with self._lock:
                live.again = live.active
                live.more_maps = live.again and (maps or live.more_maps)
            if not live.again:
                self._enqueue(live, maps=maps)

    def mark(self, run_id: str, picture: int, truth: Truth | None, by: str = "") -> None:
        """Say where the class is in a picture of a run (H×W bool), or by None that this is not known.

        What is measured by it is measured anew, and nothing else; where the run is active, as soon as it has ended.
        Raises SettingError for a picture that the run does not have and a truth of another size, StoreError as
        `resume` does.
        """
        self._allow(run_id, by)
        with self._changing:
            check_mark(self.snapshot(run_id).views, picture, truth)
            live = self._memory.at_hand(run_id)
            with self._lock:
                live.mark(picture, truth)
                plan = live.plan
                live.again = active = live.active
            self._memory.keep(live, lambda: self._store.save_truths(run_id, plan, {picture: truth}))
            if not active:
                self._enqueue(live, maps=False)

    def extend(
        self,
        run_id: str,
        wanted: Plan,
        views: Sequence[Pixels],
        truths: Sequence[Truth | None] | None = None,
        by: str = "",
    ) -> None:
        """Add to a run that has ended what a plan asks beyond it, and compute what is then missing.

        `views` and `truths` are those of the pictures of `wanted`. Raises SettingError for an active run, where the
        views do not fit, and where one run cannot hold both (see `plans.joined`); StoreError as `resume` does.
        """
        self._allow(run_id, by)
        truths = [None] * len(views) if truths is None else truths
        with self._changing:
            wanted = settled(wanted, views, truths)
            live = None if self.snapshot(run_id).active else self._memory.adopt(run_id)
            if live is None:
                raise SettingError("This run goes on; stop it, or wait for its end, before you add to it.")
            plan = joined(live.plan, wanted)
            check_classes(live.grid, wanted)
            new = plan.pictures[len(live.plan.pictures) :]
            with self._lock:
                run = live.extend(plan, items_of(new, wanted, views), items_of(new, wanted, truths))
            self._memory.keep(live, lambda: self._store.extend(run))
            self._enqueue(live, maps=True)

    def describe(self, run_id: str, name: str, remark: str, by: str = "") -> None:
        """Name a run and say something of it, in plain text; empty words take the earlier ones away.

        Raises SettingError for words that are too long or cannot be printed, StoreError as `resume` does.
        """
        self._allow(run_id, by)
        name, remark = checked_name(name), checked_remark(remark)
        with self._changing:
            self._memory.describe(run_id, name, remark)

    def delete(self, run_id: str, by: str = "") -> None:
        """Hide a run from everybody, stopping it first; raises StoreError as `resume` does.

        Its files stay until it can be restored no more, and are then removed: by this process, or by the next one.
        """
        self._allow(run_id, by)
        with self._changing:
            if self._memory.delete(run_id):
                self._queue.stop(run_id)
        self._sweeper.expect()

    def restore(self, run_id: str, by: str = "") -> None:
        """Bring back a deleted run as it was; one that was being computed has stopped, and can be resumed.

        Raises StoreError once it is gone for good.
        """
        self._allow(run_id, by)
        with self._changing:
            self._memory.restore(run_id)

    def snapshot(self, run_id: str) -> RunSnapshot:
        """A run as it is now; raises StoreError where there is no such run. Cheap enough for many watchers."""
        return self._memory.snapshot(run_id, self._queue.ahead(run_id))

    def recent(
        self, owner: str | None = None, limit: int = 20, kind: str | None = None, search: str = ""
    ) -> list[RunSummary]:
        """The newest runs, of one owner or of all, of one kind or of all, newest first.

        Those alone in which all words of `search` occur, see `snapshots.found`. Where the disk cannot be read, those in
        memory.
        """
        self._sweeper.begin()
        return self._memory.recent(owner, limit, kind, search)

    def deleted(self, owner: str | None = None, limit: int = 20, kind: str | None = None) -> list[RunSummary]:
        """The deleted runs that `restore` brings back, chosen as by `recent`, the one deleted last first."""
        return self._memory.deleted(owner, limit, kind)

    def made(self, digests: Sequence[str], owner: str = "") -> frozenset[str]:
        """Which of these digests (see `reuse.made_from`) maps have that a run of this owner would take."""
        return self._store.made(digests, self._owners(owner))

    def _owners(self, owner: str) -> tuple[str, ...] | None:
        return (owner, SYSTEM_OWNER) if self._private else None

    def close(self) -> None:
        """Stop everything and let go of the data directory."""
        self._sweeper.close()
        self._queue.close()
        self._store.close()

    def _enqueue(self, live: RunState, *, maps: bool) -> None:
        with self._lock:
            live.queue(maps=maps)
        self._memory.keep(live, lambda: self._store.save_status(live.id, Status.QUEUED))
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
        with in_use(lambda name: self._load(name, live.plan.device), lambda: live.plan.execution) as load:
            classifier = load(live.plan.model)
            labels = tuple(classifier.labels)
            with self._changing:  # what is marked or added meanwhile is written before or after, never over
                plan = dataclasses.replace(live.plan, execution=classifier.execution)
                self._memory.keep(live, lambda: self._store.begin(live.id, plan, labels))
                with self._lock:
                    live.begin(plan, labels)
                    live.remarked.clear()
                    grid, maps = live.grid, live.maps
            yield from execute(grid, models_by(load), maps=maps, earlier=lookup(self._store, self._owners(live.owner)))

    def _on_event(self, live: RunState, event: Event) -> None:
        """To the disk first, then into view."""
        with self._lock:
            by_truth = live.by_truth(event)
        with self._changing if by_truth else nullcontext():  # a truth that comes meanwhile takes away what is written
            with self._lock:
                told = live.current(event)
                grid = live.grid if isinstance(told, Progressed) else live.grid.after(told)
            if not isinstance(told, Progressed):
                self._memory.keep(live, lambda: self._recorder.record(live.id, told, grid))
            with self._lock:
                live.apply(live.current(told))

    def _on_displaced(self, live: RunState) -> None:
        with self._lock:
            live.queue(maps=live.maps)
        self._memory.keep(live, lambda: self._store.save_status(live.id, Status.QUEUED))

    def _on_end(self, live: RunState, ending: Ending) -> None:
        done = ending.reason is Status.DONE
        with self._lock:
            status, goes_on = live.ending(ending.reason), live.again and done
        if not goes_on:  # one that goes on stays active on the disk, so that nothing is forgotten if it is killed here
            self._memory.keep(live, lambda: self._store.save_status(live.id, status, ending.sentence))
        with self._changing:  # a run that is deleted is hidden before this looks, or waits in the queue and is stopped
            with self._lock:
                again, live.again = live.again and done and not self._memory.is_hidden(live.id), False
                maps, live.more_maps = live.more_maps, False
                if not again:
                    live.end(status, ending.sentence)
            if again:
                self._enqueue(live, maps=maps)
                return
        if goes_on:  # it was deleted meanwhile, and may be brought back
            self._memory.keep(live, lambda: self._store.save_status(live.id, status, ending.sentence))
        self._memory.retire(live)
