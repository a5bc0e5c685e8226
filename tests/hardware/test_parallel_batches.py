"""Batches side by side: the answers of asking one after the other, on threads that compute alone."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.hardware.parallel_batches import ahead, side_by_side


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(), max_size=30), st.integers(1, 4))
def test_answers_come_in_the_order_of_the_parts(parts: list[int], streams: int) -> None:
    def ask(part: int) -> int:
        time.sleep(part % 3 / 1000)  # the later ones may be ready first
        return 2 * part

    assert list(side_by_side(ask, parts, streams)) == [2 * part for part in parts]


def test_one_answer_more_is_asked_for_before_each_is_handed_out() -> None:
    asked: list[int] = []

    def ask(part: int) -> int:
        asked.append(part)
        return -part

    with closing(ahead(side_by_side(ask, range(4), 1))) as answers:
        assert next(answers) == 0 and asked == [0, 1]
        assert next(answers) == -1 and asked == [0, 1, 2]
    assert asked == [0, 1, 2], "closing asks nothing more"
    assert list(ahead(side_by_side(ask, range(3), 1))) == [0, -1, -2]
    assert list(ahead(side_by_side(ask, (), 1))) == []


def test_two_streams_ask_two_parts_at_a_time() -> None:
    meeting = threading.Barrier(2, timeout=30)
    assert len(list(side_by_side(lambda _: meeting.wait(), range(6), 2))) == 6


def test_one_stream_asks_in_the_callers_thread() -> None:
    asked = list(side_by_side(lambda _: threading.get_ident(), range(3), 1))
    assert asked == [threading.get_ident()] * 3


def test_each_stream_computes_on_one_core_and_all_others_as_before() -> None:
    usual = torch.get_num_threads()
    assert list(side_by_side(lambda _: torch.get_num_threads(), range(8), 2)) == [1] * 8
    assert torch.get_num_threads() == usual
    seen: list[int] = []

    def later() -> None:
        torch.ones(100_000).add(1)
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=later)
    thread.start()
    thread.join()
    assert seen == [usual]


def test_what_is_raised_while_asking_reaches_the_caller_and_nothing_is_asked_afterwards() -> None:
    asked: list[int] = []

    def ask(part: int) -> int:
        asked.append(part)
        if part == 3:
            raise ValueError("no answer")
        return part

    answers = side_by_side(ask, range(1000), 2)
    with pytest.raises(ValueError, match="no answer"):
        list(answers)
    count = len(asked)
    assert count < 12
    time.sleep(0.05)
    assert len(asked) == count


@pytest.mark.slow
def test_closing_waits_for_what_is_being_asked_and_drops_the_rest() -> None:
    asking = threading.Event()
    done: list[int] = []

    def ask(part: int) -> int:
        asking.set()
        time.sleep(0.05)
        done.append(part)
        return part

    with closing(side_by_side(ask, range(1000), 2)) as answers:
        next(answers)
        asking.wait(30)
    count = len(done)
    assert count <= 6
    time.sleep(0.15)
    assert len(done) == count


@pytest.mark.slow
def test_a_caller_that_outlives_the_main_thread_still_gets_its_answers() -> None:
    """A job looks for the end of the process between two parts; until then nothing may fail."""
    script = (
        "import threading, time\n"
        "from decam.hardware.parallel_batches import side_by_side\n"
        "def work():\n"
        "    slow = side_by_side(lambda part: (time.sleep(0.05), part)[1], range(30), 2)\n"
        "    print(sum(part for part in slow))\n"
        "threading.Thread(target=work).start()\n"
        "time.sleep(0.2)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == str(sum(range(30))), done.stderr
    assert done.returncode == 0 and not done.stderr


@pytest.mark.slow
def test_a_caller_that_first_asks_after_the_main_thread_still_gets_its_answers() -> None:
    script = (
        "import threading, time\n"
        "from decam.hardware.parallel_batches import side_by_side\n"
        "def work():\n"
        "    threading.main_thread().join()\n"
        "    time.sleep(0.2)\n"
        "    print(list(side_by_side(lambda part: -part, range(3), 2)))\n"
        "threading.Thread(target=work).start()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[0, -1, -2]", done.stderr
    assert done.returncode == 0 and not done.stderr
