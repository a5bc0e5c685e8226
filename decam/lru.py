"""A bounded memory that lets go of what was used longest ago."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def _one(value: object) -> float:
    del value
    return 1.0


class Lru(Generic[K, V]):
    """Values by their keys; the one read or written longest ago goes first. Safe in several threads.

    There are at most `most`, and together they weigh at most `room`, by `weight`. The newest one stays in any case.
    """

    def __init__(self, most: int, room: float = math.inf, weight: Callable[[V], float] = _one) -> None:
        self._most = most
        self._room = room
        self._weight = weight
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The value of a key, or None where it is not kept any more."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: K, value: V) -> int:
        """Keep a value, in place of an earlier one with this key; returns how many others had to go."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            total = sum(map(self._weight, self._values.values()))
            gone = 0
            while len(self._values) > 1 and (len(self._values) > self._most or total > self._room):
                total -= self._weight(self._values.popitem(last=False)[1])
                gone += 1
            return gone

    def discard(self, key: K) -> None:
        """Let go of a key, where it is there."""
        with self._lock:
            self._values.pop(key, None)

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._values.clear()

    def keys(self) -> tuple[K, ...]:
        """All keys, the one used longest ago first."""
        with self._lock:
            return tuple(self._values)

    def values(self) -> tuple[V, ...]:
        """All values, the one used longest ago first."""
        with self._lock:
            return tuple(self._values.values())

    def __len__(self) -> int:
        return len(self._values)
