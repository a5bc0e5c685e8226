"""Simulated participants, who take a whole study by the road of people, so that its analysis exists before the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from decam.errors import named
from decam.experiments.explain import seed_of
from decam.studies import tasks
from decam.studies.design import Study, StudyError
from decam.studies.elements import Choice, Json
from decam.studies.responses.records import StudyRecord
from decam.studies.road import lacks, road
from decam.studies.sessions import Sessions, Visit
from decam.studies.steps import Outcome, Step
from decam.studies.tasks.base import Strengths

MEDIAN_SECONDS, SPREAD = 3.5, 0.5
"""Response times are lognormal: their median, and the standard deviation of their logarithm (made up, not measured)."""


@dataclass(frozen=True)
class Persona:
    """A row of the table of personas: `answers` gives the values of a screen, from what is known of it."""

    name: str
    title: str
    answers: Callable[[Step, Strengths, float, np.random.Generator], dict[str, Json]]


@dataclass(frozen=True)
class Simulated:
    """How far a simulation is: participants done of all, and the code and outcome of the latest."""

    done: int
    count: int
    code: str
    outcome: Outcome


def _random(step: Step, _strengths: Strengths, _noise: float, rng: np.random.Generator) -> dict[str, Json]:
    return {question.name: question.random(rng) for question in step.questions}


def _left(step: Step, _strengths: Strengths, _noise: float, _rng: np.random.Generator) -> dict[str, Json]:
    return {question.name: question.first() for question in step.questions}


def _rational(step: Step, strengths: Strengths, noise: float, rng: np.random.Generator) -> dict[str, Json]:
    if step.task:
        return tasks.get(step.task).rational(step, strengths, noise, rng)
    answers = _random(step, strengths, noise, rng)
    return answers if rng.random() < noise else {**answers, **step.correct}


PERSONAS: tuple[Persona, ...] = (
    Persona("noisy-rational", "Prefers stronger maps, with some noise", _rational),
    Persona("random", "Answers anything", _random),
    Persona("always-left", "Always takes what stands first", _left),
)


def get(name: str) -> Persona:
    """The persona of this name; raises StudyError, with the names there are, where there is none."""
    return named("persona", name, PERSONAS, StudyError)


LIKED, DISLIKED = 1.0, 0.0
"""How strong a map is to simulated participants where nobody says: a method's, and one that should lose."""


def usual_strengths(study: Study) -> dict[str, float]:
    """Strengths of a study's conditions by their keys: all methods alike, and above what should lose."""
    return {one.key: DISLIKED if one.catch else LIKED for one in study.conditions}


def simulate(
    sessions: Sessions,
    record: StudyRecord,
    persona: str,
    count: int,
    seed: int = 0,
    strengths: Mapping[str, float] | None = None,
    noise: float = 0.1,
) -> Iterator[Simulated]:
    """Let `count` simulated participants take a study, one after the other; closing leaves nobody half way.

    `strengths` says how good each condition is, by its key, on the scale of the Bradley-Terry model (0 where it says
    nothing). `noise` is the share of answers, from 0 to 1, that are given at random. The same seed gives the same
    answers to the same sequences; nobody is asked for consent in vain: all of them give it. Raises StudyError for a
    study that lacks something, a count below 0 and a noise outside 0 to 1, and SettingError for what is no seed.
    """
    answering, missing = get(persona), lacks(record.study)
    if missing:
        raise StudyError(f"This study cannot be taken yet. {' '.join(missing)}")
    if count < 0:
        raise StudyError(f"{count} participants cannot be simulated; give a count from 0.")
    if not 0 <= noise <= 1:
        raise StudyError(f"The noise is {noise:g}, but must lie between 0 and 1: the share of random answers.")
    seed = seed_of(seed)
    for done in range(count):
        rng = np.random.default_rng([seed, done])
        visit = sessions.enter(record.link, {}, {}, simulated=True)
        try:
            outcome = _whole_road(sessions, record, visit, answering, strengths or {}, noise, rng)
        except BaseException:
            sessions.delete(record.link, visit.code)
            raise
        yield Simulated(done + 1, count, visit.code, outcome)


def _whole_road(
    sessions: Sessions,
    record: StudyRecord,
    visit: Visit,
    persona: Persona,
    strengths: Strengths,
    noise: float,
    rng: np.random.Generator,
) -> Outcome:
    """Answer every screen of one participant; the times are made up, one screen after the other."""
    who = sessions.store.seats.participant(record.id, visit.code)
    steps = road(sessions.store.document(record.id, who.digest), who.sequence)
    position, attempt, outcome = visit.position, visit.attempt, visit.outcome
    shown = 1000.0 * sessions.clock()
    while position < len(steps) and outcome is Outcome.TAKING_PART:
        step = steps[position]
        answers = _willing(step, persona.answers(step, strengths, noise, rng))
        duration = round(1000 * MEDIAN_SECONDS * float(rng.lognormal(0.0, SPREAD)), 1)
        reply = sessions.answer(
            record.link,
            visit.code,
            {
                "id": f"simulated-{step.id.replace('.', '-')}-{attempt}",
                "step": step.id,
                "attempt": attempt,
                "values": answers,
                "started": round(shown),
                "ended": round(shown + duration),
                "duration": duration,
                "blurred": 0,
                "events": [],
            },
        )
        position, attempt, outcome = reply.position, reply.attempt, reply.outcome
        shown += duration
    return outcome


def _willing(step: Step, answers: dict[str, Json]) -> dict[str, Json]:
    """The answers, with a consent in place of a refusal."""
    for question in step.questions:
        endings = step.ends.get(question.name, {})
        if isinstance(question, Choice) and endings:
            answers[question.name] = next(value for value in question.values if value not in endings)
    return answers
