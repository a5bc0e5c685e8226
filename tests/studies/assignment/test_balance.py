"""The table of balance on trials that are counted by hand."""

from __future__ import annotations

from decam.studies.assignment.balance import balance
from decam.studies.assignment.sequence import Cell


def test_trials_of_one_condition_are_counted() -> None:
    sequences = [[Cell(0, (0,)), Cell(1, (1,)), Cell(2, (0,))], [Cell(1, (0,)), Cell(1, (1,))]]
    table = {line.name: (line.count, line.low, line.high) for line in balance(sequences, 3, 2)}
    assert table == {
        "stimulus": (3, 1, 3),
        "stimuli-together": (3, 1, 1),
        "stimulus-position": (9, 0, 2),
        "stimulus-neighbours": (6, 0, 1),
        "stimulus-repeated": (1, 1, 1),
        "condition": (2, 2, 3),
        "stimulus-condition": (6, 0, 2),
        "condition-participant": (2, 0, 1),
        "condition-position": (6, 0, 2),
        "condition-neighbours": (2, 1, 2),
    }


def test_pairs_and_their_sides_are_counted() -> None:
    sequences = [[Cell(0, (0, 1)), Cell(1, (0, 1)), Cell(2, (0, 2))]]
    table = {line.name: line for line in balance(sequences, 3, 3)}
    assert (table["pair"].low, table["pair"].high, table["pair"].difference) == (0, 2, 2)
    assert (table["pair-sides"].low, table["pair-sides"].high) == (0, 2)
    assert (table["side-participant"].low, table["side-participant"].high) == (1, 3)
    assert (table["condition-place"].low, table["condition-place"].high) == (0, 3)
    assert (table["condition-beside"].low, table["condition-beside"].high) == (0, 2)
    assert (table["pair-participant"].low, table["pair-participant"].high) == (2, 2)
    assert (table["stimulus-pair"].low, table["stimulus-pair"].high) == (0, 1)
    assert "condition-position" not in table


def test_places_of_a_ranking_are_counted() -> None:
    table = {line.name: line for line in balance([[Cell(0, (0, 1, 2)), Cell(1, (1, 2, 0))]], 2, 3)}
    assert (table["condition-place"].low, table["condition-place"].high) == (0, 1)
    assert (table["condition-beside"].count, table["condition-beside"].low, table["condition-beside"].high) == (6, 0, 2)
    assert "pair" not in table


def test_no_trial_makes_no_table() -> None:
    assert balance([], 3, 2) == ()
    assert balance([[]], 3, 2) == ()
