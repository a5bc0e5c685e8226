"""A few kills of the benchmark of kills: what a process has shown is there afterwards, and the end is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import kills
from benchmarks.kills import KINDS, Outcome, kill_often, main, outcome_table


@pytest.mark.slow
def test_what_was_shown_before_a_kill_is_there_and_the_end_is_that_of_an_undisturbed_run(tmp_path: Path) -> None:
    outcomes = kill_often(tmp_path, 3, seed=1)
    assert [each.kind for each in outcomes] == list(KINDS)
    assert sum(len(each.shown) for each in outcomes) == 3
    for each in outcomes:
        assert (each.lost, each.not_interrupted, each.different) == (0, 0, 0)
        assert each.finished


def test_the_table_says_what_was_seen() -> None:
    text = outcome_table([Outcome("comparison", [0, 7, 3], 2, 1, 4, 5), Outcome("randomisation")])
    assert "| comparison | 3 | 3 (7) | 2 | 1 | 4 | 5 |" in text
    assert "| randomisation | 0 | – | 0 | 0 | 0 | 0 |" in text


def test_the_page_names_the_kind_of_database_but_not_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kills, "kill_often", lambda *_: [Outcome("comparison", [1], lost=1)])
    page = tmp_path / "kills.md"
    assert main(["--kills", "1", "--url", "postgresql+psycopg://somebody:secret@here/runs", "--write", str(page)]) == 1
    text = page.read_text()
    assert "Database: postgresql+psycopg" in text and "| comparison | 1 | 1 (1) | 1 | 0 | 0 | 0 |" in text
    assert "    .venv/bin/python -m benchmarks.kills --kills 1 --seed 0\n" in text
    assert "secret" not in text + capsys.readouterr().out
