"""The command draw: an export becomes a figure or a page, and bad input is told in one sentence."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from decam import export
from decam.cli import main
from tests.tools.classes import class_grid


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "begin", "options"),
    [
        ("png", b"\x89PNG", ["--by-rank", "--contours"]),
        ("svg", b"<?xml", ["--metric", "deletion", "--colours", "viridis"]),
        ("pdf", b"%PDF-1.", ["--curves"]),
        ("html", b"<!doctype html>", ["--opacity", "0.4"]),
    ],
)
def test_the_ending_says_what_is_drawn(settings, ending, begin, options, tmp_path, capsys) -> None:
    out = tmp_path / "new" / f"drawn.{ending}"
    assert main(["draw", str(settings), "--out", str(out), *options]) == 0
    assert out.read_bytes().startswith(begin)
    assert f"Written to {out}" in capsys.readouterr().out


@pytest.mark.slow
def test_metrics_stand_under_the_maps_only_when_asked_for(settings: Path, tmp_path: Path) -> None:
    texts = {}
    for name, options in (("with", ["--metric", "deletion"]), ("without", [])):
        assert main(["draw", str(settings), "--out", str(tmp_path / f"{name}.svg"), *options]) == 0
        texts[name] = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
    assert ">Deletion" in texts["with"] and ">Deletion" not in texts["without"]


@pytest.mark.slow
def test_a_look_changes_the_pixels(settings: Path, tmp_path: Path) -> None:
    drawn = []
    for options in ([], ["--colours", "cividis"], ["--opacity", "0"], ["--contours"]):
        out = tmp_path / "drawn.png"
        assert main(["draw", str(settings), "--out", str(out), *options]) == 0
        drawn.append(Image.open(io.BytesIO(out.read_bytes())).tobytes())
    assert len(set(drawn)) == 4


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--out", "maps.gif"], "its ending says what is drawn; give one of .png, .svg, .pdf, .html"),
        (["--out", "maps"], "its ending says what is drawn"),
        (["--out", "maps.png", "--metric", "road"], "no metric 'road'; it has: deletion, insertion"),
        (["--out", "maps.png", "--opacity", "2"], "opacity is 2, but must lie between 0 and 1"),
        (["--out", "maps.html", "--opacity", "-1"], "opacity is -1, but must lie between 0 and 1"),
        (["--out", "maps.png", "--colours", "jet"], "jet"),
        *(
            (["--out", "curves.svg", "--curves", *look], f"{look[0]} does nothing with --curves; leave it out")
            for look in (
                *(["--metric", "deletion"], ["--colours", "viridis"], ["--opacity", "0"], ["--shared"]),
                *(["--extremes"], ["--by-rank"], ["--contours"]),
            )
        ),
        (["--out", "maps.html", "--metric", "deletion"], "--metric does nothing with --out FILE.html: a page has all"),
        (["--out", "maps.html", "--curves"], "--curves does nothing with --out FILE.html: a page has all"),
        (["--out", "maps.html", "--by-rank", "--shared"], "--shared does nothing with --by-rank"),
        (["--out", "maps.png", "--by-rank", "--extremes"], "--extremes does nothing with --by-rank"),
    ],
)
def test_bad_input_is_told_in_one_sentence(settings, options, sentence, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["draw", str(settings), *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert sentence in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["png", "html"])
def test_an_export_about_classes_is_drawn_by_its_patterns_and_makes_no_stimuli(ending, tmp_path, capsys) -> None:
    made, out = tmp_path / "made", tmp_path / f"drawn.{ending}"
    export.write(class_grid(), made)
    assert main(["draw", str(made / "settings.json"), "--out", str(out)]) == 0
    assert ending != "html" or ">visible<" in out.read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["draw", str(made / "settings.json"), "--out", str(out), "--by-rank"]) == 2
    assert "--by-rank does nothing in an export about classes" in capsys.readouterr().err
    assert main(["stimuli", str(made / "settings.json"), "--out", str(tmp_path / "set")]) == 2
    assert "about classes, not images; stimuli are made of maps of images" in capsys.readouterr().err


def test_an_export_that_is_missing_is_told(tmp_path: Path, capsys) -> None:
    assert main(["draw", str(tmp_path / "settings.json"), "--out", str(tmp_path / "a.png")]) == 2
    assert "cannot be read" in capsys.readouterr().err
