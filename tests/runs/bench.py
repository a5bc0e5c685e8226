"""Jobs on a queue that advance one event at a time, when a test lets them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

from decam.runs.queue import Ending, Queue
from tests.tools.waiting import PATIENCE, wait_until


class Bench:
    """Jobs that advance one event at a time when told to, on a queue under test."""

    def __init__(self) -> None:
        self.queue = Queue()
        self.begun: list[str] = []
        self.closed: list[str] = []
        self.displaced: list[str] = []
        self.seen: list[tuple[str, object]] = []
        self.endings: dict[str, list[Ending]] = {}
        self.gates: dict[str, threading.Semaphore] = {}
        self.on_event: Callable[[str, object], None] = lambda key, event: self.seen.append((key, event))

    def submit(
        self,
        key: str,
        owner: str = "one",
        device: str = "cpu",
        *,
        events: int = 1,
        error: BaseException | None = None,
        gives_way: bool = False,
    ) -> None:
        """A job of so many events, each waiting for `go`; then it ends, or raises `error`."""
        gate = self.gates[key] = threading.Semaphore(0)

        def work() -> Generator[int, None, None]:
            self.begun.append(key)
            try:
                for number in range(events):
                    assert gate.acquire(timeout=PATIENCE)
                    yield number
                assert gate.acquire(timeout=PATIENCE)
                if error is not None:
                    raise error
            finally:
                self.closed.append(key)

        self.endings[key] = []
        displaced = (lambda: self.displaced.append(key)) if gives_way else None
        on_end = self.endings[key].append
        self.queue.submit(key, owner, device, work, lambda event: self.on_event(key, event), on_end, displaced)

    def go(self, key: str, events: int = 1000) -> None:
        self.gates[key].release(events)

    def ended(self, key: str) -> Ending:
        wait_until(lambda: bool(self.endings[key]))
        return self.endings[key][0]

    def close(self) -> None:
        for gate in self.gates.values():
            gate.release(1000)
        self.queue.close()
