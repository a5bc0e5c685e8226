"""What a page may send and what is kept of it; anything else is refused in a sentence and stored nowhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

from decam.studies.responses import Lane, StudyStore
from decam.studies.sessions import Sessions
from decam.studies.submissions import RefusedError
from tests.studies.studies import block, study
from tests.studies.taking_part import DEVICE, Clock, opened, refusal, sent, small, steps_of, take


@pytest.mark.slow
def test_limits_of_the_entrance_hold(sessions: Sessions, store: StudyStore, clock: Clock) -> None:
    for entrance, parameters, device, reason, sentence in (
        ({"identity_needed": True}, {}, DEVICE, "identity", "lacks PROLIFIC_PID"),
        ({"identity_needed": True}, {"PROLIFIC_PID": "  "}, DEVICE, "identity", "lacks PROLIFIC_PID"),
        ({"until": "2027-01-14"}, {}, DEVICE, "closed", "ended on 2027-01-14"),
        ({"least_width": 1281}, {}, DEVICE, "window", "width must be 1281"),
        ({"least_height": 800}, {}, {"width": 2000}, "window", "height must be 800"),
        ({"touch": "touch"}, {}, DEVICE, "touch", "needs a touch screen"),
        ({"touch": "no touch"}, {}, {**DEVICE, "touch": True}, "no-touch", "without a touch screen"),
    ):
        record = opened(store, small(**entrance))
        with refusal(reason, sentence):
            sessions.enter(record.link, parameters, device)
        assert store.participants(record.id, Lane.LIVE) == []
    assert clock.now == 1_800_000_000.0  # 2027-01-15, 08:00 in UTC: the last day itself is not over
    record = opened(store, small(until="2027-01-15", least_width=1280, touch="no touch"))
    assert sessions.enter(record.link, {}, DEVICE).position == 0


@pytest.mark.slow
def test_of_a_device_only_what_was_announced_is_kept(sessions: Sessions, store: StudyStore) -> None:
    sized = {**DEVICE, "ratio": 1.5, "pointer": "fine", "dark": True}
    told = {**sized, "user_agent": "A browser", "ip": "127.0.0.1", "language": "de"}
    for asked, kept in ((False, sized), (True, {**sized, "user_agent": "A browser"})):
        record = opened(store, small(user_agent=asked))
        sessions.enter(record.link, {}, told)
        assert [one.device for one in store.participants(record.id, Lane.LIVE)] == [kept]


HOSTILE: list[Any] = [
    None, [], "text", 7, {"id": 7}, {"id": "x"}, {"id": "a b c d e f g h"}, {"id": "x" * 65}, {"step": None},
    {"step": "0\x00"}, {"step": "\ud800"}, {"step": "1" * 41}, {"attempt": "1"}, {"attempt": True}, {"attempt": 0},
    {"attempt": 1.0}, {"attempt": 10**30}, {"values": []}, {"values": "yes"}, {"values": {"consent": ["yes"]}},
    {"values": {"consent": "maybe"}}, {"values": {}}, {"values": {"consent": "yes", "other": 1}},
    {"values": {"consent": float("nan")}}, {"values": {"consent": 10**400}}, {"values": {"x" * 30_000: 1}},
    {"duration": -1}, {"duration": "long"}, {"duration": float("inf")}, {"duration": float("nan")}, {"started": True},
    {"started": 10**400}, {"ended": None}, {"blurred": []}, {"events": "none"}, {"events": [7]},
    {"events": [{"kind": "x" * 50_000}]}, {"events": [{"ms": float("nan")}]},
]  # fmt: skip


@pytest.mark.slow
def test_what_no_page_sends_is_refused_in_a_sentence_and_stored_nowhere(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small())
    code = sessions.enter(record.link, {}, DEVICE).code
    step = steps_of(record.study)[0]
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    for hostile in [*HOSTILE, {"values": {"consent": deep}}, {"events": deep}]:
        submission = {**sent(step), **hostile} if isinstance(hostile, dict) else hostile
        with pytest.raises(RefusedError) as caught:
            sessions.answer(record.link, code, submission)
        assert caught.value.status in (400, 409, 422)
        assert str(caught.value).endswith(".") and len(str(caught.value)) < 400
    assert store.answers(record.id, Lane.LIVE) == []
    for parameters in (None, [], {"PROLIFIC_PID": 7}, {"PROLIFIC_PID": "a\x00"}, {"STUDY_ID": "x" * 201},
                       {"SESSION_ID": "\ud800"}):  # fmt: skip
        with refusal("other", "parameters|in the address"):
            sessions.enter(record.link, parameters, DEVICE)
    for device in (
        None,
        7,
        {"width": "wide"},
        {"width": True},
        {"touch": 1},
        {"height": float("nan")},
        {"ratio": 10**400},
    ):
        with refusal("other", "device|cannot be kept"):
            sessions.enter(record.link, {}, device)
    assert len(store.participants(record.id, Lane.LIVE)) == 1


@pytest.mark.slow
def test_a_text_that_no_database_could_keep_is_kept_without_what_spoils_it(
    sessions: Sessions, store: StudyStore
) -> None:
    record = opened(store, study(block("trials", task="free-text"), count=1))
    code = sessions.enter(record.link, {}, DEVICE).code
    steps = steps_of(record.study)
    take(sessions, record, 0, code, upto=1)
    written = "<script>\x00 \ud83d alone, \U0001f600 whole, ü'\"; --"
    sessions.answer(record.link, code, sent(steps[1], values={"text": written}, events=[{"kind": "\x00a\ud800"}]))
    kept = store.answers(record.id, Lane.LIVE)[-1]
    assert kept.values == {"text": "<script> ? alone, \U0001f600 whole, ü'\"; --"}
    assert kept.events == ({"kind": "a?"},)
    json.dumps(kept.values).encode()
