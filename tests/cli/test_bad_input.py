"""What `explain` and `replay` are given wrongly is told in one sentence, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from decam.cli import main

ROOT = Path(__file__).resolve().parents[2]

BAD = {
    "no command": ([], "required"),
    "no such command": (["fly"], "fly"),
    "no image": (["explain", "--out", "OUT"], "PICTURE"),
    "no folder": (["explain", "PICTURE"], "--out"),
    "seed is no number": (["explain", "PICTURE", "--out", "OUT", "--seed", "x"], "--seed"),
    "seed out of bounds": (["explain", "PICTURE", "--out", "OUT", "--model", "MODEL", "--seed", "-1"], "seed"),
    "steps out of bounds": (["explain", "PICTURE", "--out", "OUT", "--model", "MODEL", "--steps", "1"], "steps"),
    "unknown fill": (["explain", "PICTURE", "--out", "OUT", "--model", "MODEL", "--fills", "grey", "blur"], "fill"),
    "one fill": (["explain", "PICTURE", "--out", "OUT", "--fills", "black"], "--fills"),
    "unknown model": (["explain", "PICTURE", "--out", "OUT", "--model", "squeezenet"], "squeezenet1_0"),
    "unknown method": (["explain", "PICTURE", "--out", "OUT", "--method", "gradcam"], "grad-cam"),
    "method twice": (["explain", "PICTURE", "--out", "OUT", "-m", "rise", "-m", "rise"], "twice"),
    "unknown setting": (["explain", "PICTURE", "--out", "OUT", "--set", "de-cam.budgets=500"], "budget"),
    "setting out of bounds": (["explain", "PICTURE", "--out", "OUT", "--set", "de-cam.budget=1"], "between 200 and"),
    "setting is no number": (["explain", "PICTURE", "--out", "OUT", "--set", "de-cam.budget=many"], "whole number"),
    "setting without value": (["explain", "PICTURE", "--out", "OUT", "--set", "de-cam.budget"], "NAME.SETTING=VALUE"),
    "setting of another method": (["explain", "PICTURE", "--out", "OUT", "--set", "rise.budget=99"], "--method rise"),
    "unknown metric": (["explain", "PICTURE", "--out", "OUT", "--metric", "pointing"], "pointing-game"),
    "setting of a metric's curve": (
        ["explain", "PICTURE", "--out", "OUT", "--metric", "deletion", "--set", "deletion.steps=1"],
        "deletion: steps is 1",
    ),
    "metric twice": (["explain", "PICTURE", "--out", "OUT", "--metric", "road", "--metric", "road"], "twice"),
    "setting of another metric": (["explain", "PICTURE", "--out", "OUT", "--set", "road.levels=5"], "--metric road"),
    "setting of nothing": (["explain", "PICTURE", "--out", "OUT", "--set", "raod.levels=5"], "raod"),
    "metric without its mask": (["explain", "PICTURE", "--out", "OUT", "--metric", "iou"], "--truth"),
    "a mask too many": (
        ["explain", "PICTURE", "--out", "OUT", "--truth", "-", "--truth", "-"],
        "2; images: 1",
    ),
    "missing mask": (["explain", "PICTURE", "--out", "OUT", "--truth", "nowhere.png"], "nowhere.png"),
    "unknown class": (["explain", "PICTURE", "--out", "OUT", "--model", "MODEL", "--target", "unicorn?"], "unicorn?"),
    "class index too high": (["explain", "PICTURE", "--out", "OUT", "--model", "MODEL", "--target", "5000"], "5000"),
    "class not unique": (["explain", "PICTURE", "--out", "OUT", "--model", "MODEL", "--target", "r"], "classes of"),
    "unknown device": (["explain", "PICTURE", "--out", "OUT", "--model", "MODEL", "--device", "abacus"], "abacus"),
    "missing image": (["explain", "nowhere.png", "--out", "OUT"], "nowhere.png"),
    "not an image": (["explain", str(ROOT / "pyproject.toml"), "--out", "OUT"], "pyproject.toml"),
    "a folder as image": (["explain", str(ROOT), "--out", "OUT"], "cannot be read"),
    "folder is a file": (["explain", "PICTURE", "--out", "PICTURE", "--model", "MODEL"], "cannot be written to"),
    "folder of a stranger": (["explain", "PICTURE", "--out", str(ROOT), "--model", "MODEL"], "is not empty"),
    "replay of nothing": (["replay", "nowhere.json"], "nowhere.json"),
    "replay of an image": (["replay", "PICTURE"], "not JSON"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    case: str, model: str, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments, words = BAD[case]
    out = tmp_path / "out"
    stand_ins = {"PICTURE": str(picture), "OUT": str(out), "MODEL": model}
    given = [stand_ins.get(argument, argument) for argument in arguments]
    if "--model" not in given and given[:1] == ["explain"]:
        given += ["--model", model]
    try:
        code = main(given)
    except SystemExit as left:  # argparse leaves by itself
        code = left.code
    said = capsys.readouterr()
    assert code == 2
    assert said.out == "" and words in said.err
    assert len(said.err.strip().splitlines()) == 1 and "Traceback" not in said.err
    assert not out.exists() and picture.is_file()
