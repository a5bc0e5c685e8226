"""Participants that tests make up: records of people who walk a study's road, without a database."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from decam.studies import tasks
from decam.studies.design import Stage, Study
from decam.studies.document import digest_of
from decam.studies.responses import Answer, Lane, Participant, StudyRecord
from decam.studies.road import road
from decam.studies.steps import Outcome, Step
from tests.studies.studies import digest

BEGAN = 1_790_000_000.0


def record(study: Study) -> StudyRecord:
    """A study as the store gives it."""
    return StudyRecord("study", "link", "", BEGAN, BEGAN, Stage.LIVE, study, digest_of(study))


def participant(study: Study, sequence: int, **more: object) -> Participant:
    """Somebody who finished."""
    known: dict[str, object] = {
        "code": f"person{sequence}", "study": "study", "lane": Lane.LIVE, "sequence": sequence, "identity": f"id{sequence}",
        "parameters": {"STUDY_ID": "s"}, "device": {"width": 1200, "height": 800}, "outcome": Outcome.COMPLETED,
        "excluded": "", "started": BEGAN, "seen": BEGAN + 60, "finished": BEGAN + 60, "digest": digest_of(study),
    }  # fmt: skip
    return Participant(**{**known, **more})  # type: ignore[arg-type]


def answer(who: Participant, step: Step, values: Mapping[str, object], attempt: int = 1, **more: object) -> Answer:
    """An answer that took 2 seconds, a half of one of them out of focus."""
    known: dict[str, object] = {
        "id": digest(f"{who.code}{step.id}{attempt}")[:32], "participant": who.code, "step": step.id, "attempt": attempt,
        "values": dict(values), "started": 1e12, "ended": 1e12 + 2000, "duration": 2000.0, "blurred": 500.0,
        "events": ({"kind": "blur", "ms": 100},), "received": BEGAN + 3, "digest": who.digest,
        "right": step.right(dict(values)),  # type: ignore[arg-type]
    }  # fmt: skip
    return Answer(**{**known, **more})  # type: ignore[arg-type]


def crowd(
    study: Study, count: int, strengths: Mapping[str, float], noise: float = 0.0, seed: int = 0
) -> tuple[list[Participant], list[Answer]]:
    """People who answer everything; where there is no task, they give what is right, or the first answer."""
    people, answers = [], []
    for sequence in range(count):
        rng = np.random.default_rng([seed, sequence])
        who = participant(study, sequence)
        people.append(who)
        for step in road(study, sequence):
            given = {question.name: question.first() for question in step.questions} | dict(step.correct)
            if step.task:
                given = tasks.get(step.task).rational(step, strengths, noise, rng)
            answers.append(answer(who, step, given))
    return people, answers
