"""An export read back: the grid that was written."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from decam import export
from decam.errors import SettingError, StoreError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.explanation import ClassExplanation
from decam.export.files import map_bytes
from decam.export.reading import grid_of
from decam.export.replay import read


@pytest.fixture(scope="module")
def folder(grid: Grid, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The comparison's export, without drawn maps."""
    place = tmp_path_factory.mktemp("reading") / "export"
    export.write(grid, place, drawn=False)
    return place


def test_maps_measurements_and_curves_come_back(grid: Grid, folder: Path) -> None:
    again = grid_of(read(folder / "settings.json"), grid.labels)
    assert again.complete
    assert again.labels == grid.labels
    assert all(np.array_equal(one, other) for one, other in zip(again.views, grid.views, strict=True))
    for key, cell in grid.cells.items():
        other = again.cells[key]
        assert cell.explanation is not None
        assert other.explanation is not None
        assert np.array_equal(other.explanation.saliency, cell.explanation.saliency)
        for name in ("method", "target", "label", "settings", "seed", "evaluations", "silent"):
            assert getattr(other.explanation, name) == getattr(cell.explanation, name), name
        assert other.explanation.probability == pytest.approx(cell.explanation.probability)
        assert set(other.measurements) == set(cell.measurements)
        for metric, measurement in cell.measurements.items():
            kept = other.measurements[metric]
            assert kept.metric == measurement.metric
            assert kept.value == pytest.approx(measurement.value, nan_ok=True)
            assert (kept.curve is None) == (measurement.curve is None)
            if kept.curve is not None and measurement.curve is not None:
                assert np.array_equal(kept.curve.shares, measurement.curve.shares)
                assert np.array_equal(kept.curve.values, measurement.curve.values)
                assert np.array_equal(kept.curve.top, measurement.curve.top)


@pytest.mark.slow
def test_without_drawn_maps_nothing_else_is_missing(grid: Grid, folder: Path) -> None:
    names = [name for name, _ in export.files(grid)]
    kept = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert kept == {name for name in names if not name.startswith(("overlays/", "patterns/"))}


@pytest.mark.slow
def test_maps_of_classes_come_back_whole(of_classes: Grid, tmp_path: Path) -> None:
    export.write(of_classes, tmp_path)
    again = grid_of(read(tmp_path / "settings.json"), of_classes.labels)
    assert again.complete and again.predictions == of_classes.predictions
    for key, cell in of_classes.cells.items():
        made, other = cell.explanation, again.cells[key].explanation
        assert isinstance(made, ClassExplanation) and isinstance(other, ClassExplanation)
        for one in dataclasses.fields(ClassExplanation):
            np.testing.assert_array_equal(getattr(other, one.name), getattr(made, one.name), one.name)
    assert dict(export.files(again)) == {
        path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    }


@pytest.mark.slow
def test_classes_have_the_names_of_their_maps_where_nobody_knows_the_models(of_classes: Grid, tmp_path: Path) -> None:
    export.write(of_classes, tmp_path, drawn=False)
    again = grid_of(read(tmp_path / "settings.json"))
    assert [again.subject_of(place) for place in (0, 1, 2)] == ["visible", "class 0 + visible", "blocks.1, channel 3"]


def test_a_map_of_a_class_in_the_place_of_an_images_is_told(of_classes: Grid, folder: Path, tmp_path: Path) -> None:
    copy = _damaged(folder, tmp_path / "copy")
    made = of_classes.cells[CellKey(0, 0)].explanation
    assert made is not None
    (copy / read(copy / "settings.json").maps[0].file).write_bytes(map_bytes(made, ""))
    with pytest.raises(StoreError, match=r"is not the map that settings\.json names"):
        grid_of(read(copy / "settings.json"))


def _damaged(folder: Path, place: Path) -> Path:
    shutil.copytree(folder, place)
    return place


def test_a_map_that_is_missing_or_another_one_is_told(folder: Path, tmp_path: Path) -> None:
    copy = _damaged(folder, tmp_path / "copy")
    recording = read(copy / "settings.json")
    first, second = (copy / recorded.file for recorded in recording.maps[:2])
    shutil.copy(second, first)
    with pytest.raises(StoreError, match=r"is not the map that settings\.json names; make the export again"):
        grid_of(recording)
    first.unlink()
    with pytest.raises(StoreError, match=r"is missing; keep the maps of the export beside its settings\.json"):
        grid_of(recording)
    first.write_bytes(second.read_bytes()[:200])
    with pytest.raises(StoreError, match=r"is damaged .*; unpack the export again"):
        grid_of(recording)


def test_a_table_with_a_strange_line_is_told(folder: Path, tmp_path: Path) -> None:
    copy = _damaged(folder, tmp_path / "copy")
    table = copy / "metrics.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8")
    with pytest.raises(SettingError, match="a line of no map of the plan"):
        grid_of(read(copy / "settings.json"))
    table.unlink()
    with pytest.raises(StoreError, match=r"metrics\.csv is missing or damaged"):
        grid_of(read(copy / "settings.json"))


@pytest.mark.parametrize(
    ("table", "old", "new", "words"),
    [
        ("metrics.csv", "picture", "image", "nothing for 'picture'"),
        ("metrics.csv", "insertion", "inserted", "nothing for 'insertion"),
        ("curves.csv", "top class", "class", "nothing for 'top class'"),
        ("curves.csv", ",1,0.", ",whole,0.", "'whole' is no number"),
    ],
)
def test_a_table_that_lacks_a_column_or_a_number_is_told(
    table: str, old: str, new: str, words: str, folder: Path, tmp_path: Path
) -> None:
    path = _damaged(folder, tmp_path / "copy") / table
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SettingError, match=rf"{words}.*; make the export again"):
        grid_of(read(path.parent / "settings.json"))


@pytest.mark.slow
def test_pictures_whose_names_a_spreadsheet_would_run_are_found(grid: Grid, tmp_path: Path) -> None:
    begins = ("=1+2 ", "-", "'@home, ", "+")
    pictures = tuple(
        dataclasses.replace(one, name=begin + one.name)
        for begin, one in zip(itertools.cycle(begins), grid.plan.pictures, strict=False)
    )
    export.write(dataclasses.replace(grid, plan=dataclasses.replace(grid.plan, pictures=pictures)), tmp_path)
    again = grid_of(read(tmp_path / "settings.json"))
    assert {key: set(cell.measurements) for key, cell in again.cells.items()} == {
        key: set(cell.measurements) for key, cell in grid.cells.items()
    }


@pytest.mark.slow
def test_what_a_search_says_of_its_map_comes_back(grid: Grid, tmp_path: Path) -> None:
    key, cell = next((key, cell) for key, cell in sorted(grid.cells.items()))
    errors, fitness = np.full((28, 28), 0.25, np.float32), np.ones((2, 3), np.float32)
    assert cell.explanation is not None
    searched = dataclasses.replace(cell.explanation, rank_errors=errors, fitness=fitness)
    cells = {**grid.cells, key: dataclasses.replace(cell, explanation=searched)}
    export.write(dataclasses.replace(grid, cells=cells), tmp_path)
    made = grid_of(read(tmp_path / "settings.json")).cells[key].explanation
    assert made is not None
    np.testing.assert_array_equal(made.rank_errors, errors)
    np.testing.assert_array_equal(made.fitness, fitness)


def test_a_grid_knows_where_each_map_stands(grid: Grid, folder: Path) -> None:
    again = grid_of(read(folder / "settings.json"), grid.labels)
    assert set(again.cells) == set(grid.cells)
    assert again.cells[CellKey(0, 0)].explanation is not None
    assert again.target_of(0) == grid.target_of(0)


def test_values_stay_with_their_map_where_a_question_before_it_is_unfinished(grid: Grid, tmp_path: Path) -> None:
    questions = tuple(dataclasses.replace(grid.plan.questions[0], seed=seed) for seed in (1, 2, 3))
    plan = dataclasses.replace(grid.plan, questions=questions)
    twice = Grid.empty(plan, grid.views, grid.truths, grid.labels)
    cells = {**twice.cells, CellKey(1, 0): Cell().failed("No memory."), CellKey(2, 0): grid.cells[CellKey(0, 0)]}
    export.write(dataclasses.replace(twice, cells=cells), tmp_path, drawn=False)
    again = grid_of(read(tmp_path / "settings.json"), grid.labels)
    for key, cell in cells.items():
        before, after = ({name: one.value for name, one in it.measurements.items()} for it in (cell, again.cells[key]))
        assert after == pytest.approx(before, nan_ok=True), key


def _told(grid: Grid) -> Grid:
    """The grid with a note, a remark, a metric that failed, a map that failed later, and two that were never made."""
    cells = dict(grid.cells)
    first = cells[CellKey(0, 1)]
    assert first.explanation is not None
    names = list(first.measurements)
    measurements = {
        **first.measurements,
        names[0]: dataclasses.replace(first.measurements[names[0]], note="It is flat, “quite”."),
        names[1]: dataclasses.replace(first.measurements[names[1]], value=float("nan"), note="No memory.", failed=True),
    }
    noted = dataclasses.replace(first.explanation, notes=("Two\nlines.", "=1+2"))
    cells[CellKey(0, 1)] = dataclasses.replace(first, explanation=noted, measurements=measurements, reused=True)
    cells[CellKey(1, 0)] = cells[CellKey(1, 0)].failed("The metric broke after all.")
    cells[CellKey(2, 2)] = Cell().failed("The map could not be made: no gradients.")
    cells[CellKey(3, 2)] = Cell()
    return dataclasses.replace(grid, cells=cells)


@pytest.mark.slow
def test_notes_remarks_and_reasons_of_failures_come_back(grid: Grid, tmp_path: Path) -> None:
    told = _told(grid)
    export.write(told, tmp_path, drawn=False)
    again = grid_of(read(tmp_path / "settings.json"), grid.labels)
    for key, cell in told.cells.items():
        other = again.cells[key]
        assert (other.error, other.state, other.reused) == (cell.error, cell.state, cell.reused), key
        assert (other.explanation is None) == (cell.explanation is None)
        if cell.explanation is not None and other.explanation is not None:
            assert other.explanation.notes == cell.explanation.notes
        for metric, one in cell.measurements.items():
            assert (other.measurements[metric].note, other.measurements[metric].failed) == (one.note, one.failed)


@pytest.mark.slow
def test_what_measurements_and_questions_cost_comes_back(grid: Grid, tmp_path: Path) -> None:
    taken = grid.cells[CellKey(0, 0)].taken(grid.cells[CellKey(0, 0)])
    cells = {**grid.cells, CellKey(0, 0): taken.evaluated(grid.plan.metric_keys(0))}
    export.write(dataclasses.replace(grid, cells=cells, further={1: 7}), tmp_path, drawn=False)
    again = grid_of(read(tmp_path / "settings.json"))
    told = json.loads((tmp_path / "settings.json").read_bytes())
    assert grid.metric_evaluations == 4 * 3 * 4 * 7, "images, maps, curves and their points"
    assert again.metric_evaluations == told["metric evaluations"] == (4 * 3 - 1) * 4 * 7
    maps = sum(cell.spent for cell in cells.values())
    assert again.evaluations == told["evaluations"] == 4 + 7 + maps + again.metric_evaluations
    for key, cell in cells.items():
        for name, one in cell.measurements.items():
            found = again.cells[key].measurements[name]
            assert (found.evaluations, found.reused) == (one.evaluations, key == CellKey(0, 0))


@pytest.mark.slow
def test_an_export_that_was_read_writes_the_same_files_again(grid: Grid, tmp_path: Path) -> None:
    told = _told(grid)
    export.write(told, tmp_path, drawn=False)
    again = grid_of(read(tmp_path / "settings.json"), grid.labels)
    written = dict(export.files(again, drawn=False))
    assert written["settings.json"] == (tmp_path / "settings.json").read_bytes()
    for name in ("curves.csv", "metrics.csv"):
        before, after = ((tmp_path / name).read_bytes(), written[name])
        assert before.decode().splitlines() == after.decode().splitlines()


def test_an_export_without_notes_is_read_as_before(folder: Path, tmp_path: Path) -> None:
    copy = _damaged(folder, tmp_path / "copy")
    settings = json.loads((copy / "settings.json").read_bytes())
    for entry in settings["maps"]:
        for name in ("notes", "sentence", "remarks", "reused"):
            del entry[name]
    for name in ("evaluations", "metric evaluations", "asked"):
        del settings[name]
    (copy / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    rows = list(csv.reader((copy / "metrics.csv").read_text(encoding="utf-8").splitlines()))
    place = rows[0].index("metric evaluations")
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows([*row[:place], *row[place + 1 :]] for row in rows)
    (copy / "metrics.csv").write_text(lines.getvalue(), encoding="utf-8")
    again = grid_of(read(copy / "settings.json"))
    assert again.complete and again.metric_evaluations == 0


@pytest.mark.parametrize("entry", [{"question": 9, "evaluations": 1}, {"question": 0, "evaluations": -1}])
def test_evaluations_of_no_question_or_below_zero_are_told(entry: dict[str, int], folder: Path, tmp_path: Path) -> None:
    copy = _damaged(folder, tmp_path / "copy")
    settings = json.loads((copy / "settings.json").read_bytes())
    (copy / "settings.json").write_text(json.dumps(settings | {"asked": [entry]}), encoding="utf-8")
    with pytest.raises(SettingError, match="evaluations are of no question of the plan, or below zero"):
        read(copy / "settings.json")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"notes": [3]}, "a text is expected in place of '3'"),
        ({"sentence": None}, "a text is expected in place of 'None'"),
        ({"remarks": [{"metric": 99, "note": "", "failed": True}]}, "a remark is of no metric of the plan"),
        ({"remarks": [{"metric": 0, "failed": True}]}, "'note' is missing"),
    ],
)
def test_notes_that_are_no_notes_are_told(changes: dict[str, object], words: str, folder: Path, tmp_path: Path) -> None:
    copy = _damaged(folder, tmp_path / "copy")
    settings = json.loads((copy / "settings.json").read_bytes())
    settings["maps"][0] |= changes
    (copy / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(SettingError, match=f"is damaged .{re.escape(words)}"):
        read(copy / "settings.json")
