"""Something is opened when it is first needed, once for all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from decam.runs.store.opened_once import OpenedOnce


class Door:
    """Counts how often it was opened and closed; the first `refusals` tries fail."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals, self.opened, self.closed = refusals, 0, list[int]()

    def open(self) -> int:
        if self.refusals:
            self.refusals -= 1
            raise OSError("stuck")
        self.opened += 1
        return self.opened

    def once(self) -> OpenedOnce[int]:
        return OpenedOnce(self.open, self.closed.append)


def test_nothing_is_opened_or_closed_before_it_is_needed() -> None:
    door = Door()
    door.once().close()
    assert (door.opened, door.closed) == (0, [])


def test_after_closing_it_is_opened_anew_and_closed_once() -> None:
    door = Door()
    once = door.once()
    assert [once.get(), once.get()] == [1, 1]
    once.close()
    once.close()
    assert once.get() == 2
    assert door.closed == [1]


def test_a_refusal_is_raised_and_the_next_call_tries_again() -> None:
    once = Door(refusals=1).once()
    with pytest.raises(OSError, match="stuck"):
        once.get()
    assert once.get() == 1


def test_threads_that_come_at_once_get_the_same() -> None:
    entered, door = threading.Barrier(8), Door()
    once, found = door.once(), list[int]()

    def come(get: Callable[[], int]) -> None:
        entered.wait()
        found.append(get())

    threads = [threading.Thread(target=come, args=(once.get,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 8
