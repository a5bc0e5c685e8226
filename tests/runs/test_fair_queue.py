"""The queue under many threads, and beside a plain model of the turns that owners have."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Generator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from decam.runs.queue import Ending, Queue
from tests.runs.bench import PATIENCE, Bench, wait_until


@pytest.mark.slow
def test_many_threads_may_submit_stop_and_ask_at_once() -> None:
    queue = Queue(idle_seconds=0.0)
    devices = ("cpu", "cuda", "mps")
    on_device: Counter[str] = Counter()
    worst: Counter[str] = Counter()
    endings: dict[str, list[str]] = {}
    lock = threading.Lock()

    def submit(key: str, owner: str, device: str) -> None:
        def work() -> Generator[int, None, None]:
            with lock:
                on_device[device] += 1
                worst[device] = max(worst[device], on_device[device])
            try:
                for number in range(3):
                    time.sleep(0.0005)
                    yield number
            finally:
                with lock:
                    on_device[device] -= 1

        endings[key] = []
        queue.submit(key, owner, device, work, lambda _: None, lambda ending: endings[key].append(ending.reason))

    def visitor(number: int) -> None:
        draw = random.Random(number)
        for turn in range(40):
            key = f"{number}-{turn}"
            submit(key, f"owner {number % 4}", draw.choice(devices))
            if draw.random() < 0.3:
                queue.stop(f"{number}-{draw.randint(0, turn)}")
            assert queue.ahead(key) >= 0
            if draw.random() < 0.1:
                time.sleep(0.002)

    visitors = [threading.Thread(target=visitor, args=(number,)) for number in range(8)]
    for thread in visitors:
        thread.start()
    for thread in visitors:
        thread.join(PATIENCE)
    wait_until(lambda: all(endings.values()))
    queue.close()
    assert len(endings) == 8 * 40
    assert all(len(reasons) == 1 for reasons in endings.values())
    assert {reason for reasons in endings.values() for reason in reasons} <= {"done", "stopped"}
    assert set(worst.values()) == {1}


class FairQueue(RuleBasedStateMachine):
    """The queue of one device beside a plain model of what it should do."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.count = 0
        self.waiting: list[tuple[str, str]] = []
        self.running: tuple[str, str] | None = None
        self.last_turn: dict[str, int] = {}
        self.turn = 0
        self.order: list[str] = []

    def begin_next(self) -> None:
        if self.running is None and self.waiting:
            longest = min(self.last_turn.get(owner, -1) for _, owner in self.waiting)
            job = next(job for job in self.waiting if self.last_turn.get(job[1], -1) == longest)
            self.waiting.remove(job)
            self.running = job
            self.last_turn[job[1]] = self.turn
            self.turn += 1
            self.order.append(job[0])
        wait_until(lambda: self.bench.begun == self.order)

    @rule(owner=st.sampled_from(["ann", "bob", "cleo"]))
    def submit(self, owner: str) -> None:
        key = str(self.count)
        self.count += 1
        self.bench.submit(key, owner)
        self.waiting.append((key, owner))
        self.begin_next()

    @rule()
    def finish(self) -> None:
        if self.running is not None:
            key = self.running[0]
            self.bench.go(key)
            assert self.bench.ended(key) == Ending("done")
            self.running = None
            self.begin_next()

    @rule()
    def stop_running(self) -> None:
        if self.running is not None:
            key = self.running[0]
            assert self.bench.queue.stop(key)
            self.bench.go(key)
            assert self.bench.ended(key) == Ending("stopped")
            self.running = None
            self.begin_next()

    @rule(data=st.data())
    def stop_waiting(self, data: st.DataObject) -> None:
        if self.waiting:
            job = data.draw(st.sampled_from(self.waiting))
            assert self.bench.queue.stop(job[0])
            assert self.bench.ended(job[0]) == Ending("stopped")
            self.waiting.remove(job)

    @invariant()
    def places_in_the_queue_are_those_of_the_model(self) -> None:
        waiting, turns, turn = list(self.waiting), dict(self.last_turn), self.turn
        place = int(self.running is not None)
        while waiting:
            longest = min(turns.get(owner, -1) for _, owner in waiting)
            job = next(job for job in waiting if turns.get(job[1], -1) == longest)
            assert self.bench.queue.ahead(job[0]) == place
            waiting.remove(job)
            turns[job[1]], turn, place = turn, turn + 1, place + 1

    def teardown(self) -> None:
        self.bench.close()


TestFairQueue = FairQueue.TestCase
TestFairQueue.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
