"""The benchmark of the optimiser from its arguments to its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.optimiser import main


@pytest.mark.slow
def test_both_tables_are_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["--functions", "sphere", "--dimensions", "3", "--seeds", "1", "--evaluations", "300", "--rounds", "1"]
    main([*call, "--write", str(tmp_path / "optimiser.md")])
    printed = capsys.readouterr().out
    page = (tmp_path / "optimiser.md").read_text()
    assert "\n| Sphere | 3 | 300 | " in printed and "of 1 in 3 dimensions" in printed
    assert page.endswith(printed.partition("\n")[2].lstrip())
    assert f"benchmarks.optimiser {' '.join(call)}\n" in page
