"""One computation a key, however many watch; bounded, given up when everybody has left, made again after an error."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator

import pytest

from decam.errors import DecamError
from decam.explanation import Progress
from decam.runs.queue import Queue
from decam.ui.shared.shared_jobs import SharedJobs
from tests.tools.waiting import PATIENCE, wait_until


class Work:
    """Work of so many steps, each of which waits for `go`; it counts how often it was begun and closed."""

    def __init__(self, result: str, steps: int = 1, error: Exception | None = None) -> None:
        self.result, self.steps, self.error = result, steps, error
        self.begun = self.closed = 0
        self.gate = threading.Semaphore(0)

    def __call__(self) -> Generator[Progress, None, str]:
        self.begun += 1
        try:
            for step in range(self.steps):
                assert self.gate.acquire(timeout=PATIENCE)
                yield Progress(step + 1, self.steps, 10 * (step + 1))
            if self.error is not None:
                raise self.error
            return self.result
        finally:
            self.closed += 1

    def go(self, steps: int = 1000) -> None:
        self.gate.release(steps)


@pytest.fixture
def now() -> list[float]:
    """What the clock says."""
    return [0.0]


@pytest.fixture
def queue() -> Iterator[Queue]:
    made = Queue(idle_seconds=0.0)
    yield made
    made.close()


@pytest.fixture
def jobs(queue: Queue, now: list[float]) -> SharedJobs[str]:
    return SharedJobs(queue, most=2, patience=90.0, clock=lambda: now[0])


def test_all_who_ask_for_a_key_watch_one_job_and_get_its_very_result(jobs: SharedJobs[str]) -> None:
    work, other = Work("a map", steps=2), Work("never")
    watching = [jobs.ask("key", f"pupil {number}", "cpu", work if number == 0 else other) for number in range(30)]
    assert all(standing.awaited and standing.ahead == 0 for standing in watching)
    work.go(1)
    wait_until(lambda: jobs.ask("key", "ann", "cpu", other).progress == Progress(1, 2, 10))
    work.go()
    wait_until(lambda: not jobs.ask("key", "ann", "cpu", other).awaited)
    assert jobs.ask("key", "bob", "cpu", other).result is work.result
    assert (work.begun, work.closed, other.begun) == (1, 1, 0)


def test_different_keys_wait_in_line_fair_between_those_who_asked(jobs: SharedJobs[str]) -> None:
    works = {name: Work(name) for name in ("ann1", "ann2", "ann3", "bob1")}

    def asked(name: str) -> int:
        return jobs.ask(name, name[:3], "cpu", works[name]).ahead

    asked("ann1")
    wait_until(lambda: works["ann1"].begun)
    for name in works:
        asked(name)
    assert [asked(name) for name in ("ann1", "bob1", "ann2", "ann3")] == [0, 1, 2, 3]
    assert [work.begun for work in works.values()] == [1, 0, 0, 0]
    elsewhere = Work("on another device")
    jobs.ask("elsewhere", "cleo", "cuda", elsewhere)
    wait_until(lambda: elsewhere.begun)
    for work in (*works.values(), elsewhere):
        work.go()


def test_a_job_that_everybody_has_left_does_not_begin_and_one_that_runs_ends_at_its_next_event(
    jobs: SharedJobs[str], now: list[float]
) -> None:
    running, waiting, watched = Work("running", steps=1000), Work("waiting"), Work("watched")
    jobs.ask("running", "ann", "cpu", running)
    wait_until(lambda: running.begun)
    jobs.ask("waiting", "ann", "cpu", waiting)
    jobs.ask("watched", "bob", "cpu", watched)
    now[0] = 91.0
    jobs.ask("watched", "bob", "cpu", watched)
    running.go(2)
    wait_until(lambda: watched.begun)
    watched.go()
    wait_until(lambda: not jobs.ask("watched", "bob", "cpu", watched).awaited)
    assert (running.closed, waiting.begun) == (1, 0)
    again = Work("again")
    again.go()
    wait_until(lambda: jobs.ask("running", "cleo", "cpu", again).result == "again")


def test_a_failure_is_a_sentence_for_all_until_it_is_tried_again(jobs: SharedJobs[str]) -> None:
    failing = Work("", error=DecamError("The map is too flat; choose another method."))
    failing.go()
    wait_until(lambda: not jobs.ask("key", "ann", "cpu", failing).awaited)
    for _ in range(3):
        assert jobs.ask("key", "bob", "cpu", failing).error == "The map is too flat; choose another method."
    assert failing.begun == 1
    jobs.again("key")
    mended = Work("mended")
    mended.go()
    wait_until(lambda: jobs.ask("key", "ann", "cpu", mended).result == "mended")


def test_the_results_asked_for_last_are_kept(jobs: SharedJobs[str]) -> None:
    works = {name: Work(name) for name in "abc"}
    for name, work in works.items():
        work.go()
        wait_until(lambda name=name, work=work: not jobs.ask(name, "ann", "cpu", work).awaited)
    assert not jobs.ask("c", "ann", "cpu", works["c"]).awaited
    assert not jobs.ask("b", "ann", "cpu", works["b"]).awaited
    assert jobs.ask("a", "ann", "cpu", works["a"]).awaited


def test_what_a_closed_queue_has_stopped_is_not_taken_for_a_result(jobs: SharedJobs[str], queue: Queue) -> None:
    work = Work("never", steps=1000)
    jobs.ask("key", "ann", "cpu", work)
    wait_until(lambda: work.begun)
    work.go(1)
    closing = threading.Thread(target=queue.close)
    closing.start()
    work.go(1)
    closing.join(PATIENCE)
    assert work.closed == 1
    with pytest.raises(RuntimeError, match="closed"):
        jobs.ask("key", "ann", "cpu", work)
