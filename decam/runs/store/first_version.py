"""Sanity checks of the first version, one NPZ each, become runs of the kind "randomisation"."""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from decam.classifier import Pixels
from decam.errors import DecamError, StoreError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.kinds.randomisation import RANDOMISATION, similarities
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan, Versions, fingerprint
from decam.experiments.questions import Mode, ModelSpec, QuestionSpec, Variant
from decam.experiments.status import Status
from decam.experiments.variants import LABELS
from decam.explanation import Explanation, Map
from decam.methods import get as get_method
from decam.metrics.base import Measurement
from decam.metrics.resemblance import FLAT, TO_CONTROLS, TO_REFERENCE
from decam.runs.snapshots import RunSnapshot
from decam.runs.store import rows
from decam.runs.store.database import Database
from decam.runs.store.files import as_store_error, read_arrays
from decam.runs.store.folder import RunFolder
from decam.runs.store.tables import RunRow

IMPORTED = ".imported"
UNKNOWN_STAGE = "not begun"
_LAYOUT = 1
_LINK = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Check:
    """A check read back: its file, and the run that it becomes, whose grid has all maps and measurements."""

    path: Path
    run: RunSnapshot


def checks(folder: Path) -> list[Check]:
    """The checks in a folder that have not been imported; one that cannot be read is named in the log."""
    found = []
    for path in sorted(folder.glob("*.npz")):
        try:
            found.append(Check(path, _read(path)))
        except (DecamError, KeyError, ValueError, TypeError, IndexError) as error:
            _LOG.warning("The sanity check %s is left out, for it cannot be read: %s", path, error)
    return found


def import_checks(database: Database, folder: Path, folder_of: Callable[[str], RunFolder]) -> None:
    """Keep the checks of a folder as runs; their files get another name, which says that it is done."""
    for check in checks(folder):
        try:
            _import(database, check, folder_of(check.run.id))
        except StoreError as error:  # the runs that are there already can be used all the same
            _LOG.warning("The sanity check %s is not imported yet: %s", check.path, error)


def _import(database: Database, check: Check, folder: RunFolder) -> None:
    folder.write_pictures(check.run)
    folder.write_maps(check.run)
    with database.writing_alone() as session:
        # Another process may have been faster, and somebody may have deleted the run since.
        if check.path.is_file() and session.get(RunRow, check.run.id) is None:
            rows.add_finished(session, check.run)
    with as_store_error(f"rename {check.path}"), contextlib.suppress(FileNotFoundError):
        check.path.rename(check.path.with_name(check.path.name + IMPORTED))


def _read(path: Path) -> RunSnapshot:
    arrays = read_arrays(path)
    about: dict[str, Any] = json.loads(str(arrays["about"]))
    if about["layout"] > _LAYOUT:
        raise StoreError(f"It was written by a newer decam (layout {about['layout']}).")
    if not _LINK.fullmatch(about["id"]):
        raise ValueError("its link is none")
    found, view = about["found"], arrays["view"]
    plan = _plan(about["plan"], found["variants"], view)
    grid = _grid(plan, view, found, list(arrays.get("maps", ())))
    status = Status(about["status"])
    return RunSnapshot(
        id=about["id"],
        created=datetime.fromisoformat(about["created"]),
        status=Status.INTERRUPTED if status.active else status,
        grid=_given_up(grid) if status is Status.DONE else grid,
        note=about["note"],
        version=1,
        owner=about["owner"],
    )


def _plan(read: Mapping[str, Any], variants: Sequence[Mapping[str, Any]], view: Pixels) -> Plan:
    """The plan of a check; one that never began did not know its stages, and has one that says so."""
    mode: Mode = read["mode"]
    seed, target = read["seed"], read["target"]
    stages = [Variant(mode, each["name"], each["share"], seed) for each in variants]
    if not stages:
        stages = [Variant(mode, LABELS if mode == "labels" else UNKNOWN_STAGE, 1.0, seed)]
    specs = [ModelSpec(read["model"], stage) for stage in stages]
    return Plan(
        kind=RANDOMISATION,
        device=read["device"],
        pictures=(PictureChoice(read["picture"], sha256=fingerprint(view)),),
        questions=(
            QuestionSpec(ModelSpec(read["model"]), 0, target, seed),
            *(QuestionSpec(spec, 0, target, seed, reference=0) for spec in specs),
        ),
        methods=tuple(
            MethodChoice(each["name"], get_method(each["name"]).settings.from_mapping(each["settings"]))
            for each in read["methods"]
        ),
        metrics=similarities(),
        versions=Versions(),
    )


def _grid(plan: Plan, view: Pixels, found: Mapping[str, Any], maps: Sequence[Map]) -> Grid:
    """The grid of a check: maps come in the order of the originals, then of the compared ones."""
    originals = [(CellKey(0, one["method"]), one) for one in found["originals"]]
    compared = [(CellKey(1 + one["variant"], one["method"]), one) for one in found["compared"]]
    if len(maps) != len(originals) + len(compared):
        raise ValueError("There are not as many maps as the check speaks of.")
    grid = Grid.empty(plan, [view])
    cells = dict(grid.cells)
    for (key, one), saliency in zip((*originals, *compared), maps, strict=True):
        cells[key] = replace(
            cells[key].explained(_explanation(plan, key, one["explanation"], saliency)),
            measurements=_to_controls(one["floor"]) if key.question == 0 else _to_reference(one["likeness"]),
        )
    for one in found["failures"]:
        key = CellKey(0 if one["variant"] is None else 1 + one["variant"], one["method"])
        cells[key] = cells[key].failed(one["sentence"])
    guesses = None
    if plan.questions[0].target is None and originals:
        # The class asked about was the one predicted; the four that came after it were not kept.
        guesses = ((int(found["target"]), float(originals[0][1]["explanation"]["probability"])),)
    return replace(grid, cells=cells, predictions=(guesses, *grid.predictions[1:]))


def _given_up(grid: Grid) -> Grid:
    """A finished check made no map from a variant where the original's had failed, and says so now as later ones do."""
    cells = dict(grid.cells)
    for key, cell in grid.cells.items():
        if cell.explanation is None and not cell.error:
            title = get_method(grid.plan.methods[key.method].name).title
            cells[key] = Cell().failed(f"{title} has no map from the original model to compare with.")
    return replace(grid, cells=cells)


def _explanation(plan: Plan, key: CellKey, read: Mapping[str, Any], saliency: Map) -> Explanation:
    choice = plan.methods[key.method]
    return Explanation(
        method=choice.name,
        saliency=saliency,
        target=read["target"],
        label=read["label"],
        probability=read["probability"],
        settings=choice.settings,
        seed=read["seed"],
        evaluations=read["evaluations"],
        seconds=read["seconds"],
        notes=tuple(read["notes"]),
    )


def _to_reference(likeness: Mapping[str, Mapping[str, float]]) -> dict[str, Measurement]:
    measurements = {}
    for absolute, values in _both(likeness):
        for measure, metric in TO_REFERENCE.items():
            value = values[measure]
            choice = MetricChoice.default(metric.name, absolute=absolute)
            measurements[choice.key] = Measurement(metric.name, value, note=_note(value))
    return measurements


def _to_controls(floors: Sequence[Mapping[str, Any]]) -> dict[str, Measurement]:
    """The value is the similarity to the first control, the random map."""
    measurements = {}
    for place, absolute in enumerate((False, True)):
        for measure, metric in TO_CONTROLS.items():
            parts = tuple((floor["control"], _both(floor["likeness"])[place][1][measure]) for floor in floors)
            choice = MetricChoice.default(metric.name, absolute=absolute)
            value = parts[0][1]
            measurements[choice.key] = Measurement(metric.name, value, note=_note(value), parts=parts)
    return measurements


def _both(likeness: Mapping[str, Mapping[str, float]]) -> tuple[tuple[bool, Mapping[str, float]], ...]:
    return ((False, likeness["plain"]), (True, likeness["absolute"]))


def _note(value: float) -> str:
    return FLAT if value != value else ""  # NaN alone differs from itself
