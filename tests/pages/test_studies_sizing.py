"""The number of people is simulated on the page from the study's own trials, and its sentence goes into the plan."""

from __future__ import annotations

import dataclasses

import pytest

from decam.studies import editing
from decam.studies.design import Stage
from decam.studies.sample_size import SampleSettings, plans, sample_size, sentence
from decam.ui import state
from tests.pages.researcher import Researcher, consenting
from tests.pages.visitor import shown
from tests.studies.finishing import finished

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("at_the_server")]


def reads(researcher: Researcher, part: str) -> bool:
    """Whether a sentence of the page has this part."""
    return any(part in shown(one.value) for kind in ("markdown", "caption") for one in researcher.app.get(kind))


def quick(researcher: Researcher, **values: float) -> Researcher:
    """The part of the plan with few simulated studies of few sizes, and a strong effect."""
    researcher.part("Plan")
    wished = {"sample-most": 40, "sample-repetitions": 20, "sample-preference-gap": 5.0, **values}
    for name, value in wished.items():
        researcher.app.number_input(key=researcher.key(name)).set_value(value)
    return researcher.look()


def test_the_curve_is_that_of_the_chosen_analysis_and_its_sentence_goes_into_the_hypothesis(
    researcher: Researcher,
) -> None:
    quick(researcher)
    assert not researcher.has("button", researcher.key("power-put"))
    researcher.press(researcher.key("power"))
    plan = plans(researcher.study)[0]
    assumed = dataclasses.replace(plan.assumed(researcher.study), gap=5.0)
    settings = SampleSettings(most=40, repetitions=20)
    words = sentence(plan, assumed, settings, finished(sample_size(researcher.study, plan, assumed, settings)))
    assert words.split(" people")[0].isdigit() and reads(researcher, words.split(", in ")[0])
    old = editing.field_of("hypothesis").write(
        researcher.study, dataclasses.replace(researcher.study.hypothesis, sample="As many as we can pay.")
    )
    state.studies().save(researcher.record.id, old)
    researcher.look().press(researcher.key("power-put"))
    assert researcher.study.hypothesis.sample == f"As many as we can pay.\n{words}"
    assert researcher.app.text_area(key=researcher.key("hypothesis-sample")).value.endswith(words)
    assert researcher.app.button(key=researcher.key("power-put")).disabled
    assert researcher.errors == []


def test_a_curve_is_shown_only_with_the_settings_that_it_was_made_with(researcher: Researcher) -> None:
    quick(researcher).press(researcher.key("power"))
    assert researcher.has("button", researcher.key("power-put"))
    quick(researcher, **{"sample-most": 41})
    assert not researcher.has("button", researcher.key("power-put"))
    quick(researcher)
    assert researcher.has("button", researcher.key("power-put"))


def test_sizes_in_the_wrong_order_and_a_goal_out_of_reach_are_told(researcher: Researcher) -> None:
    quick(researcher, **{"sample-fewest": 40}).press(researcher.key("power"))
    assert researcher.says("The fewest people, 40, must be fewer than the most, 40")
    quick(researcher, **{"sample-fewest": 5, "sample-preference-gap": 0.0}).press(researcher.key("power"))
    assert reads(researcher, "No number of people up to 40 reaches a power of 80 %")
    assert not researcher.has("button", researcher.key("power-put"))


def test_a_study_that_is_no_draft_keeps_its_curve_and_is_not_changed(researcher: Researcher) -> None:
    quick(consenting(researcher)).press(researcher.key("power"))
    state.studies().set_stage(researcher.record.id, Stage.PILOT)
    researcher.look()
    assert reads(researcher, "people, for a power of")
    assert researcher.app.button(key=researcher.key("power")).disabled
    assert researcher.app.number_input(key=researcher.key("sample-most")).disabled
    assert not researcher.has("button", researcher.key("power-put"))


def test_a_study_without_such_trials_says_what_it_needs(researcher: Researcher) -> None:
    state.studies().save(researcher.record.id, editing.without_block(researcher.study, 2))
    researcher.part("Plan")
    assert reads(researcher, "This needs a block of trials")
    assert not researcher.has("button", researcher.key("power"))
