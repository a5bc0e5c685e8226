"""A lock that many share or one has alone."""

from __future__ import annotations

import threading

import pytest

from decam.hardware.locks import SharedLock

WAIT = 30.0
MOMENT = 0.05


def started(work: object) -> threading.Thread:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]  # a function without arguments
    thread.start()
    return thread


def test_many_share_it_at_a_time() -> None:
    lock, meeting = SharedLock(), threading.Barrier(3, timeout=WAIT)

    def share() -> None:
        with lock.shared():
            meeting.wait()

    threads = [started(share) for _ in range(3)]
    for thread in threads:
        thread.join(WAIT)
    assert not meeting.broken


@pytest.mark.slow
def test_whoever_has_it_alone_waits_for_those_who_share_and_keeps_others_out() -> None:
    lock = SharedLock()
    sharing, leave, alone, free = (threading.Event() for _ in range(4))
    order: list[str] = []

    def share_first() -> None:
        with lock.shared():
            sharing.set()
            leave.wait(WAIT)
            order.append("shared")

    def take() -> None:
        with lock.alone():
            order.append("alone")
            alone.set()
            free.wait(WAIT)
            order.append("left")

    def share_late() -> None:
        with lock.shared():
            order.append("shared again")

    first = started(share_first)
    sharing.wait(WAIT)
    taker = started(take)
    assert not alone.wait(MOMENT)
    late = started(share_late)  # comes after somebody who wants it alone, and so waits for that one
    late.join(MOMENT)
    assert order == []
    leave.set()
    alone.wait(WAIT)
    late.join(MOMENT)
    free.set()
    for thread in (first, taker, late):
        thread.join(WAIT)
    assert order == ["shared", "alone", "left", "shared again"]


def test_the_thread_that_has_it_alone_may_take_it_again_in_either_way() -> None:
    lock, done = SharedLock(), threading.Event()

    def take() -> None:
        with lock.alone(), lock.alone(), lock.shared():
            pass
        with lock.shared():
            done.set()

    started(take).join(WAIT)
    assert done.is_set()


def test_an_error_inside_lets_go_of_it() -> None:
    lock = SharedLock()
    for take in (lock.alone, lock.shared):
        try:
            with take():
                raise ValueError("inside")
        except ValueError:
            pass
    taken = threading.Event()

    def alone() -> None:
        with lock.alone():
            taken.set()

    started(alone).join(WAIT)
    assert taken.is_set()
