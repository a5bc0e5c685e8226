"""Sequences: every promise counted from the trials, and stored ones that must never change."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.errors import SettingError
from decam.studies.assignment import Assignment, Cell, balance, sequence, sequences
from decam.studies.assignment.sequence import part_length

ORDERS = ("latin", "random", "fixed", "blocked")


def lines(found: tuple[tuple[Cell, ...], ...], stimuli: int, conditions: int) -> dict[str, tuple[int, int]]:
    return {line.name: (line.low, line.high) for line in balance(found, stimuli, conditions)}


def even(line: tuple[int, int]) -> bool:
    return line[1] - line[0] <= 1


@st.composite
def wishes(draw: st.DrawFn) -> tuple[Assignment, int, int, int]:
    stimuli, group = draw(st.integers(1, 12)), draw(st.sampled_from((0, 1, 2)))
    conditions = draw(st.integers(1 if group == 1 else 2, 5))
    made = Assignment(
        draw(st.sampled_from(("within", "between"))), draw(st.sampled_from(ORDERS)), draw(st.integers(0, stimuli)),
        draw(st.integers(1, 25)), draw(st.integers(0, 3)),
    )  # fmt: skip
    return made, stimuli, conditions, group


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(wishes())
def test_sequences_keep_every_promise(wish: tuple[Assignment, int, int, int]) -> None:
    made, stimuli, conditions, group = wish
    found = sequences(*wish)
    assert len(found) == made.sequences
    for row in found:
        assert len(row) == (made.stimuli or stimuli) == len({cell.stimulus for cell in row})
        assert all(len(set(cell.conditions)) == (group or conditions) for cell in row)
        assert all(set(cell.conditions) <= set(range(conditions)) for cell in row)
    table = lines(found, stimuli, conditions)
    assert even(table["stimulus"])
    assert table["stimulus-repeated"] == (0, 0)
    if made.order == "fixed":
        assert all(list(row) == sorted(row, key=lambda cell: cell.stimulus) for row in found)
    if made.subjects == "within" and group == 1:
        assert even(table["condition"]) and even(table["condition-participant"])
        cells = Counter((cell.stimulus, *cell.conditions) for row in found for cell in row)
        for one in range(stimuli):
            times = [cells[one, condition] for condition in range(conditions)]
            assert even((min(times), max(times)))
    if group == 2:
        assert table["pair-sides"][1] <= 1
        if made.subjects == "within":
            assert even(table["pair"]) and table["pair-participant"][1] <= 1
    if made.subjects == "between":
        assert all(len({frozenset(cell.conditions) for cell in row}) == 1 for row in found)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(2, 5), st.sampled_from((0, 1, 2)), st.integers(0, 3))
def test_cells_of_stimulus_and_condition_fill_equally_over_whole_rounds(
    rounds: int, conditions: int, group: int, seed: int
) -> None:
    """With as many sequences as all orders and pairs divide, everything comes exactly equally often."""
    made = Assignment(order="latin", sequences=rounds * 60, seed=seed)
    table = lines(sequences(made, 6, conditions, group), 6, conditions)
    for name in ("stimulus", "condition", "stimulus-condition", *(("pair", "stimulus-pair") if group == 2 else ())):
        assert table[name][0] == table[name][1], name
    if group == 2:
        assert table["pair-sides"] == (0, 0)
    if group == 0:
        assert table["condition-place"][0] == table["condition-place"][1]
        assert table["condition-beside"][0] == table["condition-beside"][1]
    if group == 1:
        assert 6 % conditions or table["condition-position"][0] == table["condition-position"][1]
    else:
        assert table["stimulus-position"] == (rounds * 10, rounds * 10)
        assert table["stimulus-neighbours"] == (rounds * 10, rounds * 10)


@pytest.mark.slow
def test_sides_within_participants_are_balanced_in_studies_of_a_usual_size() -> None:
    for seed in range(2):
        for stimuli, shown, conditions in ((20, 8, 5), (12, 0, 4), (30, 15, 6), (10, 5, 3)):
            made = Assignment(stimuli=shown, seed=seed)
            table = lines(sequences(made, stimuli, conditions, 2), stimuli, conditions)
            assert table["side-participant"][1] <= 1
            assert table["pair-sides"][1] <= 1


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(wishes(), st.integers(2, 4))
def test_sequences_past_those_made_beforehand_go_on_in_the_same_scheme(
    wish: tuple[Assignment, int, int, int], parts: int
) -> None:
    made, stimuli, conditions, group = wish
    length = made.sequences
    found = tuple(sequence(made, number, stimuli, conditions, group) for number in range(parts * length))
    table = lines(found, stimuli, conditions)
    assert even(table["stimulus"])
    if group == 2:
        assert table["pair-sides"][1] <= 1
    rotates = made.stimuli in (0, stimuli)  # a rotation never ends, so all its sequences are even together
    for start in [0] if rotates else range(0, parts * length, length):
        again = lines(found if rotates else found[start : start + length], stimuli, conditions)
        assert even(again["stimulus"])
        if made.subjects == "within" and group == 1:
            assert even(again["condition"])


def test_very_many_sequences_are_dealt_in_equal_parts() -> None:
    assert part_length(Assignment(sequences=60), 10) == 60
    assert part_length(Assignment(sequences=501), 10) == 251
    assert part_length(Assignment(sequences=10_000), 1000) == 50
    assert part_length(Assignment(sequences=1), 1000) == 1


def test_between_subjects_each_block_of_participants_has_every_condition() -> None:
    found = sequences(Assignment(subjects="between", sequences=12), 5, 3, 1)
    for start in range(0, 12, 3):
        assert sorted(row[0].conditions for row in found[start : start + 3]) == [(0,), (1,), (2,)]
    assert lines(found, 5, 3)["stimulus-condition"] == (4, 4)


@pytest.mark.slow
@given(st.sampled_from((0, 1, 2)), st.integers(2, 4), st.integers(0, 3), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_between_subjects_a_participant_has_the_same_conditions_in_every_stream(
    group: int, conditions: int, seed: int, stream: int
) -> None:
    """Whether all stimuli are seen, as in training, or some of them, as in the trials after it."""
    made = Assignment(subjects="between", sequences=13, seed=seed)
    trained = sequences(made, 3, conditions, group)
    tested = sequences(dataclasses.replace(made, stimuli=4), 11, conditions, group, stream)
    for before, after in zip(trained, tested, strict=True):
        shown = [cell.conditions for cell in (*before, *after)]
        assert len(set(map(frozenset, shown) if group == 2 else shown)) == 1  # a pair may stand either way round


@pytest.mark.parametrize("order", ["latin", "random", "blocked"])
@pytest.mark.parametrize("shown", [0, 6])
def test_streams_deal_differently_and_each_keeps_its_balance(order: str, shown: int) -> None:
    made = Assignment(order=order, stimuli=shown, sequences=12)
    found = [sequences(made, 9, 3, 1, stream) for stream in range(3)]
    for one, other in combinations(found, 2):
        same = sum(set(row) == set(again) for row, again in zip(one, other, strict=True))
        assert same < 3  # of 12 participants; which condition a stimulus has is independent
    for one in found:
        table = lines(one, 9, 3)
        assert even(table["stimulus"]) and even(table["condition"]) and even(table["condition-participant"])


def test_a_blocked_order_shows_one_condition_after_another() -> None:
    for row in sequences(Assignment(order="blocked", sequences=8), 12, 4, 1):
        shown = [cell.conditions[0] for cell in row]
        assert all(len(set(shown[start : start + 3])) == 1 for start in range(0, 12, 3))
        assert sorted(shown) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def digest(stimuli: int, conditions: int, group: int, made: Assignment) -> str:
    found = [[(cell.stimulus, *cell.conditions) for cell in row] for row in sequences(made, stimuli, conditions, group)]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16]


STORED = [
    ((6, 3, 1, Assignment()), "84cc0e030159dd6d"),
    ((6, 4, 2, Assignment(seed=7)), "e52742653a5abc40"),
    ((5, 3, 0, Assignment(order="latin")), "35777f8d88c3f9c9"),
    ((20, 4, 2, Assignment(stimuli=8, order="latin", sequences=30)), "749844c6a6d60323"),
    ((20, 4, 1, Assignment(stimuli=8, order="blocked", sequences=30, seed=2)), "75c0427b9bbdd9f7"),
    ((13, 3, 1, Assignment("between", stimuli=4, sequences=26)), "b3aa2723ebd09bfd"),
]


@pytest.mark.parametrize(("wish", "stored"), STORED)
@pytest.mark.slow
def test_sequences_are_those_that_were_stored(wish: tuple[int, int, int, Assignment], stored: str) -> None:
    assert digest(*wish) == stored


def test_a_sequence_is_that_which_was_stored() -> None:
    found = sequence(Assignment(), 3, 4, 3, 2)
    assert [(cell.stimulus, cell.conditions) for cell in found] == [(2, (2, 1)), (0, (2, 0)), (1, (0, 2)), (3, (1, 0))]
    other = sequence(Assignment(), 3, 4, 3, 2, stream=2)
    assert [(cell.stimulus, cell.conditions) for cell in other] == [(2, (0, 2)), (3, (1, 0)), (1, (0, 1)), (0, (2, 1))]


@pytest.mark.slow
def test_another_process_with_another_hash_seed_deals_the_same() -> None:
    code = (
        "from decam.studies.assignment import *;"
        "print(sequence(Assignment(stimuli=8, sequences=30, seed=5), 17, 20, 4, 2))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert ran.stdout.strip() == str(sequence(Assignment(stimuli=8, sequences=30, seed=5), 17, 20, 4, 2))


@pytest.mark.slow
def test_one_condition_is_dealt_where_all_are_for_every_stimulus() -> None:
    shown = sequence(Assignment(stimuli=3, sequences=6, seed=2), 4, 5, 1, 0)
    assert len(shown) == 3 and len({one.stimulus for one in shown}) == 3
    assert {tuple(one.conditions) for one in shown} == {(0,)}


def test_asking_out_of_order_changes_nothing() -> None:
    made = Assignment(stimuli=3, sequences=7, seed=11)
    late = sequence(made, 40, 9, 4, 2)
    assert late == tuple(sequence(made, number, 9, 4, 2) for number in range(41))[40]


@pytest.mark.parametrize(
    ("made", "arguments", "sentence"),
    [(Assignment(stimuli=9), (0, 8, 2, 1), "cannot see 9 stimuli, for there are only 8"),
     (Assignment(), (0, 8, 1, 2), "forced choice needs at least two conditions; there is 1"),
     (Assignment(), (0, 8, 0, 1), "no condition to deal; choose at least one method"),
     (Assignment(), (0, 0, 2, 1), "no stimulus to deal"),
     (Assignment(), (0, 8, 4, 3), "shows 1 condition, 2, or 0 for all of them, not 3"),
     (Assignment(), (-1, 8, 4, 1), "no sequence -1"), (Assignment(), (1_000_000, 8, 4, 1), "from 0 to 999,999")],
)  # fmt: skip
def test_impossible_wishes_are_refused(made: Assignment, arguments: tuple[int, int, int, int], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        sequence(made, *arguments)


@pytest.mark.parametrize("values", [{"subjects": "both"}, {"order": "williams"}, {"stimuli": -1}, {"sequences": 0}])
def test_settings_are_checked(values: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=next(iter(values))):
        Assignment.from_mapping(values)
