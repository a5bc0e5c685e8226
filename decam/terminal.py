"""What a command shows while it works: one line that changes on a terminal, now and then a line in a log."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self, TextIO

QUIET = 10.0  # seconds between two lines of progress where there is no terminal


def say(sentence: str) -> None:
    """A sentence on standard error, by itself on a line."""
    print(sentence, file=sys.stderr, flush=True)


def share(step: int, total: int) -> str:
    """How much is done, such as "42 %"; empty where the total is not known."""
    return f"{100 * min(step, total) // total} %" if total > 0 else ""


class Line:
    """Progress on a stream: `show` may be overwritten by what follows, `note` stays."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._shown = False
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def show(self, text: str) -> None:
        """Show what is going on; without a terminal only every ten seconds."""
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{text[:width]}\x1b[K", end="", file=self._stream, flush=True)
            self._shown = True
        elif time.monotonic() - self._last >= QUIET:
            self.note(text)

    def note(self, text: str) -> None:
        """Print a line that stays."""
        self.clear()
        print(text, file=self._stream, flush=True)
        self._last = time.monotonic()

    def clear(self) -> None:
        """Remove what `show` left on the terminal."""
        if self._shown:
            print("\r\x1b[K", end="", file=self._stream, flush=True)
            self._shown = False


class Stop:
    """Whether Ctrl-C was pressed."""

    asked = False


@contextmanager
def stopping() -> Iterator[Stop]:
    """Within, a first Ctrl-C only sets `asked`, so that work can end between two steps; a second one interrupts."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread may say what a signal does
        return

    def note(_number: int, _frame: FrameType | None) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.asked = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
