"""The benchmark of two checkouts: each run has a process of its own, and gains are ratios of the same turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import earlier
from benchmarks.earlier import HERE, compared, main, rate
from decam.errors import SettingError


def test_gains_are_ratios_of_the_same_turn() -> None:
    line = compared("resnet50", [10.0, 20.0, 30.0], [20.0, 30.0, 90.0])
    assert line == "| resnet50 | 20.0 (10.0 to 30.0) | 30.0 (20.0 to 90.0) | 2.00 (1.50 to 3.00) | 1.5 |"


def test_the_earlier_checkout_comes_first_in_each_turn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked: list[tuple[str, str, int]] = []

    def timed(checkout: Path, name: str, budget: int) -> float:
        asked.append(("now" if checkout == HERE else checkout.name, name, budget))
        return 4.0 if checkout == HERE else 1.0

    monkeypatch.setattr(earlier, "rate", timed)
    main([str(tmp_path / "old"), "--models", "squeezenet1_0", "--rounds", "2"])
    assert asked == [("old", "squeezenet1_0", 1000), ("now", "squeezenet1_0", 1000)] * 2
    assert capsys.readouterr().out.splitlines()[-1].endswith("| 4.00 (4.00 to 4.00) | 2.5 |")


def test_a_folder_that_is_no_checkout_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot run DE-CAM on embedded: ModuleNotFoundError"):
        rate(tmp_path, "embedded", 200)


@pytest.mark.slow
def test_this_checkout_can_be_timed_against_itself() -> None:
    assert rate(HERE, "embedded", 200) > 0
