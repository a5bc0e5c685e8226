"""A study on its page from draft to data: stages, links, participants, files, and who may open the page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import streamlit as st

from decam.errors import DecamError
from decam.studies import archive
from decam.studies.design import Stage, Study
from decam.studies.document import study_to_json
from decam.studies.passwords import hashed
from decam.studies.platforms import PLATFORMS
from decam.studies.responses import Answer, Lane, StudyStore
from decam.studies.responses.backup import everything
from decam.studies.results import Findings, Material, Section
from decam.studies.simulated import PERSONAS, simulate
from decam.studies.steps import Outcome
from decam.ui import state
from decam.ui.studies import findings, sign_in
from decam.ui.studies.sign_in import Access, Ways
from tests.pages.researcher import Researcher, consenting
from tests.studies.made import damage
from tests.tools.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("at_the_server")]
PASSWORD = "correct horse"
STORED = hashed(PASSWORD, b"0123456789abcdef")


def test_nothing_starts_while_something_is_missing(researcher: Researcher) -> None:
    assert not researcher.part("Take part").offers(researcher.key("to-pilot"))
    assert consenting(researcher).offers(researcher.key("to-pilot"))


def test_a_study_goes_from_draft_over_a_pilot_to_live_and_is_closed(researcher: Researcher) -> None:
    consenting(researcher).part("Take part").press(researcher.key("to-pilot"))
    assert researcher.record.stage is Stage.PILOT and researcher.says("Nothing can be changed while people try it")
    assert all(one.disabled for one in researcher.app.text_input)
    researcher.press(researcher.key("to-draft")).press(researcher.key("to-pilot"))
    researcher.press(researcher.key("to-live"))
    assert researcher.record.stage is Stage.PILOT, "it is asked first, since there is no way back"
    researcher.press(researcher.key("really-live"))
    assert researcher.record.stage is Stage.LIVE and not researcher.has("button", researcher.key("to-draft"))
    researcher.press(researcher.key("to-closed")).press(researcher.key("really-closed"))
    assert researcher.record.stage is Stage.CLOSED


def test_in_no_stage_but_a_draft_can_a_field_be_changed(researcher: Researcher) -> None:
    state.studies().set_stage(consenting(researcher).record.id, Stage.PILOT)
    for title in ("Images", "Blocks", "Assignment", "People", "Wording", "Plan"):
        researcher.part(title)
        fields = [
            one
            for kind in ("text_input", "text_area", "number_input", "selectbox", "toggle")
            for one in getattr(researcher.app, kind)
            if not str(one.key).endswith(("-sequence", "-text", "-page"))
        ]
        assert all(one.disabled for one in fields), title
    assert researcher.errors == []


def test_links_are_given_for_each_platform(researcher: Researcher) -> None:
    researcher.part("Take part")
    links = [one.value for one in researcher.app.code]
    assert len(links) == len(PLATFORMS) and all(f"/study/{researcher.record.link}" in one for one in links)
    assert "PROLIFIC_PID={{%PROLIFIC_PID%}}" in links[1]


def test_a_study_is_copied_exported_and_comes_back_from_its_file(researcher: Researcher) -> None:
    first = researcher.record
    content = archive.packed(first.study, state.studies().folder(first.id))
    researcher.part("Take part").press(researcher.key("copy"))
    assert researcher.study.name == "Which map? (copy)" and researcher.record.id != first.id
    researcher.press("studies-all").upload(("study.zip", content))
    assert researcher.study == first.study and researcher.record.id != first.id
    assert damage(researcher.study, state.studies().folder(researcher.record.id)) == []
    researcher.press("studies-all").upload(("study.json", study_to_json(first.study).encode()))
    assert researcher.says("files of this study are missing", "Give the ZIP of the export")
    assert len(state.studies().recent()) == 3, "a study without its images is not kept"


def test_a_study_is_deleted_after_a_question(researcher: Researcher) -> None:
    study = researcher.record.id
    folder = state.studies().folder(study)
    researcher.part("Take part").delete(study, "study")
    assert "study" not in researcher.app.query_params and not folder.exists()
    assert researcher.look().says("There is no study") is False


def test_simulated_participants_take_the_study_and_are_removed(researcher: Researcher) -> None:
    consenting(researcher).part("Results")
    researcher.app.number_input(key=researcher.key("simulated")).set_value(2)
    researcher.look().press(researcher.key("simulate"))
    people = state.studies().participants(researcher.record.id, Lane.SIMULATED)
    assert [one.outcome for one in people] == [Outcome.COMPLETED] * 2
    researcher.press(researcher.key("clear"))
    assert state.studies().participants(researcher.record.id, Lane.SIMULATED) == []


def test_answers_are_read_again_only_when_somebody_has_moved(
    researcher: Researcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answers = StudyStore.answers

    def counted(store: StudyStore, study: str, lane: Lane) -> list[Answer]:
        asked.append(str(lane))
        return answers(store, study, lane)

    monkeypatch.setattr(StudyStore, "answers", counted)
    record = consenting(researcher).record
    for seed, times in ((0, 1), (1, 2)):
        for _ in simulate(state.sessions(), record, PERSONAS[0].name, 2, seed):
            pass
        for _ in range(3):
            researcher.part("Results")
        assert len(asked) == times
    state.studies().exclude(state.studies().participants(record.id, Lane.SIMULATED)[0].code, "Knew the answers.")
    researcher.part("Results")
    assert len(asked) == 3


def shows(researcher: Researcher, part: str) -> bool:
    """Whether some line of the page has this part."""
    return any(part in str(one.value) for one in (*researcher.app.markdown, *researcher.app.caption))


def test_a_slow_section_keeps_nobody_waiting_and_shows_the_last_count_meanwhile(
    researcher: Researcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, threads = threading.Semaphore(0), set()

    def slow(read: Material) -> Findings:
        threads.add(threading.current_thread().name)
        assert gate.acquire(timeout=PATIENCE)
        return Findings((f"{len(read.participants)} people were counted.",))

    monkeypatch.setattr(findings, "SECTIONS", (Section("slow", "Slow", "It takes long.", slow, bool),))
    monkeypatch.setattr(findings, "WAIT", 0.01)
    record = consenting(researcher).record

    def more(seed: int) -> None:
        for _ in simulate(state.sessions(), record, PERSONAS[0].name, 2, seed):
            pass
        researcher.part("Results")

    more(0)
    assert shows(researcher, "Running") and not shows(researcher, "were counted")
    gate.release()
    wait_until(lambda: shows(researcher.look(), "2 people were counted."))
    assert not shows(researcher, "newer ones")
    more(1)
    assert shows(researcher, "2 people were counted.") and shows(researcher, "newer ones are being counted")
    gate.release()
    wait_until(lambda: shows(researcher.look(), "4 people were counted."))
    assert not shows(researcher, "newer ones") and not shows(researcher, "Running")
    assert threads == {f"decam-{findings.LINE}"}


def test_a_section_that_fails_says_so_and_is_tried_again(
    researcher: Researcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [DecamError("The maps are gone."), Findings(("All is well.",))]

    def failing(_read: Material) -> Findings:
        found = answers.pop(0)
        if isinstance(found, DecamError):
            raise found
        return found

    monkeypatch.setattr(findings, "SECTIONS", (Section("slow", "Slow", "It takes long.", failing, bool),))
    monkeypatch.setattr(findings, "WAIT", PATIENCE)
    for _ in simulate(state.sessions(), consenting(researcher).record, PERSONAS[0].name, 1, 0):
        pass
    assert researcher.part("Results").errors == ["The maps are gone."]
    researcher.press(researcher.key("slow-again"))
    assert researcher.errors == [] and shows(researcher, "All is well.")


def entered(researcher: Researcher, stage: Stage) -> str:
    """Somebody comes in while the study is in a stage; the personal code."""
    record = consenting(researcher).record
    state.studies().set_stage(record.id, stage)
    return state.sessions().enter(record.link, {}, {"width": 1000, "height": 800}).code


def test_somebody_is_excluded_for_a_reason_and_taken_back_in(researcher: Researcher) -> None:
    entered(researcher, Stage.PILOT)
    researcher.part("Results").press(researcher.key("exclude"))
    assert researcher.says("An exclusion needs a reason")
    researcher.app.text_input(key=researcher.key("why")).set_value("Asked twice")
    researcher.press(researcher.key("exclude"))
    (who,) = state.studies().participants(researcher.record.id, Lane.PILOT)
    assert who.excluded == "Asked twice" and not who.holds
    researcher.press(researcher.key("include"))
    (who,) = state.studies().participants(researcher.record.id, Lane.PILOT)
    assert who.excluded == "" and who.holds


def test_somebody_who_asks_for_it_is_deleted_by_the_personal_code(researcher: Researcher) -> None:
    code = entered(researcher, Stage.PILOT)
    researcher.part("Results")
    assert not researcher.has("button", researcher.key("clear")), "people are not removed all at once"
    researcher.app.text_input(key=researcher.key("forget")).set_value(f" {code.upper()} ")
    researcher.look().press(researcher.key("forget-ask"))
    assert state.studies().participants(researcher.record.id, Lane.PILOT), "it is asked first"
    researcher.press(f"for-good-participant-{researcher.record.id}")
    assert state.studies().participants(researcher.record.id, Lane.PILOT) == []


def test_everything_of_a_study_comes_back_with_its_participants(researcher: Researcher) -> None:
    record = consenting(researcher).record
    for _ in simulate(state.sessions(), record, "random", 1):
        pass
    content = everything(state.studies(), record.id)
    state.studies().delete(record.id)
    researcher.look().press("studies-leave")
    researcher.app.toggle(key="studies-whole").set_value(True)
    researcher.look().upload(("everything.zip", content))
    assert researcher.record == record
    assert len(state.studies().participants(record.id, Lane.SIMULATED)) == 1


@pytest.mark.usefixtures("server")
def test_a_visitor_from_elsewhere_is_told_how_to_sign_in_and_sees_no_study(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "connection", lambda: ("192.168.1.7", {"Host": "studies.example.org"}))
    made = Researcher()
    assert made.says("No sign-in is configured", "at localhost", "python -m decam study password")
    assert not made.app.main.button and not made.app.title


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The server has a password, and forgets who failed before."""
    monkeypatch.setattr(sign_in, "ways_in", lambda: Ways(STORED))
    sign_in.gate.clear()
    yield PASSWORD
    sign_in.gate.clear()


@pytest.mark.usefixtures("server")
def test_a_password_is_asked_for_everywhere_and_opens_the_page(password: str) -> None:
    made = Researcher()
    assert any(one.value == "Sign in to studies" for one in made.app.header) and not made.app.title
    made.app.text_input(key="studies-password").set_value("wrong password")
    made.press("studies-enter")
    assert made.errors == ["This is not the password."] and made.app.text_input(key="studies-password").value == ""
    made.app.text_input(key="studies-password").set_value(password)
    made.press("studies-enter")
    assert made.errors == [] and [one.value for one in made.app.title] == ["Studies"]
    made.press("studies-sign-out")
    assert not made.app.title


@pytest.mark.usefixtures("server")
def test_wrong_passwords_are_waited_for(password: str) -> None:
    made = Researcher()
    for _ in range(5):
        made.app.text_input(key="studies-password").set_value("wrong password")
        made.press("studies-enter")
    assert made.says("Too many wrong passwords")
    made.app.text_input(key="studies-password").set_value(password)
    made.press("studies-enter")
    assert made.says("Too many wrong passwords") and not made.app.title


@pytest.mark.usefixtures("server")
def test_a_new_password_signs_everybody_out(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Researcher()
    made.app.text_input(key="studies-password").set_value(password)
    assert made.press("studies-enter").app.title
    monkeypatch.setattr(sign_in, "ways_in", lambda: Ways(STORED.replace("A", "B")))
    assert not made.look().app.title


@pytest.mark.usefixtures("server")
def test_what_is_wrong_with_the_settings_of_accounts_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "ways_in", lambda: Ways("", ("default", "keycloak")))
    monkeypatch.setattr(st, "user", SimpleNamespace(is_logged_in=False))  # AppTest has no accounts
    made = Researcher()
    assert [one.label for one in made.app.main.button] == [
        "Sign in with an account", "Sign in with an account of keycloak",
    ]  # fmt: skip
    made.press("studies-account-keycloak")
    (sentence,) = made.errors
    assert sentence.startswith("To use authentication features you need to configure credentials for at least one")
    assert not made.app.title and not made.app.exception


def test_an_account_sees_its_own_studies_alone(researcher: Researcher, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = researcher.record.id
    other = state.studies().add(Study("Theirs"), "eve@example.org")
    monkeypatch.setattr(sign_in, "allowed", lambda: Access("eve@example.org", "eve@example.org"))
    assert Researcher(mine).says("There is no study")
    eve = Researcher()
    assert [one.key for one in eve.app.button if str(one.key) == f"study-{other.id}"]
    assert not [one.key for one in eve.app.button if str(one.key) == f"study-{mine}"]
