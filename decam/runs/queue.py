"""Generators in the background: one at a time on each device, fair between owners, stopped within one event."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from decam.errors import DecamError
from decam.experiments.status import Status

IDLE_SECONDS = 15.0
_WAKE_SECONDS = 0.25
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ending:
    """How a job ended; `sentence` says why it failed. Interrupted means that the process is ending."""

    reason: Status
    sentence: str = ""


@dataclass
class _Job:
    key: str
    owner: str
    make: Callable[[], Generator[Any, None, None]]
    on_event: Callable[[Any], None]
    on_end: Callable[[Ending], None]
    on_displaced: Callable[[], None] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    displaced: threading.Event = field(default_factory=threading.Event)


@dataclass
class _Device:
    """What waits for a device and what runs on it; `turns` says when each owner last began, in a count of jobs."""

    waiting: list[_Job] = field(default_factory=list)
    running: _Job | None = None
    turns: dict[str, int] = field(default_factory=dict)
    worker: threading.Thread | None = None

    def next(self) -> _Job:
        """Take the job whose owner had the device longest ago; among equals the first; those that give way last."""
        job = min(self.waiting, key=lambda job: (job.on_displaced is not None, self.turns.get(job.owner, -1)))
        self.waiting.remove(job)
        self.turns[job.owner] = 1 + max(self.turns.values(), default=-1)
        return job


class Queue:
    """Jobs that wait for a device and run on it, one at a time, in a worker thread that lives while there is work.

    All methods may be called from any thread, callbacks included. Worker threads are not daemons (one that is killed
    inside a forward pass aborts the process); they notice the end of the main thread between two events.
    """

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._devices: dict[str, _Device] = {}
        self._closed = False

    def submit(
        self,
        key: str,
        owner: str,
        device: str,
        make_generator: Callable[[], Generator[Any, None, None]],
        on_event: Callable[[Any], None],
        on_end: Callable[[Ending], None],
        on_displaced: Callable[[], None] | None = None,
    ) -> None:
        """Queue a job. Its generator is made and run, and its callbacks are called, in the device's worker thread.

        `on_end` is called once, whatever happens; for a job that never began, in the thread that stopped it. A job
        with `on_displaced` gives way: it waits until no other job does, the newest of its kind first, and a job that
        is submitted while it runs closes its generator at the next event; `on_displaced` is called, and it waits for
        its generator to be made again. Raises ValueError for a key that is already waiting or running, RuntimeError
        after `close`.
        """
        job = _Job(key, owner, make_generator, on_event, on_end, on_displaced)
        with self._changed:
            if self._closed:
                raise RuntimeError("The queue is closed.")
            if self._find(key) is not None:
                raise ValueError(f"A job {key!r} is already waiting or running.")
            place = self._devices.setdefault(device, _Device())
            place.waiting.insert(len(place.waiting) if on_displaced is None else 0, job)
            if place.running is not None and place.running.on_displaced is not None:
                place.running.displaced.set()
            if place.worker is None or not place.worker.is_alive():
                place.worker = threading.Thread(target=self._work, args=(place,), name=f"decam-{device}", daemon=False)
                place.worker.start()
            self._changed.notify_all()

    def ahead(self, key: str) -> int:
        """How many jobs will run before this one, the running one included unless it is giving way just now.

        0 for one that runs or has ended.
        """
        with self._changed:
            place = self._find(key)
            if place is None or (place.running is not None and place.running.key == key):
                return 0
            rest = _Device(waiting=list(place.waiting), turns=dict(place.turns))
            count = 0 if place.running is None or place.running.displaced.is_set() else 1
            while rest.next().key != key:
                count += 1
            return count

    def stop(self, key: str) -> bool:
        """End a job: a running one at its next event, a waiting one at once. False where there is no such job."""
        with self._changed:
            place = self._find(key)
            if place is None:
                return False
            if place.running is not None and place.running.key == key:
                place.running.stop.set()
                return True
            job = next(waiting for waiting in place.waiting if waiting.key == key)
            place.waiting.remove(job)
        _end(job, Ending(Status.STOPPED))
        return True

    def close(self, timeout: float | None = None) -> None:
        """Stop all jobs, take no more, and wait for the workers to end."""
        with self._changed:
            self._closed = True
            waiting = [job for place in self._devices.values() for job in place.waiting]
            workers = [place.worker for place in self._devices.values() if place.worker is not None]
            for place in self._devices.values():
                place.waiting.clear()
                if place.running is not None:
                    place.running.stop.set()
            self._changed.notify_all()
        for job in waiting:
            _end(job, Ending(Status.STOPPED))
        for worker in workers:
            if worker is not threading.current_thread():
                worker.join(timeout)

    def _find(self, key: str) -> _Device | None:
        for place in self._devices.values():
            running = [] if place.running is None else [place.running]
            if any(job.key == key for job in (*running, *place.waiting)):
                return place
        return None

    def _work(self, place: _Device) -> None:
        while (job := self._take(place)) is not None:
            ending: Ending | None = Ending(Status.INTERRUPTED)
            try:
                ending = _run(job) or self._displace(place, job)
            finally:
                with self._changed:
                    place.running = None
                if ending is not None:
                    _end(job, ending)

    def _displace(self, place: _Device, job: _Job) -> Ending | None:
        """Let a job that gave way wait behind the others of its kind; its ending where it was stopped meanwhile."""
        if job.on_displaced is not None:
            _tell(job.on_displaced)
        with self._changed:
            if self._closed or job.stop.is_set():
                return Ending(Status.STOPPED)
            job.displaced.clear()
            place.waiting.append(job)
            place.running = None
        return None

    def _take(self, place: _Device) -> _Job | None:
        """The next job; None, and no worker any more, once the device has been idle or the process is ending."""
        idle = 0.0
        with self._changed:
            while True:
                if not threading.main_thread().is_alive():
                    abandoned, place.waiting = place.waiting, []
                    place.worker = None
                    break
                if place.waiting:
                    place.running = place.next()
                    return place.running
                if self._closed or idle >= self._idle_seconds:
                    place.turns.clear()
                    place.worker = None
                    return None
                if not self._changed.wait(_WAKE_SECONDS):
                    idle += _WAKE_SECONDS
        for job in abandoned:
            _end(job, Ending(Status.INTERRUPTED))
        return None


def _run(job: _Job) -> Ending | None:
    """Run one job to its end, None where it gives way; its generator is closed in every case, its `finally` run."""
    try:
        events = job.make()
        try:
            for event in events:
                job.on_event(event)
                if job.stop.is_set():
                    return Ending(Status.STOPPED)
                if not threading.main_thread().is_alive():
                    return Ending(Status.INTERRUPTED)
                if job.displaced.is_set():
                    return None
        finally:
            events.close()
    except DecamError as error:
        return Ending(Status.FAILED, str(error))
    except Exception as error:  # noqa: BLE001 - whatever a job raises ends that job only
        _LOG.exception("A job failed unexpectedly")
        return Ending(
            Status.FAILED,
            f"The work stopped unexpectedly ({type(error).__name__}); the log of the server has the details.",
        )
    return Ending(Status.DONE)


def _end(job: _Job, ending: Ending) -> None:
    _tell(lambda: job.on_end(ending))


def _tell(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:  # noqa: BLE001 - the worker serves the jobs behind this one
        _LOG.exception("Ending a job failed; the queue goes on")
