"""One computation a key, in the queue, watched by many: its result is kept for whoever asks next."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Generator, Hashable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from decam.experiments.status import Status
from decam.explanation import Progress
from decam.lru import Lru
from decam.runs.queue import Ending, Queue

T = TypeVar("T")
PATIENCE = 90.0  # seconds; a browser lets a tab in the background look but once a minute
Work: TypeAlias = Callable[[], Generator[Progress, None, T]]


@dataclass(frozen=True)
class Standing(Generic[T]):
    """How a computation stands: awaited while it has neither a `result` nor an `error`.

    `name` is the job's own, while there is one. `ahead` counts the jobs before it while it waits. `progress` is its
    last event, None before the first. `error` is a sentence.
    """

    result: T | None = None
    error: str = ""
    ahead: int = 0
    progress: Progress | None = None
    name: str = ""

    @property
    def awaited(self) -> bool:
        """Whether it waits or runs."""
        return self.result is None and not self.error


@dataclass(eq=False)
class _Job(Generic[T]):
    looked: float
    progress: Progress | None = None
    result: T | None = None
    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))


class SharedJobs(Generic[T]):
    """Computations that wait in `queue` with whatever else waits there; safe to use from several sessions.

    Those who ask for the same key watch one job, which has the turn of whoever asked first. A job that nobody has
    looked at for `patience` seconds ends at its next event, or when its turn comes, so that visitors who left hold
    nobody up. The `most` results and errors asked for last are kept.
    """

    def __init__(
        self, queue: Queue, most: int, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._queue = queue
        self._patience = patience
        self._clock = clock
        self._lock = threading.RLock()
        self._one_ended = threading.Condition(self._lock)
        self._jobs: dict[Hashable, _Job[T]] = {}
        self._ended: Lru[Hashable, Standing[T]] = Lru(most)

    def ask(self, key: Hashable, owner: str, device: str, work: Work[T]) -> Standing[T]:
        """The standing of this key's computation, which is queued for `owner` on `device` if nobody has asked yet.

        `work` makes a generator of Progress that returns the result; it is called and run in the device's worker
        thread. Raises RuntimeError after the queue was closed.
        """
        with self._lock:
            return self.known(key) or self._looked_at(self._submit(key, owner, device, work))

    def known(self, key: Hashable) -> Standing[T] | None:
        """The standing of a key that somebody has asked for, None for one that was given up or is not kept any more.

        Whoever asks is one who watches; nothing is queued.
        """
        with self._lock:
            if (ended := self._ended.get(key)) is not None:
                return ended
            job = self._jobs.get(key)
            return None if job is None else self._looked_at(job)

    def wait(self, name: str, seconds: float) -> None:
        """Return when the job of this name has ended, or after so many seconds."""
        with self._one_ended:
            self._one_ended.wait_for(lambda: all(job.key != name for job in self._jobs.values()), max(0.0, seconds))

    def look(self, name: str) -> Standing[T] | None:
        """The standing of the job of this name, None once it has ended. Whoever asks is one who watches."""
        with self._lock:
            job = next((job for job in self._jobs.values() if job.key == name), None)
            return None if job is None else self._looked_at(job)

    def _looked_at(self, job: _Job[T]) -> Standing[T]:
        job.looked = self._clock()
        return Standing(ahead=self._queue.ahead(job.key), progress=job.progress, name=job.key)

    def again(self, key: Hashable) -> None:
        """Forget that a computation failed, so that whoever asks next has it made again."""
        self._ended.discard(key)

    def _submit(self, key: Hashable, owner: str, device: str, work: Work[T]) -> _Job[T]:
        job: _Job[T] = _Job(self._clock())
        self._queue.submit(
            job.key,
            owner,
            device,
            lambda: self._events(job, work),
            lambda event: self._on_event(job, event),
            lambda ending: self._on_end(key, job, ending),
        )
        self._jobs[key] = job
        return job

    def _events(self, job: _Job[T], work: Work[T]) -> Generator[Progress, None, None]:
        """The work's events, up to its end or until nobody watches any more."""
        if self._left(job):
            return
        with closing(work()) as steps:
            while not self._left(job):
                try:
                    event = next(steps)
                except StopIteration as end:
                    job.result = end.value
                    return
                yield event

    def _on_event(self, job: _Job[T], event: Progress) -> None:
        with self._lock:
            job.progress = event

    def _left(self, job: _Job[T]) -> bool:
        return self._clock() - job.looked > self._patience

    def _on_end(self, key: Hashable, job: _Job[T], ending: Ending) -> None:
        with self._lock:
            if job.result is not None or ending.reason is Status.FAILED:
                self._ended.put(key, Standing(job.result, ending.sentence))
            self._jobs.pop(key, None)
            self._one_ended.notify_all()
