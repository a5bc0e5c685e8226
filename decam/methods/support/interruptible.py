"""Turns a library call that cannot be interrupted into steps: it runs in a thread that waits at every checkpoint.

A greenlet would need no thread, but only the thread that made it could go on with it or close it, and PyTorch's modes
(gradients on or off) belong to a thread: those of the call would be its caller's between two steps.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Generic, TypeVar

from decam.errors import MethodError
from decam.explanation import Ledger, Progress, relayed

T = TypeVar("T")
Checkpoint = Callable[[], None]

_LOOK_SECONDS = 0.25  # how often a waiting call looks whether the program has ended


class Stopped(BaseException):
    """Raised at a checkpoint inside a call that nobody wants any more; not an Exception, so that no library eats it."""


class _Call(threading.Thread, Generic[T]):
    """A call and its caller taking turns: exactly one of the two runs at any moment.

    No daemon: one that is killed inside a forward pass aborts the process. A call that waits for its turn when the
    program has ended stops by itself, so that the process can end with unfinished generators.
    """

    def __init__(self, work: Callable[[Checkpoint], T]) -> None:
        super().__init__(name="decam-interruptible", daemon=False)
        self._work = work
        self._turn = threading.Semaphore(0)
        self._reply = threading.Semaphore(0)
        self._stopped = False
        self.finished = False
        self.result: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._wait()
            self.result.append(self._work(self._checkpoint))
        except Stopped:
            self.error = MethodError("The program is ending, and the explanation was stopped before its end.")
        except BaseException as error:  # noqa: BLE001  # handed to the caller, who raises it
            self.error = error
        self.finished = True
        self._reply.release()

    def _checkpoint(self) -> None:
        self._reply.release()
        self._wait()

    def _wait(self) -> None:
        """Wait for a turn; raises Stopped once the generator is closed or nobody is left who could give one."""
        while not self._turn.acquire(timeout=_LOOK_SECONDS):
            if self._stopped or _abandoned():
                raise Stopped
        if self._stopped or _abandoned():
            raise Stopped

    def advance(self) -> None:
        """Let the call run to its next checkpoint or its end."""
        self._turn.release()
        self._reply.acquire()

    def stop(self) -> None:
        """End the call at its checkpoint.

        The call's own thread, in which the garbage collector may close a generator, cannot wait for itself: the call
        ends when it next looks. After a fork the thread is not in the new process.
        """
        self._stopped = True
        if threading.current_thread() is self or not self.is_alive():
            return
        while not self.finished:
            self.advance()
        self.join()


def _abandoned() -> bool:
    """True once the program has ended and no thread is left, but daemons and other calls, that could take a step."""
    if threading.main_thread().is_alive():
        return False
    return all(isinstance(one, _Call) or one.daemon or not one.is_alive() for one in threading.enumerate())


def run_in_steps(work: Callable[[Checkpoint], T]) -> Generator[None, None, T]:
    """Run `work(checkpoint)`, yield each time it calls `checkpoint()`, return what it returns and raise what it raises.

    Closing the generator, in any thread, ends the work at its next checkpoint. Caller and work never run
    at the same time.
    At the end of the program the work of generators that are not closed ends by itself.
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


def run_with_progress(work: Callable[[Checkpoint], T], ledger: Ledger, total: int) -> Generator[Progress, None, T]:
    """`run_in_steps` whose checkpoints are Progress events: of `total`, the evaluations since it was called.

    A ledger may already hold those of other work on the same question, such as an earlier pass of a method.
    """
    begun = ledger.evaluations

    def report(_: None) -> list[Progress]:
        return [Progress(min(ledger.evaluations - begun, total), total, ledger.evaluations)]

    return relayed(run_in_steps(work), report)
