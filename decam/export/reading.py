"""An export read back as a grid: its maps, and what its tables say of them."""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from decam.errors import SettingError, StoreError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.plan import Plan, label_at
from decam.explanation import ClassExplanation, Explanation, Truth, class_values
from decam.export.files import map_fingerprint
from decam.export.names import method_names, picture_names
from decam.export.replay import Recorded, Recording, Remark, arrays_of
from decam.export.tables import CURVES_HEAD, cell, metric_names, model_name
from decam.images import ground_truth
from decam.images.reading import read as read_picture
from decam.metrics.base import Curve, Measurement

_Named = tuple[str, str, str, str]
MOST_NAMED = 100_000
"""How many classes have names where these are taken from maps: a plan may name any whole number."""
_HEAD = ("number", "picture", "model", "method")


def grid_of(recording: Recording, labels: Sequence[str] = ()) -> Grid:
    """What an export holds, as the grid that it was made from; `labels` are the names of the model's classes.

    Without labels, classes that were asked about without a picture have the names that their maps have. A prediction is
    known where a question left the class of its picture open. Notes, remarks of metrics, what they cost, and reasons of
    failures come back. The steps of a search are not in an export. Raises StoreError for a map that is missing or not
    the one recorded, and SettingError for a table that is damaged.
    """
    plan, folder = recording.plan, recording.folder
    grid = Grid.empty(plan, recording.views, _truths(plan, folder), labels)
    measured = {} if plan.about_classes else _measurements(recording)
    cells, predictions = dict(grid.cells), list(grid.predictions)
    for recorded in recording.maps:
        explanation = _explanation(folder, recorded, plan)
        key = recorded.cell
        measurements = _remarked(measured.get(key, {}), recorded, plan)
        cell = replace(Cell().explained(explanation), measurements=measurements, reused=recorded.reused)
        asked = plan.metric_keys(key.question)
        cells[key] = cell.failed(recorded.sentence) if recorded.sentence else cell.evaluated(asked)
        spec = plan.questions[key.question]
        if spec.target is None and spec.reference is None and not spec.about_class:
            predictions[key.question] = ((explanation.target, explanation.probability),)
    for key, sentence in recording.failed.items():
        if cells[key].explanation is None:
            cells[key] = cells[key].failed(sentence)
    known = grid.labels or _labels(plan, cells)
    further = {
        question: more
        for question, asked in recording.asked.items()
        if (more := asked - (predictions[question] is not None)) > 0
    }
    return Grid(plan, grid.views, grid.truths, known, tuple(predictions), cells, further)


def _labels(plan: Plan, cells: Mapping[CellKey, Cell]) -> tuple[str, ...]:
    """The names of classes up to the last that was asked about alone, without a picture, as its maps have them."""
    known: dict[int, str] = {}
    for key, one in cells.items():
        spec = plan.questions[key.question]
        if not spec.about_class or spec.also or spec.target is None or one.explanation is None:
            continue
        if spec.target < MOST_NAMED:
            known[spec.target] = one.explanation.label
    return tuple(known.get(index, label_at((), index)) for index in range(max(known, default=-1) + 1))


def _remarked(measured: Mapping[str, Measurement], recorded: Recorded, plan: Plan) -> dict[str, Measurement]:
    """The measurements of a map with what their metrics remark on it, and what they cost."""
    remarks = {plan.metrics[one.metric].key: one for one in recorded.remarks}
    return {key: one if key not in remarks else _with_remark(one, remarks[key]) for key, one in measured.items()}


def _with_remark(measured: Measurement, remark: Remark) -> Measurement:
    return replace(
        measured,
        note=remark.note,
        failed=remark.failed,
        evaluations=remark.evaluations,
        reused=remark.reused,
    )


def _truths(plan: Plan, folder: Path) -> tuple[Truth | None, ...]:
    found: list[Truth | None] = []
    for name in picture_names(plan):
        path = folder / "truths" / f"{name}.png"
        mask = np.asarray(read_picture(path).image)[..., 0] > 127 if path.is_file() else None
        found.append(None if mask is None else ground_truth.checked(mask, path.name))
    return tuple(found) if any(truth is not None for truth in found) else ()


def _explanation(folder: Path, recorded: Recorded, plan: Plan) -> Explanation:
    path, choice = folder / recorded.file, plan.methods[recorded.cell.method]
    if not path.is_file():
        raise StoreError(f"{path} is missing; keep the maps of the export beside its settings.json.")
    arrays = arrays_of(path)
    of_class = class_values(arrays)
    saved = arrays["saliency"] if of_class is None else of_class["map"]
    asked_of_class = plan.questions[recorded.cell.question].about_class
    if (of_class is not None) != asked_of_class or map_fingerprint(saved) != recorded.sha256:
        raise StoreError(f"{path} is not the map that settings.json names; make the export again.")
    make = Explanation if of_class is None else partial(ClassExplanation, **of_class)
    return make(
        method=choice.name,
        saliency=arrays["saliency"],
        target=recorded.target,
        label=str(arrays["label"]),
        probability=float(arrays["probability"]),
        settings=choice.settings.from_mapping(json.loads(str(arrays["settings"]))),
        seed=recorded.seed,
        evaluations=int(arrays["evaluations"]),
        seconds=float(arrays["seconds"]),
        silent=bool(arrays["silent"]),
        against=plan.against_of(recorded.cell.question),
        notes=recorded.notes,
        rank_errors=arrays.get("rank_errors"),
        fitness=arrays.get("fitness"),
    )


def _measurements(recording: Recording) -> dict[CellKey, dict[str, Measurement]]:
    """What metrics.csv and curves.csv say, by cell and by the metrics' keys."""
    plan, folder = recording.plan, recording.folder
    keys, columns = _cells_by_name(recording), metric_names(plan)
    choices = {choice.key: choice.name for choice in plan.metrics}
    table = folder / "metrics.csv"
    rows, curves = _rows(table, (*_HEAD, *columns.values())), _curves(folder / "curves.csv")
    found: dict[CellKey, dict[str, Measurement]] = defaultdict(dict)
    seen: dict[_Named, int] = defaultdict(int)
    for row in rows:
        named = _named(row)
        same = keys.get(named, [])
        if seen[named] >= len(same):
            raise SettingError(f"{table} has a line of no map of the plan; make the export again.")
        key = same[seen[named]]
        seen[named] += 1
        asked = set(plan.metric_keys(key.question))
        for metric, column in columns.items():
            if metric in asked:
                curve = curves.get((*named, column)) if len(same) == 1 else None
                found[key][metric] = Measurement(choices[metric], _number(table, row[column]), curve)
    return found


def _cells_by_name(recording: Recording) -> dict[_Named, list[CellKey]]:
    """The cells by what the tables call them; two questions about one picture share a name, in their order.

    The tables have no lines of cells that were still to come.
    """
    plan, written_down = recording.plan, {one.cell for one in recording.maps} | set(recording.failed)

    def written(name: str) -> str:
        return str(cell(name))  # a name that a spreadsheet would run has an apostrophe before it

    found: dict[_Named, list[CellKey]] = defaultdict(list)
    methods = method_names(plan)
    for key in sorted(written_down):
        place = plan.place_of(key.question)
        picture, model = written(plan.picture_of(key.question).name), written(model_name(plan, key.question))
        found[str(place + 1), picture, model, methods[key.method]].append(key)
    return found


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The lines of a table that has these columns, by the columns' names."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise StoreError(f"{path} is missing or damaged; make the export again.") from error
    for name in columns:
        if any(row.get(name) is None for row in rows):
            raise SettingError(f"{path} is damaged (a line has nothing for {name!r}); make the export again.")
    return rows


def _named(row: Mapping[str, str]) -> _Named:
    number, picture, model, method = (row[name] for name in _HEAD)
    return number, picture, model, method


def _curves(path: Path) -> dict[tuple[str, str, str, str, str], Curve]:
    """The curves by the names of their map and metric."""
    points: dict[tuple[str, str, str, str, str], list[dict[str, str]]] = defaultdict(list)
    for row in _rows(path, CURVES_HEAD):
        points[(*_named(row), row["metric"])].append(row)
    return {name: _curve(path, rows) for name, rows in points.items()}


def _curve(path: Path, rows: Sequence[Mapping[str, str]]) -> Curve:
    def column(name: str) -> NDArray[np.float32]:
        return np.array([_number(path, row[name]) for row in rows], np.float32)

    if not rows[0]["top class"]:
        return Curve(column("share"), column("value"))
    top = np.array([_number(path, row["top class"]) for row in rows], np.int64)
    return Curve(column("share"), column("value"), top, column("top probability"))


def _number(path: Path, text: str) -> float:
    """A number of a table; not a number where the table has nothing."""
    try:
        return float(text) if text else math.nan
    except ValueError as error:
        raise SettingError(f"{path} is damaged ({text!r} is no number); make the export again.") from error
