"""What changes while it is computed: one computation at a time, the last result meanwhile, nothing computed twice."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from decam.errors import DecamError
from decam.explanation import Progress
from decam.runs.queue import Queue
from decam.ui.shared.latest import Latest, Seen
from decam.ui.shared.shared_jobs import SharedJobs
from tests.tools.waiting import PATIENCE, wait_until


class Counting:
    """What changes: `version` is the newest. It notes which versions were counted, and how many at a time at most."""

    def __init__(self, latest: Latest[str]) -> None:
        self.latest = latest
        self.version = 1
        self.begun: list[tuple[str, int]] = []
        self.at_once = self.most_at_once = 0
        self.gate = threading.Semaphore(0)
        self.failing: set[int] = set()

    def look(self, subject: str = "clicks", wait: float = 0.0) -> Seen[str]:
        version = self.version
        return self.latest.ask(subject, version, "ann", "analysis", lambda: self._work(subject, version), wait)

    def _work(self, subject: str, version: int) -> Generator[Progress, None, str]:
        self.begun.append((subject, version))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield Progress(0, 1, 0)
            assert self.gate.acquire(timeout=PATIENCE)
            if version in self.failing:
                raise DecamError(f"Version {version} cannot be counted.")
            return f"{subject} {version}"
        finally:
            self.at_once -= 1

    def settled(self, subject: str = "clicks") -> Seen[str]:
        """The count of the newest version, once it is there."""
        self.gate.release(1000)
        wait_until(lambda: not self.look(subject).newest.awaited)
        return self.look(subject)


@pytest.fixture
def counting() -> Iterator[Counting]:
    queue = Queue(idle_seconds=0.0)
    made = Counting(Latest(SharedJobs(queue, most=8), most=8))
    yield made
    made.gate.release(1000)
    queue.close()


def test_before_the_first_result_there_is_nothing_to_show(counting: Counting) -> None:
    seen = counting.look()
    assert seen.newest.awaited and seen.shown is None
    assert counting.settled().shown == "clicks 1"


def test_the_last_result_is_shown_while_the_next_is_computed(counting: Counting) -> None:
    counting.gate.release()
    wait_until(lambda: counting.look().shown == "clicks 1")
    counting.version = 2
    seen = counting.look()
    assert seen.newest.awaited and seen.newest.result is None and seen.shown == "clicks 1"
    assert counting.settled().shown == "clicks 2"


def test_versions_that_come_up_meanwhile_are_skipped_but_for_the_newest(counting: Counting) -> None:
    counting.look()
    for counting.version in range(2, 30):
        assert counting.look().newest.awaited
    assert counting.settled().shown == "clicks 29"
    assert counting.begun == [("clicks", 1), ("clicks", 29)]


def test_what_was_computed_meanwhile_is_shown_before_the_newest_is_there(counting: Counting) -> None:
    counting.look()
    counting.version = 2
    counting.look()
    counting.gate.release()
    wait_until(lambda: counting.look().shown == "clicks 1")
    assert counting.look().newest.awaited


def test_many_who_look_at_once_start_one_computation(counting: Counting) -> None:
    with ThreadPoolExecutor(16) as threads:
        seen = list(threads.map(lambda _: counting.look(), range(64)))
    assert all(one.newest.awaited for one in seen)
    counting.settled()
    assert counting.begun == [("clicks", 1)] and counting.most_at_once == 1


def test_a_version_that_comes_back_is_not_computed_again(counting: Counting) -> None:
    for counting.version in (1, 2):
        counting.settled()
    counting.version = 1
    assert counting.look().newest.result == "clicks 1"
    assert counting.begun == [("clicks", 1), ("clicks", 2)]


def test_subjects_do_not_show_one_another_s_results(counting: Counting) -> None:
    counting.settled("clicks")
    assert counting.look("times").shown is None
    assert counting.settled("times").shown == "times 1"


def test_who_waits_gets_a_quick_result_at_once_and_a_slow_one_later(counting: Counting) -> None:
    assert counting.look(wait=0.01).newest.awaited
    counting.gate.release()
    assert counting.look(wait=PATIENCE).shown == "clicks 1"


def test_an_error_is_told_beside_the_result_before_it_and_can_be_tried_again(counting: Counting) -> None:
    counting.settled()
    counting.version = 2
    counting.failing = {2}
    seen = counting.settled()
    assert seen.newest.error == "Version 2 cannot be counted." and seen.shown == "clicks 1"
    counting.failing = set()
    assert counting.look().newest.error, "nobody has asked for it again"
    counting.latest.again("clicks", 2)
    assert counting.settled().shown == "clicks 2"


def test_an_error_does_not_keep_newer_versions_back(counting: Counting) -> None:
    counting.failing = {1}
    assert counting.settled().newest.error
    counting.version = 2
    assert counting.settled().shown == "clicks 2"
