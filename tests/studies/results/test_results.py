"""Results find what people were made to think, count what they should, and leave nobody out in silence."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import re
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.figures.stimulus import RawMap
from decam.studies import frozen
from decam.studies.analysis.exclusions import choose
from decam.studies.design import Condition, Item, Study
from decam.studies.results import SECTIONS, Material, counted, material, table_csv
from decam.studies.results.base import rounded
from decam.studies.road import road
from tests.studies.answering import BEGAN, answer, crowd, participant, record
from tests.studies.results.reading import STRENGTHS, column, found, read
from tests.studies.studies import block, study, whole


def test_every_section_has_a_name_of_its_own() -> None:
    assert len({section.name for section in SECTIONS}) == len(SECTIONS)


@pytest.mark.slow
def test_a_study_of_everything_is_read_whole_and_every_chart_can_be_drawn(tmp_path: Path) -> None:
    sections = found(read(whole(), 6, tmp_path))
    assert {"progress", "preference", "ranking", "ratings", "simulation", "distinction", "texts", "times", "agreement",
            "questionnaires"} <= set(sections)  # fmt: skip
    names = [figure.name for findings in sections.values() for figure in findings.figures]
    assert len(set(names)) == len(names)
    for findings in sections.values():
        for figure in findings.figures:
            assert isinstance(figure.draw(False), go.Figure)
            assert isinstance(figure.draw(True), go.Figure)
        for table in findings.tables:
            assert len(set(table.head)) == len(table.head) and all(table.head)
            assert all(len(row) == len(table.head) for row in table.rows)
            lines = list(csv.reader(io.StringIO(table_csv(table).decode())))
            assert len(lines) == 1 + len(table.rows)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "section"), [("forced-choice", "preference"), ("ranking", "ranking")])
def test_people_who_prefer_one_map_give_it_the_highest_strength(task: str, section: str) -> None:
    findings = found(read(study(block("trials", task=task), count=8), 16))[section]
    assert column(findings, 0, "condition") == ["A", "B", "C"]
    strengths = column(findings, 0, "log-strength")
    assert strengths[0] == pytest.approx(1.5, abs=0.6)
    assert sum(strengths) == pytest.approx(0, abs=0.01)  # type: ignore[arg-type]


@pytest.mark.slow
def test_wins_are_those_counted_by_hand() -> None:
    made = study(block("trials", task="forced-choice"), count=6)
    people, answers = crowd(made, 5, STRENGTHS)
    of = material(record(made), people, answers, Path())
    wins = {(winner, loser): 0 for winner in "abc" for loser in "abc"}
    for row in of.everything:
        if row.question.name == "preferred":
            winner = row.conditions[0] if row.value == "left" else row.conditions[1]
            wins[winner, next(key for key in row.conditions if key != winner)] += 1
    matrix = found(of)["preference"].tables[1]
    for line, winner in zip(matrix.rows, "abc", strict=True):
        assert [float(str(value)) for value in line[1:]] == [wins[winner, loser] for loser in "abc"]


def test_no_difference_is_half_a_win_for_either() -> None:
    made = study(block("trials", task="forced-choice", task_neither=True), count=3)
    people, answers = crowd(made, 3, STRENGTHS)
    alike = [
        dataclasses.replace(
            one, values={**one.values, "preferred": "neither"} if "preferred" in one.values else one.values
        )
        for one in answers
    ]
    findings = found(material(record(made), people, alike, Path()))["preference"]
    assert column(findings, 0, "log-strength") == pytest.approx([0, 0, 0], abs=1e-6)


def test_a_map_shown_twice_and_attention_checks_are_no_answers_about_methods() -> None:
    made = study(block("trials", task="forced-choice", repeats=3, attention=2), count=4)
    people, answers = crowd(made, 3, STRENGTHS)
    of = material(record(made), people, answers, Path())
    assert len(of.trials("preference")) == 3 * 4
    shown = column(found(of)["progress"], 1, "trials answered")
    assert sum(shown) == 3 * (4 * 2 + 3)  # type: ignore[arg-type]  # a repeat shows one condition


def test_only_the_last_try_counts() -> None:
    made = study(block("trials", task="forced-choice"), count=2)
    who = participant(made, 0)
    people, answers = crowd(made, 1, STRENGTHS)
    step = next(row.step for row in material(record(made), people, answers, Path()).everything if row.step.task)
    both = [answer(who, step, {"preferred": "left"}, 1), answer(who, step, {"preferred": "right"}, 2)]
    rows = material(record(made), [who], both, Path()).trials("preference")
    assert [row.value for row in rows] == ["right"]


@pytest.mark.slow
def test_flags_are_set_by_the_studys_rules_and_both_counts_can_be_had() -> None:
    made = dataclasses.replace(
        study(block("trials", task="forced-choice"), count=10),
        exclusions={"too-fast": choose("too-fast", {"least": 1000}).settings},
    )
    people, answers = crowd(made, 6, STRENGTHS)
    fast = {"person1", "person4"}
    answers = [
        dataclasses.replace(one, duration=300.0, blurred=0.0) if one.participant in fast else one for one in answers
    ]
    everybody = material(record(made), people, answers, Path())
    kept = material(record(made), people, answers, Path(), kept_only=True)
    assert {row.participant.code for row in everybody.rows} == {one.code for one in people}
    assert {row.participant.code for row in kept.rows} == {one.code for one in people} - fast
    assert column(found(everybody)["exclusions"], 0, "people") == [2]
    assert {row.flags for row in everybody.everything if row.participant.code in fast} == {("Too fast",)}


@pytest.mark.slow
def test_response_times_are_told_with_odd_ones_and_without() -> None:
    people, answers = crowd(study(block("trials", task="forced-choice"), count=10), 4, STRENGTHS)
    times = [1000.0 + 10 * number for number in range(len(answers))]
    times[7] = 900_000.0
    answers = [dataclasses.replace(one, duration=time, blurred=0.0) for one, time in zip(answers, times, strict=True)]
    of = material(record(study(block("trials", task="forced-choice"), count=10)), people, answers, Path())
    seen = [row.answer.duration for row in of.rows if row.step.task and row.question is row.step.questions[0]]
    findings = found(of)["times"]
    assert column(findings, 0, "odd") == [1]
    assert column(findings, 0, "median ms") == [round(float(np.median(seen)))]
    rest = [time for time in seen if time < 900_000]
    assert len(rest) == len(seen) - 1
    assert column(findings, 0, "median ms without odd") == [round(float(np.median(rest)))]


def flags_by_person(of: Material) -> dict[str, list[str]]:
    pairs = zip(of.flagged.participants, of.flagged.flags, strict=True)
    return {person: [flag.rule for flag in flags] for person, flags in pairs}


def test_a_small_window_is_that_of_the_window_and_not_of_a_picture_in_it() -> None:
    made = dataclasses.replace(
        study(block("trials", task="rating"), count=2), exclusions={"small-window": choose("small-window").settings}
    )
    people, answers = crowd(made, 3, STRENGTHS)
    events = {
        "person0": ({"kind": "shown", "ms": 0, "width": 250, "height": 180},),
        "person1": ({"kind": "resize", "ms": 9, "width": 310, "height": 700},),
        "person2": ({"kind": "resize", "ms": 9, "width": 900, "height": 700},),
    }
    answers = [dataclasses.replace(one, events=events[one.participant]) for one in answers]
    of = material(record(made), people, answers, Path())
    assert flags_by_person(of) == {"person0": [], "person1": ["small-window"], "person2": []}


def test_answers_that_were_left_out_are_no_row_of_the_same_answer() -> None:
    made = dataclasses.replace(
        study(block("trials", task="free-text"), count=9),
        exclusions={"straight-lining": choose("straight-lining", {"least_trials": 4}).settings},
    )
    people, answers = crowd(made, 3, STRENGTHS)
    texts: dict[str, list[str | None]] = {
        "person0": [None] * 9,
        "person1": ["An ear."] * 9,
        "person2": [None] * 5 + ["An ear.", "An ear.", "An ear.", "A tail."],
    }
    asked = [one for one in answers if "text" in one.values]
    given_texts = {one.id: texts[one.participant].pop() for one in asked}
    answers = [dataclasses.replace(one, values={"text": given_texts[one.id]}) for one in asked]
    of = material(record(made), people, answers, Path())
    assert flags_by_person(of) == {"person0": [], "person1": ["straight-lining"], "person2": []}


def test_whom_the_researcher_excluded_counts_no_more_among_the_kept() -> None:
    made = study(block("trials", task="rating"), count=4)
    people, answers = crowd(made, 3, STRENGTHS)
    people[1] = dataclasses.replace(people[1], excluded="called twice")
    kept = material(record(made), people, answers, Path(), kept_only=True)
    assert {row.participant.code for row in kept.rows} == {"person0", "person2"}


@pytest.mark.slow
def test_blinded_results_name_no_method() -> None:
    made = study(block("trials", task="forced-choice"), count=6)
    findings = found(read(made, 6, blinded=True))["preference"]
    assert sorted(map(str, column(findings, 0, "condition"))) == ["Method X", "Method Y", "Method Z"]


def test_times_leave_out_what_was_spent_elsewhere() -> None:
    findings = found(read(study(block("trials", task="rating"), count=4), 3))["times"]
    assert column(findings, 0, "median ms") == [1500]


@pytest.mark.slow
def test_clicks_are_scored_against_every_map_and_their_own_ceiling(tmp_path: Path) -> None:
    middle = np.exp(-(((np.mgrid[0:160, 0:224][0] - 80) / 24) ** 2) - (((np.mgrid[0:160, 0:224][1] - 112) / 34) ** 2))
    corner = np.roll(middle, (70, 100), (0, 1))
    digests = {
        key: frozen.keep_array(tmp_path, RawMap(values.astype(np.float32)))
        for key, values in (("a", middle), ("b", corner), ("c", np.flipud(corner)))
    }
    made = study(block("trials", task="clicks"), count=4)
    stimuli = tuple(
        dataclasses.replace(
            one, maps=tuple(dataclasses.replace(each, array=digests[each.condition]) for each in one.maps)
        )
        for one in made.stimuli
    )
    findings = found(read(dataclasses.replace(made, stimuli=stimuli), 8, tmp_path))["clicks"]
    rows = [dict(zip(findings.tables[0].head, row, strict=True)) for row in findings.tables[0].rows]
    auc = {str(row["condition"]): row["value"] for row in rows if "AUC" in str(row["score"])}
    assert auc["A"] > 0.8 > auc["B"]  # type: ignore[operator]
    assert auc["Other people"] > 0.7  # type: ignore[operator]


@pytest.mark.slow
def test_preference_is_compared_with_the_metrics_of_the_same_cells() -> None:
    made = study(block("trials", task="forced-choice"), count=6)
    values = {"a": 0.9, "b": 0.5, "c": 0.1}
    stimuli = tuple(
        dataclasses.replace(
            one,
            maps=tuple(
                dataclasses.replace(
                    each, measurements={"insertion: 50 steps, blur fill": values[each.condition], "unheard-of: x": 1.0}
                )
                for each in one.maps
            ),
        )
        for one in made.stimuli
    )
    findings = found(read(dataclasses.replace(made, stimuli=stimuli), 12))["faithfulness"]
    rows = [dict(zip(findings.tables[0].head, row, strict=True)) for row in findings.tables[0].rows]
    spearman = next(row for row in rows if row["correlation"] == "Spearman")
    assert spearman["value"] == 1
    assert spearman["p"] == pytest.approx(2 / math.factorial(3), abs=1e-4)
    assert any("3 methods" in sentence for sentence in findings.sentences)


@pytest.mark.slow
def test_one_person_is_counted_as_one_and_gives_no_interval(tmp_path: Path) -> None:
    sections = found(read(whole(), 1, tmp_path))
    for findings in sections.values():
        for sentence in findings.sentences:
            assert not re.search(r"\b1 (people|participants|images|answers|methods|places|descriptions)\b", sentence)
        for table in findings.tables:
            for name in ("from", "to"):
                ends = [place for place, head in enumerate(table.head) if head == name or head.endswith(f", {name}")]
                drawn = table.title not in ("Agreement", "Maps against clicks") and "confidence" not in table.title
                assert not drawn or all(row[place] == "" for row in table.rows for place in ends), table.title
    assert "One person alone gives no intervals." in sections["preference"].sentences
    assert sections["progress"].sentences[0] == "1 person came, 1 finished."


def test_conditions_that_are_level_are_all_named() -> None:
    made = study(block("trials", task="forced-choice", task_neither=True), count=3)
    people, answers = crowd(made, 3, STRENGTHS)
    neither = [
        dataclasses.replace(one, values={**one.values, "preferred": "neither"}) if "preferred" in one.values else one
        for one in answers
    ]
    findings = found(material(record(made), people, neither, Path()))["preference"]
    assert "All conditions are level: none is preferred to another." in findings.sentences
    assert "-0.0" not in table_csv(findings.tables[0]).decode()


@given(st.floats(-1e-3, 1e-3) | st.just(math.nan))
def test_no_cell_is_minus_zero(value: float) -> None:
    shown = rounded(value)
    assert (shown == "") == math.isnan(value)
    assert str(shown) != "-0.0"


@pytest.mark.slow
def test_people_agree_who_name_the_same_class_wherever_it_stood_on_their_screens() -> None:
    conditions = (Condition("a", "A", letter="X"),)
    made = study(block("trials", task="distinction", task_confidence=False), count=4, conditions=conditions)
    people, answers = [], []
    places = set()
    for number in range(4):
        who = participant(made, number)
        people.append(who)
        for step in (one for one in road(made, number) if one.task):
            classes = step.facts["classes"]
            assert isinstance(classes, list)
            right = step.correct["right"]
            place = classes.index({"s0": "dog", "s1": "dog", "s2": "owl", "s3": "cat"}[str(step.facts["stimulus"])])
            places.add((step.facts["stimulus"], place))
            answers.append(answer(who, step, {"answered": str(place + 1), "right": right}))
    assert len(places) > 4, "the classes stand elsewhere for others"
    findings = found(material(record(made), people, answers, Path()))["agreement"]
    alphas = dict(zip(column(findings, 0, "question"), column(findings, 0, "alpha"), strict=True))
    assert alphas == {"answered": 1.0, "right": 1.0}


def test_own_items_with_a_scale_are_scored_over_those_who_answered_all_of_it() -> None:
    items = [Item("I trust it", "rating", group="Trust"), Item("I doubt it", "rating", group="Trust", reverse=True)]
    made = study(block("questionnaire", items))
    people, answers = [], []
    for number, (trust, doubt) in enumerate(((5, 1), (3, 3), (4, 4))):
        who = participant(made, number)
        people.append(who)
        answers.append(answer(who, road(made, number)[1], {"item1": trust, "item2": doubt}))
    findings = found(material(record(made), people, answers, Path()))["questionnaires"]
    assert findings.sentences[0].startswith("Trust: 66.7 of 100")  # (100 + 50 + 50) / 3


def test_a_questionnaire_that_moved_since_the_pilot_is_the_same_one_and_a_changed_one_stands_apart() -> None:
    kept = block("questionnaire", [Item("I trust it", "rating", group="Trust")])
    before = study(kept, block("questionnaire", [Item("It is clear", "rating")]))
    now = study(block("break"), kept, block("questionnaire", [Item("It is very clear", "rating")]))
    people, answers = [], []
    for number, (made, at) in enumerate(((before, 1), (now, 2))):
        who = dataclasses.replace(participant(made, number), digest=record(made).digest)
        people.append(who)
        steps = road(made, number)
        answers += [answer(who, steps[at + place], {"item1": 4 + number}) for place in (0, 1)]
    documents = {record(made).digest: made for made in (before, now)}
    findings = found(material(record(now), people, answers, Path(), documents=documents))["questionnaires"]
    assert [table.title for table in findings.tables] == [
        "Block 3: Questionnaire",
        "Block 4: Questionnaire",
        "Block 3 of an earlier version: Questionnaire",
    ]
    assert [[row[:2] for row in table.rows] for table in findings.tables] == [
        [("I trust it", 2)],
        [("It is very clear", 1)],
        [("It is clear", 1)],
    ]
    (score,) = findings.sentences
    assert score.startswith("Trust: 87.5 of 100") and score.endswith("(2 people).")


def test_nobody_yet_is_said_and_nothing_fails() -> None:
    of = material(record(whole()), [], [], Path())
    assert found(of)["progress"].sentences == ("Nobody has taken part yet.",)


def test_the_digest_follows_whatever_sections_read_and_nothing_else() -> None:
    made = study(block("trials", task="rating"), count=3)
    people, answers = crowd(made, 3, STRENGTHS)

    def digest(*people_and_answers: object, of: Study = made, **options: bool) -> str:
        who, given = people_and_answers or (people, answers)
        return material(record(of), who, given, Path(), **options).digest  # type: ignore[arg-type]

    assert digest() == digest([dataclasses.replace(one, seen=one.seen + 5) for one in people], answers)
    changed = {
        digest(),
        digest(people, answers[:-1]),
        digest([dataclasses.replace(people[0], excluded="Knew them."), *people[1:]], answers),
        digest(people, [*answers[:-1], dataclasses.replace(answers[-1], duration=1.0)]),
        digest(kept_only=True),
        digest(blinded=True),
        digest(of=dataclasses.replace(made, name="Another")),
    }
    assert len(changed) == 7


def test_a_count_says_up_to_which_answer_it_reaches() -> None:
    made = study(block("trials", task="rating"), count=3)
    people, answers = crowd(made, 3, STRENGTHS)
    last = dataclasses.replace(answers[2], received=BEGAN + 99)
    of = material(record(made), people, [*answers[:2], last, *answers[3:]], Path())
    times = next(section for section in SECTIONS if section.name == "times")
    steps = counted(times, of)
    assert next(steps).step == 0
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value.until == BEGAN + 99 and end.value.value.findings.tables == times.read(of).tables  # type: ignore[union-attr]
    assert material(record(made), [], [], Path()).until is None
