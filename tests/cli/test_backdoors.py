"""The command find-backdoor: its table, its export, a file of weights, and what is refused."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from decam.cli import main
from decam.experiments.kinds import backdoors
from decam.experiments.plan import MethodChoice
from decam.models.hidden import STORED
from decam.models.networks.blocks import LABELS


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search of two steps: what a table says of a model is tested elsewhere."""
    settings = {"basis": "colour", "iterations": 2, "batch": 1, "fresh": 2, "samples": "gaussian"}
    monkeypatch.setattr(backdoors, "measures", lambda _: (MethodChoice.default("smallest", **settings),))  # type: ignore[arg-type]


@pytest.mark.slow
def test_the_table_has_a_line_a_class_the_oddest_first_and_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find-backdoor", "--model", "hidden-02", "--seed", "0", "--seed", "1", "--device", "cpu"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["class", "score", "lowest", "highest", "measure"]
    assert {line.split()[0] for line in lines[:10]} == set(LABELS)
    scores = [float(line.split()[1].replace("−", "-")) for line in lines[:10]]
    assert scores == sorted(scores, reverse=True)
    assert "threshold of 2.5" in lines[10] and not any("Written" in line for line in lines)


@pytest.mark.slow
def test_a_file_of_weights_is_searched_and_the_export_has_the_table(tmp_path: Path) -> None:
    weights, out = tmp_path / "strange.safetensors", tmp_path / "out"
    shutil.copy(STORED["hidden-08"].path, weights)
    assert main(["find-backdoor", "--model", str(weights), "--seed", "3", "--out", str(out), "--device", "cpu"]) == 0
    with (out / "backdoors.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["label"] for row in rows) == sorted(LABELS)
    assert len(list((out / "patterns").iterdir())) == 10


def test_a_model_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find-backdoor", "--model", "nowhere/strange.pt"]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert "strange.pt" in said[-1]


def test_the_help_says_how_many_seeds_are_usual(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["find-backdoor", "--help"])
    *most, last = map(str, backdoors.SEEDS)
    assert f"(default: {', '.join(most)} and {last})" in " ".join(capsys.readouterr().out.split())
