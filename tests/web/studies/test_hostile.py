"""What no page of ours sends is refused with a status and a sentence, and stored nowhere."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from decam.studies.elements import Entry
from decam.studies.responses import Lane, StudyRecord, StudyStore
from tests.web.studies.participants import Visitor, get, kept, post, short
from tests.web.watched import Answer

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)> ' ; DROP TABLE answers; --"


def refused(answer: Answer, *statuses: int) -> None:
    assert answer.status in statuses, (answer.status, answer.body[:300])
    assert answer.json["error"] and "Traceback" not in answer.json["error"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["enter", "answers", "delete"])
@pytest.mark.parametrize(
    "link", ["nothing", "x" * 5000, "%00", "..%2f..%2fetc", "' OR 1=1 --", "\ud83d\ude00", "%ff%fe", "files", "preview"]
)  # fmt: skip
def test_a_forged_link_leads_nowhere(store: StudyStore, record: StudyRecord, name: str, link: str) -> None:
    path = f"/study/{link.encode('utf-16', 'surrogatepass').decode('utf-16')}/{name}"
    answer = post(path, {"parameters": {}, "device": {}, "code": "c", "id": "12345678", "step": "0.0", "attempt": 1})
    refused(answer, 404)
    assert store.participants(record.id, Lane.REHEARSAL) == []


def test_the_researchers_name_of_a_study_is_no_link(record: StudyRecord) -> None:
    assert get(f"/study/{record.id}").status == 404
    refused(post(f"/study/{record.id}/enter", {"parameters": {}, "device": {}}), 404)


@pytest.mark.slow
def test_the_code_of_another_study_opens_nothing(store: StudyStore, record: StudyRecord) -> None:
    mine, other = Visitor(record), Visitor(kept(store, short()))
    mine.enter()
    other.enter()
    body = other.body(other.steps()[0])
    refused(mine.send({**body, "code": other.code}), 403, 404)
    refused(post(mine.path("delete"), {"code": other.code}), 403, 404)
    refused(post(mine.path("enter"), {"parameters": {}, "device": {}, "code": other.code}), 403, 404)
    assert len(store.participants(other.record.id, Lane.REHEARSAL)) == 1
    assert store.answers(record.id, Lane.REHEARSAL) == []


@pytest.mark.parametrize("name", ["enter", "answers", "delete"])
def test_ten_megabytes_are_refused_before_they_are_read(record: StudyRecord, name: str) -> None:
    parts = [b"x" * 65_000] * 160
    declared = post(f"/study/{record.link}/{name}", parts, {"content-length": str(65_000 * 160)})
    refused(declared, 413)
    assert declared.taken == 0
    undeclared = post(f"/study/{record.link}/{name}", parts)
    refused(undeclared, 413)
    assert undeclared.taken == 2
    lying = post(f"/study/{record.link}/{name}", parts, {"content-length": "10"})
    refused(lying, 413)
    refused(post(f"/study/{record.link}/{name}", parts, {"content-length": "9" * 5000}), 413)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"nothing", b"[]", b"3", b"null", b'"text"', b"{", b'{"code": NaN}', b'{"code": Infinity}', b"\xff\xfe{}",
        b"[" * 60_000, b'{"a":' * 10_000, b'{"code": "\\ud800"}', b'{"n": ' + b"9" * 6000 + b"}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["enter", "answers", "delete"])
def test_what_is_no_json_object_is_refused(record: StudyRecord, name: str, body: bytes) -> None:
    refused(post(f"/study/{record.link}/{name}", body), 400)


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"])
def test_another_content_type_is_refused(record: StudyRecord, kind: str) -> None:
    refused(post(f"/study/{record.link}/enter", {}, {"content-type": kind}), 415)


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "٣"])
def test_a_length_that_is_no_number_is_refused(record: StudyRecord, length: str) -> None:
    refused(post(f"/study/{record.link}/enter", {}, {"content-length": length.encode().decode("latin-1")}), 400)


def test_other_methods_are_refused(record: StudyRecord) -> None:
    assert get(f"/study/{record.link}/answers").status == 405
    assert post(f"/study/{record.link}", {}).status == 405


@pytest.mark.parametrize(
    "body",
    [
        {"parameters": []},
        {"parameters": {"PROLIFIC_PID": 3}},
        {"parameters": {"PROLIFIC_PID": "x" * 300}},
        {"parameters": {"PROLIFIC_PID": "a\x00b"}},
        {"parameters": {str(number): "" for number in range(60)}},
        {"device": "wide"},
        {"device": {"width": "wide"}},
        {"device": {"touch": 1}},
        {"device": {"width": {"a": 1}}},
        {"code": 3},
        {"code": "x" * 1000},
    ],
)
def test_entering_with_wrong_types_is_refused(store: StudyStore, record: StudyRecord, body: dict[str, Any]) -> None:
    refused(post(f"/study/{record.link}/enter", {"parameters": {}, "device": {}, **body}), 400, 404, 422)
    assert store.participants(record.id, Lane.REHEARSAL) == []


@pytest.mark.parametrize(
    "change",
    [
        {"values": None}, {"values": []}, {"values": {}}, {"values": {"consent": "maybe"}}, {"values": {"consent": 1}},
        {"values": {"consent": ["yes"]}}, {"values": {"consent": {"yes": 1}}}, {"values": {"consent": "yes", "x": 1}},
        {"values": {"consent": "x" * 30_000}}, {"id": 3}, {"id": ""}, {"id": "a/../b"}, {"id": "x" * 200},
        {"step": 3}, {"step": "9.9"}, {"step": "0.0; DROP"}, {"step": None}, {"attempt": 0}, {"attempt": 2},
        {"attempt": "1"}, {"attempt": True}, {"attempt": 10**400}, {"duration": "long"}, {"duration": -1},
        {"started": 1e300}, {"events": {}}, {"events": ["blur"]}, {"events": [{"a": "x" * 50_000}]},
    ],
)  # fmt: skip
def test_an_answer_of_wrong_types_is_refused(store: StudyStore, record: StudyRecord, change: dict[str, Any]) -> None:
    visitor = Visitor(record)
    visitor.enter()
    refused(visitor.send({**visitor.body(visitor.steps()[0]), **change}), 400, 409, 422)
    assert store.answers(record.id, Lane.REHEARSAL) == []
    assert visitor.send(visitor.body(visitor.steps()[0])).status == 200


def test_an_answer_for_a_trial_not_given_is_refused(store: StudyStore, record: StudyRecord) -> None:
    visitor = Visitor(record)
    visitor.enter()
    steps = visitor.steps()
    visitor.send(visitor.body(steps[0]))
    given = visitor.body(steps[1])
    refused(visitor.send({**given, "step": "1.77"}), 409, 422)
    refused(visitor.send({**given, "values": {"preferred": "neither"}}), 422)
    assert len(store.answers(record.id, Lane.REHEARSAL)) == 1


@pytest.mark.slow
def test_script_in_free_text_is_kept_as_it_was_written_and_is_markup_nowhere(
    store: StudyStore, record: StudyRecord
) -> None:
    visitor = Visitor(record)
    visitor.enter({"PROLIFIC_PID": SCRIPT})
    for step in visitor.steps():
        body = visitor.body(step)
        body["values"] |= {question.name: SCRIPT for question in step.questions if isinstance(question, Entry)}
        assert visitor.send(body).status == 200
    answers = store.answers(record.id, Lane.REHEARSAL)
    assert sum(SCRIPT in answer.values.values() for answer in answers) == 3
    assert store.participants(record.id, Lane.REHEARSAL)[0].identity == SCRIPT
    assert b"alert(1)" not in get(f"/study/{record.link}").body


def test_a_researchers_texts_are_no_markup_in_the_page(store: StudyStore) -> None:
    wording = dict.fromkeys(("page.title", "page.script", "page.refused"), '"><script>alert(1)</script>{brace}')
    made = dataclasses.replace(short(), wording=wording, language='en"><script>', direction="ltr")
    page = get(f"/study/{kept(store, made).link}")
    assert page.status == 200
    assert b"<script>alert" not in page.body and b'"><script>' not in page.body
    assert page.body.count(b"<script") == 1


def test_a_database_that_refuses_says_nothing_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "secret-place"
    place.mkdir()
    (place / "runs.sqlite").write_bytes(b"no database at all, but long enough to be looked at" * 50)
    monkeypatch.setenv("DECAM_DATA", str(place))
    for answer in (get("/study/any"), post("/study/any/enter", {}), get(f"/study/any/images/{'0' * 64}.png")):
        assert answer.status == 503
        assert b"secret-place" not in answer.body and b"sqlite" not in answer.body


def test_a_content_type_may_name_its_characters(record: StudyRecord) -> None:
    kind = {"content-type": "application/json; charset=utf-8"}
    assert post(f"/study/{record.link}/enter", {"parameters": {}, "device": {}}, kind).status == 200
