"""Common designs: each is a whole study as soon as it has pictures and a consent."""

from __future__ import annotations

import dataclasses

import pytest

from decam.studies import catches, templates
from decam.studies.design import Condition, Study, StudyError
from decam.studies.road import lacks, road
from decam.studies.tasks.base import NO_MAP
from decam.studies.templates import TEMPLATES, Template
from tests.studies.studies import CONDITIONS, stimulus


def begun(template: Template) -> Study:
    """A study of that design with six pictures, three methods and the built-in conditions that it asks for."""
    built_in = [Condition(name, name, name, catch=catches.get(name).catch) for name in template.catches]
    conditions = (*CONDITIONS, *built_in)
    uses = ["training"] * 3 * template.training + ["trials"] * 6
    stimuli = tuple(stimulus(number, use, conditions) for number, use in enumerate(uses))
    return templates.begun(template, Study("A study", conditions=conditions, stimuli=stimuli))


@pytest.mark.parametrize("template", TEMPLATES, ids=[one.name for one in TEMPLATES])
def test_a_design_lacks_nothing_but_the_text_that_people_consent_to(template: Template) -> None:
    study = begun(template)
    assert lacks(study) == ["Block 1 (Consent): The consent has no text yet."]
    steps = road(study, 0)
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
    study = begun(templates.get("utility"))
    steps = [step for sequence in range(8) for step in road(study, sequence)]
    training = [step for step in steps if step.kind == "training"]
    trials = [step for step in steps if step.kind == "trials" and not step.attention]
    shown = {len(step.pictures) for step in training}
    assert shown == {1, 2}, "the control without maps sees the picture alone"
    assert {len(step.pictures) for step in trials} == {1}
    assert all(step.feedback and step.correct for step in training)
    assert NO_MAP in {str(condition) for step in training for condition in step.facts["conditions"]}  # type: ignore[union-attr]


def test_a_new_block_has_a_task_where_its_kind_repeats_one() -> None:
    assert templates.fresh("trials", attention=3).task == templates.task("forced-choice")
    assert templates.fresh("consent").task is None
    with pytest.raises(StudyError, match="There is no block 'sauna'"):
        templates.fresh("sauna")


def test_a_design_keeps_name_pictures_and_wording() -> None:
    study = dataclasses.replace(begun(templates.get("rating")), wording={"break.text": "Tea."}, language="de")
    other = templates.begun(templates.get("clicks"), study)
    assert other.wording == study.wording and other.stimuli == study.stimuli and other.name == study.name
    assert other.blocks != study.blocks
