"""Taking part: answers are stored once whatever happens, limits hold, and whoever comes back goes on."""

from __future__ import annotations

import dataclasses
import uuid

import pytest

from decam.studies.design import Entrance, Item, Stage
from decam.studies.responses import Lane, StudyStore
from decam.studies.responses.records import as_code
from decam.studies.sessions import Exit, Reply, Sessions, Visit
from decam.studies.steps import Outcome
from decam.studies.submissions import REASONS, RefusedError
from tests.studies.studies import block, study, whole
from tests.studies.taking_part import DEVICE, Clock, at_once, opened, refusal, sent, small, steps_of, take

ARRIVAL = "0d0a1c52-6f0b-4c86-9c7a-3a1f5b2e9d40"


@pytest.mark.slow
def test_a_participant_goes_from_the_first_screen_to_the_last(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small(completed="https://here.example/done?cc=C1"))
    visit = sessions.enter(record.link, {}, DEVICE)
    steps = steps_of(record.study)
    assert visit.steps == [step.visible() for step in steps]
    assert (visit.position, visit.attempt, visit.resumed, visit.outcome) == (0, 1, False, Outcome.TAKING_PART)
    assert (visit.name, visit.language, visit.direction, visit.exit) == ("Which map?", "en", "ltr", Exit())
    assert visit.texts["consent.yes"] == "I agree"
    replies = take(sessions, record, 0, visit.code)
    assert [reply.position for reply in replies] == [1, 2, 3, 4, 5]
    assert all(reply.stored for reply in replies)
    assert {reply.exit for reply in replies[:-1]} == {Exit()}
    assert replies[-1].outcome is Outcome.COMPLETED
    assert replies[-1].exit == Exit("address", "https://here.example/done?cc=C1")
    answers = store.answers(record.id, Lane.LIVE)
    assert [answer.step for answer in answers] == [step.id for step in steps]
    assert all(answer.digest == record.digest and answer.duration == 2500.4 for answer in answers)
    assert [participant.outcome for participant in store.participants(record.id, Lane.LIVE)] == [Outcome.COMPLETED]


@pytest.mark.slow
def test_the_same_answer_twice_is_stored_once_with_the_same_reply(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small())
    code = sessions.enter(record.link, {}, DEVICE).code
    steps = steps_of(record.study)
    first = sent(steps[0])
    replies = [sessions.answer(record.link, code, first) for _ in range(3)]
    assert [reply.stored for reply in replies] == [True, False, False]
    assert len({(reply.position, reply.attempt, reply.outcome) for reply in replies}) == 1
    sessions.answer(record.link, code, sent(steps[1]))
    late = sessions.answer(record.link, code, first)
    assert (late.stored, late.position) == (False, 1)
    other = sessions.answer(record.link, code, {**sent(steps[0]), "values": {"consent": "no"}})
    assert (other.stored, other.position, other.outcome) == (False, 1, Outcome.TAKING_PART)
    assert store.answers(record.id, Lane.LIVE)[0].values == {"consent": "yes"}
    assert len(store.answers(record.id, Lane.LIVE)) == 2


@pytest.mark.slow
def test_the_last_answer_twice_leads_out_twice(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small(completed="CODE-1"))
    code = sessions.enter(record.link, {}, DEVICE).code
    take(sessions, record, 0, code, upto=4)
    last = sent(steps_of(record.study)[-1])
    replies = [sessions.answer(record.link, code, last) for _ in range(2)]
    assert [reply.exit for reply in replies] == [Exit("code", "CODE-1")] * 2
    with refusal("order", "has ended"):
        sessions.answer(record.link, code, sent(steps_of(record.study)[-1], attempt=2))


@pytest.mark.slow
def test_answers_out_of_order_are_refused_and_not_stored(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small())
    code = sessions.enter(record.link, {}, DEVICE).code
    steps = steps_of(record.study)
    for submission, sentence in (
        (sent(steps[1]), r"screen 1\.0 .*but the next is 0\.0"),
        (sent(steps[0], attempt=2), "try 2"),
        ({**sent(steps[0]), "step": "7.7"}, "load the page again"),
    ):
        with refusal("order", sentence):
            sessions.answer(record.link, code, submission)
    assert store.answers(record.id, Lane.LIVE) == []
    assert REASONS["order"] == 409


@pytest.mark.slow
def test_threads_that_post_the_same_answer_store_it_once(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small())
    code = sessions.enter(record.link, {}, DEVICE).code
    for step in steps_of(record.study):
        same = sent(step)
        got = at_once(4, lambda _, same=same: sessions.answer(record.link, code, same))
        assert all(isinstance(reply, Reply) for reply in got), got
        assert sorted(reply.stored for reply in got if isinstance(reply, Reply)) == [False, False, False, True]
    assert len(store.answers(record.id, Lane.LIVE)) == 5


@pytest.mark.slow
def test_threads_that_answer_the_same_screen_under_other_ids_store_one(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small())
    code = sessions.enter(record.link, {}, DEVICE).code
    got = at_once(4, lambda _: sessions.answer(record.link, code, sent(steps_of(record.study)[0])))
    assert sorted(reply.stored for reply in got if isinstance(reply, Reply)) == [False, False, False, True]


@pytest.mark.slow
def test_the_same_identity_at_once_comes_in_once(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small())
    got = at_once(6, lambda _: sessions.enter(record.link, {"PROLIFIC_PID": "p1"}, DEVICE))
    codes = {visit.code for visit in got}  # type: ignore[attr-defined]
    assert len(codes) == 1, got
    assert sorted(visit.resumed for visit in got) == [False, *[True] * 5]  # type: ignore[attr-defined]
    assert len(store.participants(record.id, Lane.LIVE)) == 1


@pytest.mark.slow
def test_whoever_comes_at_once_gets_a_sequence_alone(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small())
    got = at_once(12, lambda _: sessions.enter(record.link, {}, DEVICE))
    assert len({visit.code for visit in got}) == 12  # type: ignore[attr-defined]
    assert sorted(one.sequence for one in store.participants(record.id, Lane.LIVE)) == list(range(12))


@pytest.mark.slow
def test_places_hold_when_many_come_at_once(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small(most=3))
    got = at_once(8, lambda _: sessions.enter(record.link, {}, DEVICE))
    refused = [each for each in got if isinstance(each, RefusedError)]
    assert {(each.reason, each.status) for each in refused} == {("full", 403)}
    assert len(refused) == 5
    assert len(store.participants(record.id, Lane.LIVE)) == 3


@pytest.mark.slow
def test_the_same_identity_or_code_goes_on_at_the_same_screen(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small())
    code = sessions.enter(record.link, {"PROLIFIC_PID": "p1", "STUDY_ID": "s", "other": "x"}, DEVICE).code
    take(sessions, record, 0, code, upto=2)
    for parameters, typed in (
        ({"PROLIFIC_PID": "p1"}, ""),
        ({"PROLIFIC_PID": "p1"}, code),
        ({}, code),
        ({}, f"  {code.upper().replace('-', ' ')} "),
    ):
        visit = sessions.enter(record.link, parameters, DEVICE, typed)
        assert (visit.code, visit.position, visit.resumed, visit.personal) == (code, 2, True, False)
    (who,) = store.participants(record.id, Lane.LIVE)
    assert (who.identity, who.parameters) == ("p1", {"STUDY_ID": "s"})


@pytest.mark.slow
def test_who_asks_again_with_the_same_arrival_is_let_in_once(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small(most=2))
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    visits = at_once(8, lambda _: sessions.enter(record.link, {}, DEVICE, arrival=first))
    assert all(isinstance(visit, Visit) for visit in visits), visits
    (code,) = {visit.code for visit in visits if isinstance(visit, Visit)}
    other = sessions.enter(record.link, {}, DEVICE, arrival=second)
    assert other.code != code and other.code == as_code(other.code)
    assert sorted(who.sequence for who in store.participants(record.id, Lane.LIVE)) == [0, 1]
    assert sessions.enter(record.link, {}, DEVICE, arrival=first).code == code, "all places are taken by now"
    with refusal("full", "All 2 places"):
        sessions.enter(record.link, {}, DEVICE, arrival=str(uuid.uuid4()))


@pytest.mark.slow
def test_an_identity_counts_more_than_an_arrival_that_another_person_left(
    sessions: Sessions, store: StudyStore
) -> None:
    entrance = Entrance(identity="PROLIFIC_PID", identity_needed=True)
    record = opened(store, dataclasses.replace(small(), entrance=entrance))
    anna, ben = (
        sessions.enter(record.link, {"PROLIFIC_PID": name}, DEVICE, arrival=ARRIVAL) for name in ("anna", "ben")
    )
    again = sessions.enter(record.link, {"PROLIFIC_PID": "anna"}, DEVICE, arrival=ARRIVAL)
    assert anna.code == again.code != ben.code
    assert [who.identity for who in store.participants(record.id, Lane.LIVE)] == ["anna", "ben"]


@pytest.mark.slow
def test_an_arrival_is_another_person_in_another_study(sessions: Sessions, store: StudyStore) -> None:
    arrival = str(uuid.uuid4())
    codes = {sessions.enter(opened(store, small()).link, {}, DEVICE, arrival=arrival).code for _ in range(2)}
    assert len(codes) == 2


@pytest.mark.slow
@pytest.mark.parametrize("arrival", ["1", "a" * 36, ARRIVAL.upper(), f"{ARRIVAL}\n"])
def test_an_arrival_that_somebody_could_guess_is_refused(sessions: Sessions, store: StudyStore, arrival: str) -> None:
    record = opened(store, small())
    with refusal("other", "must be a UUID"):
        sessions.enter(record.link, {}, DEVICE, arrival=arrival)
    assert store.participants(record.id, Lane.LIVE) == []


@pytest.mark.slow
def test_an_identity_counts_more_than_the_code_that_somebody_left_behind(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small())
    first = sessions.enter(record.link, {"PROLIFIC_PID": "p1"}, DEVICE)
    second = sessions.enter(record.link, {"PROLIFIC_PID": "p2"}, DEVICE, first.code)
    assert second.code != first.code
    assert not second.resumed


@pytest.mark.slow
@pytest.mark.parametrize("before", [False, True])
def test_an_identity_comes_in_although_the_browser_holds_a_code_that_was_deleted(
    sessions: Sessions, store: StudyStore, before: bool
) -> None:
    record = opened(store, small())
    deleted = sessions.enter(record.link, {"PROLIFIC_PID": "p1"}, DEVICE).code
    sessions.delete(record.link, deleted)
    begun = sessions.enter(record.link, {"PROLIFIC_PID": "p1"}, DEVICE).code if before else ""
    if before:
        take(sessions, record, 0, begun, upto=2)
    for typed in (deleted, "no such code", "---"):
        visit = sessions.enter(record.link, {"PROLIFIC_PID": "p1"}, DEVICE, typed)
        assert visit.code == begun or not begun
        begun = visit.code
        assert (visit.position, visit.personal) == (2 if before else 0, False)
    (who,) = store.participants(record.id, Lane.LIVE)
    assert (who.code, who.identity) == (begun, "p1") and begun != deleted
    with refusal("code", "Nobody has the code"):
        sessions.enter(record.link, {}, DEVICE, deleted)


@pytest.mark.slow
def test_other_peoples_codes_and_forged_links_lead_nowhere(sessions: Sessions, store: StudyStore) -> None:
    record, other = opened(store, small()), opened(store, small())
    code = sessions.enter(other.link, {}, DEVICE).code
    step = steps_of(record.study)[0]
    for act in (
        lambda: sessions.enter(record.link, {}, DEVICE, code),
        lambda: sessions.answer(record.link, code, sent(step)),
        lambda: sessions.delete(record.link, code),
        lambda: sessions.answer(record.link, "\x00\ud800'; DROP TABLE answers", sent(step)),
    ):
        with refusal("code", "Nobody has the code"):
            act()
    for link in ("", "nowhere", record.id, record.link[:-1], "a\x00b", "\ud800", "x" * 10_000):
        with refusal("unknown", "no study"):
            sessions.enter(link, {}, DEVICE)
    assert store.participants(record.id, Lane.LIVE) == []
    assert store.answers(other.id, Lane.LIVE) == []


@pytest.mark.slow
def test_the_id_of_somebody_elses_answer_does_not_stand_in_the_way(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small())
    codes = [sessions.enter(record.link, {}, DEVICE).code for _ in range(2)]
    step = steps_of(record.study)[0]
    same = sent(step)
    assert [sessions.answer(record.link, code, same).stored for code in codes] == [True, True]
    assert {answer.participant for answer in store.answers(record.id, Lane.LIVE)} == set(codes)


@pytest.mark.slow
def test_a_sequence_is_given_again_after_an_exclusion_and_after_leaving(
    sessions: Sessions, store: StudyStore, clock: Clock
) -> None:
    record = opened(store, small(left_after=2))
    codes = [sessions.enter(record.link, {}, DEVICE).code for _ in range(4)]
    take(sessions, record, 0, codes[0])  # who completed keeps the sequence, however long ago
    store.exclude(codes[1], "answered in a second")
    clock.now += 3 * 3600
    take(sessions, record, 3, codes[3], upto=1)  # who answers has not left, however late
    assert [one.outcome for one in store.participants(record.id, Lane.LIVE) if one.code == codes[2]] == [Outcome.LEFT]
    later = [sessions.enter(record.link, {}, DEVICE).code for _ in range(3)]
    sequences = {one.code: one.sequence for one in store.participants(record.id, Lane.LIVE)}
    assert [sequences[code] for code in later] == [1, 2, 4]
    visit = sessions.enter(record.link, {}, DEVICE, codes[2])  # who comes back goes on, though the sequence is taken
    assert (visit.outcome, visit.position, visit.resumed) == (Outcome.TAKING_PART, 0, True)
    assert store.include(codes[1]) is False
    held = [one.sequence for one in store.participants(record.id, Lane.LIVE) if one.holds]
    assert sorted(held) == [0, 1, 2, 3, 4]


@pytest.mark.slow
def test_who_had_left_takes_the_sequence_again_where_it_is_free(
    sessions: Sessions, store: StudyStore, clock: Clock
) -> None:
    record = opened(store, small(left_after=1))
    first, second = (sessions.enter(record.link, {}, DEVICE).code for _ in range(2))
    clock.now += 7200
    sessions.enter(record.link, {}, DEVICE)  # has sequence 0 now
    reply = sessions.answer(record.link, second, sent(steps_of(record.study, 1)[0]))  # a late answer counts as here
    assert (reply.stored, reply.outcome) == (True, Outcome.TAKING_PART)
    holds = {one.code: (one.sequence, one.holds) for one in store.participants(record.id, Lane.LIVE)}
    assert holds[first] == (0, False)
    assert holds[second] == (1, True)


@pytest.mark.slow
def test_a_refused_consent_leaves_the_outcome_and_nothing_else(sessions: Sessions, store: StudyStore) -> None:
    items = [Item("Age", "number", optional=True)]
    made = study(block("trials", task="rating"), count=2)
    made = dataclasses.replace(made, blocks=(block("demographics", items), *made.blocks))
    made = dataclasses.replace(made, entrance=dataclasses.replace(made.entrance, no_consent="NO"))
    record = opened(store, made)
    visit = sessions.enter(record.link, {"PROLIFIC_PID": "p1", "SESSION_ID": "x"}, DEVICE)
    steps = steps_of(made)
    early = sent(steps[0], values={"item1": 33})
    sessions.answer(record.link, visit.code, early)
    refused = sent(steps[1], values={"consent": "no"})
    replies = [sessions.answer(record.link, visit.code, each) for each in (refused, refused, early)]
    assert [reply.outcome for reply in replies] == [Outcome.NO_CONSENT] * 3
    assert [reply.exit for reply in replies] == [Exit("code", "NO")] * 3
    assert store.answers(record.id, Lane.LIVE) == []
    (who,) = store.participants(record.id, Lane.LIVE)
    assert (who.outcome, who.identity, who.parameters, who.device, who.holds) == (
        Outcome.NO_CONSENT, "", {}, {}, False,
    )  # fmt: skip
    assert {who.started % 86_400, who.seen % 86_400, who.finished and who.finished % 86_400} == {0.0}
    again = sessions.enter(record.link, {}, DEVICE, visit.code)
    assert (again.outcome, again.exit) == (Outcome.NO_CONSENT, Exit("code", "NO"))
    assert sessions.enter(record.link, {"PROLIFIC_PID": "p2"}, DEVICE).code != visit.code


@pytest.mark.slow
@pytest.mark.parametrize(("failed", "outcome"), [(1, Outcome.COMPLETED), (2, Outcome.ATTENTION_FAILED)])
@pytest.mark.parametrize("way", ["FAILED", ""])
def test_two_failed_attention_checks_change_the_end_and_stop_nobody(
    sessions: Sessions, store: StudyStore, failed: int, outcome: Outcome, way: str
) -> None:
    made = study(block("trials", task="rating", attention=3), count=6)
    entrance = dataclasses.replace(made.entrance, completed="DONE", attention_failed=way)
    record = opened(store, dataclasses.replace(made, entrance=entrance))
    code = sessions.enter(record.link, {}, DEVICE).code
    checks = 0
    for step in steps_of(made):
        values = dict(step.correct)
        if step.attention:
            checks += 1
            right = int(step.correct["attention"])
            values = {"attention": str(right % 4 + 1)} if checks <= failed else values
        submission = sent(step)
        reply = sessions.answer(record.link, code, {**submission, "values": {**submission["values"], **values}})
    assert reply.outcome is outcome
    assert reply.exit == Exit("code", (way or "DONE") if failed == 2 else "DONE")


@pytest.mark.slow
def test_feedback_says_what_was_right_after_the_last_try(sessions: Sessions, store: StudyStore) -> None:
    items = [
        Item("Bright means?", options=("unimportant", "important"), correct=1),
        Item("1 or 5?", "rating", correct=5),
    ]
    record = opened(store, study(block("comprehension", items), block("trials", task="rating"), count=2))
    code = sessions.enter(record.link, {}, DEVICE).code
    steps = steps_of(record.study)
    take(sessions, record, 0, code, upto=1)
    wrong = sessions.answer(record.link, code, sent(steps[1], values={"item1": "1", "item2": 5}))
    assert (wrong.position, wrong.attempt) == (1, 2)
    assert [(one.name, one.right, one.correct) for one in wrong.feedback] == [("item1", False, ""), ("item2", True, "")]
    assert sessions.enter(record.link, {}, DEVICE, code).attempt == 2
    last = sent(steps[1], attempt=2, values={"item1": "1", "item2": 1})
    for _ in range(2):
        reply = sessions.answer(record.link, code, last)
        assert (reply.position, reply.attempt) == (2, 1)
        assert [(one.right, one.correct) for one in reply.feedback] == [(False, "important"), (False, "5")]
    kept = [(one.attempt, one.right) for one in store.answers(record.id, Lane.LIVE) if one.step == steps[1].id]
    assert kept == [(1, False), (2, False)]


@pytest.mark.slow
def test_somebody_is_removed_with_all_rows(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small())
    codes = [sessions.enter(record.link, {}, DEVICE).code for _ in range(2)]
    for number, code in enumerate(codes):
        take(sessions, record, number, code)
    sessions.delete(record.link, codes[0])
    assert {one.participant for one in store.answers(record.id, Lane.LIVE)} == {codes[1]}
    assert [one.code for one in store.participants(record.id, Lane.LIVE)] == [codes[1]]
    with refusal("code", "may have been deleted"):
        sessions.answer(record.link, codes[0], sent(steps_of(record.study)[0]))
    assert sessions.enter(record.link, {}, DEVICE).code not in codes


@pytest.mark.slow
def test_stages_say_who_comes_in_and_whoever_began_goes_on(sessions: Sessions, store: StudyStore, clock: Clock) -> None:
    record = opened(store, small(), Stage.DRAFT)
    codes = {Lane.REHEARSAL: sessions.enter(record.link, {}, DEVICE).code}
    for stage, lane in ((Stage.PILOT, Lane.PILOT), (Stage.LIVE, Lane.LIVE)):
        store.set_stage(record.id, stage)
        codes[lane] = sessions.enter(record.link, {}, DEVICE).code
    store.set_stage(record.id, Stage.CLOSED)
    for lane, code in codes.items():
        assert [one.code for one in store.participants(record.id, lane)] == [code]
        assert take(sessions, record, 0, code, upto=2)[-1].position == 2
    with refusal("closed", "is closed"):
        sessions.enter(record.link, {}, DEVICE)
    clock.now += 25 * 3600
    with refusal("closed", "away for too long"):
        sessions.enter(record.link, {}, DEVICE, codes[Lane.LIVE])


@pytest.mark.slow
def test_who_began_before_a_change_goes_on_with_what_they_saw(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, small(), Stage.PILOT)
    before = sessions.enter(record.link, {"PROLIFIC_PID": "p1"}, DEVICE)
    store.set_stage(record.id, Stage.DRAFT)
    changed = store.save(record.id, dataclasses.replace(record.study, blocks=record.study.blocks[:2]))
    store.set_stage(record.id, Stage.PILOT)
    new = sessions.enter(record.link, {"PROLIFIC_PID": "p1"}, DEVICE)
    assert (len(new.steps), new.resumed) == (4, False)
    assert len(sessions.enter(record.link, {}, DEVICE, before.code).steps) == 5
    take(sessions, record, 0, before.code)
    digests = {one.code: one.digest for one in store.participants(record.id, Lane.PILOT)}
    assert digests == {before.code: record.digest, new.code: changed.digest}
    assert store.document(record.id, record.digest) == record.study
    assert {one.digest for one in store.answers(record.id, Lane.PILOT)} == {record.digest}
    assert [one.sequence for one in store.participants(record.id, Lane.PILOT)] == [0, 0]  # each document is balanced


def test_a_draft_that_lacks_something_has_not_begun(sessions: Sessions, store: StudyStore) -> None:
    record = store.add(study())
    with refusal("draft", "has not begun"):
        sessions.enter(record.link, {}, DEVICE)


@pytest.mark.slow
def test_a_study_of_everything_is_taken_in_any_sequence(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, whole())
    for sequence in range(2):
        code = sessions.enter(record.link, {}, DEVICE).code
        steps = steps_of(record.study, sequence)
        position, attempt = 0, 1
        while position < len(steps):
            reply = sessions.answer(record.link, code, sent(steps[position], attempt))
            position, attempt = reply.position, reply.attempt
        assert reply.outcome in (Outcome.COMPLETED, Outcome.ATTENTION_FAILED)
