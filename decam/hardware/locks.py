"""A lock that many may share, or one have alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class SharedLock:
    """A readers-writer lock of a model: forward passes share it; hooks and changes of the model take it alone.

    The thread that holds it alone may take it again, in either way. Threads that wait to hold it alone go first.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sharing = 0
        self._waiting = 0
        self._owner: int | None = None
        self._depth = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Wait until nobody has it alone or is about to, and keep everybody from that until the end."""
        me = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: self._owner == me or (self._owner is None and not self._waiting))
            self._sharing += 1
        try:
            yield
        finally:
            with self._changed:
                self._sharing -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody else has it, and have it alone until the end."""
        me = threading.get_ident()
        with self._changed:
            if self._owner != me:
                self._waiting += 1
                try:
                    self._changed.wait_for(lambda: self._owner is None and not self._sharing)
                finally:
                    self._waiting -= 1
                    self._changed.notify_all()
                self._owner = me
            self._depth += 1
        try:
            yield
        finally:
            with self._changed:
                self._depth -= 1
                if not self._depth:
                    self._owner = None
                self._changed.notify_all()
