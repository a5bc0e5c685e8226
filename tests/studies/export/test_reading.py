"""An export of a study in a store has everybody and everything, whatever became of the draft meanwhile."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest

from decam.studies.analysis.exclusions import choose
from decam.studies.design import Stage, Study
from decam.studies.editing import without_condition
from decam.studies.reading import export_files, material_of
from decam.studies.responses import Lane, StudyStore
from decam.studies.results import results
from decam.studies.sessions import Sessions
from tests.studies.studies import block, study
from tests.studies.taking_part import DEVICE, opened, small, take


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


@pytest.mark.slow
def test_whoever_left_before_any_answer_is_listed_with_what_flags_them(sessions: Sessions, store: StudyStore) -> None:
    record = opened(store, dataclasses.replace(small(), exclusions={"unfinished": choose("unfinished").settings}))
    for sequence, identity in enumerate(("left", "stayed")):
        visit = sessions.enter(record.link, {"PROLIFIC_PID": identity}, DEVICE)
        take(sessions, record, sequence, visit.code, None if identity == "stayed" else 0)
    people = table(dict(export_files(store, record.id, Lane.LIVE))["participants.csv"])
    assert {row["identity"]: row["flags"] for row in people} == {"left": "Unfinished", "stayed": ""}


TASKS = ("forced-choice", "ranking", "rating", "forward-simulation", "distinction", "clicks", "free-text")


def changed(store: StudyStore, sessions: Sessions) -> tuple[str, Study]:
    """A pilot that two people took, whose draft then lost a condition and an image that they had seen."""
    blocks = (block("trials", task=task, task_optional=False) if task == "free-text" else block("trials", task=task)
              for task in TASKS)  # fmt: skip
    made = study(*blocks, count=3)
    measured = tuple(
        dataclasses.replace(
            one,
            maps=tuple(
                dataclasses.replace(each, measurements={"insertion: 50 steps": 0.1 * place})
                for place, each in enumerate(one.maps)
            ),
        )
        for one in made.stimuli
    )
    record = opened(store, dataclasses.replace(made, stimuli=measured), Stage.PILOT)
    for sequence in range(2):
        visit = sessions.enter(record.link, {"PROLIFIC_PID": str(sequence)}, DEVICE)
        take(sessions, record, sequence, visit.code)
    store.set_stage(record.id, Stage.DRAFT)
    less = without_condition(record.study, "b")
    store.save(record.id, dataclasses.replace(less, stimuli=less.stimuli[1:]))
    return record.id, record.study


@pytest.mark.slow
def test_a_pilot_is_read_whole_after_a_condition_and_an_image_were_removed(
    sessions: Sessions, store: StudyStore
) -> None:
    identity, _ = changed(store, sessions)
    read = material_of(store, identity, Lane.PILOT)
    assert [one.key for one in read.conditions] == ["a", "c", "b"]
    assert [one.key for one in read.stimuli] == ["s1", "s2", "s0"]
    assert all(one.map_of("b") is not None for one in read.stimuli)
    sections = {section.name: findings for section, findings in results(read)}
    assert {"preference", "ranking", "faithfulness", "ratings", "simulation", "distinction", "clicks", "texts"} <= set(
        sections
    )
    progress = sections["progress"].tables[1]
    assert [row[:2] for row in progress.rows] == [("A", 2), ("C", 2), ("B", 2)]
    assert {str(row[0]) for row in sections["preference"].tables[0].rows} == {"A", "B", "C"}
    assert sections["clicks"].sentences[0].endswith("in 3 images.")
    files = dict(export_files(store, identity, Lane.PILOT))
    assert {row["condition"] for row in table(files["answers.csv"]) if row["task"] == "rating"} == {"a", "b", "c"}


@pytest.mark.slow
def test_a_condition_that_is_gone_is_told_from_one_that_has_its_letter_now(
    sessions: Sessions, store: StudyStore
) -> None:
    identity, before = changed(store, sessions)
    saved = store.get(identity).study
    letter = before.condition("b").letter
    a, c = saved.conditions
    store.save(identity, dataclasses.replace(saved, conditions=(dataclasses.replace(a, letter=letter), c)))
    read = material_of(store, identity, Lane.PILOT, blinded=True)
    assert [read.title(key) for key in "acb"] == [f"Method {letter}", "Method Z", f"Method {letter} (earlier)"]
