"""What a command shows while it works: one line that changes on a terminal, now and then a line in a log."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self, TextIO

QUIET = 10.0  # seconds between two lines of progress where there is no terminal

# Controls of the direction of writing: with them a name can show its letters in another order.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = ("Mn", "Me", "Cf")  # marks on the letter before, and format characters


def say(sentence: str) -> None:
    """A sentence on standard error, by itself on a line."""
    print(visible(sentence), file=sys.stderr, flush=True)


def visible(text: str) -> str:
    """A text of which a terminal obeys nothing: control characters and line breaks as escapes such as \\n and \\x1b.

    A file's name may hold any of them, and so move the cursor or break a table.
    """
    return "".join(_escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    if letter in _TURNS or unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp"):
        return letter.encode("unicode_escape", "surrogatepass").decode("ascii")
    return letter


def columns(text: str) -> int:
    """How many columns of a terminal a visible text takes: two for wide letters, none for marks on a letter."""
    return sum(map(_columns, text))


def _columns(letter: str) -> int:
    if unicodedata.category(letter) in _INVISIBLE:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def padded(text: str, width: int) -> str:
    """A visible text with spaces behind it, up to so many columns."""
    return text + " " * max(0, width - columns(text))


def cut(text: str, width: int) -> str:
    """As much of the beginning of a visible text as fits into so many columns."""
    taken = 0
    for place, letter in enumerate(text):
        taken += _columns(letter)
        if taken > width:
            return text[:place]
    return text


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
            print(f"\r{cut(visible(text), width)}\x1b[K", end="", file=self._stream, flush=True)
            self._shown = True
        elif time.monotonic() - self._last >= QUIET:
            self.note(text)

    def note(self, text: str) -> None:
        """Print a line that stays."""
        self.clear()
        print(visible(text), file=self._stream, flush=True)
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
