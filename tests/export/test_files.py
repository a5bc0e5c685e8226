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

import numpy as np
import pytest
from PIL import Image

from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.plan import MetricChoice
from decam.experiments.plan_json import plan_from_json
from decam.experiments.status import CellState
from decam.explanation import Explanation
from decam.export import Look, files, method_names, picture_names, slug, zip_bytes
from decam.export.files import map_bytes
from decam.figures import overlay
from decam.metrics import Measurement

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@pytest.fixture(scope="module")
def archive(grid: Grid) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(zip_bytes(grid, created="2026-01-02T03:04:05+00:00")))


def explanations(grid: Grid) -> dict[CellKey, Explanation]:
    return {key: cell.explanation for key, cell in grid.cells.items() if cell.explanation is not None}


def with_cells(grid: Grid, cells: dict[CellKey, Cell]) -> Grid:
    """The grid with these cells, and the others as they were."""
    return dataclasses.replace(grid, cells={**grid.cells, **cells})


def with_only(grid: Grid, cells: dict[CellKey, Cell]) -> Grid:
    """The grid with these cells, and the others still to come."""
    return with_cells(grid, {key: Cell() for key in grid.cells} | cells)


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


def test_the_readme_has_a_line_for_every_file_and_folder_of_the_archive(archive):
    lines = archive.read("README.txt").decode("utf-8").splitlines()
    for part in {re.sub("/.*", "/", name) for name in archive.namelist()} - {"README.txt"}:
        assert sum(line.startswith(f"{part} ") for line in lines) == 1, part
    assert max(map(len, lines)) <= 120


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


def test_pictures_and_methods_of_the_same_name_keep_names_apart(grid):
    pictures = picture_names(grid.plan)
    assert pictures == ("01_katze-.final", "02_CON", "03_katze", "04_katze")
    assert method_names(grid.plan) == ("random", "rise", "random-2")


@pytest.mark.slow
def test_the_same_grid_gives_the_same_bytes(grid):
    assert zip_bytes(grid) == zip_bytes(dataclasses.replace(grid))
    backwards = dict(reversed(list(grid.cells.items())))
    assert zip_bytes(dataclasses.replace(grid, cells=backwards)) == zip_bytes(grid)


def test_pictures_are_the_views_without_loss(archive, grid):
    for name, view in zip(picture_names(grid.plan), grid.views, strict=True):
        assert (_picture(archive.read(f"pictures/{name}.png")) == view).all()


def test_maps_are_the_raw_numbers_and_load_without_pickle(archive, grid):
    for cell, explanation in explanations(grid).items():
        name = f"{picture_names(grid.plan)[cell.question]}_{method_names(grid.plan)[cell.method]}"
        with np.load(io.BytesIO(archive.read(f"maps/{name}.npz")), allow_pickle=False) as content:
            assert content["saliency"].dtype == np.float32
            assert content["saliency"].tobytes() == explanation.saliency.tobytes()
            assert int(content["target"]) == explanation.target and str(content["label"]) == "visible"
            assert int(content["seed"]) == 3 and int(content["evaluations"]) == explanation.evaluations
            assert json.loads(str(content["settings"])) == explanation.settings.to_mapping()
            assert str(content["picture"]) == grid.plan.pictures[cell.question].name


def test_a_map_that_says_how_sure_it_is_is_exported_with_that(grid):
    explanation = next(iter(explanations(grid).values()))
    errors = np.random.default_rng(0).random((28, 28)).astype(np.float32)
    for made, there in ((explanation, False), (dataclasses.replace(explanation, rank_errors=errors), True)):
        with np.load(io.BytesIO(map_bytes(made, "a")), allow_pickle=False) as content:
            assert ("rank_errors" in content) == there
            if there:
                np.testing.assert_array_equal(content["rank_errors"], errors)


@pytest.mark.slow
def test_overlays_are_drawn_as_asked_and_scaled_together_where_wanted(grid):
    explanation = explanations(grid)[CellKey(2, 1)]
    name = "overlays/03_katze_rise.png"
    look = Look(colours="magma", opacity=0.25)
    drawn = _picture(dict(files(grid, look))[name])
    assert (drawn == overlay(grid.views[2], explanation.saliency, colours="magma", opacity=0.25)).all()
    own = [other for key, other in explanations(grid).items() if key.method == 1]
    everything = [other.saliency for other in own if not other.silent]
    assert len(everything) == 3  # one of the pictures is for this model like any other, whatever is hidden
    clipped = max(np.percentile(saliency, 99, method="higher") for saliency in everything)
    limits = (float(np.min(everything)), float(clipped))
    together = _picture(dict(files(grid, dataclasses.replace(look, shared=True)))[name])
    expected = overlay(grid.views[2], explanation.saliency, colours="magma", opacity=0.25, limits=limits)
    assert (together == expected).all() and not (together == drawn).all()


@pytest.mark.slow
def test_overlays_run_to_the_extremes_where_the_grid_does_and_settings_say_between_which_values(grid):
    saliency = explanations(grid)[CellKey(2, 1)].saliency
    for look in (Look(), Look(extremes=True)):
        made = dict(files(grid, look))
        high = saliency.max() if look.extremes else np.percentile(saliency, 99, method="higher")
        limits = (float(saliency.min()), float(high))
        colours = [one["colours"] for one in json.loads(made["settings.json"])["maps"] if one["question"] == 2]
        np.testing.assert_allclose(colours[1], limits)
        drawn = _picture(made["overlays/03_katze_rise.png"])
        assert (drawn == overlay(grid.views[2], saliency, limits=limits)).all()


@pytest.mark.slow
def test_the_legend_says_of_each_overlay_between_which_values_its_colours_run_and_what_they_mean(grid):
    saliency = explanations(grid)[CellKey(2, 1)].saliency
    label = explanations(grid)[CellKey(2, 1)].label
    for look, scale in ((Look(), "clipped"), (Look(extremes=True), " to "), (Look(ranks=True), "by rank: 0 to 100 %")):
        rows = _rows(dict(files(grid, look))["legend.csv"])
        assert len(rows) == 12
        (row,) = [one for one in rows if one["file"] == "overlays/03_katze_rise.png"]
        assert scale in row["scale"] and row["meaning"] == f"Pale yellow speaks most for {label}, the bare image least"
        assert row["colours"] == "magma" and row["label"] == label
        if not look.ranks:
            assert float(row["low"]) == pytest.approx(saliency.min())


@pytest.mark.slow
def test_overlays_by_rank_and_with_contours_follow_the_look(grid):
    saliency, view = explanations(grid)[CellKey(2, 1)].saliency, grid.views[2]
    below = np.array([(saliency < value).sum() for value in saliency.ravel()]).reshape(saliency.shape)
    drawn = _picture(dict(files(grid, Look(ranks=True)))["overlays/03_katze_rise.png"])
    shares = (below / (saliency.size - 1)).astype(np.float32)
    assert (drawn == overlay(view, shares, limits=(0.0, 1.0))).all()
    lined = _picture(dict(files(grid, Look(ranks=True, contours=True)))["overlays/03_katze_rise.png"])
    changed = (lined != drawn).any(axis=-1)
    assert 0 < changed.mean() < 0.5 and (lined[changed] == (127, 255, 212)).all()


@pytest.mark.slow
def test_a_map_of_chance_is_exported_flat_and_leaves_the_scale_to_the_others(grid):
    key, other = CellKey(2, 1), CellKey(0, 1)
    cell = grid.cells[key]
    loud = dataclasses.replace(cell.explanation, saliency=cell.explanation.saliency * 99, silent=True)
    changed = with_cells(grid, {key: dataclasses.replace(cell, explanation=loud)})
    after = dict(files(changed, Look(opacity=1.0, shared=True)))
    assert np.ptp(_picture(after["overlays/03_katze_rise.png"]).astype(int), axis=-1).max() <= 1  # bare and grey
    assert json.loads(after["settings.json"])["maps"][7]["colours"] == [0.0, 0.0]
    rises = {place: one for place, one in explanations(changed).items() if place.method == 1}
    others = [one.saliency for one in rises.values() if not one.silent]
    limits = (float(np.min(others)), float(max(np.percentile(one, 99, method="higher") for one in others)))
    expected = overlay(grid.views[0], rises[other].saliency, opacity=1.0, limits=limits)
    (name,) = (name for name in after if name.startswith("overlays/01_") and name.endswith("_rise.png"))
    assert (_picture(after[name]) == expected).all()
    with np.load(io.BytesIO(after["maps/03_katze_rise.npz"])) as kept:
        assert bool(kept["silent"])


def test_curves_hold_every_point_of_every_curve(archive, grid):
    rows = _rows(archive.read("curves.csv"))
    assert len(rows) == 12 * 4 * 7  # maps, deletion and insertion with two fills each, steps with the start
    key = CellKey(1, 1)
    for choice in grid.plan.metrics[:4]:
        name = f"{choice.name} (fill={choice.settings.fill})"
        own = [row for row in rows if (row["number"], row["method"], row["metric"]) == ("2", "rise", name)]
        curve = grid.cells[key].measurements[choice.key].curve
        assert np.array_equal(np.array([float(row["share"]) for row in own], np.float32), curve.shares)
        assert np.array_equal(np.array([float(row["value"]) for row in own], np.float32), curve.values)
        assert [int(row["top class"]) for row in own] == curve.top.tolist()
        assert np.array_equal(np.array([float(row["top probability"]) for row in own], np.float32), curve.top_values)
        assert {row["top label"] for row in own} <= {"hidden", "visible"}
        assert {row["picture"] for row in own} == {grid.plan.pictures[1].name}


def test_metrics_have_a_line_for_each_map_and_a_column_for_each_metric(archive, grid):
    rows = _rows(archive.read("metrics.csv"))
    assert len(rows) == 12
    names = ["deletion (fill=mean)", "insertion (fill=blur)", "deletion (fill=blur)", "insertion (fill=mean)"]
    assert list(rows[0])[7:12] == [*names, "sparsity"]
    for row in rows:
        key = CellKey(int(row["number"]) - 1, method_names(grid.plan).index(row["method"]))
        cell = grid.cells[key]
        for name, choice in zip(names, grid.plan.metrics, strict=False):
            # The area again, by the trapezoid rule from the curve's own points.
            p = cell.measurements[choice.key].curve.values.astype(float)
            assert float(row[name]) == pytest.approx((p[:-1] + p[1:]).mean() / 2, abs=1e-6)
        assert float(row["sparsity"]) == pytest.approx(cell.measurements[grid.plan.metrics[4].key].value)
        assert int(row["evaluations"]) == cell.explanation.evaluations
        assert int(row["metric evaluations"]) == 4 * 7, "four curves of seven points"
        assert row["label"] == "visible" and row["picture"] == grid.plan.pictures[key.question].name
        assert row["model"] == "rectangle"


def test_settings_hold_the_plan_with_the_fingerprints_of_the_pictures_and_maps(archive, grid):
    settings = json.loads(archive.read("settings.json"))
    assert settings["format"] == 2
    plan = plan_from_json(json.dumps(settings["plan"]))
    assert plan == grid.plan and plan.seed == 3
    for choice, view in zip(plan.pictures, grid.views, strict=True):
        assert choice.sha256 == hashlib.sha256(view.tobytes()).hexdigest()
    assert [(entry["question"], entry["method"]) for entry in settings["maps"]] == [
        (key.question, key.method) for key in grid.plan.cells()
    ]
    for entry in settings["maps"]:
        saliency = np.load(io.BytesIO(archive.read(entry["file"])))["saliency"]
        assert entry["sha256"] == hashlib.sha256(saliency.tobytes()).hexdigest()
    assert settings["plan"]["versions"]["torch"] and settings["created"] == "2026-01-02T03:04:05+00:00"


@pytest.mark.slow
def test_settings_say_what_its_owner_calls_the_run_and_says_of_it(grid):
    name, remark = 'Owls "{{x}}"', "First line.\nzweite & <b>"
    with zipfile.ZipFile(io.BytesIO(zip_bytes(grid, name=name, remark=remark))) as named:
        settings = json.loads(named.read("settings.json"))
    assert (settings["name"], settings["note"]) == (name, remark)
    with zipfile.ZipFile(io.BytesIO(zip_bytes(grid))) as unnamed:
        settings = json.loads(unnamed.read("settings.json"))
    assert (settings["name"], settings["note"]) == ("", "")


def test_what_failed_and_what_was_not_measured_is_said_in_the_metrics(grid):
    made = Cell().explained(explanations(grid)[CellKey(0, 0)])
    broken = with_only(grid, {CellKey(0, 0): made, CellKey(0, 1): Cell().failed("It did not fit, sadly.")})
    content = dict(files(broken))
    rows = _rows(content["metrics.csv"])
    assert [(row["method"], row["deletion (fill=mean)"], row["notes"]) for row in rows] == [
        ("random", "", ""),
        ("rise", "", "It did not fit, sadly."),
    ]
    assert json.loads(content["settings.json"])["failed"] == [
        {"question": 0, "method": 1, "sentence": "It did not fit, sadly."}
    ]
    assert sum(name.startswith("maps/") for name in content) == 1


def test_what_several_metrics_remark_alike_is_said_once(grid):
    choices = [MetricChoice.default(name) for name in ("pointing-game", "energy-inside", "entropy")]
    choices.append(MetricChoice.default("pointing-game", tolerance=0.1))
    lacking = " needs the ground truth."
    measured = [
        Measurement("pointing-game", math.nan, note="Pointing game" + lacking),
        Measurement("energy-inside", math.nan, note="Energy inside" + lacking),
        Measurement("entropy", 0.5, note="Negative values count as 0."),
        Measurement("pointing-game", math.nan, note="Pointing game" + lacking),
    ]
    measurements = {choice.key: one for choice, one in zip(choices, measured, strict=True)}
    cell = dataclasses.replace(grid.cells[CellKey(0, 0)], measurements=measurements)
    plan = dataclasses.replace(grid.plan, metrics=tuple(choices))
    (row,) = _rows(dict(files(with_only(grid.with_plan(plan), {CellKey(0, 0): cell})))["metrics.csv"])
    given = choices[0].settings.tolerance
    columns = (f"pointing-game (tolerance={given})", "pointing-game (tolerance=0.1)", "energy-inside", "entropy")
    assert [row[name] for name in columns] == ["", "", "", "0.5"]
    assert row["notes"].endswith(
        "Pointing game, Energy inside: needs the ground truth. Entropy: Negative values count as 0."
    )


def test_a_grid_in_the_making_gives_what_is_finished_of_it_and_nothing_else(grid):
    done = CellKey(0, 0)
    partial = explanations(grid)[CellKey(0, 1)].saliency[:4, :4]
    taken = with_only(
        grid,
        {
            CellKey(0, 1): Cell(CellState.RUNNING, saliency=partial),
            done: grid.cells[done],
            CellKey(1, 0): Cell().failed("No."),
        },
    )
    archive = zipfile.ZipFile(io.BytesIO(zip_bytes(taken)))
    assert len(archive.namelist()) == 5 + 4 + 1 + 2  # README and tables, pictures, truth, map and overlay
    settings = json.loads(archive.read("settings.json"))
    assert [(one["question"], one["method"]) for one in settings["maps"]] == [(0, 0)]
    assert [one["sentence"] for one in settings["failed"]] == ["No."]
    assert len(_rows(archive.read("curves.csv"))) == 4 * 7
