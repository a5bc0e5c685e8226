"""Studies that are open, and somebody who takes part in them as a browser does."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest

from decam.studies.design import Stage, Study
from decam.studies.elements import Json, Question
from decam.studies.responses import StudyRecord, StudyStore
from decam.studies.road import road
from decam.studies.sessions import Reply, Sessions
from decam.studies.steps import Step
from decam.studies.submissions import RefusedError
from tests.studies.studies import block, freeze, study

DEVICE = {"width": 1280, "height": 720, "touch": False}
_NUMBERS = itertools.count()


class Clock:
    """A time that goes on only where a test says so."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def small(**entrance: Any) -> Study:
    """Consent, three trials and a debriefing: five screens."""
    made = study(block("trials", task="forced-choice"), block("debriefing"), count=3)
    return dataclasses.replace(made, entrance=dataclasses.replace(made.entrance, **entrance))


def opened(store: StudyStore, made: Study, stage: Stage = Stage.LIVE, owner: str = "") -> StudyRecord:
    """A study with its pictures, moved to a stage."""
    record = store.add(made, owner)
    freeze(made, store.folder(record.id))
    for step in (Stage.PILOT, Stage.LIVE, Stage.CLOSED):
        if record.stage != stage:
            record = store.set_stage(record.id, step)
    return record


def first_answers(step: Step) -> dict[str, Json]:
    """What stands first for every question, and yes to a consent."""
    return {question.name: question.first() for question in step.questions if isinstance(question, Question)}


def sent(step: Step, attempt: int = 1, **more: Any) -> dict[str, Any]:
    """An answer as the page sends it."""
    return {
        "id": f"00000000-{next(_NUMBERS):06}", "step": step.id, "attempt": attempt, "values": first_answers(step),
        "started": 1_800_000_000_000, "ended": 1_800_000_002_500, "duration": 2500.4, "blurred": 0, "events": [],
        **more,
    }  # fmt: skip


def steps_of(made: Study, sequence: int = 0) -> tuple[Step, ...]:
    """The screens of a sequence."""
    return road(made, sequence)


def take(sessions: Sessions, record: StudyRecord, sequence: int, code: str, upto: int | None = None) -> list[Reply]:
    """Answer everything, or the screens before `upto`, as whoever takes what stands first."""
    steps = steps_of(record.study, sequence)
    return [sessions.answer(record.link, code, sent(step)) for step in steps[:upto]]


def at_once(count: int, act: Callable[[int], object]) -> list[object]:
    """What several threads get that do the same at the same moment; errors among it."""
    ready, got = threading.Barrier(count), list[object]()

    def run(number: int) -> None:
        ready.wait()
        try:
            got.append(act(number))
        except Exception as error:  # noqa: BLE001 - looked at by the test
            got.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def refusal(reason: str, sentence: str) -> Any:
    """Expect a refusal for a reason, in a sentence."""
    return pytest.raises(RefusedError, match=sentence, check=lambda error: error.reason == reason)
