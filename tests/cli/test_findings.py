"""What a command says in words under its table."""

from __future__ import annotations

from pathlib import Path

import pytest

from decam.cli import main
from decam.cli.computing import MOST, _print_findings
from decam.experiments.kinds import reading
from decam.images.samples import SAMPLES
from tests.tools.classes import class_grid


@pytest.mark.slow
def test_what_the_run_says_stands_under_the_table_as_in_the_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "star.png"
    SAMPLES[0].load().save(picture)
    given = ["explain", str(picture), "--model", "embedded", "--steps", "2", "--out", str(tmp_path / "out")]
    assert main([*given, "-m", "grad-cam", "-m", "random"]) == 0
    _, _, _, *said, cost, last = capsys.readouterr().out.splitlines()
    assert cost.startswith("In all ") and last.startswith("Written to")
    assert said == (tmp_path / "out" / "reading.txt").read_text(encoding="utf-8").splitlines()
    assert [one.split(" ·")[0] for one in said[:2]] == ["Deletion", "Insertion"] and "Random map" in said[0]


@pytest.mark.slow
def test_many_findings_are_told_by_those_about_the_whole_run(capsys: pytest.CaptureFixture[str]) -> None:
    grid = class_grid()
    assert len(reading(grid)) > MOST
    _print_findings(grid)
    assert capsys.readouterr().out.splitlines() == [one.sentence for one in reading(grid) if not one.subject]
