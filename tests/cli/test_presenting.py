"""The command stimuli: an export becomes a set of stimuli, and bad input is told in one sentence."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from decam.cli import main
from decam.experiments.grid import Grid
from decam.export.stimulus_set import stimulus_zip
from decam.figures.stimulus import Display


def test_the_command_writes_what_python_writes(made: tuple[Grid, Path], tmp_path: Path, capsys) -> None:
    grid, settings = made
    out = tmp_path / "set.zip"
    options = ["--view", "map", "--size", "160", "--colours", "viridis", "--scale", "method", "--seed", "9"]
    assert main(["stimuli", str(settings), "--out", str(out), *options]) == 0
    assert out.read_bytes() == stimulus_zip(grid, Display("map", "viridis", 0.6, "method", 160), 9)
    assert "2 stimuli written to" in capsys.readouterr().out


def test_equal_areas_can_be_counted_in_a_folder_of_stimuli(made: tuple[Grid, Path], tmp_path: Path) -> None:
    out = tmp_path / "set"
    assert main(["stimuli", str(made[1]), "--out", str(out), "--view", "area", "--area", "20", "--size", "128"]) == 0
    rows = list(csv.DictReader(io.StringIO((out / "manifest.csv").read_text(encoding="utf-8"))))
    for row in rows:
        pixels = np.asarray(Image.open(out / row["file"]))
        assert (pixels != 128).any(axis=-1).sum() == round(0.2 * 128 * 128)
    assert len(rows) == 2 and (out / "codebook.txt").is_file()
    with zipfile.ZipFile(io.BytesIO(stimulus_zip(made[0], Display(view="area", area=20, size=128)))) as archive:
        assert all((out / name).read_bytes() == archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--view", "grid"], "view is 'grid', but must be one of: overlay, map, masked, area"),
        (["--view", "area", "--area", "0"], "area is 0, but must lie between 1 and 99"),
        (["--size", "9"], "size is 9, but must lie between 128 and 1024"),
        (["--area", "30"], "--area does nothing with --view overlay; leave it out"),
        (["--view", "map", "--opacity", "0.5"], "--opacity does nothing with --view map"),
        (["--view", "masked", "--colours", "viridis"], "--colours does nothing with --view masked"),
        (["--view", "area", "--scale", "rank"], "--scale does nothing with --view area"),
        (["--seed", "-4"], "The seed is -4, but must lie between 0"),
        (["--opacity", "nan"], "opacity must be a finite number"),
    ],
)
def test_bad_input_is_told_in_one_sentence(made, options, sentence, tmp_path: Path, capsys) -> None:
    assert main(["stimuli", str(made[1]), "--out", str(tmp_path / "set"), *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert sentence in line
    assert list(tmp_path.iterdir()) == []
