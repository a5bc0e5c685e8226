"""The queue runs one job a device, is fair between owners, stops within one event and survives failing jobs."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from decam.errors import DecamError
from decam.runs.queue import Ending, Queue
from tests.runs.bench import PATIENCE, Bench, wait_until


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


def test_a_job_reports_its_events_in_order_and_ends_once(bench: Bench) -> None:
    bench.submit("a", events=3)
    bench.go("a")
    assert bench.ended("a") == Ending("done")
    assert bench.seen == [("a", 0), ("a", 1), ("a", 2)]
    assert bench.closed == ["a"]


def test_one_job_a_device_runs_while_other_devices_run_theirs(bench: Bench) -> None:
    bench.submit("a")
    bench.submit("b")
    bench.submit("c", device="cuda")
    wait_until(lambda: set(bench.begun) == {"a", "c"})
    assert (bench.queue.ahead("a"), bench.queue.ahead("b"), bench.queue.ahead("c")) == (0, 1, 0)
    bench.go("c")
    bench.ended("c")
    assert "b" not in bench.begun
    bench.go("a")
    wait_until(lambda: "b" in bench.begun)
    assert bench.endings["a"] == [Ending("done")]


def test_the_owner_who_had_the_device_longest_ago_goes_first(bench: Bench) -> None:
    bench.submit("a1", "ann")
    wait_until(lambda: bench.begun == ["a1"])
    for key, owner in (("a2", "ann"), ("a3", "ann"), ("b1", "bob"), ("b2", "bob"), ("c1", "cleo")):
        bench.submit(key, owner)
    expected = ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert [bench.queue.ahead(key) for key in expected] == [0, 1, 2, 3, 4, 5]
    for key in expected:
        bench.go(key)
    for key in expected:
        bench.ended(key)
    assert bench.begun == expected


def test_a_job_that_gives_way_is_closed_within_one_event_and_made_again_afterwards(bench: Bench) -> None:
    bench.submit("house", events=3, gives_way=True)
    bench.go("house", 1)
    wait_until(lambda: bench.seen == [("house", 0)])
    bench.submit("visitor")
    bench.go("house", 1)
    wait_until(lambda: bench.begun == ["house", "visitor"])
    assert (bench.closed, bench.displaced, bench.endings["house"]) == (["house"], ["house"], [])
    assert bench.queue.ahead("house") == 1
    bench.go("house")
    bench.go("visitor")
    assert bench.ended("house") == Ending("done")
    assert bench.begun == ["house", "visitor", "house"]
    assert bench.seen[-3:] == [("house", 0), ("house", 1), ("house", 2)]


def test_jobs_that_give_way_come_last_and_the_newest_of_them_first(bench: Bench) -> None:
    bench.submit("a", "ann")
    wait_until(lambda: bench.begun == ["a"])
    for key in ("old", "new"):
        bench.submit(key, "house", gives_way=True)
    bench.submit("b", "ann")
    expected = ["a", "b", "new", "old"]
    assert [bench.queue.ahead(key) for key in expected] == [0, 1, 2, 3]
    for key in expected:
        bench.go(key)
    for key in expected:
        bench.ended(key)
    assert bench.begun == expected


def test_a_newer_job_that_gives_way_goes_before_an_older_one(bench: Bench) -> None:
    bench.submit("old", "house", gives_way=True)
    wait_until(lambda: bench.begun == ["old"])
    bench.submit("new", "house", gives_way=True)
    bench.go("old")
    bench.go("new")
    bench.ended("old")
    assert bench.begun == ["old", "new", "old"]


def test_a_job_that_is_about_to_give_way_is_not_ahead_of_anybody(bench: Bench) -> None:
    bench.submit("old", "house", gives_way=True)
    wait_until(lambda: bench.begun == ["old"])
    bench.submit("new", "house", gives_way=True)
    assert bench.queue.ahead("new") == 0
    bench.submit("visitor", "ann")
    assert [bench.queue.ahead(key) for key in ("visitor", "new")] == [0, 1]
    for key in ("old", "visitor", "new"):
        bench.go(key)
    for key in ("old", "visitor", "new"):
        bench.ended(key)
    assert bench.begun == ["old", "visitor", "new", "old"]


def test_a_job_that_is_stopped_while_it_gives_way_ends_once(bench: Bench) -> None:
    bench.submit("house", events=1000, gives_way=True)
    wait_until(lambda: bench.begun == ["house"])
    bench.submit("visitor")
    assert bench.queue.stop("house")
    bench.go("house", 1)
    bench.go("visitor")
    bench.ended("visitor")
    assert bench.endings["house"] == [Ending("stopped")]
    assert bench.begun == ["house", "visitor"]


def test_stopping_a_running_job_takes_one_event_and_closes_it(bench: Bench) -> None:
    bench.submit("a", events=1000)
    bench.go("a", 2)
    wait_until(lambda: len(bench.seen) == 2)
    assert bench.queue.stop("a")
    assert not bench.endings["a"]
    bench.go("a", 1)
    assert bench.ended("a") == Ending("stopped")
    assert len(bench.seen) == 3
    assert bench.closed == ["a"]


def test_stopping_a_waiting_job_removes_it_without_beginning_it(bench: Bench) -> None:
    for key in ("a", "b", "c"):
        bench.submit(key)
    wait_until(lambda: bench.begun == ["a"])
    assert bench.queue.stop("b")
    assert bench.endings["b"] == [Ending("stopped")]
    assert bench.queue.ahead("c") == 1
    bench.go("a")
    bench.go("c")
    bench.ended("c")
    assert bench.begun == ["a", "c"]


def test_stopping_what_is_not_there_says_so(bench: Bench) -> None:
    assert not bench.queue.stop("nothing")
    assert bench.queue.ahead("nothing") == 0
    bench.submit("a")
    bench.go("a")
    bench.ended("a")
    assert not bench.queue.stop("a")
    assert bench.queue.ahead("a") == 0


def test_an_expected_error_ends_the_job_with_its_sentence_and_the_next_one_runs(bench: Bench) -> None:
    bench.submit("a", error=DecamError("The cat sat on the model; lift it."))
    bench.submit("b")
    bench.go("a")
    bench.go("b")
    assert bench.ended("a") == Ending("failed", "The cat sat on the model; lift it.")
    assert bench.ended("b") == Ending("done")


def test_an_unexpected_error_is_logged_and_told_without_its_details(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        bench.submit("a", error=RuntimeError("secret detail"))
        bench.submit("b")
        bench.go("a")
        bench.go("b")
        ended = bench.ended("a")
    assert ended.reason == "failed"
    assert "secret" not in ended.sentence
    assert "RuntimeError" in ended.sentence
    assert "secret detail" in caplog.text
    assert bench.ended("b") == Ending("done")


def test_callbacks_that_raise_end_their_job_and_no_other(bench: Bench) -> None:
    def choke(key: str, _event: object) -> None:
        if key == "a":
            raise ValueError("choked")

    def refuse(_ending: Ending) -> None:
        raise ValueError("refused")

    bench.on_event = choke
    bench.queue.submit("z", "one", "cpu", lambda: iter_of(1), lambda _: None, refuse)
    bench.submit("a")
    bench.submit("b")
    bench.go("a")
    bench.go("b")
    assert bench.ended("a").reason == "failed"
    assert bench.closed[0] == "a"
    assert bench.ended("b") == Ending("done")


def iter_of(count: int) -> Generator[int, None, None]:
    yield from range(count)


def test_a_job_that_cannot_even_be_made_fails(bench: Bench) -> None:
    def make() -> Generator[int, None, None]:
        raise DecamError("There is no such model.")

    endings: list[Ending] = []
    bench.queue.submit("a", "one", "cpu", make, lambda _: None, endings.append)
    wait_until(lambda: bool(endings))
    assert endings == [Ending("failed", "There is no such model.")]


def test_a_key_is_taken_until_its_job_has_ended(bench: Bench) -> None:
    bench.submit("a")
    with pytest.raises(ValueError, match="already waiting or running"):
        bench.queue.submit("a", "one", "cpu", lambda: iter_of(1), lambda _: None, lambda _: None)
    bench.go("a")
    bench.ended("a")
    bench.submit("a")
    bench.go("a")
    assert bench.ended("a") == Ending("done")


def test_a_job_may_be_submitted_again_from_its_own_end(bench: Bench) -> None:
    endings: list[Ending] = []

    def again(ending: Ending) -> None:
        endings.append(ending)
        if len(endings) < 3:
            bench.queue.submit("a", "one", "cpu", lambda: iter_of(1), lambda _: None, again)

    again(Ending("done"))
    wait_until(lambda: len(endings) == 3)


def test_threads_come_with_work_are_no_daemons_and_go_when_idle() -> None:
    queue = Queue(idle_seconds=0.0)
    workers: list[threading.Thread] = []
    ended = threading.Event()

    def work() -> Generator[int, None, None]:
        workers.append(threading.current_thread())
        yield 0

    for _ in range(3):
        ended.clear()
        queue.submit("a", "one", "cpu", work, lambda _: None, lambda _: ended.set())
        assert ended.wait(PATIENCE)
        workers[-1].join(PATIENCE)
        assert not workers[-1].is_alive()
    assert not any(worker.daemon for worker in workers)
    queue.close()


def test_closing_stops_everything_and_takes_no_more(bench: Bench) -> None:
    bench.submit("a", events=1000)
    bench.submit("b")
    wait_until(lambda: bench.begun == ["a"])
    closing = threading.Thread(target=bench.queue.close)
    closing.start()
    assert bench.ended("b") == Ending("stopped")
    bench.go("a", 1)
    closing.join(PATIENCE)
    assert bench.ended("a") == Ending("stopped")
    with pytest.raises(RuntimeError, match="closed"):
        bench.queue.submit("c", "one", "cpu", lambda: iter_of(1), lambda _: None, lambda _: None)


ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import signal, sys, threading, time
from decam.runs.queue import Queue

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run behind a shell

queue, begun = Queue(), threading.Event()
def work():
    try:
        begun.set()
        while True:
            time.sleep(0.01)
            yield 0
    finally:
        print("closed", flush=True)

for key in ("a", "b"):
    queue.submit(key, "one", "cpu", work, lambda _: None, lambda e, key=key: print(key, e.reason, flush=True))
begun.wait()
print("ready", flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a child")
def test_interrupting_the_main_thread_ends_the_process_and_closes_the_job() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        try:
            output, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert output.splitlines() == ["closed", "a interrupted", "b interrupted"]
