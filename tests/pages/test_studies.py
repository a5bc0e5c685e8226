"""The page on studies: made from a finished comparison, changed field by field, and run from draft to live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from decam.runs.store import Store
from decam.studies import archive, editing, frozen, previews
from decam.studies.design import Stage, Study
from decam.studies.document import study_to_json
from decam.studies.passwords import hashed
from decam.studies.platforms import PLATFORMS
from decam.studies.responses import Lane, StudyRecord
from decam.studies.responses.backup import everything
from decam.studies.road import wording_of
from decam.studies.simulated import simulate
from decam.studies.steps import Outcome
from decam.studies.templates import TEMPLATES
from decam.ui import state
from decam.ui.studies import sign_in
from decam.ui.studies.sign_in import Access, Ways
from tests.pages.visitor import Visitor
from tests.studies.made import keep, run, view

pytestmark = pytest.mark.slow
PASSWORD = "correct horse"
STORED = hashed(PASSWORD, b"0123456789abcdef")


class Researcher(Visitor):
    """A visitor of the page on studies."""

    def __init__(self, study: str = "") -> None:
        super().__init__()
        if study:
            self.app.query_params["study"] = study
        self.go("studies").look()

    @property
    def record(self) -> StudyRecord:
        """The study that the address names, as it is kept."""
        return state.studies().get(str(self.app.query_params["study"]))

    @property
    def study(self) -> Study:
        """That study itself."""
        return self.record.study

    def part(self, title: str) -> Self:
        """Open a part of the study."""
        self.app.session_state[f"study-{self.record.id}-part"] = title
        return self.look()

    def key(self, rest: str) -> str:
        """The key of a widget of this study."""
        return f"study-{self.record.id}-{rest}"


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The visitor sits at the server's own machine; a test without a browser has no connection that says so."""
    monkeypatch.setattr(sign_in, "connection", lambda: (None, {"Host": "localhost:8501"}))


@pytest.fixture
def finished(server: Path) -> str:
    """A finished comparison of three pictures by two methods; its link."""
    store = Store(server)
    link = keep(store, run("one", {f"bird{number}.jpg": view(number, (224, 224)) for number in range(3)}))
    store.close()
    return link


@pytest.fixture
def researcher(finished: str) -> Researcher:
    """Somebody who has just made a study of it."""
    assert finished
    made = Researcher()
    made.app.text_input(key="studies-new-name").set_value("Which map?")
    return made.press("studies-begin")


def test_a_study_is_made_from_a_finished_comparison(researcher: Researcher) -> None:
    study = researcher.study
    assert study.name == "Which map?" and researcher.record.stage is Stage.DRAFT
    titles = [one.title for one in study.conditions]
    assert titles == ["Grad-CAM", "Integrated Gradients", "Random map", "Centre Gaussian"]
    assert [one.name for one in study.stimuli] == ["bird0.jpg", "bird1.jpg", "bird2.jpg"]
    assert [one.kind for one in study.blocks] == ["consent", "instructions", "trials", "debriefing"]
    assert frozen.damage(study, state.studies().folder(researcher.record.id)) == []
    assert researcher.says("Still missing:", "The consent has no text yet")


def test_pictures_methods_and_design_are_as_they_were_chosen(finished: str) -> None:
    made = Researcher()
    out = next(button.key for button in made.app.button if "bird1" in button.label)
    made.press(str(out))
    made.app.radio(key="studies-new-design").set_value("utility")
    made.look().app.get("button_group")[0].set_value(["grad-cam"])
    made.look().press("studies-begin")
    study = made.study
    assert study.name == "Do maps teach how the model decides?"
    assert [(one.name, one.use) for one in study.stimuli] == [("bird0.jpg", "training"), ("bird2.jpg", "trials")]
    assert {one.key for one in study.conditions} == {"grad-cam", "none"}
    assert study.assignment.subjects == "between" and "training" in [one.kind for one in study.blocks]
    assert finished in {one.run for stimulus in study.stimuli for one in stimulus.maps}


@pytest.mark.usefixtures("server")
def test_without_a_finished_comparison_the_page_says_where_to_make_one() -> None:
    made = Researcher()
    assert made.says("A study is made from finished comparisons")
    assert not made.has("button", "studies-begin")


@pytest.mark.parametrize("bad", ["nonsense", "../../etc/passwd", "%00"])
@pytest.mark.usefixtures("server")
def test_an_address_that_leads_nowhere_says_so_and_offers_a_way_on(bad: str) -> None:
    made = Researcher(bad)
    assert made.says("There is no study")
    made.press("studies-leave")
    assert made.errors == [] and any("New study" in one.value for one in made.app.subheader)


def test_each_field_is_saved_as_it_is_typed_and_is_there_in_another_session(researcher: Researcher) -> None:
    researcher.part("Blocks")
    researcher.app.text_area(key=researcher.key("block-0-consent-text")).set_value("We keep your answers.")
    researcher.look()
    assert getattr(researcher.study.blocks[0].settings, "text", "") == "We keep your answers."
    assert not researcher.says("Still missing")
    other = Researcher(researcher.record.id).part("Blocks")
    assert other.app.text_area(key=researcher.key("block-0-consent-text")).value == "We keep your answers."


def test_a_change_in_another_tab_is_shown_and_not_undone(researcher: Researcher) -> None:
    researcher.part("Assignment")
    key = researcher.key("assignment-sequences")
    other = Researcher(researcher.record.id).part("Assignment")
    other.app.number_input(key=key).set_value(24)
    other.look()
    researcher.app.number_input(key=researcher.key("assignment-seed")).set_value(5)
    researcher.look()
    assert researcher.app.number_input(key=key).value == 24
    assert (researcher.study.assignment.sequences, researcher.study.assignment.seed) == (24, 5)


def test_blocks_are_added_moved_and_removed(researcher: Researcher) -> None:
    researcher.part("Blocks").press(researcher.key("add-questionnaire"))
    kinds = [one.kind for one in researcher.study.blocks]
    assert kinds == ["consent", "instructions", "trials", "questionnaire", "debriefing"]
    assert any(one.value == "Questionnaire" for one in researcher.app.subheader), "the new block is open"
    researcher.press(researcher.key("up"))
    assert researcher.study.blocks[2].kind == "questionnaire"
    assert any(one.value == "Questionnaire" for one in researcher.app.subheader), "it stays open"
    researcher.press(researcher.key("out"))
    assert [one.kind for one in researcher.study.blocks] == ["consent", "instructions", "trials", "debriefing"]


def test_a_task_is_exchanged_with_its_own_settings(researcher: Researcher) -> None:
    researcher.part("Blocks").press(researcher.key("block-2"))
    researcher.app.selectbox(key=researcher.key("block-2-task")).set_value("rating")
    researcher.look()
    researcher.app.selectbox(key=researcher.key("block-2-rating-points")).set_value("7")
    researcher.look()
    task = researcher.study.blocks[2].task
    assert task is not None and task.name == "rating" and task.settings.to_mapping()["points"] == "7"


def test_questions_are_written_answered_and_taken_out(researcher: Researcher) -> None:
    researcher.part("Blocks").press(researcher.key("add-comprehension"))
    researcher.press(researcher.key("3-item-more"))
    researcher.app.text_area(key=researcher.key("3-item-0-text")).set_value("What do bright places mean?")
    researcher.look()
    researcher.app.text_area(key=researcher.key("3-item-0-options")).set_value("Sun\n\n important \n")
    researcher.look()
    assert researcher.says("needs a right answer")
    researcher.app.selectbox(key=researcher.key("3-item-0-correct")).set_value(1)
    researcher.look()
    (item,) = researcher.study.blocks[3].items
    assert (item.text, item.options, item.correct) == ("What do bright places mean?", ("Sun", "important"), 1)
    researcher.app.text_area(key=researcher.key("3-item-0-options")).set_value("Sun")
    assert researcher.look().study.blocks[3].items[0].correct == -1, "the right answer was taken out"
    researcher.press(researcher.key("3-item-0-out"))
    assert researcher.study.blocks[3].items == ()


def test_the_preview_has_the_screens_of_the_block_and_nothing_that_participants_must_not_know(
    researcher: Researcher,
) -> None:
    researcher.part("Blocks").press(researcher.key("block-2"))
    (frame,) = researcher.app.get("iframe")
    found = previews.find(frame.proto.src.rpartition("/")[2])
    assert found is not None and len(found.steps) == 3 + 2 + 2, "trials, the same map twice, attention checks"
    sent = json.dumps(found.steps)
    assert "grad-cam" not in sent and "Grad-CAM" not in sent and "correct" not in sent
    assert found.images <= {one.partition(".")[0] for one in frozen.names(researcher.study)}


def test_every_template_can_be_drawn_in_all_its_parts(finished: str) -> None:
    assert finished
    for template in TEMPLATES:
        made = Researcher()
        made.app.radio(key="studies-new-design").set_value(template.name)
        made.look().press("studies-begin")
        for place in range(len(made.study.blocks)):
            made.part("Blocks").press(made.key(f"block-{place}"))
        for title in ("Pictures", "Assignment", "People", "Wording", "Plan", "Take part", "Results"):
            made.part(title)
            assert made.errors == []


def test_maps_are_drawn_anew_from_what_was_frozen(researcher: Researcher) -> None:
    state.runs().delete("one")
    before = researcher.study
    researcher.app.selectbox(key=researcher.key("display-colours")).set_value("magma")
    researcher.look()
    assert researcher.study == before, "nothing is drawn before it is asked for"
    researcher.press(researcher.key("draw"))
    after = researcher.study
    assert after.display.colours == "magma"
    assert after.stimuli[0].maps[0].image != before.stimuli[0].maps[0].image
    assert after.stimuli[0].maps[0].array == before.stimuli[0].maps[0].array
    folder = state.studies().folder(researcher.record.id)
    assert {path.name for path in folder.iterdir()} == set(frozen.names(after)), "the earlier drawings are gone"


def test_pictures_and_conditions_are_changed_and_taken_out(researcher: Researcher) -> None:
    first = researcher.study.stimuli[0].key
    researcher.app.selectbox(key=researcher.key(f"use-{first}")).set_value("training")
    researcher.look()
    researcher.app.selectbox(key=researcher.key(f"correct-{first}")).set_value("dog")
    researcher.look()
    assert (researcher.study.stimuli[0].use, researcher.study.stimuli[0].correct) == ("training", "dog")
    researcher.press(f"remove-condition-{researcher.record.id}-random")
    assert "random" not in [one.key for one in researcher.study.conditions]
    assert "random" not in {one.condition for stimulus in researcher.study.stimuli for one in stimulus.maps}
    researcher.press(f"remove-stimulus-{researcher.record.id}-{first}")
    assert [one.name for one in researcher.study.stimuli] == ["bird1.jpg", "bird2.jpg"]


def test_more_methods_come_from_another_run(researcher: Researcher, server: Path) -> None:
    store = Store(server)
    pictures = {f"bird{number}.jpg": view(number, (224, 224)) for number in range(4)}
    keep(store, run("two", pictures, methods=("layer-cam",)))
    store.close()
    name = researcher.key("more")
    researcher.look().app.multiselect(key=f"{name}-runs").set_value(["two"])
    researcher.look().press(f"{name}-add")
    assert [one.title for one in researcher.study.conditions][-1] == "Layer-CAM"
    assert [one.name for one in researcher.study.stimuli][-1] == "bird3.jpg"
    assert researcher.says("Still missing") or any("Still missing" in one.label for one in researcher.app.expander)


def test_a_platform_sets_what_the_entrance_reads(researcher: Researcher) -> None:
    researcher.part("People").press(researcher.key("from-mturk"))
    entrance = researcher.study.entrance
    assert (entrance.identity, entrance.others, entrance.identity_needed) == ("workerId", "hitId, assignmentId", True)


def test_texts_are_changed_one_by_one_and_by_language(researcher: Researcher) -> None:
    researcher.part("Wording")
    researcher.app.selectbox(key=researcher.key("text")).set_value("choice.left")
    researcher.look()
    researcher.app.text_area(key=researcher.key("text-choice.left")).set_value("This one")
    researcher.look()
    assert dict(researcher.study.wording) == {"choice.left": "This one"}
    researcher.press(researcher.key("usual"))
    assert not researcher.study.wording
    researcher.app.selectbox(key=researcher.key("language")).set_value("de")
    researcher.look()
    assert researcher.study.language == "de" and wording_of(researcher.study)("choice.left") == "Links"


def test_a_text_that_loses_what_is_filled_in_is_refused(researcher: Researcher) -> None:
    researcher.part("Wording")
    researcher.app.selectbox(key=researcher.key("text")).set_value("forced-choice.prompt")
    researcher.look()
    researcher.app.text_area(key=researcher.key("text-forced-choice.prompt")).set_value("Which one?")
    researcher.look()
    assert researcher.says("lost {label}") and not researcher.study.wording


def test_a_language_comes_as_a_file(researcher: Researcher) -> None:
    file = {"language": "ar", "direction": "rtl", "texts": {"choice.left": "يسار"}}
    researcher.part("Wording").upload(("ar.json", json.dumps(file).encode()))
    study = researcher.study
    assert (study.language, study.direction, dict(study.wording)) == ("ar", "rtl", {"choice.left": "يسار"})
    researcher.upload(("bad.json", b"{"))
    assert researcher.says("This wording is not JSON") and researcher.study == study


def test_rules_of_exclusion_are_switched_on_and_set(researcher: Researcher) -> None:
    researcher.part("Plan")
    researcher.app.toggle(key=researcher.key("rule-too-fast")).set_value(True)
    researcher.look()
    researcher.app.number_input(key=researcher.key("rule-too-fast-least")).set_value(900)
    researcher.look()
    assert {name: one.to_mapping() for name, one in researcher.study.exclusions.items()} == {"too-fast": {"least": 900}}
    researcher.app.toggle(key=researcher.key("rule-too-fast")).set_value(False)
    assert not researcher.look().study.exclusions


def consenting(researcher: Researcher) -> Researcher:
    """The study with all that it lacked."""
    record = researcher.record
    settings = record.study.blocks[0].settings.from_mapping({"text": "We keep your answers."})
    state.studies().save(record.id, editing.with_block(record.study, 0, settings=settings))
    return researcher.look()


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
    for title in ("Pictures", "Blocks", "Assignment", "People", "Wording", "Plan"):
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
    assert frozen.damage(researcher.study, state.studies().folder(researcher.record.id)) == []
    researcher.press("studies-all").upload(("study.json", study_to_json(first.study).encode()))
    assert researcher.says("files of this study are missing", "Give the ZIP of the export")
    assert len(state.studies().recent()) == 3, "a study without its pictures is not kept"


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
    assert made.says("at localhost, because no sign-in is configured", "python -m decam study password")
    assert not made.app.main.button and not made.app.header


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
    assert any(one.value == "Sign in to studies" for one in made.app.subheader) and not made.app.header
    made.app.text_input(key="studies-password").set_value("wrong password")
    made.press("studies-enter")
    assert made.errors == ["This is not the password."] and made.app.text_input(key="studies-password").value == ""
    made.app.text_input(key="studies-password").set_value(password)
    made.press("studies-enter")
    assert made.errors == [] and [one.value for one in made.app.header] == ["Studies"]
    made.press("studies-sign-out")
    assert not made.app.header


@pytest.mark.usefixtures("server")
def test_wrong_passwords_are_waited_for(password: str) -> None:
    made = Researcher()
    for _ in range(5):
        made.app.text_input(key="studies-password").set_value("wrong password")
        made.press("studies-enter")
    assert made.says("Too many wrong passwords")
    made.app.text_input(key="studies-password").set_value(password)
    made.press("studies-enter")
    assert made.says("Too many wrong passwords") and not made.app.header


@pytest.mark.usefixtures("server")
def test_a_new_password_signs_everybody_out(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Researcher()
    made.app.text_input(key="studies-password").set_value(password)
    assert made.press("studies-enter").app.header
    monkeypatch.setattr(sign_in, "ways_in", lambda: Ways(STORED.replace("A", "B")))
    assert not made.look().app.header


def test_an_account_sees_its_own_studies_alone(researcher: Researcher, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = researcher.record.id
    other = state.studies().add(Study("Theirs"), "eve@example.org")
    monkeypatch.setattr(sign_in, "allowed", lambda: Access("eve@example.org", "eve@example.org"))
    assert Researcher(mine).says("There is no study")
    eve = Researcher()
    assert [one.key for one in eve.app.button if str(one.key) == f"study-{other.id}"]
    assert not [one.key for one in eve.app.button if str(one.key) == f"study-{mine}"]
