"""Finished work kept for everybody, within a bound: what one visitor has waited for, the next one gets at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """The results asked for last, by key, never copied; safe to use from several sessions."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """What is kept under this key; None where nothing is, or no longer."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: Hashable, result: T) -> None:
        """Keep a result; the one asked for longest ago makes room."""
        with self._lock:
            self._found[key] = result
            self._found.move_to_end(key)
            while len(self._found) > self._most:
                self._found.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        """Keep nothing under this key."""
        with self._lock:
            self._found.pop(key, None)
