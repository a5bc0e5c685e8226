"""Something that is opened when it is first needed, once for all threads, and closed at most once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class OpenedOnce(Generic[T]):
    """What `open_it` opens, from the first call of `get` until `close`; after that the next call opens it anew."""

    def __init__(self, open_it: Callable[[], T], close_it: Callable[[T], None]) -> None:
        self._open_it = open_it
        self._close_it = close_it
        self._lock = threading.Lock()
        self._opened: T | None = None

    def get(self) -> T:
        """What is open; raises what opening raises, and then tries again at the next call."""
        with self._lock:
            if self._opened is None:
                self._opened = self._open_it()
            return self._opened

    def close(self) -> None:
        """Close what is open, if anything is."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            self._close_it(opened)
