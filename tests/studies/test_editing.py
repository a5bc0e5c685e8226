"""Changes to a study: each leaves everything else as it was, and says when what it changes is gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.errors import DecamError
from decam.studies import editing
from decam.studies.blocks import BLOCKS
from decam.studies.design import Display, Item, Study, StudyError
from decam.studies.document import study_from_json, study_to_json
from decam.studies.tasks import TASKS
from tests.studies.studies import block, study, whole

KINDS = [kind.name for kind in BLOCKS]


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(-7, 7)), max_size=12))
def test_moving_blocks_loses_none_and_does_what_a_list_does(moves: list[tuple[int, int]]) -> None:
    made = study(*(block("break", seconds=number) for number in range(6)))
    plain = list(made.blocks)
    for place, by in moves:
        made = editing.moved(made, place, by)
        if 0 <= place + by < len(plain):
            plain.insert(place + by, plain.pop(place))
    assert list(made.blocks) == plain


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_block_comes_before_the_debriefing_and_can_be_stored(kind: str) -> None:
    made = editing.with_new_block(study(block("debriefing")), kind)
    place = 2 if kind == "debriefing" else 1
    assert [one.kind for one in made.blocks] == [
        "consent",
        *(["debriefing", kind] if place == 2 else [kind, "debriefing"]),
    ]
    assert study_from_json(study_to_json(made)) == made
    assert editing.without_block(made, place) == study(block("debriefing"))


@pytest.mark.parametrize("task", [one.name for one in TASKS])
def test_another_task_begins_with_its_usual_settings_and_the_same_one_keeps_its_own(task: str) -> None:
    made = study(block("trials", task="clicks", task_least=7))
    changed = editing.with_task(made, 1, task)
    choice = changed.blocks[1].task
    assert choice is not None and choice.name == task
    assert (changed == made) == (task == "clicks")


def test_settings_are_read_and_written_where_they_stand() -> None:
    made = study(block("trials", task="clicks"))
    for part, name, value in (
        (editing.field_of("display"), "size", 320),
        (editing.block_settings(1), "attention", 3),
        (editing.task_settings(1), "least", 4),
    ):
        before = part.read(made).to_mapping()
        changed = part.write(made, type(part.read(made)).from_mapping(before | {name: value}))
        assert part.read(changed).to_mapping() == before | {name: value}
        assert part.write(changed, part.read(made)) == made


def test_questions_are_added_changed_and_taken_out() -> None:
    made = editing.with_item(study(block("comprehension")), 1, 0)
    assert made.blocks[1].items == (Item(""),)
    made = editing.with_item(made, 1, 0, text="Bright?", options=("a", "b", "c"), correct=2)
    made = editing.with_item(made, 1, 1, text="Dark?")
    assert editing.with_item(made, 1, 0, options=("a", "b")).blocks[1].items[0].correct == -1
    assert editing.with_item(made, 1, 0, options=("a", "b", "d")).blocks[1].items[0].correct == 2
    for form in ("several", "number", "text", "slider"):  # no answer to these is the number of an option
        assert editing.with_item(made, 1, 0, form=form).blocks[1].items[0].correct == -1
    rated = editing.with_item(made, 1, 0, form="rating", correct=3, options=("1", "2", "3"))
    assert rated.blocks[1].items[0].correct == 3
    assert [one.text for one in editing.without_item(made, 1, 0).blocks[1].items] == ["Dark?"]


def test_a_condition_goes_with_its_maps_and_a_picture_with_all_of_them() -> None:
    made = whole()
    without = editing.without_condition(made, "b")
    assert [one.key for one in without.conditions] == ["a", "c"]
    assert {one.condition for stimulus in without.stimuli for one in stimulus.maps} == {"a", "c"}
    assert [one.key for one in editing.without_stimulus(made, "s0").stimuli] == [one.key for one in made.stimuli[1:]]
    changed = editing.with_stimulus(made, "s1", use="example", correct="owl")
    assert (changed.stimuli[1].use, changed.stimuli[1].correct) == ("example", "owl")
    assert changed.stimuli[0] == made.stimuli[0]


GONE: list[Callable[[Study], object]] = [
    lambda made: editing.with_block(made, 9, items=()),
    lambda made: editing.without_block(made, -1),
    lambda made: editing.moved(made, 4, -1),
    lambda made: editing.with_item(made, 0, 3),
    lambda made: editing.task_settings(0).read(made),
    lambda made: editing.rule_settings("too-fast").read(made),
]


@pytest.mark.parametrize("change", GONE)
def test_what_is_not_there_any_more_is_said(change: Callable[[Study], object]) -> None:
    with pytest.raises(StudyError, match="any more"):
        change(study())


@pytest.mark.parametrize("change", [
    lambda made: editing.with_new_block(made, "sauna"), lambda made: editing.with_task(made, 0, "staring"),
])  # fmt: skip
def test_a_name_that_no_table_has_is_refused(change: Callable[[Study], object]) -> None:
    with pytest.raises(DecamError, match="There is no"):
        change(study())


def test_a_field_that_holds_no_settings_is_a_fault_of_the_page() -> None:
    assert isinstance(editing.field_of("display").read(study()), Display)
    with pytest.raises(AssertionError):
        editing.field_of("name").read(study())
