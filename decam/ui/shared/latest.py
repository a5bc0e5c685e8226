"""The latest result about each thing that changes, shown while a newer one is computed."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from decam.lru import Lru
from decam.ui.shared.shared_jobs import SharedJobs, Standing, Work

T = TypeVar("T")


@dataclass(frozen=True)
class Seen(Generic[T]):
    """What is there of a subject: how the `newest` stands, and the result that is to be shown meanwhile, if any."""

    newest: Standing[T]
    before: T | None

    @property
    def shown(self) -> T | None:
        """The newest result, or else the one before it; None before the first."""
        return self.before if self.newest.result is None else self.newest.result


class Latest(Generic[T]):
    """Results by subject and version, each computed once in `jobs`; safe to use from several sessions.

    A subject has one computation at a time. Versions that come up meanwhile are skipped but for the newest, so that
    answers that come in faster than they are counted do not queue up. The `most` subjects asked for last are kept.
    """

    def __init__(self, jobs: SharedJobs[T], most: int) -> None:
        self.jobs = jobs
        self._lock = threading.Lock()
        self._asked: Lru[Hashable, Hashable] = Lru(most)
        self._done: Lru[Hashable, T] = Lru(most)

    def ask(
        self, subject: Hashable, version: Hashable, owner: str, device: str, work: Work[T], wait: float = 0.0
    ) -> Seen[T]:
        """What is there of a subject; the version is queued unless it is there, or another one is being computed.

        It waits up to `wait` seconds for a result. Raises RuntimeError after the queue was closed.
        """
        end = time.monotonic() + wait
        while True:
            with self._lock:
                newest = self._newest(subject, (subject, version), owner, device, work)
            left = end - time.monotonic()
            if not newest.awaited or left <= 0:
                return Seen(newest, self._done.get(subject))
            self.jobs.wait(newest.name, left)

    def again(self, subject: Hashable, version: Hashable) -> None:
        """Forget that a version failed, so that whoever asks next has it computed again."""
        self.jobs.again((subject, version))

    def _newest(self, subject: Hashable, key: Hashable, owner: str, device: str, work: Work[T]) -> Standing[T]:
        """The standing of what is being computed already, or else of this key."""
        asked = self._asked.get(subject)
        standing = None if asked in (None, key) else self.jobs.known(asked)
        if standing is None or not standing.awaited:
            self._keep(subject, standing)
            standing = self.jobs.ask(key, owner, device, work)
            self._asked.put(subject, key)
        self._keep(subject, standing)
        return standing

    def _keep(self, subject: Hashable, standing: Standing[T] | None) -> None:
        if standing is not None and standing.result is not None:
            self._done.put(subject, standing.result)
