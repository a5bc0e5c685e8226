"""Simulated participants take the whole road of a study, in a lane of their own, as their personas say."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from decam.errors import SettingError
from decam.studies.design import Stage, StudyError
from decam.studies.responses import Lane, StudyStore
from decam.studies.sessions import Sessions
from decam.studies.simulated import PERSONAS, get, simulate
from decam.studies.steps import Outcome
from tests.studies.studies import block, study, whole
from tests.studies.taking_part import opened, small, steps_of


@pytest.mark.slow
@pytest.mark.parametrize("persona", PERSONAS, ids=lambda one: one.name)
def test_every_persona_takes_everything_there_is(sessions: Sessions, store: StudyStore, persona) -> None:
    record = opened(store, whole(), Stage.DRAFT)
    (seen,) = list(simulate(sessions, record, persona.name, 1))
    assert (seen.done, seen.count) == (1, 1)
    (who,) = store.participants(record.id, Lane.SIMULATED)
    steps = steps_of(record.study)
    assert (who.code, who.outcome, who.position) == (seen.code, seen.outcome, len(steps))
    answered = {one.step: one for one in store.answers(record.id, Lane.SIMULATED)}
    assert list(answered) == [step.id for step in steps]
    assert all(step.check(dict(answered[step.id].values)) == answered[step.id].values for step in steps)
    ends = [(one.started, one.ended) for one in answered.values()]
    assert all(before[1] <= after[0] + 1 for before, after in itertools.pairwise(ends))


@pytest.mark.slow
def test_they_keep_out_of_everybody_elses_way(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small(most=1, identity_needed=True, until="2001-01-01", touch="touch"))
    assert [one.done for one in simulate(sessions, record, "random", 3)] == [1, 2, 3]
    assert [one.sequence for one in store.participants(record.id, Lane.SIMULATED)] == [0, 1, 2]
    assert store.participants(record.id, Lane.LIVE) == store.answers(record.id, Lane.LIVE) == []
    assert store.clear(record.id, Lane.SIMULATED) == 3
    assert store.answers(record.id, Lane.SIMULATED) == []
    with pytest.raises(StudyError, match="Answers of people"):
        store.clear(record.id, Lane.LIVE)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_answers(sessions: Sessions, store: StudyStore) -> None:
    kept = []
    for seed in (1, 1, 2):
        record = opened(store, small())
        list(simulate(sessions, record, "random", 3, seed=seed))
        order = {one.code: one.sequence for one in store.participants(record.id, Lane.SIMULATED)}
        answers = store.answers(record.id, Lane.SIMULATED)
        kept.append(sorted((order[one.participant], one.step, str(one.values), one.duration) for one in answers))
    assert kept[0] == kept[1] != kept[2]


@pytest.mark.slow
def test_the_rational_prefer_the_stronger_map_as_often_as_luces_rule_says(
    sessions: Sessions, store: StudyStore
) -> None:
    made = study(block("trials", task="forced-choice"), count=12)
    made = dataclasses.replace(made, conditions=made.conditions[:2])
    record = opened(store, made)
    list(simulate(sessions, record, "noisy-rational", 25, strengths={"a": 1.0, "b": 0.0}, noise=0.2))
    sequences = {one.code: one.sequence for one in store.participants(record.id, Lane.SIMULATED)}
    won = []
    for answer in store.answers(record.id, Lane.SIMULATED):
        step = next(one for one in steps_of(made, sequences[answer.participant]) if one.id == answer.step)
        if step.task:
            shown = step.facts["conditions"]
            won.append(shown[("left", "right").index(str(answer.values["preferred"]))] == "a")
    expected = 0.8 * np.e / (1 + np.e) + 0.1
    assert len(won) == 300
    assert abs(np.mean(won) - expected) < 4 * np.sqrt(expected * (1 - expected) / len(won))


@pytest.mark.slow
def test_whoever_always_takes_the_left_does_and_fails_what_asks_for_attention(
    sessions: Sessions, store: StudyStore
) -> None:
    record = opened(store, study(block("trials", task="forced-choice", attention=6), count=8))
    (seen,) = simulate(sessions, record, "always-left", 1)
    assert seen.outcome is Outcome.ATTENTION_FAILED
    chosen = [one.values["preferred"] for one in store.answers(record.id, Lane.SIMULATED) if "preferred" in one.values]
    assert set(chosen) == {"left"}
    (rational,) = simulate(sessions, record, "noisy-rational", 1, noise=0.0)
    assert rational.outcome is Outcome.COMPLETED


@pytest.mark.slow
def test_closing_and_failing_leave_nobody_half_way(
    sessions: Sessions, store: StudyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = opened(store, small())
    running = simulate(sessions, record, "random", 5)
    next(running)
    running.close()  # type: ignore[attr-defined]
    assert len(store.participants(record.id, Lane.SIMULATED)) == 1
    usual, count = sessions.answer, iter(range(100))

    def fails(*asked: object) -> object:
        if next(count) == 2:
            raise OSError("the disk is gone")
        return usual(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(sessions, "answer", fails)
    with pytest.raises(OSError, match="gone"):
        list(simulate(sessions, record, "random", 1))
    assert len(store.participants(record.id, Lane.SIMULATED)) == 1


@pytest.mark.slow
def test_what_cannot_be_simulated_is_said(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small())
    with pytest.raises(StudyError, match="no persona 'lefty'; there are: noisy-rational"):
        list(simulate(sessions, record, "lefty", 1))
    for wrong, error, sentence in (
        ({"noise": 1.5}, StudyError, "The noise is 1.5, but must lie between 0 and 1"),
        ({"count": -1}, StudyError, "-1 participants cannot be simulated; give a count from 0"),
        ({"seed": -1}, SettingError, "The seed is -1, but must lie between 0"),
    ):
        with pytest.raises(error, match=sentence):
            list(simulate(sessions, record, "random", **{"count": 1, **wrong}))
    assert store.participants(record.id, Lane.SIMULATED) == []
    with pytest.raises(StudyError, match="asks about no map"):
        list(simulate(sessions, store.add(study()), "random", 1))
    assert get("random").name == "random"
