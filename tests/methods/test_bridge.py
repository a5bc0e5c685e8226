"""A call that cannot be interrupted becomes steps."""

import threading

import pytest

from decam.methods.bridge import Beat, in_steps


def bridges() -> int:
    return sum(thread.name == "decam-bridge" for thread in threading.enumerate())


def test_it_yields_at_every_beat_and_returns_the_result() -> None:
    def work(beat: Beat) -> str:
        beat()
        beat()
        return "done"

    steps = in_steps(work)
    assert [next(steps), next(steps)] == [None, None]
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == "done"
    assert bridges() == 0


def test_work_and_caller_take_turns() -> None:
    seen: list[str] = []

    def work(beat: Beat) -> None:
        for i in range(3):
            seen.append(f"work {i}")
            beat()

    for i, _ in enumerate(in_steps(work)):
        seen.append(f"caller {i}")
    assert seen == ["work 0", "caller 0", "work 1", "caller 1", "work 2", "caller 2"]


def test_closing_ends_the_work_at_its_next_beat() -> None:
    done: list[int] = []

    def work(beat: Beat) -> None:
        for i in range(100):
            try:
                beat()
            except Exception:  # noqa: BLE001  # a library that catches everything must not keep the work alive
                done.append(-1)
            done.append(i)

    steps = in_steps(work)
    next(steps)
    next(steps)
    steps.close()
    assert done == [0]
    assert bridges() == 0


def test_an_error_inside_reaches_the_caller() -> None:
    def work(beat: Beat) -> None:
        beat()
        raise ValueError("from inside")

    steps = in_steps(work)
    next(steps)
    with pytest.raises(ValueError, match="from inside"):
        next(steps)
    assert bridges() == 0


def test_work_that_never_beats_still_returns() -> None:
    with pytest.raises(StopIteration) as end:
        next(in_steps(lambda _beat: 42))
    assert end.value.value == 42
