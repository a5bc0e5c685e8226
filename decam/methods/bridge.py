"""Turns a library call that cannot be interrupted into steps: it runs in a thread that waits at every beat."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Generic, TypeVar

from decam.explanation import Ledger, Progress, relayed

T = TypeVar("T")
Beat = Callable[[], None]


class Stopped(BaseException):
    """Raised at a beat inside the call after the generator was closed; not an Exception, so that no library eats it."""


class _Call(threading.Thread, Generic[T]):
    """A call and its caller taking turns: exactly one of the two runs at any moment."""

    def __init__(self, work: Callable[[Beat], T]) -> None:
        super().__init__(name="decam-bridge", daemon=False)
        self._work = work
        self._turn = threading.Semaphore(0)
        self._reply = threading.Semaphore(0)
        self._stopped = False
        self.finished = False
        self.result: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        self._turn.acquire()
        try:
            if not self._stopped:
                self.result.append(self._work(self._beat))
        except Stopped:
            self.result.clear()
        except BaseException as error:  # noqa: BLE001  # handed to the caller, who raises it
            self.error = error
        self.finished = True
        self._reply.release()

    def _beat(self) -> None:
        self._reply.release()
        self._turn.acquire()
        if self._stopped:
            raise Stopped

    def advance(self) -> None:
        """Let the call run to its next beat or its end."""
        self._turn.release()
        self._reply.acquire()

    def stop(self) -> None:
        """End the call at its beat."""
        self._stopped = True
        while not self.finished:
            self.advance()
        self.join()


def in_steps(work: Callable[[Beat], T]) -> Generator[None, None, T]:
    """Run `work(beat)`, yield each time it calls `beat()`, return what it returns and raise what it raises.

    Closing the generator ends the work at its next beat. Caller and work never run at the same time.
    """
    call = _Call(work)
    call.start()
    try:
        while True:
            call.advance()
            if call.finished:
                break
            yield
    finally:
        call.stop()
    if call.error is not None:
        raise call.error
    return call.result[0]


def watched(work: Callable[[Beat], T], ledger: Ledger, total: int) -> Generator[Progress, None, T]:
    """`in_steps` whose beats are Progress events: evaluations so far of `total`."""
    return relayed(in_steps(work), lambda _: [Progress(min(ledger.evaluations, total), total, ledger.evaluations)])
