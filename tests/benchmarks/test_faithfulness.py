"""The benchmark of faithfulness from a folder to its tables: halves, order, resuming."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import faithfulness
from benchmarks.faithfulness import Subject, duration, half, main, pictures, tasks
from benchmarks.results import Store
from benchmarks.rows import all_rows, selected
from decam.images.scenes import scene
from tests.conftest import Rectangle

ROWS = ["--rows", "random", "centre", "grad-cam"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures and a file that is none."""
    for seed in range(2):
        Image.fromarray(scene.scene(seed).image).save(tmp_path / f"{seed}.png")
    (tmp_path / "README.md").write_text("about the pictures")
    return tmp_path


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curves of ten steps."""
    monkeypatch.setattr(faithfulness, "STEPS", 10)


def test_the_halves_are_every_second_picture_by_name_and_together_all() -> None:
    paths = [Path(f"folder/{name}.jpg") for name in "dbeac"]
    develop, report = half(paths, "develop"), half(paths, "report")
    assert [path.stem for path in develop] == ["a", "c", "e"]
    assert [path.stem for path in report] == ["b", "d"]
    assert sorted([*develop, *report]) == half(paths, "all")


def test_only_pictures_are_taken_from_a_folder(folder: Path) -> None:
    assert [path.name for path in pictures(folder, "all")] == ["0.png", "1.png"]
    assert [path.name for path in pictures(folder, "report")] == ["1.png"]
    with pytest.raises(ValueError, match="no pictures"):
        pictures(folder / "..", "all")


def test_the_first_seed_of_all_pictures_comes_first_and_unseeded_rows_once(rectangle: Rectangle) -> None:
    rows = selected(all_rows(rectangle.classifier), ["random", "centre"])
    chosen = [Subject(name, rectangle.view, name, 1) for name in "pq"]
    todo = list(tasks(rectangle.classifier, chosen, 2, rows, Store(Path("absent.jsonl"))))
    order = [(task.seed, task.subject.name, [row.name for row in task.rows]) for task in todo]
    both = ["random", "centre"]
    assert order == [(0, "p", both), (0, "q", both), (1, "p", ["random"]), (1, "q", ["random"])]


@pytest.mark.slow
@pytest.mark.usefixtures("few_steps")
def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_results(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, stopped = folder / "whole.jsonl", folder / "stopped.jsonl"
    call = ["--pictures", str(folder), "--model", "embedded", "--seeds", "2", "--scenes", "0", *ROWS]
    main([*call, "--out", str(whole)])
    printed = capsys.readouterr().out
    lines = whole.read_bytes().splitlines(keepends=True)
    assert len(lines) == 2 * (2 + 1 + 1)

    stopped.write_bytes(b"".join(lines[:3]) + lines[3][:20])
    main([*call, "--out", str(stopped)])
    assert capsys.readouterr().out == printed
    assert stopped.read_bytes() == whole.read_bytes()

    main([*call, "--out", str(stopped)])
    assert stopped.read_bytes() == whole.read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("few_steps")
def test_the_table_alone_is_printed_from_what_is_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "results.jsonl"
    main(["--pictures", str(folder), "--model", "embedded", "--seeds", "1", "--scenes", "0", *ROWS, "--out", str(out)])
    printed = capsys.readouterr().out
    main(["--model", "embedded", "--out", str(out), "--table"])
    assert capsys.readouterr().out == printed
    assert "| random | 0 | 2 | 1 |" in printed
    main(["--pictures", str(folder), "--half", "report", "--model", "embedded", "--out", str(out), "--table"])
    assert "| random | 0 | 1 | 1 |" in capsys.readouterr().out


@pytest.mark.slow
def test_scenes_are_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.jsonl"
    faithfulness.run_scenes(2, Store(out))
    assert len(list(Store(out).hits())) == 4
    monkeypatch.setattr(faithfulness, "load_classifier", None)  # nothing is asked any more
    faithfulness.run_scenes(2, Store(out))
    assert "100.0%" in capsys.readouterr().err


def test_times_are_said_in_words() -> None:
    assert [duration(seconds) for seconds in (8.4, 200, 7500)] == ["0 min 08 s", "3 min 20 s", "2 h 05 min"]


@pytest.mark.slow
def test_the_curves_of_a_map_are_those_of_measure(folder: Path) -> None:
    from decam import explain, load_classifier, measure

    out = folder / "results.jsonl"
    main(["--pictures", str(folder), "--model", "embedded", "--scenes", "0", "--rows", "centre", "--out", str(out)])
    classifier = load_classifier("embedded")
    saliency = explain(classifier, folder / "0.png", "centre").saliency
    found = next(result for result in Store(out).results() if result.picture == "0.png")
    mean, blur = (measure(classifier, folder / "0.png", saliency, steps=100, fill=fill) for fill in ("mean", "blur"))
    got = (found.deletion, found.insertion, found.swapped_deletion, found.swapped_insertion)
    expected = (mean["deletion"], blur["insertion"], blur["deletion"], mean["insertion"])
    np.testing.assert_allclose(got, expected, atol=1e-6)
