"""Batches side by side: each on a thread that computes alone, so that no core waits for another within a batch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from functools import cache
from typing import TypeVar

import torch

Part = TypeVar("Part")
Answer = TypeVar("Answer")

_lock = threading.Lock()


def side_by_side(ask: Callable[[Part], Answer], parts: Iterable[Part], count: int) -> Generator[Answer, None, None]:
    """`ask(part)` of every part, in their order; up to `count` are asked at a time.

    With a count of 1 they are asked in the caller's thread. What `ask` raises is raised here; closing the iterator
    waits for the parts that are being asked and drops the others.
    """
    if count == 1:
        yield from map(ask, parts)
        return
    try:
        threads = _threads(count)
    except RuntimeError:  # the process is ending and starts no thread: all parts are asked in the caller's
        yield from map(ask, parts)
        return
    coming: deque[Future[Answer]] = deque()
    try:
        for part in parts:
            coming.append(_submit(threads, ask, part))
            # As many again wait in line, so that no thread is idle while the caller looks at an answer.
            if len(coming) == 2 * count:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
    finally:
        for future in coming:
            future.cancel()
        wait(coming)


def ahead(answers: Generator[Answer, None, None]) -> Generator[Answer, None, None]:
    """The same answers, each once the next has been asked for: a GPU computes that while the caller looks at this."""
    with closing(answers):
        coming: deque[Answer] = deque()
        for answer in answers:
            coming.append(answer)
            if len(coming) > 1:
                yield coming.popleft()
        yield from coming


def _submit(threads: ThreadPoolExecutor, ask: Callable[[Part], Answer], part: Part) -> Future[Answer]:
    try:
        return threads.submit(ask, part)
    except RuntimeError:  # the process is ending and takes no more work: the caller's last part is asked right here
        future: Future[Answer] = Future()
        future.set_result(ask(part))
        return future


def _threads(count: int) -> ThreadPoolExecutor:
    with _lock:
        return _started(count)


@cache
def _started(count: int) -> ThreadPoolExecutor:
    """A pool in which PyTorch uses one core a thread."""
    usual = torch.get_num_threads()
    meeting = threading.Barrier(count)

    def begin() -> None:
        torch.get_num_threads()  # a thread takes the default when it first asks, which must not come later
        torch.set_num_threads(1)
        meeting.wait()

    threads = ThreadPoolExecutor(count, thread_name_prefix="decam-batch")
    wait([threads.submit(begin) for _ in range(count)])
    # The number is a thread's own but also the default of threads to come: for those it is what it was.
    torch.set_num_threads(usual)
    return threads
