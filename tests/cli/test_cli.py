"""The command line as a user meets it: exit codes, one sentence on bad input, Ctrl-C keeps what is finished."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from decam.cli import main
from decam.cli.choices import choices
from decam.errors import SettingError
from decam.images.samples import SAMPLES
from decam.methods.de_cam.settings import DeCamSettings
from decam.models.catalogue import ENTRIES

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300  # seconds before a command counts as stuck


def _command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "decam", *map(str, arguments)]


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(*arguments), cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=PATIENCE
    )


@pytest.mark.slow
def test_explaining_writes_an_export_that_replays_to_the_same_maps(model: str, picture: Path, tmp_path: Path):
    out, again = tmp_path / "out", tmp_path / "again"
    chosen = ["--model", model, "--method", "de-cam", "--method", "random", "--set", "de-cam.budget=200"]
    done = _run("explain", picture, *chosen, "--seed", "5", "--steps", "4", "--device", "cpu", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and str(out) in done.stdout and "de-cam" in done.stdout
    with (out / "metrics.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["picture"], row["method"]) for row in rows} == {("scène 1.png", "de-cam"), ("scène 1.png", "random")}
    names = [f"{name} (fill={fill})" for fill in ("mean", "blur") for name in ("deletion", "insertion")]
    assert all(0 <= float(row[name]) <= 1 for row in rows for name in names)
    settings = json.loads((out / "settings.json").read_text(encoding="utf-8"))
    assert settings["plan"]["methods"][0]["settings"]["budget"] == 200
    assert [question["seed"] for question in settings["plan"]["questions"]] == [5]
    assert {one["settings"]["steps"] for one in settings["plan"]["metrics"]} == {4} and settings["plan"][
        "device"
    ] == "cpu"
    assert np.asarray(Image.open(out / "overlays" / "01_scene-1_de-cam.png")).ndim == 3

    replayed = _run("replay", out / "settings.json", "--out", again)
    assert replayed.returncode == 0, replayed.stderr
    assert "2 of 2 maps are identical." in replayed.stdout
    assert (again / "maps" / "01_scene-1_random.npz").is_file()

    saliency = out / "maps" / "01_scene-1_random.npz"
    np.savez(saliency, saliency=np.load(saliency)["saliency"] + 1)
    differing = _run("replay", out / "settings.json")
    assert differing.returncode == 1
    assert "1 of 2 maps are identical." in differing.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to one process")
@pytest.mark.slow
def test_an_interrupt_keeps_the_maps_that_are_finished_and_ends_with_130(model: str, picture: Path, tmp_path: Path):
    out = tmp_path / "out"
    chosen = ["--model", model, "--method", "random", "--method", "de-cam", "--set", "de-cam.budget=50000"]
    process = subprocess.Popen(
        _command("explain", picture, *chosen, "--out", out), cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "Random map: 0 evaluations" in line:
                break
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 130, "".join(lines) + rest
    assert "the 1 of 2 maps that were finished" in rest and "Traceback" not in rest
    assert (out / "settings.json").is_file()
    assert [path.name for path in (out / "maps").iterdir()] == ["01_scene-1_random.npz"]


@pytest.mark.slow
def test_bad_input_ends_a_real_process_with_2_and_without_a_traceback(tmp_path: Path):
    done = _run("explain", tmp_path / "missing.png", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.startswith("decam: ") and done.stderr.count("\n") == 1


def test_weights_that_cannot_be_fetched_are_one_sentence_with_where_to_put_them(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setattr("urllib.request._opener", None)
    assert main(["explain", str(picture), "--out", str(tmp_path / "out"), "--model", "resnet18"]) == 2
    said = capsys.readouterr().err
    assert ENTRIES["resnet18"].url in said and str(tmp_path / "torch") in said and "Traceback" not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_model_that_is_not_listed_may_be_named(picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "out"
    given = ["explain", str(picture), "--model", "shuffled", "--method", "random", "--steps", "2", "--out", str(out)]
    assert "shuffled" not in ENTRIES
    assert main(given) == 0
    plan = json.loads((out / "settings.json").read_text(encoding="utf-8"))["plan"]
    assert [question["model"]["name"] for question in plan["questions"]] == ["shuffled"]
    assert main(["replay", str(out / "settings.json")]) == 0
    assert "1 of 1 maps are identical." in capsys.readouterr().out


@pytest.mark.slow
def test_a_part_of_a_class_name_is_enough(model: str, picture: Path, tmp_path: Path):
    from decam.models import load_classifier

    labels = load_classifier(model, device="cpu", exact=True).labels
    wanted = next(
        label
        for label in labels
        if len(label) > 3 and sum(label[:-1].lower() in other.lower() for other in labels) == 1
    )
    out = tmp_path / "out"
    given = ["explain", str(picture), "--model", model, "--method", "random", "--steps", "2", "--out", str(out)]
    assert main([*given, "--target", wanted[:-1]]) == 0
    (entry,) = json.loads((out / "settings.json").read_text(encoding="utf-8"))["maps"]
    assert entry["label"] == wanted and labels[entry["target"]] == wanted


@pytest.mark.slow
def test_a_class_is_explained_rather_than_another(
    model: str, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    given = ["explain", str(picture), "--model", model, "-m", "grad-cam", "--steps", "2"]
    assert main([*given, "--target", "0", "--against", "1", "--out", str(tmp_path / "out")]) == 0
    written = json.loads((tmp_path / "out" / "settings.json").read_text(encoding="utf-8"))
    assert [(one["target"], one["against"]) for one in written["plan"]["questions"]] == [(0, 1)]
    assert " rather than " in capsys.readouterr().out
    assert main([*given, "--target", "0", "--against", "0", "--out", str(tmp_path / "none")]) == 2
    assert "told from itself" in capsys.readouterr().err


@pytest.mark.slow
def test_metrics_and_a_mask_are_in_the_table_and_in_the_export(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out, mask = tmp_path / "out", tmp_path / "mask.png"
    truth = SAMPLES[0].truth()
    assert truth is not None
    Image.fromarray(truth).save(mask)
    given = ["explain", str(picture), str(picture), "--model", "embedded", "--steps", "2", "--out", str(out)]
    asked = ["--metric", "pointing-game", "--metric", "average-drop", "--truth", str(mask), "--truth", "-"]
    assert main([*given, "-m", "grad-cam", *asked]) == 0
    said = capsys.readouterr().out
    assert "pointing-game" in said and "average-drop" in said
    assert not (out / "reading.txt").exists(), "one method alone leads nowhere"
    with (out / "metrics.csv").open(newline="", encoding="utf-8") as file:
        known, unknown = csv.DictReader(file)
    spent = [int(row["metric evaluations"]) for row in (known, unknown)]
    assert spent == [4 * 3 + 2] * 2, "four curves of three points, and the average drop's two"
    # Two predictions, and Grad-CAM twice.
    assert f"In all {2 + 2 + sum(spent)} evaluations, {sum(spent)} of them for metrics.\nWritten to" in said
    assert known["pointing-game"] == "1" and 0 <= float(known["average-drop"]) <= 1
    assert unknown["pointing-game"] == "" and "needs the ground truth" in unknown["notes"]
    (kept,) = (out / "truths").iterdir()
    assert np.array_equal(np.asarray(Image.open(kept)) > 0, truth)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows no such names")
def test_names_with_control_characters_and_wide_letters_keep_the_table_in_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    names = ("a\nb.png", "\x1b[31mred.png", "猫猫.png", "plain.png")
    for name in names:
        SAMPLES[0].load().save(tmp_path / name)
    given = ["explain", *(str(tmp_path / name) for name in names), "--model", "embedded", "--steps", "2"]
    assert main([*given, "-m", "random", "--out", str(tmp_path / "o\nut")]) == 0
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    head, *rows, _, last = shown.out.splitlines()
    assert last == f"Written to {tmp_path}/o\\nut."
    assert [row.split("  ")[0].strip() for row in rows] == [r"a\nb.png", r"\x1b[31mred.png", "猫猫.png", "plain.png"]
    place = head.index("method")
    assert [row.index("random") for row in rows] == [place, place, place - 2, place]  # two letters are wide


@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows no such names")
def test_a_sentence_on_a_file_shows_what_its_name_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "a\nb\x1b[2J.png"
    path.write_bytes(b"no picture")
    assert main(["explain", str(path), "--model", "embedded", "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr().err
    assert r"a\nb\x1b[2J.png is not an image" in shown and shown.count("\n") == 1 and "\x1b" not in shown


@pytest.mark.slow
def test_curves_are_drawn_with_the_fills_asked_for(
    model: str, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    given = ["explain", str(picture), "--model", model, "--steps", "3", "--out", str(out), "-m", "random"]
    assert main([*given, "--fills", "black", "box-blur", "--fills", "noise", "mean"]) == 0
    metrics = json.loads((out / "settings.json").read_text(encoding="utf-8"))["plan"]["metrics"]
    asked = [("deletion", "black"), ("insertion", "box-blur"), ("deletion", "noise"), ("insertion", "mean")]
    assert [(one["name"], one["settings"]) for one in metrics] == [
        (name, {"steps": 3, "fill": fill}) for name, fill in asked
    ]
    names = [f"{name} (fill={fill})" for name, fill in asked]
    with (out / "metrics.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert list(row)[7:11] == names and all(0 <= float(row[name]) <= 1 for name in names)
    head, line, _, _ = capsys.readouterr().out.splitlines()
    for name in names:
        end = head.index(name) + len(name)
        assert line[:end].split()[-1] == f"{float(row[name]):.3f}"


def test_a_budget_may_be_automatic() -> None:
    (choice,), _ = choices(["de-cam"], [], ["de-cam.budget=auto", "de-cam.cells=8"])
    assert choice.settings == DeCamSettings.from_mapping({"budget": "auto", "cells": 8})
    with pytest.raises(SettingError, match="budget must be a whole number, not 'automatic'"):
        choices(["de-cam"], [], ["de-cam.budget=automatic"])


@pytest.mark.slow
def test_deletion_may_be_asked_for_with_settings_of_its_own_beside_the_usual_curves(
    model: str, picture: Path, tmp_path: Path
):
    out = tmp_path / "out"
    given = ["explain", str(picture), "--model", model, "--steps", "3", "--out", str(out), "-m", "random"]
    assert main([*given, "--metric", "deletion", "--set", "deletion.fill=noise", "--set", "deletion.steps=2"]) == 0
    with (out / "curves.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    counts = {name: sum(row["metric"] == name for row in rows) for name in {row["metric"] for row in rows}}
    assert counts == {
        "deletion (steps=3, fill=mean)": 4,
        "insertion (fill=blur)": 4,
        "deletion (steps=3, fill=blur)": 4,
        "insertion (fill=mean)": 4,
        "deletion (steps=2, fill=noise)": 3,
    }


@pytest.mark.slow
def test_a_method_that_fails_ends_with_1_and_the_others_are_written(
    model: str, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    given = ["explain", str(picture), "--model", model, "--steps", "2", "--out", str(out)]
    code = main([*given, "-m", "random", "-m", "grad-cam", "--set", "grad-cam.layer=nowhere"])
    assert code == 1
    assert "nowhere" in capsys.readouterr().err
    assert len(list((out / "maps").iterdir())) == 1


def test_the_tables_name_every_model_and_every_setting(capsys: pytest.CaptureFixture[str]):
    from decam.methods import METHODS
    from decam.methods.taxonomy import grouped
    from decam.metrics import METRICS

    assert main(["metrics"]) == 0
    said = capsys.readouterr().out
    for name, metric in METRICS.items():
        assert f"\n{name}  ({metric.title}; " in said and f"Weaknesses: {metric.weaknesses}" in said
        assert all(f"{name}.{parameter.name}=" in said for parameter in metric.settings.parameters())
    assert main(["models"]) == 0 and main(["methods"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ENTRIES)
    for name, method in METHODS.items():
        assert f"Watch out: {method.misleads}" in said
        assert all(f"{name}.{parameter.name}=" in said for parameter in method.settings.parameters())
    heads = [said.index(f"\n{family.title.upper()}: ") for family, _ in grouped(METHODS.values())]
    lines = [said.index(f"\n{name}  (") for name in METHODS]
    assert heads == sorted(heads) and lines == sorted(lines)
    assert sum(place < heads[1] for place in lines) == sum(row.family == "perturbation" for row in METHODS.values())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows closes pipes in its own way")
@pytest.mark.slow
def test_a_reader_who_leaves_early_causes_no_traceback():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        done = subprocess.run(
            _command("models"), cwd=ROOT, stdout=gone, stderr=subprocess.PIPE, text=True, timeout=PATIENCE
        )
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["independent", "labels"])
def test_a_randomisation_is_replayed_with_the_models_that_it_asked(
    mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    from decam.experiments.execute import execute
    from decam.experiments.grid import Grid
    from decam.experiments.kinds import randomisation
    from decam.experiments.plan import MethodChoice, PictureChoice
    from decam.experiments.variants import models_by
    from decam.explanation import last
    from decam.export import write
    from decam.models import load_classifier

    loaded = {name: load_classifier(name, device="cpu", exact=True) for name in ("embedded", "shuffled")}
    embedded = loaded["embedded"]
    methods = [MethodChoice.default("gradient")]
    plan = randomisation.plan(embedded, PictureChoice("scene"), methods, mode=mode, seed=2)
    begun = Grid.empty(plan, [embedded.view(SAMPLES[0].load())], labels=embedded.labels)
    write(last(execute(begun, models_by(loaded.__getitem__))), tmp_path / "out")
    assert main(["replay", str(tmp_path / "out" / "settings.json")]) == 0
    *lines, end = capsys.readouterr().out.splitlines()
    count = len(plan.questions)
    assert end == f"{count} of {count} maps are identical." and len(lines) == count
    assert lines[0] == "01_scene gradient: identical" and lines[1].startswith("01_scene_01-")
