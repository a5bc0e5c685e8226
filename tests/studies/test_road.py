"""The road of a participant: every screen of every block, the same for the same sequence, and nothing given away."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from decam.studies.blocks import BLOCKS
from decam.studies.design import Condition, Item, Study, StudyError
from decam.studies.elements import Prose, Question
from decam.studies.road import lacks, road
from decam.studies.steps import Outcome
from decam.studies.tasks import TASKS, get
from decam.studies.tasks.simulation import offered
from tests.studies.studies import CONDITIONS, block, stimulus, study, whole


def test_a_road_is_the_same_for_the_same_sequence_and_differs_between_sequences() -> None:
    made = whole()
    assert road(made, 3) == road(made, 3)
    assert [step.facts for step in road(made, 3)] != [step.facts for step in road(made, 4)]


def test_every_kind_of_block_and_every_task_has_its_screens() -> None:
    steps = road(whole(), 0)
    assert {step.kind for step in steps} == {kind.name for kind in BLOCKS}
    assert {step.task for step in steps if step.task} == {task.name for task in TASKS}


def test_steps_have_distinct_names_that_say_block_and_place() -> None:
    steps = road(whole(), 0)
    assert len({step.id for step in steps}) == len(steps)
    for step in steps:
        assert step.id.split(".")[0] == str(step.block)


def test_what_a_page_gets_names_no_method_no_run_and_no_right_answer() -> None:
    secret = tuple(
        dataclasses.replace(condition, key=f"secret-{condition.key}", title=f"Secret {condition.title}")
        for condition in CONDITIONS
    )
    made = study(*(block("trials", task=task.name) for task in TASKS), conditions=secret)
    text = json.dumps([step.visible() for step in road(made, 0)]).lower()
    for word in ("secret", "condition", "stimulus", "correct", "facts", "picture0.png"):
        assert word not in text


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_question_takes_its_own_answers_and_a_rational_participant_gives_such(task) -> None:
    rng = np.random.default_rng(0)
    for step in road(study(block("trials", task=task.name)), 1):
        for question in step.questions:
            for value in (question.random(rng), question.first()):
                assert question.check(json.loads(json.dumps(value))) is not None
        if step.task:
            answers = get(step.task).rational(step, {"a": 2.0, "b": 0.0, "c": -2.0}, 0.0, rng)
            assert step.check(answers) == answers


def test_a_rational_participant_prefers_the_stronger_map() -> None:
    rng, won = np.random.default_rng(0), 0
    steps = [step for step in road(study(block("trials", task="forced-choice")), 0) if step.task]
    for _ in range(200):
        for step in steps:
            answer = get("forced-choice").rational(step, {"a": 3.0, "b": 0.0, "c": -3.0}, 0.0, rng)
            shown = step.facts["conditions"]
            won += shown[["left", "right"].index(answer["preferred"])] == min(shown)
    assert won / (200 * len(steps)) > 0.9  # exp(3) / (1 + exp(3)) = .953 at least


def test_training_tells_what_was_right_and_gives_another_try() -> None:
    made = whole()
    steps = [step for step in road(made, 0) if step.kind == "training"]
    assert steps
    for step in steps:
        assert step.feedback
        assert step.attempts == 2
        wrong = {"answer": "2" if step.correct["answer"] == "1" else "1"}
        assert not step.final(wrong, 1)
        assert step.final(wrong, 2)
        assert step.final(dict(step.correct), 1)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_example_of_the_instructions_shows_the_pictures_of_its_task_and_asks_nothing(task) -> None:
    made = study(block("instructions"), block("trials", task=task.name))
    instructions = next(step for step in road(made, 0) if step.kind == "instructions")
    trial = next(step for step in road(made, 0) if step.task)
    assert not instructions.questions
    assert len(instructions.pictures) == len(trial.pictures)


def test_no_consent_ends_the_study_and_consent_goes_on() -> None:
    consent = road(study(), 0)[0]
    assert consent.outcome({"consent": "no"}) is Outcome.NO_CONSENT
    assert consent.outcome({"consent": "yes"}) is None
    assert consent.waits


def test_attention_checks_and_repeats_stand_among_the_trials() -> None:
    made = study(block("trials", task="forced-choice", attention=2, repeats=2), count=12)
    steps = [step for step in road(made, 0) if step.kind == "trials"]
    attention = [place for place, step in enumerate(steps) if step.attention]
    repeats = [step for step in steps if step.facts.get("repeat")]
    assert len(attention) == len(repeats) == 2
    assert attention[0] > 0
    assert attention[-1] < len(steps) - 1
    for place in attention:
        prompt = steps[place].questions[0]
        right = next(one.label for one in prompt.options if one.value == steps[place].correct["attention"])
        assert right in prompt.prompt  # the instruction stands in the question
    for step in repeats:
        left, right = step.questions[0].options[:2]
        assert left.picture.image == right.picture.image
        assert len(set(step.facts["conditions"])) == 1


def test_a_break_comes_after_so_many_trials() -> None:
    steps = [step for step in road(study(block("trials", task="rating", rest_after=4), count=9), 0) if step.block == 1]
    assert [place for place, step in enumerate(steps) if not step.questions] == [4, 9]


def test_answers_to_choose_from_are_the_same_for_everybody_and_hold_the_models() -> None:
    made = study(block("trials", task="forward-simulation", task_options=3))
    offered: dict[str, set[tuple[str, ...]]] = {}
    for sequence in range(6):
        for step in road(made, sequence):
            if step.task:
                options = step.questions[0].options
                offered.setdefault(str(step.facts["stimulus"]), set()).add(tuple(one.label for one in options))
                right = next(one.label for one in options if one.value == step.correct["answer"])
                assert right == next(one.answer for one in made.stimuli if one.key == step.facts["stimulus"])
    assert all(len(orders) == 1 and len(next(iter(orders))) == 3 for orders in offered.values())
    places = {
        next(iter(orders)).index(stimulus.answer) for stimulus in made.stimuli for orders in [offered[stimulus.key]]
    }
    assert len(places) > 1  # the right answer does not always stand in one place


def test_what_chance_puts_on_screens_is_what_was_stored() -> None:
    """Literals, so that another NumPy or another machine cannot change a study unseen."""
    made = study(block("trials", task="distinction", attention=3))
    asked = [[step.correct["attention"] for step in road(made, number) if step.attention] for number in range(4)]
    assert asked == [["1", "1", "1"], ["1", "2", "4"], ["4", "4", "3"], ["3", "2", "4"]]
    classes = [step.facts["classes"] for step in road(made, 2) if step.task]
    assert classes[:2] == [["owl", "cat", "dog", "fish"], ["cat", "dog", "fish", "owl"]]
    assert [offered(made, one, 3) for one in made.stimuli[:3]] == [
        ("dog", "cat", "fish"), ("fish", "dog", "cat"), ("fish", "dog", "cat"),
    ]  # fmt: skip


def test_a_forward_simulation_of_the_picture_alone_shows_no_map() -> None:
    maps = {one.image for stimulus in study().stimuli for one in stimulus.maps}
    for shows, expected in (("picture", False), ("map", True)):
        steps = road(study(block("trials", task="forward-simulation", task_shows=shows)), 0)
        shown = {picture.image for step in steps for picture in step.pictures}
        assert bool(shown & maps) is expected


def test_without_a_map_the_control_condition_shows_the_picture_alone() -> None:
    control = (Condition("control", "No map", "none"),)
    steps = road(study(block("trials", task="forward-simulation"), conditions=control), 0)
    assert all(len(step.pictures) == 1 for step in steps if step.task)


def test_a_distinction_shows_the_models_class_and_asks_for_both() -> None:
    for step in road(study(block("trials", task="distinction")), 2):
        if step.task:
            assert [question.name for question in step.questions] == [
                "answered", "answered-confidence", "right", "right-confidence",
            ]  # fmt: skip
            assert step.correct["answered"] == step.correct["right"]
            assert sorted(step.facts["classes"]) == ["cat", "dog", "fish", "owl"]


def test_what_a_study_lacks_is_said_in_sentences() -> None:
    assert lacks(whole()) == []
    for made, sentence in (
        (study(), "asks about no map"),
        (study(block("comprehension", [Item("?", options=("a", "b"))])), "right answer"),
        (study(block("comprehension")), "right answer|add a question"),
        (study(block("demographics", [Item("Age", options=("a",))])), "two options"),
        (study(block("trials", task="forced-choice"), conditions=CONDITIONS[:1]), "two conditions"),
        (study(block("trials", task="ranking"), count=0), "No image"),
        (study(block("training", task="rating")), "kept for training"),
        (study(block("trials", task="clicks", task_least=9, task_most=3)), "cannot both hold"),
        (study(block("trials", task="distinction", task_classes=6)), "4 of 6 classes"),
        (study(block("trials", task="rating"), conditions=(Condition("n", "None", "none"),)), "needs a map"),
        (study(block("questionnaire")), "no items"),
        (study(block("trials", task="rating"), stimuli=7), "cannot see 7 stimuli"),
        (study(block("trials", task="rating", attention=1), count=1), "between two trials"),
        (dataclasses.replace(whole(), name=" "), "no name"),
    ):  # fmt: skip
        assert any(any(part in one for part in sentence.split("|")) for one in lacks(made)), (sentence, lacks(made))


def test_training_shows_all_stimuli_kept_for_it_however_many_trials_there_are() -> None:
    made = study(block("training", task="rating"), block("trials", task="rating"), stimuli=4)
    few = dataclasses.replace(made, stimuli=(*made.stimuli, stimulus(6, "training"), stimulus(7, "training")))
    assert lacks(few) == []
    shown = [step.facts["stimulus"] for step in road(few, 0) if step.kind == "training" and step.task]
    assert sorted(shown) == ["s6", "s7"]
    assert len({step.facts["stimulus"] for step in road(few, 0) if step.kind == "trials" and step.task}) == 4


def dealt(made: Study, sequence: int, number: int) -> list[tuple[object, ...]]:
    """The stimulus and the conditions of each trial of a block, in order."""
    steps = [step for step in road(made, sequence) if step.block == number and step.task]
    return [(step.facts["stimulus"], *step.facts["conditions"]) for step in steps]


@pytest.mark.parametrize("task", ["rating", "forced-choice", "ranking"])
def test_two_blocks_of_the_same_task_deal_differently(task: str) -> None:
    made = study(block("trials", task=task), block("break"), block("trials", task=task), count=8)
    for sequence in range(10):
        first, second = dealt(made, sequence, 1), dealt(made, sequence, 3)
        assert sorted(one[0] for one in first) == sorted(one[0] for one in second)
        assert [one[0] for one in first] != [one[0] for one in second]  # another order
        assert set(first) != set(second)  # other conditions, or sides, of the same pictures


@pytest.mark.parametrize("task", ["rating", "forward-simulation"])
def test_between_subjects_training_and_all_trials_show_a_participant_the_same_condition(task: str) -> None:
    made = study(
        block("training", task=task), block("trials", task=task), block("trials", task=task),
        count=13, subjects="between", stimuli=4, sequences=26,
    )  # fmt: skip
    made = dataclasses.replace(made, stimuli=(*made.stimuli, *(stimulus(number, "training") for number in (90, 91))))
    shown = [{one[1:] for number in (1, 2, 3) for one in dealt(made, sequence, number)} for sequence in range(26)]
    assert all(len(conditions) == 1 for conditions in shown)
    assert set.union(*shown) == {("a",), ("b",), ("c",)}


def test_between_subjects_nobody_sees_a_map_of_another_condition_not_even_as_example_or_repeat() -> None:
    control = (CONDITIONS[0], CONDITIONS[1], Condition("control", "No map", "none"))
    for task, repeats in (("rating", 0), ("forced-choice", 2), ("ranking", 0)):
        conditions = CONDITIONS if task != "rating" else control
        blocks = (block("instructions"), block("trials", task=task, repeats=repeats))
        made = study(*blocks, conditions=conditions, subjects="between", sequences=6)
        of = {one.image: one.condition for picture in made.stimuli for one in picture.maps}
        for sequence in range(6):
            own = {key for one in dealt(made, sequence, 2) for key in one[1:]}
            seen = {of[one.image] for step in road(made, sequence) for one in step.pictures if one.image in of}
            assert seen == own - {"control"}


def test_names_that_do_not_exist_are_refused_with_those_that_do() -> None:
    with pytest.raises(StudyError, match="Did you mean 'ranking'"):
        get("rankin")
    with pytest.raises(StudyError, match="there are: consent"):
        block("consnt")


def test_a_block_with_the_settings_of_another_one_is_refused() -> None:
    mixed = dataclasses.replace(block("break"), kind="trials")
    with pytest.raises(StudyError, match="'trials' has PauseSettings, but needs TrialSettings; take the block out"):
        road(study(dataclasses.replace(mixed, task=block("trials", task="rating").task)), 0)


def test_every_answer_of_a_road_has_its_own_name_on_its_screen() -> None:
    for step in road(whole(), 0):
        names = [question.name for question in step.questions]
        assert len(set(names)) == len(names)
        assert all(isinstance(element, Question) == bool(element.name) for element in step.elements)


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_a_comprehension_check_says_how_often_it_can_be_answered(attempts: int) -> None:
    asked = [Item("?", options=("a", "b"), correct=1)]
    for text, said in (("", f"up to {attempts} times" if attempts > 1 else ""), ("My own words.", "")):
        step = road(study(block("comprehension", asked, attempts=attempts, text=text)), 0)[1]
        (prose,) = [element for element in step.elements if isinstance(element, Prose)]
        assert step.attempts == attempts
        assert said in prose.text and ("times" in prose.text) == bool(said)


def test_training_is_called_practice_and_trials_are_not() -> None:
    steps = road(whole(), 0)
    assert all(step.title.startswith("Practice: ") == (step.kind == "training") for step in steps if step.task)
