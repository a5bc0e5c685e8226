"""A server that is killed while it stores an answer: before the commit nothing is there, after it everything."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from decam.studies.responses import Lane, StudyStore
from decam.studies.responses.seats import Turn
from decam.studies.sessions import Sessions
from decam.studies.steps import Outcome
from tests.studies.taking_part import DEVICE, opened, sent, small, steps_of

MOMENTS = ("before the commit", "after the commit")


def work(directory: Path, url: str, moment: str, link: str, code: str, submission: dict[str, Any]) -> None:
    """Answer as a server does, and die at a moment of it."""
    store = StudyStore(directory, url)
    usual = store.seats.turn

    @contextlib.contextmanager
    def turn(study: str, who: str) -> Iterator[Turn]:
        with usual(study, who) as taken:
            yield taken
            if moment == "before the commit":
                os.kill(os.getpid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    store.seats.turn = turn  # type: ignore[method-assign]
    Sessions(store).answer(link, code, submission)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_whatever_the_moment_an_answer_is_there_once_after_it_was_posted_again(
    sessions: Sessions, store: StudyStore, url: str
) -> None:
    record = opened(store, small())
    code = sessions.enter(record.link, {}, DEVICE).code
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["decam.studies.sessions"])
    steps = steps_of(record.study)
    for number, step in enumerate(steps):
        submission, moment = sent(step), MOMENTS[number % 2]
        died = context.Process(target=work, args=(store.directory, url, moment, record.link, code, submission))
        died.start()
        died.join()
        assert died.exitcode == -signal.SIGKILL
        there = [one.id for one in store.answers(record.id, Lane.LIVE)]
        assert (submission["id"] in there) == (moment == "after the commit")
        assert sessions.enter(record.link, {}, DEVICE, code).position == len(there)
        reply = sessions.answer(record.link, code, submission)
        assert (reply.stored, reply.position) == (moment == "before the commit", number + 1)
    assert reply.outcome is Outcome.COMPLETED
    assert sorted(one.step for one in store.answers(record.id, Lane.LIVE)) == sorted(step.id for step in steps)
