"""A few kills of the benchmark of kills: what a process has shown is there afterwards, and the end is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.kills import KINDS, Outcome, kill_often, table


@pytest.mark.slow
def test_what_was_shown_before_a_kill_is_there_and_the_end_is_that_of_an_undisturbed_run(tmp_path: Path) -> None:
    outcomes = kill_often(tmp_path, 3, seed=1)
    assert [each.kind for each in outcomes] == list(KINDS)
    assert sum(len(each.shown) for each in outcomes) == 3
    for each in outcomes:
        assert (each.lost, each.not_interrupted, each.different) == (0, 0, 0)
        assert each.finished


def test_the_table_says_what_was_seen() -> None:
    text = table([Outcome("comparison", [0, 7, 3], 2, 1, 4, 5), Outcome("randomisation")])
    assert "| comparison | 3 | 3 (7) | 2 | 1 | 4 | 5 |" in text
    assert "| randomisation | 0 | – | 0 | 0 | 0 | 0 |" in text
