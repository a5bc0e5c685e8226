"""A whole study by keyboard alone: every kind of question, a reload in the middle, the same answers in the store."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from decam.studies.responses import Lane
from decam.studies.steps import Outcome
from tests.browser.study_taking import Taking, everything, made, without_times
from tests.tools.server import Server

pytestmark = pytest.mark.browser


def test_a_study_is_taken_by_keyboard_with_a_reload_in_the_middle(common_server: Server, page: Page) -> None:
    store, record = made(common_server, everything())
    taking = Taking(page, record)
    taking.open(common_server, "?PROLIFIC_PID=p1&STUDY_ID=s1&SESSION_ID=z")
    taking.at(taking.steps[0])
    assert "?" not in page.url
    half = len(taking.steps) // 2
    taking.take(taking.steps[:half])
    taking.at(taking.steps[half])
    page.reload()
    taking.take(taking.steps[half:])
    taking.finished()
    (who,) = store.participants(record.id, Lane.REHEARSAL)
    assert (who.outcome, who.identity, dict(who.parameters)) == (
        Outcome.COMPLETED, "p1", {"STUDY_ID": "s1", "SESSION_ID": "z"},
    )  # fmt: skip
    answers = {answer.step: answer for answer in store.answers(record.id, Lane.REHEARSAL)}
    assert list(answers) == [step.id for step in taking.steps]
    for step in taking.steps:
        assert without_times(answers[step.id].values) == taking.given[step.id], step.id
    for answer in answers.values():
        assert 0 <= answer.blurred <= answer.duration == pytest.approx(answer.ended - answer.started, abs=2)
        assert all(0 <= event["ms"] <= answer.duration for event in answer.events)
    again = answers[taking.steps[half].id].events
    assert [event["kind"] for event in again].count("shown-again") == 1
    store.close()
