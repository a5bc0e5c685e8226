"""From the start of the server to its end: streams are open, and end by themselves when the server is told to."""

from __future__ import annotations

import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from types import FrameType
from typing import Any

from decam.export.live import streaming
from decam.hardware.blas import one_openblas_thread

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_ending = threading.Event()


def lifespan(prepare: Callable[[], object]) -> Callable[[object], AbstractAsyncContextManager[None]]:
    """What surrounds the serving: streams are open, and at its start `prepare` is called beside it, in its own thread.

    The linear algebra of NumPy takes one thread from now on, see `one_openblas_thread`. What `prepare` makes ready,
    visits find there; one that comes before waits no longer than it would without.
    """

    one_openblas_thread()

    @asynccontextmanager
    async def around(_app: object) -> AsyncIterator[None]:
        beside(prepare)
        with streaming(), _heard():
            yield

    return around


def beside(prepare: Callable[[], object]) -> None:
    """Call `prepare`, which makes ready what visits would wait for, in a thread of its own."""
    # No daemon: a process that ends while PyTorch is being imported in a daemon thread may be aborted.
    threading.Thread(target=_made_ready, args=(prepare,), name="decam-prepare", daemon=False).start()


def _made_ready(prepare: Callable[[], object]) -> None:
    """Make ready; a server that ends meanwhile takes the threads away that this uses, which is no fault."""
    try:
        prepare()
    except RuntimeError:
        if threading.main_thread().is_alive() and not ending():
            raise


def ending() -> bool:
    """True once the server was told to end: it waits for all answers to be complete, and streams never are."""
    return _ending.is_set()


@contextmanager
def _heard() -> Iterator[None]:
    """Hear the signals that end the server before the server does; heard in the main thread alone, as Python has it."""
    _ending.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def hear(number: int, frame: FrameType | None) -> None:
        first = not _ending.is_set()
        _ending.set()
        handler: Any = before[signal.Signals(number)]
        server: Any = getattr(handler, "__self__", None)
        if first and hasattr(server, "should_exit"):
            server.should_exit = True  # uvicorn's handler would raise the signal again at the end, as if all had failed
        elif callable(handler):
            handler(number, frame)
        elif handler is signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for number in _SIGNALS:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
