"""The page on studies: made from a finished comparison, changed field by field, and run from draft to live."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from decam.runs.store import Store
from decam.studies import frozen, previews
from decam.studies.design import Stage
from decam.studies.road import wording_of
from decam.studies.templates import TEMPLATES
from decam.ui import state
from tests.pages.researcher import Researcher
from tests.studies.made import damage, keep, run, view

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("at_the_server")]


def test_a_study_is_made_from_a_finished_comparison(researcher: Researcher) -> None:
    study = researcher.study
    assert study.name == "Which map?" and researcher.record.stage is Stage.DRAFT
    titles = [one.title for one in study.conditions]
    assert titles == ["Grad-CAM", "Integrated Gradients", "Random map", "Centre Gaussian"]
    assert [one.name for one in study.stimuli] == ["bird0.jpg", "bird1.jpg", "bird2.jpg"]
    assert [one.kind for one in study.blocks] == ["consent", "instructions", "trials", "debriefing"]
    assert damage(study, state.studies().folder(researcher.record.id)) == []
    assert researcher.says("Still missing:", "The consent has no text yet")


def test_pictures_methods_and_design_are_as_they_were_chosen(compared: str) -> None:
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
    assert compared in {one.run for stimulus in study.stimuli for one in stimulus.maps}


def test_what_was_chosen_for_a_study_stays_while_other_pages_are_visited(compared: str) -> None:
    making = Researcher()
    making.app.text_input(key="studies-new-name").set_value("Birds")
    making.app.radio(key="studies-new-design").set_value("utility")
    methods, conditions = making.look().app.get("button_group")[:2]
    conditions.set_value([])
    methods.set_value(["grad-cam"])
    making.look().visit("methods").visit("studies")
    assert making.app.text_input(key="studies-new-name").value == "Birds"
    assert making.app.radio(key="studies-new-design").value == "utility"
    assert [group.value for group in making.app.get("button_group")[:2]] == [["grad-cam"], []]
    making.press("studies-begin")
    assert making.study.name == "Birds"
    made = {one.key for one in making.study.conditions}
    assert "grad-cam" in made and compared in {one.run for each in making.study.stimuli for one in each.maps}
    another = making.press("studies-all").app
    assert another.text_input(key="studies-new-name").value == ""


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
    assert made.errors == [] and any("New study" in one.value for one in made.app.header)


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
    assert any(one.value == "Questionnaire" for one in researcher.app.header), "the new block is open"
    researcher.press(researcher.key("up"))
    assert researcher.study.blocks[2].kind == "questionnaire"
    assert any(one.value == "Questionnaire" for one in researcher.app.header), "it stays open"
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


def test_a_number_is_bounded_and_freed_again(researcher: Researcher) -> None:
    researcher.part("Blocks").press(researcher.key("add-demographics"))
    researcher.press(researcher.key("3-item-more"))
    researcher.app.text_area(key=researcher.key("3-item-0-text")).set_value("Age")
    researcher.look()
    researcher.app.selectbox(key=researcher.key("3-item-0-form")).set_value("number")
    researcher.look()
    for least, most in ((18.0, None), (18.0, 12.0), (None, 12.0), (None, None)):
        for name, value in (("least", least), ("most", most)):
            researcher.app.number_input(key=researcher.key(f"3-item-0-{name}")).set_value(value)
            researcher.look()
        (item,) = researcher.study.blocks[3].items
        assert (item.least, item.most) == (least, most)
        assert researcher.says("needs a smallest number that is below the largest one") == (least == 18 and most == 12)


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
    token, _, theme = frame.proto.src.rpartition("/")[2].partition("?theme=")
    found = previews.find(token)
    assert theme in ("light", "dark")
    assert found is not None and not found.ends
    assert len(found.steps) == 3 + 2 + 2, "trials, the same map twice, attention checks"
    sent = json.dumps(found.steps)
    assert "grad-cam" not in sent and "Grad-CAM" not in sent and "correct" not in sent
    assert found.images <= {one.partition(".")[0] for one in frozen.names(researcher.study)}


def test_every_template_can_be_drawn_in_all_its_parts(compared: str) -> None:
    assert compared
    for template in TEMPLATES:
        made = Researcher()
        made.app.radio(key="studies-new-design").set_value(template.name)
        made.look().press("studies-begin")
        for place in range(len(made.study.blocks)):
            made.part("Blocks").press(made.key(f"block-{place}"))
        for title in ("Images", "Assignment", "People", "Wording", "Plan", "Take part", "Results"):
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
