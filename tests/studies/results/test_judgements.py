"""How maps are rated, and how well people predict the model, told apart wherever chance or scale differ."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from decam.studies.design import Condition, Study
from decam.studies.results import material
from decam.studies.road import road
from tests.studies.answering import answer, crowd, participant, record
from tests.studies.results.reading import STRENGTHS, column, found, read
from tests.studies.studies import CLASSES, block, study


@pytest.mark.slow
def test_accuracy_is_the_share_of_right_answers() -> None:
    made = study(block("trials", task="forward-simulation", task_options=4), count=8)
    people, answers = crowd(made, 10, STRENGTHS)
    of = material(record(made), people, answers, Path())
    findings = found(of)["simulation"]
    for title, value in zip(column(findings, 0, "condition"), column(findings, 0, "accuracy"), strict=True):
        rows = [row for row in of.trials("accuracy") if of.title(row.conditions[0]) == title]
        assert value == pytest.approx(np.mean([row.value == row.step.correct["answer"] for row in rows]), abs=5e-4)
    assert "25 %" in findings.sentences[0]


@pytest.mark.slow
def test_blocks_with_other_statements_and_scales_are_rated_apart() -> None:
    made = study(
        block("trials", task="rating", task_statements="I see {label}."),
        block("trials", task="rating", task_statements="I see {label}.", task_points="7"),
        block("trials", task="rating", task_statements="It is clear."),
        count=4,
    )  # fmt: skip
    people, answers = [], []
    for number in range(3):
        who = participant(made, number)
        people.append(who)
        asked = [one for one in road(made, number) if one.task]
        answers += [answer(who, step, {"statement1": {1: 2, 2: 6, 3: 4}[step.block]}) for step in asked]
    findings = found(material(record(made), people, answers, Path()))["ratings"]
    means = {one.title: [row[3] for row in one.rows] for one in findings.tables if one.title.endswith(": means")}
    assert means == {
        "I see {label} (5 points): means": [2, 2, 2],
        "I see {label} (7 points): means": [6, 6, 6],
        "It is clear: means": [4, 4, 4],
    }
    assert len({figure.name for figure in findings.figures}) == 6


@pytest.mark.slow
def test_each_block_is_held_against_its_own_chance() -> None:
    made = study(
        block("trials", task="forward-simulation", task_options=2),
        block("trials", task="forward-simulation", task_options=4),
        count=4,
    )  # fmt: skip
    findings = found(read(made, 3))["simulation"]
    assert findings.sentences == (
        "Predicting the model's answer (2 to choose from). Chance is 50 %.",
        "Predicting the model's answer (4 to choose from). Chance is 25 %.",
    )
    everything = [sum(row[2] for row in one.rows if row[1] == "all") for one in findings.tables]  # type: ignore[misc]
    assert everything == [3 * 4, 3 * 4]
    assert len({figure.name for figure in findings.figures}) == len(findings.figures)


@pytest.mark.slow
def test_utility_is_that_of_the_training_condition_over_the_control() -> None:
    conditions = (Condition("a", "A", letter="X"), Condition("none", "No map", "none", letter="Y"))
    made = study(
        block("training", task="forward-simulation"),
        block("trials", task="forward-simulation", task_shows="picture"),
        conditions=conditions, count=8, subjects="between",
    )  # fmt: skip
    made = dataclasses.replace(
        made,
        stimuli=(
            *made.stimuli,
            *(dataclasses.replace(one, key=f"t{one.key}", use="training") for one in made.stimuli[:4]),
        ),
    )
    people, answers = crowd(made, 30, {"a": 3.0, "none": -3.0})
    of = material(record(made), people, answers, Path())
    findings = found(of)["utility"]
    head = findings.tables[0].head
    assert len(set(head)) == len(head)
    rows = dict(zip(column(findings, 0, "condition"), column(findings, 0, "utility"), strict=True))
    assert rows["No map"] == 1
    shares = {
        key: np.mean(
            [row.value == row.step.correct["answer"] for row in of.trials("accuracy") if row.conditions[0] == key]
        )
        for key in ("a", "none")
    }
    assert rows["A"] == pytest.approx(shares["a"] / shares["none"], abs=1e-3)


@pytest.mark.slow
def test_signal_detection_needs_a_model_that_is_sometimes_wrong() -> None:
    made = study(block("trials", task="distinction"), count=8)
    assert "detection" not in found(read(made, 4))
    findings = found(read(sometimes_wrong(made), 20))["detection"]
    assert dict(zip(column(findings, 0, "measure"), column(findings, 0, "value"), strict=True))["d′"] > 0.5  # type: ignore[operator]


def sometimes_wrong(made: Study) -> Study:
    """The study with a model that is wrong about every other image."""
    wrong = tuple(
        dataclasses.replace(one, correct=next(name for name in CLASSES if name != one.answer)) if place % 2 else one
        for place, one in enumerate(made.stimuli)
    )
    return dataclasses.replace(made, stimuli=wrong)


@pytest.mark.slow
def test_trust_and_confidence_are_told_apart_by_how_many_answers_there_were() -> None:
    blocks = [block("trials", task="distinction", task_classes=count) for count in (2, 4)]
    together = found(read(sometimes_wrong(study(*blocks, count=8)), 6, noise=0.5))
    titles = [table.title for table in together["detection"].tables]
    assert titles == ["Signal detection (2 to choose from)", "Signal detection (4 to choose from)"]
    assert len({figure.name for figure in together["detection"].figures}) == 2
    confidence = [one for one in together["distinction"].tables if one.title.startswith("Accuracy by confidence")]
    assert [one.title.rpartition(": ")[2] for one in confidence] == [
        f"{asked} ({count} to choose from)"
        for asked in ("what the model answered", "what is right")
        for count in (2, 4)
    ]
    answers = [sum(row[one.head.index("answers")] for row in one.rows) for one in confidence]  # type: ignore[misc]
    assert answers == [6 * 8] * 4


@pytest.mark.slow
def test_utility_is_told_apart_by_how_many_answers_there_were() -> None:
    conditions = (Condition("a", "A", letter="X"), Condition("none", "No map", "none", letter="Y"))
    made = study(
        block("training", task="forward-simulation"),
        block("trials", task="forward-simulation", task_options=2, task_shows="picture"),
        block("trials", task="forward-simulation", task_options=4, task_shows="picture"),
        conditions=conditions, count=8, subjects="between",
    )  # fmt: skip
    training = tuple(dataclasses.replace(one, key=f"t{one.key}", use="training") for one in made.stimuli[:4])
    findings = found(read(dataclasses.replace(made, stimuli=(*made.stimuli, *training)), 12, noise=0.5))["utility"]
    assert [one.title for one in findings.tables] == [f"Utility ({count} to choose from)" for count in (2, 4)]
    assert len({figure.name for figure in findings.figures}) == 4


@pytest.mark.slow
def test_distinction_is_counted_apart_for_the_models_right_and_wrong_answers() -> None:
    made = study(block("trials", task="distinction"), count=8)
    of = read(sometimes_wrong(made), 6, noise=0.5)
    findings = found(of)["distinction"]
    assert "Chance is 25 %." in findings.sentences[0]
    for table, name in enumerate(("answered", "right")):
        for row in (dict(zip(findings.tables[table].head, line, strict=True)) for line in findings.tables[table].rows):
            own = [
                one.value == one.step.correct[name]
                for one in of.trials("accuracy", name)
                if of.title(one.conditions[0]) == row["condition"]
                and row["images"] in ("all", "model right" if one.step.facts["model_right"] else "model wrong")
            ]
            assert (row["answers"], row["accuracy"]) == (len(own), pytest.approx(np.mean(own), abs=5e-4))


@pytest.mark.slow
def test_what_a_blinded_study_says_of_odds_without_an_estimate_names_no_method() -> None:
    made = study(block("trials", task="rating"), count=4)
    people, answers = crowd(made, 4, {"a": 50.0, "b": 0.0, "c": -50.0})
    sentences = found(material(record(made), people, answers, Path(), blinded=True))["ratings"].sentences
    (note,) = [one for one in sentences if "no finite estimate" in one]
    assert "odds of Method Y, Method Z have" in note
