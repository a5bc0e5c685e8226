"""POST: coming in, answering and being deleted, in order and out of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from decam.studies.design import Entrance
from decam.studies.responses import Lane, StudyRecord, StudyStore
from tests.studies.studies import whole
from tests.web.studies.participants import Visitor, get, kept, post, short


@pytest.mark.slow
def test_a_study_is_taken_from_its_first_screen_to_its_end(store: StudyStore) -> None:
    made = dataclasses.replace(short(), entrance=Entrance(completed="https://example.org/done?cc=C1"))
    record = kept(store, made)
    visitor = Visitor(record)
    assert visitor.enter({"PROLIFIC_PID": "p1", "STUDY_ID": "s", "other": "x"}).status == 200
    assert visitor.visit["position"] == 0 and not visitor.visit["resumed"] and not visitor.visit["personal"]
    steps = visitor.steps()
    assert visitor.visit["steps"] == [step.visible() for step in steps]
    sent: dict[str, Any] = {}
    for place, step in enumerate(steps):
        body = visitor.body(step, place)
        if step.correct:
            body["values"] = dict(step.correct)
        reply = visitor.send(body).json
        assert reply["stored"] and reply["position"] == place + 1
        sent[step.id] = body["values"]
    assert reply["outcome"] == "completed"
    assert reply["exit"] == {"kind": "address", "value": "https://example.org/done?cc=C1"}
    answers = store.answers(record.id, Lane.REHEARSAL)
    assert {answer.step: dict(answer.values) for answer in answers} == sent
    assert {(answer.duration, answer.blurred, answer.events[0]["ms"]) for answer in answers} == {(900.5, 0.0, 12.5)}
    (who,) = store.participants(record.id, Lane.REHEARSAL)
    assert (who.identity, dict(who.parameters)) == ("p1", {"STUDY_ID": "s"})
    assert "user_agent" not in who.device


@pytest.mark.slow
def test_every_kind_of_screen_can_be_answered_over_the_routes(store: StudyStore) -> None:
    visitor = Visitor(kept(store, whole()))
    visitor.enter()
    for place, step in enumerate(visitor.steps()):
        body = visitor.body(step, place)
        body["values"] |= step.correct
        answer = visitor.send(body)
        assert answer.status == 200, (step, answer.body)
    assert answer.json["outcome"] == "completed"


def test_nothing_that_a_participant_must_not_know_is_sent(record: StudyRecord) -> None:
    visitor = Visitor(record)
    visitor.enter()
    for secret in ("correct", "facts", "conditions", "stimulus", 'attention":', record.id, record.digest):
        assert secret not in str(visitor.visit["steps"])


@pytest.mark.slow
def test_the_same_identity_goes_on_where_it_was(record: StudyRecord) -> None:
    first = Visitor(record)
    first.enter({"PROLIFIC_PID": "p1"})
    first.send(first.body(first.steps()[0]))
    again = Visitor(record)
    again.enter({"PROLIFIC_PID": "p1"})
    assert (again.code, again.visit["position"], again.visit["resumed"]) == (first.code, 1, True)
    other = Visitor(record)
    other.enter({"PROLIFIC_PID": "p2"})
    assert other.code != first.code and other.visit["position"] == 0


def test_an_identity_begins_anew_with_the_code_of_what_was_deleted(record: StudyRecord) -> None:
    visitor = Visitor(record)
    visitor.enter({"PROLIFIC_PID": "p1"})
    deleted = visitor.code
    assert post(visitor.path("delete"), {"code": deleted}).status == 200
    answer = visitor.enter({"PROLIFIC_PID": "p1"})
    assert (answer.status, answer.json["position"], answer.json["resumed"]) == (200, 0, False)
    assert visitor.code != deleted


def test_a_repeated_answer_is_stored_once_and_acknowledged_alike(store: StudyStore, record: StudyRecord) -> None:
    visitor = Visitor(record)
    visitor.enter()
    body = visitor.body(visitor.steps()[0])
    first, again = visitor.send(body).json, visitor.send(body).json
    other_id = visitor.send({**body, "id": "another-id-of-the-same"}).json
    assert first["stored"] and not again["stored"] and not other_id["stored"]
    assert {**first, "stored": 0} == {**again, "stored": 0} == {**other_id, "stored": 0}
    assert len(store.answers(record.id, Lane.REHEARSAL)) == 1


@pytest.mark.slow
def test_reordered_answers_are_refused_and_stored_nowhere(store: StudyStore, record: StudyRecord) -> None:
    visitor = Visitor(record)
    visitor.enter()
    steps = visitor.steps()
    for later in (steps[1], steps[-1]):
        answer = visitor.send(visitor.body(later))
        assert (answer.status, answer.json["reason"]) == (409, "order")
    assert store.answers(record.id, Lane.REHEARSAL) == []
    assert visitor.send(visitor.body(steps[0])).status == 200
    assert visitor.send(visitor.body(steps[1])).status == 200


def test_an_answer_changed_afterwards_leaves_the_first_one(store: StudyStore, record: StudyRecord) -> None:
    visitor = Visitor(record)
    visitor.enter()
    steps = visitor.steps()
    visitor.send(visitor.body(steps[0]))
    body = visitor.body(steps[1])
    visitor.send({**body, "values": {"preferred": "left"}})
    assert not visitor.send({**body, "id": "some-other-id", "values": {"preferred": "right"}}).json["stored"]
    assert store.answers(record.id, Lane.REHEARSAL)[-1].values == {"preferred": "left"}


def test_deleting_leaves_nothing_and_the_code_leads_nowhere(store: StudyStore, record: StudyRecord) -> None:
    visitor = Visitor(record)
    visitor.enter()
    visitor.send(visitor.body(visitor.steps()[0]))
    assert post(visitor.path("delete"), {"code": visitor.code}).json == {"deleted": True}
    assert store.participants(record.id, Lane.REHEARSAL) == []
    assert store.answers(record.id, Lane.REHEARSAL) == []
    for answer in (
        visitor.enter(),
        visitor.send(visitor.body(visitor.steps()[1])),
        post(visitor.path("delete"), {"code": visitor.code}),
    ):
        assert (answer.status, answer.json["reason"]) == (404, "code")


@pytest.mark.parametrize(
    ("entrance", "body", "reason"),
    [
        (Entrance(identity_needed=True), {}, "identity"),
        (Entrance(least_width=2000), {"device": {"width": 1999, "height": 900}}, "window"),
        (Entrance(touch="touch"), {"device": {"touch": False}}, "touch"),
        (Entrance(touch="no touch"), {"device": {"touch": True}}, "no-touch"),
        (Entrance(until="2020-01-01"), {}, "closed"),
    ],
)  # fmt: skip
def test_who_may_not_take_part_hears_why(
    store: StudyStore, entrance: Entrance, body: dict[str, Any], reason: str
) -> None:
    record = kept(store, dataclasses.replace(short(), entrance=entrance))
    answer = post(f"/study/{record.link}/enter", {"parameters": {}, "device": {}, **body})
    assert answer.status in (403, 410) and answer.json["reason"] == reason
    assert answer.json["error"].endswith(".")
    assert f"page.refused.{reason}" in get(f"/study/{record.link}").body.decode()
    assert store.participants(record.id, Lane.REHEARSAL) == []


def test_a_browser_is_named_only_where_the_study_asks_for_it(store: StudyStore) -> None:
    record = kept(store, dataclasses.replace(short(), entrance=Entrance(user_agent=True)))
    post(f"/study/{record.link}/enter", {"parameters": {}, "device": {}}, {"user-agent": "A browser"})
    (who,) = store.participants(record.id, Lane.REHEARSAL)
    assert who.device["user_agent"] == "A browser"
