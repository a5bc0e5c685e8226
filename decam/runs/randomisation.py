"""Sanity checks from their start to long after: computed in the server's one queue, watched by many, kept on disk."""

from __future__ import annotations

import collections
import logging
import secrets
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias

from decam.classifier import Pixels, TorchClassifier
from decam.errors import SettingError, StoreError
from decam.experiments.randomisation import random_labels, sanity
from decam.experiments.randomisation_plan import LABELS, SanityPlan, SanitySnapshot, SanitySummary, twin
from decam.experiments.randomisation_result import Event, Working
from decam.runs.queue import Ending, Queue
from decam.runs.snapshots import Status
from decam.runs.store.randomisation import SanityStore, nowhere

Loader: TypeAlias = Callable[[str, str], TorchClassifier]
_CACHED = 4
_UNKEPT = 8
_LOG = logging.getLogger(__name__)


class SanityRuns:
    """All sanity checks of a server: those in the making, in memory, and those on disk.

    `load(model, device)` gives a classifier; it is called in a worker thread. Checks wait in `queue` with whatever
    else waits there. All methods may be called from any thread. A check is on disk as soon as it has begun, and with
    what it found once it has ended, however that was; where the disk refuses, its `note` says so.
    """

    def __init__(self, store: SanityStore, load: Loader, queue: Queue) -> None:
        self._store = store
        self._load = load
        self._queue = queue
        self._lock = threading.RLock()  # what is in memory; never held while the disk is used
        self._lives: dict[str, SanitySnapshot] = {}
        self._deleted: set[str] = set()  # while they were computed
        self._cache: collections.OrderedDict[str, SanitySnapshot] = collections.OrderedDict()

    def start(self, plan: SanityPlan, view: Pixels, owner: str = "") -> str:
        """Queue a check of `plan` on the model's view of its picture (H×W×3 uint8); its unguessable link.

        Raises SettingError where there is no model trained on shuffled labels to set it against.
        """
        if plan.mode == LABELS and twin(plan.model) is None:
            raise SettingError(
                f"There is no model like {plan.model} that was trained on shuffled labels; draw weights."
            )
        check = SanitySnapshot(secrets.token_urlsafe(16), datetime.now(UTC), "queued", plan, view, owner=owner)
        link = check.id
        with self._lock:
            self._lives[link] = check
        self._keep(link)
        self._queue.submit(
            link,
            owner,
            plan.device,
            lambda: self._events(link),
            lambda event: self._on_event(link, event),
            lambda ending: self._on_end(link, ending),
        )
        return link

    def stop(self, link: str) -> None:
        """End a check within one event and keep what is finished; nothing for one that has ended."""
        self._queue.stop(link)

    def snapshot(self, link: str) -> SanitySnapshot:
        """A check as it is now; raises StoreError where there is no such check. Cheap enough for many watchers."""
        ahead = self._queue.ahead(link)
        with self._lock:
            known = self._lives.get(link) or self._cache.get(link)
            gone = link in self._deleted
        if gone:
            raise nowhere(link)
        if known is not None:
            return replace(known, ahead=ahead)
        kept = self._store.load(link)
        with self._lock:
            self._remember(kept)
        return kept

    def recent(self, owner: str | None = None, limit: int = 8) -> list[SanitySummary]:
        """The newest checks, of one owner or of all."""
        with self._lock:
            lives = [one for one in self._lives.values() if one.id not in self._deleted]
        here = {one.id: SanitySummary(one.id, one.created, one.status, one.plan, one.owner) for one in lives}
        every = {one.id: one for one in self._store.summaries() if one.id not in self._deleted} | here
        mine = [one for one in every.values() if owner in (None, one.owner)]
        return sorted(mine, key=lambda one: one.created, reverse=True)[:limit]

    def delete(self, link: str) -> None:
        """Forget a check and its file, stopping it first; raises StoreError where that cannot be."""
        with self._lock:
            live = self._lives.get(link)
            self._cache.pop(link, None)
            if live is not None and live.active:
                self._deleted.add(link)
            else:
                self._lives.pop(link, None)
        if live is None:
            self._store.delete(link)
        elif live.active:
            self._queue.stop(link)
        else:
            with suppress(StoreError):  # what the disk refused to take may not be there
                self._store.delete(link)

    def _events(self, link: str) -> Generator[Event, None, None]:
        """The check's events, in the worker's thread."""
        check = self._lives[link]
        plan = check.plan
        classifier = self._load(plan.model, plan.device)
        self._change(link, status="running")
        other = twin(plan.model) if plan.mode == LABELS else None
        if other is None:
            yield from sanity(classifier, check.view, plan.methods, plan.target, plan.seed, plan.mode)
        else:
            shuffled = self._load(other, plan.device)
            yield from random_labels(classifier, shuffled, check.view, plan.methods, plan.target, plan.seed)

    def _on_event(self, link: str, event: Event) -> None:
        with self._lock:
            check = self._lives[link]
            working = event if isinstance(event, Working) else None
            self._lives[link] = replace(check, found=check.found.after(event), working=working)

    def _on_end(self, link: str, ending: Ending) -> None:
        status: Status = ending.reason
        with self._lock:
            deleted = link in self._deleted
            ended = replace(self._lives[link], status=status, note=ending.sentence, working=None)
        if deleted:
            with self._lock:
                self._lives.pop(link)
                self._deleted.discard(link)
            with suppress(StoreError):
                self._store.delete(link)
            return
        self._write(ended)

    def _write(self, ended: SanitySnapshot) -> None:
        """Leave an ended check to the disk; where that refuses, keep it in memory among the newest of its kind."""
        try:
            self._store.save(ended)
        except StoreError as error:
            _LOG.warning("A sanity check is not kept: %s", error)
            with self._lock:
                note = f"{ended.note} This check is not kept. {error}".strip()
                self._lives[ended.id] = replace(ended, note=note)
                for old in [one.id for one in self._lives.values() if not one.active][:-_UNKEPT]:
                    del self._lives[old]
        else:
            with self._lock:
                self._remember(ended)
                del self._lives[ended.id]

    def _keep(self, link: str) -> None:
        """Write down that a check has begun, so that its link says so if the server dies."""
        try:
            self._store.save(self._lives[link])
        except StoreError as error:
            _LOG.warning("A sanity check is not kept: %s", error)
            self._change(link, note=f"This check is not kept. {error}")

    def _change(self, link: str, status: Status | None = None, note: str | None = None) -> None:
        with self._lock:
            check = self._lives[link]
            self._lives[link] = replace(
                check, status=check.status if status is None else status, note=check.note if note is None else note
            )

    def _remember(self, check: SanitySnapshot) -> None:
        self._cache[check.id] = check
        self._cache.move_to_end(check.id)
        while len(self._cache) > _CACHED:
            self._cache.popitem(last=False)
