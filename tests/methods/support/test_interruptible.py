"""A call that cannot be interrupted becomes steps."""

import gc
import subprocess
import sys
import threading

import pytest

from decam.explanation import Ledger
from decam.methods.support import interruptible
from decam.methods.support.interruptible import Checkpoint, run_in_steps, run_with_progress
from tests.conftest import ROOT


def bridges() -> int:
    return sum(thread.name == "decam-interruptible" for thread in threading.enumerate())


def test_it_yields_at_every_beat_and_returns_the_result() -> None:
    def work(checkpoint: Checkpoint) -> str:
        checkpoint()
        checkpoint()
        return "done"

    steps = run_in_steps(work)
    assert [next(steps), next(steps)] == [None, None]
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == "done"
    assert bridges() == 0


def test_progress_counts_what_this_work_has_asked_and_not_what_was_asked_before() -> None:
    ledger = Ledger(evaluations=40)

    def work(checkpoint: Checkpoint) -> None:
        for _ in range(4):
            ledger.evaluations += 5
            checkpoint()

    events = list(run_with_progress(work, ledger, 15))
    assert [(event.step, event.total, event.evaluations) for event in events] == [
        (5, 15, 45), (10, 15, 50), (15, 15, 55), (15, 15, 60),
    ]  # fmt: skip


def test_work_and_caller_take_turns() -> None:
    seen: list[str] = []

    def work(checkpoint: Checkpoint) -> None:
        for i in range(3):
            seen.append(f"work {i}")
            checkpoint()

    for i, _ in enumerate(run_in_steps(work)):
        seen.append(f"caller {i}")
    assert seen == ["work 0", "caller 0", "work 1", "caller 1", "work 2", "caller 2"]


def test_closing_ends_the_work_at_its_next_beat() -> None:
    done: list[int] = []

    def work(checkpoint: Checkpoint) -> None:
        for i in range(100):
            try:
                checkpoint()
            except Exception:  # noqa: BLE001  # a library that catches everything must not keep the work alive
                done.append(-1)
            done.append(i)

    steps = run_in_steps(work)
    next(steps)
    next(steps)
    steps.close()
    assert done == [0]
    assert bridges() == 0


def test_an_error_inside_reaches_the_caller() -> None:
    def work(checkpoint: Checkpoint) -> None:
        checkpoint()
        raise ValueError("from inside")

    steps = run_in_steps(work)
    next(steps)
    with pytest.raises(ValueError, match="from inside"):
        next(steps)
    assert bridges() == 0


def test_work_that_never_beats_still_returns() -> None:
    with pytest.raises(StopIteration) as end:
        next(run_in_steps(lambda _checkpoint: 42))
    assert end.value.value == 42


def forever(checkpoint: Checkpoint) -> None:
    while True:
        checkpoint()


def test_another_thread_than_the_one_that_made_it_goes_on_and_closes() -> None:
    steps = run_in_steps(forever)
    next(steps)
    seen: list[object] = []

    def visit() -> None:
        seen.append(next(steps))
        steps.close()

    thread = threading.Thread(target=visit)
    thread.start()
    thread.join()
    assert seen == [None]
    assert bridges() == 0


@pytest.mark.slow
def test_a_call_ends_whose_generator_is_collected_in_its_own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The garbage collector runs in whichever thread it pleases, here in the waiting call itself."""
    waiting = threading.current_thread()

    def collect() -> bool:
        if threading.current_thread() is not waiting:
            gc.collect()
        return False

    cycle: list[object] = [run_in_steps(forever)]
    cycle.append(cycle)
    gc.disable()
    try:
        next(cycle[0])  # type: ignore[call-overload]
        monkeypatch.setattr(interruptible, "_abandoned", collect)
        del cycle
        for thread in threading.enumerate():
            if thread.name == "decam-interruptible":
                thread.join()
    finally:
        gc.enable()
    assert bridges() == 0


BEGUN = """
import gc, os, sys, threading
import numpy as np
import decam

classifier = decam.load_classifier("embedded", device="cpu", exact=True)
METHODS = ("lime", "integrated-gradients", "grad-cam", "feature-ablation", "smoothgrad", "ss-cam", "occlusion", "rise")
PICTURE = np.full((128, 128, 3), 90, np.uint8)

def begun():
    found = [decam.explain_steps(classifier, PICTURE, method, target=0) for method in METHODS]
    for steps in found:
        next(steps)
    return found

def visit(keep):
    keep.extend(begun())

"""
KEPT = {
    "variables, a list, a reference cycle, nothing, and threads that have ended": """
one, two, *others = begun()
cycle = begun()
cycle.append(cycle)
del cycle
begun()
keep = []
thread = threading.Thread(target=visit, args=(keep,))
thread.start()
thread.join()
""",
    "daemons that wait or go on": """
ready, never = threading.Barrier(3), threading.Event()
def wait():
    keep = begun()
    ready.wait()
    never.wait()
def go_on():
    steps = decam.explain_steps(classifier, PICTURE, "occlusion", target=0, window=0.02, stride=0.01)
    next(steps)
    ready.wait()
    try:
        for _ in steps:
            pass
    except decam.errors.MethodError as error:
        assert "The program is ending" in str(error)
for target in (wait, go_on):
    threading.Thread(target=target, daemon=True).start()
ready.wait()
""",
    "a process forked from this one": """
keep = begun()
child = os.fork()
if not child:
    del keep
    gc.collect()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
""",
}


def ran(script: str) -> str:
    """What a script writes; it must end by itself, with nothing to complain of."""
    whole = BEGUN + script + "\nprint('end of script', flush=True)"
    ended = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", whole],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kept", KEPT)
def test_a_process_ends_by_itself_with_unfinished_generators_in(kept: str) -> None:
    assert ran(KEPT[kept]) == "end of script\n"


@pytest.mark.slow
def test_a_thread_that_outlives_the_script_gets_its_explanation() -> None:
    """It takes its time between two steps, longer than a waiting call waits before it looks around."""
    written = ran(
        """
import time
keep = begun()
def slowly():
    threading.main_thread().join()
    steps = decam.explain_steps(classifier, PICTURE, "integrated-gradients", target=0, steps=8)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            print(end.value.evaluations, flush=True)
            return
        time.sleep(0.6)
threading.Thread(target=slowly).start()
"""
    )
    assert written == "end of script\n8\n"
