"""An export read back with the libraries that a stranger would use."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import math
import re
import zipfile
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image

from decam.experiments.events import Cell, Explaining, Failed, Judgement
from decam.experiments.plan import MetricChoice, Plan
from decam.explanation import Progress
from decam.export import Look, Result, files, method_names, picture_names, slug, zip_bytes
from decam.figures import lut, overlay
from decam.runs.snapshots import CellSnapshot, RunSnapshot

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@pytest.fixture(scope="module")
def archive(result: Result) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(zip_bytes(result)))


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def _picture(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_the_archive_is_sound_and_holds_every_file_once(archive):
    names = archive.namelist()
    assert archive.testzip() is None
    assert len(names) == len({name.lower() for name in names})
    for folder, count in (("overlays", 12), ("maps", 12), ("pictures", 4)):
        assert sum(name.startswith(f"{folder}/") for name in names) == count
    assert {"metrics.csv", "curves.csv", "settings.json", "README.txt"} <= set(names)
    assert json.loads(archive.read("settings.json"))["files"] == names


def test_every_file_name_can_be_unpacked_on_any_system(archive):
    for name in archive.namelist():
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?", name), name
        assert not RESERVED.fullmatch(name.split("/")[-1])
        assert len(name) < 120


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Füße", "Fue"),
        ("a/b\\c:d*e", "a-b-c-d-e"),
        ("\N{CAT FACE}", "picture"),
        ("", "picture"),
        ("..", "picture"),
        ("x" * 300, "x" * 48),
        (" spaced  out. ", "spaced-out"),
        ("日本", "picture"),
    ],
)
def test_names_become_plain_ascii(name, expected):
    assert slug(name) == expected


def test_pictures_and_methods_of_the_same_name_keep_names_apart(result):
    pictures = picture_names(result.plan)
    assert pictures == ("01_katze-.final", "02_CON", "03_katze", "04_katze")
    assert method_names(result.plan) == ("random", "rise", "random-2")


def test_the_same_result_gives_the_same_bytes(result):
    assert zip_bytes(result) == zip_bytes(dataclasses.replace(result))
    backwards = dict(reversed(list(result.explanations.items())))
    assert zip_bytes(dataclasses.replace(result, explanations=backwards)) == zip_bytes(result)


def test_pictures_are_the_views_without_loss(archive, result):
    for name, view in zip(picture_names(result.plan), result.views, strict=True):
        assert (_picture(archive.read(f"pictures/{name}.png")) == view).all()


def test_maps_are_the_raw_numbers_and_load_without_pickle(archive, result):
    for cell, explanation in result.explanations.items():
        name = f"{picture_names(result.plan)[cell.picture]}_{method_names(result.plan)[cell.method]}"
        with np.load(io.BytesIO(archive.read(f"maps/{name}.npz")), allow_pickle=False) as content:
            assert content["saliency"].dtype == np.float32
            assert content["saliency"].tobytes() == explanation.saliency.tobytes()
            assert int(content["target"]) == explanation.target and str(content["label"]) == "visible"
            assert int(content["seed"]) == 3 and int(content["evaluations"]) == explanation.evaluations
            assert json.loads(str(content["settings"])) == explanation.settings.to_mapping()
            assert str(content["picture"]) == result.plan.pictures[cell.picture].name


def test_overlays_are_drawn_as_asked_and_scaled_together_where_wanted(result):
    cell = Cell(2, 1)
    explanation = result.explanations[cell]
    name = "overlays/03_katze_rise.png"
    look = Look(colours="magma", opacity=0.25)
    drawn = _picture(dict(files(result, look))[name])
    assert (drawn == overlay(result.views[2], explanation.saliency, colours="magma", opacity=0.25)).all()
    own = [other for place, other in result.explanations.items() if place.method == 1]
    everything = [other.saliency for other in own if not other.silent]
    assert len(everything) == 3  # one of the pictures is for this model like any other, whatever is hidden
    clipped = max(np.percentile(saliency, 99, method="higher") for saliency in everything)
    limits = (float(np.min(everything)), float(clipped))
    together = _picture(dict(files(result, dataclasses.replace(look, shared=True)))[name])
    expected = overlay(result.views[2], explanation.saliency, colours="magma", opacity=0.25, limits=limits)
    assert (together == expected).all() and not (together == drawn).all()


def test_overlays_run_to_the_extremes_where_the_grid_does_and_settings_say_between_which_values(result):
    cell = Cell(2, 1)
    saliency = result.explanations[cell].saliency
    for look in (Look(), Look(extremes=True)):
        made = dict(files(result, look))
        high = saliency.max() if look.extremes else np.percentile(saliency, 99, method="higher")
        limits = (float(saliency.min()), float(high))
        told = [one["colours"] for one in json.loads(made["settings.json"])["maps"] if one["picture"] == 2]
        np.testing.assert_allclose(told[1], limits)
        drawn = _picture(made["overlays/03_katze_rise.png"])
        assert (drawn == overlay(result.views[2], saliency, limits=limits)).all()


def test_a_map_of_chance_is_exported_flat_and_leaves_the_scale_to_the_others(result):
    cell, other = Cell(2, 1), Cell(0, 1)
    loud = dataclasses.replace(result.explanations[cell], saliency=result.explanations[cell].saliency * 99, silent=True)
    changed = dataclasses.replace(result, explanations={**result.explanations, cell: loud})
    after = dict(files(changed, Look(opacity=1.0, shared=True)))
    lowest = lut("cividis")[0]
    assert (_picture(after["overlays/03_katze_rise.png"]) == lowest).all()
    assert json.loads(after["settings.json"])["maps"][7]["colours"] == [0.0, 0.0]
    rises = {place: one for place, one in changed.explanations.items() if place.method == 1}
    others = [one.saliency for one in rises.values() if not one.silent]
    limits = (float(np.min(others)), float(max(np.percentile(one, 99, method="higher") for one in others)))
    expected = overlay(result.views[0], rises[other].saliency, opacity=1.0, limits=limits)
    (name,) = (name for name in after if name.startswith("overlays/01_") and name.endswith("_rise.png"))
    assert (_picture(after[name]) == expected).all()
    with np.load(io.BytesIO(after["maps/03_katze_rise.npz"])) as kept:
        assert bool(kept["silent"])


def test_curves_hold_every_point_of_every_curve(archive, result):
    rows = _rows(archive.read("curves.csv"))
    assert len(rows) == 12 * 2 * 2 * 7  # maps, pairs of fills, metrics, steps with the start
    cell, curve = Cell(1, 1), result.curves[Cell(1, 1)][0].deletion
    own = [
        row
        for row in rows
        if (row["number"], row["method"], row["metric"], row["fill"]) == ("2", "rise", "deletion", "mean")
    ]
    assert np.array_equal(np.array([float(row["share"]) for row in own], np.float32), curve.shares)
    assert np.array_equal(np.array([float(row["probability"]) for row in own], np.float32), curve.probabilities)
    assert [int(row["top class"]) for row in own] == curve.top.tolist()
    assert {row["top label"] for row in own} <= {"hidden", "visible"}
    assert own[0]["picture"] == result.plan.pictures[cell.picture].name


def test_metrics_have_a_line_for_each_map_and_pair_of_fills(archive, result):
    rows = _rows(archive.read("metrics.csv"))
    assert len(rows) == 12 * 2
    assert [(row["deletion fill"], row["insertion fill"]) for row in rows[:2]] == [("mean", "blur"), ("blur", "mean")]
    for row in rows:
        cell = Cell(int(row["number"]) - 1, method_names(result.plan).index(row["method"]))
        measured = {curves.fills: curves for curves in result.curves[cell]}[row["deletion fill"], row["insertion fill"]]
        # The area again, by the trapezoid rule from the exported points' own formula.
        p = measured.deletion.probabilities.astype(float)
        assert float(row["deletion"]) == pytest.approx((p[:-1] + p[1:]).mean() / 2, abs=1e-6)
        assert float(row["insertion"]) == pytest.approx(measured.insertion.auc, abs=1e-6)
        assert int(row["evaluations"]) == result.explanations[cell].evaluations
        assert float(row["sparsity"]) == pytest.approx(result.judgements[cell]["sparsity"].value)
        assert row["label"] == "visible" and row["picture"] == result.plan.pictures[cell.picture].name


def test_settings_hold_the_plan_with_the_fingerprints_of_the_pictures_and_maps(archive, result):
    settings = json.loads(archive.read("settings.json"))
    plan = Plan.from_json(json.dumps(settings["plan"]))
    assert plan.methods == result.plan.methods and plan.seed == 3 and plan.speed == result.plan.speed
    for choice, view in zip(plan.pictures, result.views, strict=True):
        assert choice.sha256 == hashlib.sha256(view.tobytes()).hexdigest()
    assert len(settings["maps"]) == 12
    for entry in settings["maps"]:
        saliency = np.load(io.BytesIO(archive.read(entry["file"])))["saliency"]
        assert entry["sha256"] == hashlib.sha256(saliency.tobytes()).hexdigest()
    assert settings["plan"]["versions"]["torch"] and settings["created"] == "2026-01-02T03:04:05+00:00"


def test_what_failed_and_what_was_not_measured_is_said_in_the_metrics(result):
    broken = dataclasses.replace(
        result,
        explanations={Cell(0, 0): result.explanations[Cell(0, 0)]},
        curves={},
        failures={Cell(0, 1): "It did not fit, sadly."},
    )
    content = dict(files(broken))
    rows = _rows(content["metrics.csv"])
    assert [(row["method"], row["deletion"], row["notes"]) for row in rows] == [
        ("random", "", ""),
        ("rise", "", "It did not fit, sadly."),
    ]
    assert json.loads(content["settings.json"])["failed"][0]["sentence"] == "It did not fit, sadly."
    assert sum(name.startswith("maps/") for name in content) == 1


def test_what_several_metrics_remark_alike_is_said_once(result):
    names = ("pointing-game", "energy-inside", "entropy")
    lacking = " needs the ground truth."
    judged = {
        "pointing-game": Judgement(math.nan, "Pointing game" + lacking),
        "energy-inside": Judgement(math.nan, "Energy inside" + lacking),
        "entropy": Judgement(0.5, "Negative values count as 0."),
    }
    told = dataclasses.replace(
        result,
        plan=dataclasses.replace(result.plan, metrics=tuple(MetricChoice.default(name) for name in names)),
        explanations={Cell(0, 0): result.explanations[Cell(0, 0)]},
        curves={},
        judgements={Cell(0, 0): judged},
    )
    (row,) = _rows(dict(files(told))["metrics.csv"])
    assert (row["pointing-game"], row["energy-inside"], row["entropy"]) == ("", "", "0.5")
    assert row["notes"].endswith(
        "Pointing game, Energy inside: needs the ground truth. Entropy: Negative values count as 0."
    )


def test_a_snapshot_gives_what_is_finished_of_it_and_nothing_else(result):
    done, under_way = Cell(0, 0), Cell(0, 1)
    partial = result.explanations[under_way].saliency[:4, :4]
    snapshot = RunSnapshot(
        id="x",
        created=datetime(2026, 1, 2, tzinfo=UTC),
        status="running",
        plan=result.plan,
        views=result.views,
        predictions=(None,) * 4,
        labels=result.labels,
        cells={
            under_way: CellSnapshot(state="running", saliency=partial),
            done: CellSnapshot(state="done", explanation=result.explanations[done], curves=result.curves[done]),
            Cell(1, 0): CellSnapshot(state="failed", error="No."),
        },
    )
    taken = Result.of_snapshot(snapshot)
    assert set(taken.explanations) == {done} and taken.curves[done] == result.curves[done]
    assert taken.failures == {Cell(1, 0): "No."}
    assert len(zipfile.ZipFile(io.BytesIO(zip_bytes(taken))).namelist()) == 4 + 1 + 1 + 4


def test_progress_changes_no_result_and_failures_are_kept(result):
    progress = Explaining(Cell(0, 0), Progress(1, 2, 3))
    assert result.after(progress) is result
    assert result.after(Failed(Cell(3, 2), "No.")).failures == {Cell(3, 2): "No."}
