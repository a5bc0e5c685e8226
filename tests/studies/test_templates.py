"""Common designs: each is a whole study as soon as it has pictures and a consent."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from decam.studies import catches, editing, tasks, templates
from decam.studies.design import Condition, Study, StudyError
from decam.studies.road import lacks, road
from decam.studies.tasks.base import NO_MAP
from decam.studies.templates import TEMPLATES, Template
from decam.studies.wording import shipped
from decam.ui.studies.words import with_text, with_wording
from tests.studies.studies import CLASSES, CONDITIONS, block, stimulus, study


def begun(template: Template) -> Study:
    """A study of that design with six pictures, three methods and the built-in conditions that it asks for."""
    built_in = [Condition(name, name, name, catch=catches.get(name).catch) for name in template.catches]
    conditions = (*CONDITIONS, *built_in)
    uses = ["training"] * 3 * template.training + ["trials"] * 6
    stimuli = tuple(stimulus(number, use, conditions) for number, use in enumerate(uses))
    return templates.begun(template, Study("A study", conditions=conditions, stimuli=stimuli))


@pytest.mark.parametrize("template", TEMPLATES, ids=[one.name for one in TEMPLATES])
def test_a_design_lacks_nothing_but_the_text_that_people_consent_to(template: Template) -> None:
    made = begun(template)
    assert lacks(made) == ["Block 1 (Consent): The consent has no text yet."]
    steps = road(made, 0)
    assert steps[0].kind == "consent" and steps[-1].kind == "debriefing"
    assert any(step.task for step in steps) and all(step.visible() for step in steps)


@pytest.mark.parametrize("template", TEMPLATES, ids=[one.name for one in TEMPLATES])
def test_a_design_says_what_it_is_and_has_attention_checks(template: Template) -> None:
    assert template.title and template.summary.endswith(".")
    assert any(step.attention for step in road(begun(template), 3))


def test_every_design_has_a_name_of_its_own_and_an_unknown_one_is_named() -> None:
    assert len({one.name for one in TEMPLATES}) == len(TEMPLATES) == 6
    assert templates.get("utility").training
    with pytest.raises(StudyError, match="There is no design 'polygraph'; there are: plausibility, rating"):
        templates.get("polygraph")


def test_utility_trains_with_maps_and_tests_without_any() -> None:
    made = begun(templates.get("utility"))
    steps = [step for sequence in range(8) for step in road(made, sequence)]
    training = [step for step in steps if step.kind == "training"]
    trials = [step for step in steps if step.kind == "trials" and not step.attention]
    shown = {len(step.pictures) for step in training}
    assert shown == {1, 2}, "the control without maps sees the image alone"
    assert {len(step.pictures) for step in trials} == {1}
    assert all(step.feedback and step.correct for step in training)
    assert NO_MAP in {str(condition) for step in training for condition in step.facts["conditions"]}  # type: ignore[union-attr]


def test_a_new_block_has_a_task_where_its_kind_repeats_one() -> None:
    assert templates.fresh("trials", attention=3).task == templates.task("forced-choice")
    assert templates.fresh("consent").task is None
    with pytest.raises(StudyError, match="There is no block 'sauna'"):
        templates.fresh("sauna")


def test_a_design_keeps_name_pictures_and_wording() -> None:
    made = dataclasses.replace(begun(templates.get("rating")), wording={"break.text": "Tea."}, language="de")
    other = templates.begun(templates.get("clicks"), made)
    assert other.wording == made.wording and other.stimuli == made.stimuli and other.name == made.name
    assert other.blocks != made.blocks


def said(made: Study) -> set[str]:
    """All that participants read or hear on the screens of some roads, but for names of classes and numbers."""
    steps = [step.visible() for sequence in range(4) for step in road(made, sequence)]
    own = {one.label for one in made.stimuli} | set(CLASSES) | {str(number) for number in range(101)}
    return {text for step in steps for text in texts(step)} - own


def texts(value: object, name: str = "") -> Iterator[str]:
    if isinstance(value, str) and name in TOLD and value.strip():
        yield value
    for key, one in value.items() if isinstance(value, dict) else []:
        yield from texts(one, key)
    for one in value if isinstance(value, list | tuple) else []:
        yield from texts(one, name)


TOLD = ("text", "heading", "title", "prompt", "label", "low", "high", "caption", "alternative", "shows")


@pytest.mark.parametrize("template", TEMPLATES, ids=[one.name for one in TEMPLATES])
def test_a_german_study_says_nothing_in_english(template: Template) -> None:
    english = begun(template)
    german = with_wording(english, shipped("de"))
    assert said(english) and not said(english) & said(german)
    assert with_wording(german, shipped("en")) == english


def test_every_task_asks_in_german() -> None:
    framed = [block("trials", task=one.name, attention=1) for one in tasks.TASKS]
    english = study(*framed, block("questionnaire", scale="SUS"), block("questionnaire", scale="NASA-TLX"))
    both = said(english) & said(with_wording(english, shipped("de")))
    assert both == {"We keep your answers."}, "the researcher wrote it"


def test_a_study_begun_in_german_has_the_questions_of_its_design_in_german() -> None:
    german = templates.begun(templates.get("distinction"), Study("Eine Studie", language="de"))
    assert german == with_wording(templates.begun(templates.get("distinction"), Study("Eine Studie")), shipped("de"))
    items = [item for one in german.blocks for item in one.items]
    assert items[0].text.startswith("Wie gut verstehen Sie") and items[-1].options == ("Nie richtig", "Immer richtig")


def test_what_a_researcher_changed_stays_in_any_language() -> None:
    english = begun(templates.get("distinction"))
    place = next(number for number, one in enumerate(english.blocks) if len(one.items) > 1)
    changed = editing.with_item(english, place, 0, text="Do you trust it?")
    german = with_wording(changed, shipped("de"))
    assert german.blocks[place].items[0].text == "Do you trust it?"
    assert german.blocks[place].items[1].text.startswith("Wie oft muss ein Programm")


def test_a_texts_own_wording_reaches_the_questions_of_the_design() -> None:
    made = with_text(begun(templates.get("distinction")), "hive.never", "At no time")
    assert made.blocks[-2].items[-1].options == ("At no time", "Always right")
    assert with_wording(made, shipped("de")).blocks[-2].items[-1].options == ("Nie richtig", "Immer richtig")
