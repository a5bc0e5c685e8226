"""Deleted runs go for good once nobody can bring them back any more, whether or not somebody looks at a page then."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from decam.errors import StoreError

_AGAIN_SECONDS = 60.0  # until the disk is asked again that refused, or a run is looked at again that still computes
_LOG = logging.getLogger(__name__)


class Sweeper:
    """Calls `remove` with a Unix time: what was deleted before it goes, the time of the oldest other deletion comes.

    All methods may be called from any thread. `wait` is how many seconds a deletion can be undone.
    """

    def __init__(self, remove: Callable[[float], float | None], wait: float) -> None:
        self._remove = remove
        self._wait = wait
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._begun = self._closed = self._expected = False

    def begin(self) -> None:
        """Remove what an earlier process left, at the first call."""
        with self._lock:
            begun, self._begun = self._begun, True
        if not begun:
            self._arm(self._sweep())

    def expect(self) -> None:
        """Something was deleted just now."""
        with self._lock:
            self._expected = self._timer is not None  # which may look at this very moment, and too early
        self._arm(self._wait)

    def close(self) -> None:
        """Remove nothing from now on."""
        with self._lock:
            self._closed, timer = True, self._timer
        if timer is not None:
            timer.cancel()
            if timer is not threading.current_thread():
                timer.join()

    def _arm(self, seconds: float | None) -> None:
        """Sweep so many seconds from now, where no sweep is to come before; None for never."""
        with self._lock:
            if not self._closed and self._timer is None and seconds is not None:
                self._timer = threading.Timer(seconds, self._ring)
                self._timer.daemon = True  # a process that ends leaves what is hidden to the next one
                self._timer.start()

    def _ring(self) -> None:
        seconds = self._sweep()
        with self._lock:
            expected, self._expected = self._expected, False
            self._timer = None
        self._arm(self._wait if seconds is None and expected else seconds)

    def _sweep(self) -> float | None:
        """Remove what is due; the seconds until there is more to do, None where there is nothing."""
        try:
            oldest = self._remove(time.time() - self._wait)
        except StoreError as error:
            _LOG.warning("Deleted runs are not removed yet: %s", error)
            return _AGAIN_SECONDS
        if oldest is None:
            return None
        due = oldest + self._wait - time.time()
        return due if due > 0 else _AGAIN_SECONDS
