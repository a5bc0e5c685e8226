"""What a browser is sent of a run: maps as PNG, cells and the run itself as values for JSON. One encoding for all."""

from __future__ import annotations

import base64
import math
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from decam.experiments.cells import Cell, CellKey
from decam.experiments.history import Frame
from decam.experiments.kinds import class_maps
from decam.experiments.plan import MetricChoice, Plan
from decam.experiments.status import CellState
from decam.explanation import ClassExplanation, Map
from decam.export.standing import Standing, standing
from decam.figures import data_uri, limits_of, lut, png_bytes, png_uri
from decam.methods import described
from decam.methods.base import Series
from decam.methods.class_level.display import shown
from decam.metrics import get as get_metric
from decam.runs.snapshots import RunSnapshot

Address: TypeAlias = Callable[[bytes], str]
Best: TypeAlias = frozenset[tuple[str, str, int]]
Point: TypeAlias = tuple[int, dict[str, float | None]]
Made = TypeVar("Made")

DIGITS = 5  # of a value of a curve on its way to the browser
UNDER_MAPS = 2
"""Metrics whose values stand under each map of the grid."""


@dataclass(frozen=True)
class GridMetric:
    """A value under every map; `direction` is +1 where higher is better, −1 where lower is."""

    title: str
    direction: int
    help: str = ""


@dataclass(frozen=True)
class GridCell:
    """One map, finished or in the making.

    `row` and `column` are the keys of its row and column. `saliency` is the raw map, H×W or coarser. `progress` is in
    [0, 1]; `values` has one entry for each GridMetric, None where it is not known. `error` says why a cell failed;
    `notes` are warnings beside the map. A `silent` map is drawn flat: it holds rounding or chance alone. A `reused` map
    is an earlier run's, and cost this run nothing. `pattern` is the map of a class (3×H×W, signed), which belongs to no
    picture, and `worth` what its explanation says of it: fidelity, baseline, control and norm. `words` say the same,
    and `nothing` says so where a random map does as much.
    """

    row: str
    column: str
    state: CellState = CellState.WAITING
    progress: float | None = None
    seconds_left: float | None = None
    saliency: Map | None = None
    evaluations: int = 0
    seconds: float | None = None
    values: tuple[float | None, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""
    silent: bool = False
    reused: bool = False
    pattern: Map | None = None
    worth: Mapping[str, float] | None = None
    words: str = ""
    nothing: str = ""


@dataclass(frozen=True)
class MapFile:
    """A map for the browser: a PNG in which 0 to 65535 stand for `low` to `high`.

    A level is red × 256 + green, or 257 times the grey of a picture in grey.
    """

    png: bytes
    low: float
    high: float


class Kept(Generic[Made]):
    """What was made of an array, for as long as the array lives: what looks at it again and again makes it once."""

    def __init__(self, make: Callable[[NDArray[Any]], Made]) -> None:
        self._make = make
        self._kept: dict[int, tuple[weakref.ref[NDArray[Any]], Made]] = {}

    def __call__(self, array: NDArray[Any]) -> Made:
        place = id(array)
        kept = self._kept.get(place)
        if kept is not None and kept[0]() is array:
            return kept[1]
        made = self._make(array)
        self._kept[place] = (weakref.ref(array, lambda _: self._kept.pop(place, None)), made)
        return made


def map_file(saliency: Map) -> MapFile:
    """A raw map as the browser takes it, to 1/255 of its colours' range; what is not finite counts as the nearer end.

    Where clipping leaves less than half of the values' range to the colours, it is sent to 1/65535 of the range.
    """
    finite = saliency[np.isfinite(saliency)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    nan = min(max(0.0, low), high)
    values = np.nan_to_num(saliency.astype(np.float64), nan=nan, posinf=high, neginf=low)
    reach = high - low
    units = (values - low) / reach if reach > 0 else np.zeros_like(values)
    if min(np.ptp(limits_of(saliency, signed)) for signed in (False, True)) >= reach / 2:
        return MapFile(png_bytes(np.rint(255 * units).astype(np.uint8)), low, high)
    levels = np.rint(65535 * units).astype(np.uint16)
    channels = (levels >> 8, levels & 255, np.zeros_like(levels))
    return MapFile(png_bytes(np.stack(channels, axis=2).astype(np.uint8)), low, high)


def short(value: float | None) -> float | None:
    """A value that JSON can carry, to a few digits; None where there is none or it is not finite."""
    return None if value is None or not abs(value) < float("inf") else float(f"{value:.{DIGITS}g}")


def colour_table(name: str) -> str:
    """A table of 256 colours (256×3, RGB) in base64, as the browser's scripts take it."""
    return base64.b64encode(lut(name).tobytes()).decode("ascii")


picture_file = Kept(png_bytes)
"""The PNG of a picture, made once for as long as the picture lives."""
_map_file = Kept(map_file)
_ends = {signed: Kept(partial(limits_of, signed=signed)) for signed in (False, True)}
_pattern_file = Kept(lambda pattern: png_bytes(shown(pattern)))
_mask_uri = Kept(png_uri)


def best_places(cells: Sequence[GridCell], metrics: Sequence[GridMetric]) -> Best:
    """(row, column, metric) of the best value in each row, ties included, where at least two maps were measured."""
    best = set()
    for index, metric in enumerate(metrics):
        for row in {cell.row for cell in cells}:
            values = {
                cell.column: value
                for cell in cells
                if cell.row == row and index < len(cell.values) and (value := cell.values[index]) is not None
            }
            if len(values) > 1:
                top = max(values.values(), key=lambda value: metric.direction * value)
                best |= {(row, column, index) for column, value in values.items() if value == top}
    return frozenset(best)


def cell_object(cell: GridCell, best: Best, signed: bool, address: Address = data_uri) -> dict[str, Any]:
    """A cell as the grid in the browser takes it; `address` says where its map is found."""
    file = None if cell.saliency is None else _map_file(cell.saliency)
    return {
        "row": cell.row,
        "column": cell.column,
        "state": cell.state,
        "progress": cell.progress,
        "secondsLeft": cell.seconds_left,
        "map": None if file is None else address(file.png),
        "low": 0.0 if file is None else file.low,
        "high": 0.0 if file is None else file.high,
        "ends": (0.0, 0.0) if cell.saliency is None else _ends[signed](cell.saliency),
        "silent": cell.silent,
        "reused": cell.reused,
        "pattern": None if cell.pattern is None else address(_pattern_file(cell.pattern)),
        "worth": None if cell.worth is None else {name: short(value) for name, value in cell.worth.items()},
        "words": cell.words,
        "nothing": cell.nothing,
        "evaluations": cell.evaluations,
        "seconds": cell.seconds,
        "values": list(cell.values),
        "best": [(cell.row, cell.column, index) in best for index in range(len(cell.values))],
        "notes": list(cell.notes),
        "error": cell.error,
    }


def under_maps(plan: Plan) -> tuple[MetricChoice, ...]:
    """The first metrics of a plan that hide or show pixels step by step: as a rule deletion and insertion."""
    return tuple(choice for choice in plan.metrics if get_metric(choice.name).sequence)[:UNDER_MAPS]


def grid_metrics(plan: Plan) -> tuple[GridMetric, ...]:
    """What stands under each map of a run."""
    return tuple(_metric(choice) for choice in under_maps(plan))


def _metric(choice: MetricChoice) -> GridMetric:
    metric = get_metric(choice.name)
    return GridMetric(metric.title, metric.direction, f"{metric.summary} Fill: {choice.settings.to_mapping()['fill']}.")


def grid_cells(snapshot: RunSnapshot) -> dict[CellKey, GridCell]:
    """The cells of a run as the grid shows them, in the grid's order."""
    choices = under_maps(snapshot.plan)
    plan = snapshot.plan
    return {key: _grid_cell(plan, key, cell, choices) for key, cell in sorted(snapshot.cells.items())}


def _grid_cell(plan: Plan, key: CellKey, cell: Cell, choices: Sequence[MetricChoice]) -> GridCell:
    of_class = cell.explanation if isinstance(cell.explanation, ClassExplanation) else None
    unit = plan.questions[key.question].unit is not None
    measured = [cell.measurements.get(choice.key) for choice in choices]
    return GridCell(
        row=str(key.question),
        column=str(key.method),
        state=cell.state,
        progress=cell.step / cell.total if cell.total else None,
        seconds_left=cell.seconds_left,
        saliency=cell.saliency,
        evaluations=cell.evaluations,
        seconds=cell.seconds if cell.explanation is not None else None,
        values=tuple(None if one is None or not math.isfinite(one.value) else one.value for one in measured),
        notes=() if cell.explanation is None else cell.explanation.notes,
        error=cell.error,
        silent=cell.explanation is not None and cell.explanation.silent,
        reused=cell.reused,
        pattern=cell.pattern,
        worth=None if of_class is None else worth(of_class),
        words="" if of_class is None else class_maps.worth(of_class, unit),
        nothing="" if of_class is None else class_maps.nothing(of_class, unit),
    )


def worth(explanation: ClassExplanation) -> dict[str, float]:
    """What a class's map is worth, by name."""
    return {name: getattr(explanation, name) for name in ("fidelity", "baseline", "control", "norm")}


def probability_of(snapshot: RunSnapshot, question: int, target: int | None) -> float | None:
    """The target's probability, from the likeliest classes or else from a finished map."""
    contrast = snapshot.plan.against_of(question) is not None  # whose probability the prediction does not have
    likeliest = {} if contrast else dict(snapshot.predictions[question] or ())
    if target in likeliest:
        return likeliest[target]
    for key, cell in snapshot.cells.items():
        if key.question == question and cell.explanation is not None:
            return cell.explanation.probability
    return None


def run_object(snapshot: RunSnapshot) -> dict[str, Any]:
    """The run itself: how it stands in words, the share that is done, what has been measured, and each row's class."""
    stands = standing(snapshot)
    return {
        "status": snapshot.status,
        "active": snapshot.active,
        **_line(stands),
        "note": snapshot.note,
        "ahead": snapshot.ahead,
        "measured": measured(snapshot),
        "rows": [_row(snapshot, question) for question in range(len(snapshot.plan.questions))],
    }


def work_object(name: str, stands: Standing | None) -> dict[str, Any]:
    """Work that is no run, as a cell: its name, and how it stands in words, None where it has ended."""
    place = {"row": name, "column": "", "state": "ended" if stands is None else "running"}
    return place | ({} if stands is None else _line(stands))


def _line(stands: Standing) -> dict[str, Any]:
    return {"icon": stands.icon, "title": stands.title, "facts": list(stands.facts), "share": stands.share}


def _row(snapshot: RunSnapshot, question: int) -> dict[str, Any]:
    target = snapshot.grid.target_of(question)
    probability = probability_of(snapshot, question, target)
    return {"key": str(question), "label": snapshot.grid.asked_of(question), "probability": probability}


def measured(snapshot: RunSnapshot) -> int:
    """How many maps and measurements there are: it grows whenever tables and curves have something new to show."""
    return sum((cell.explanation is not None) + len(cell.measurements) for cell in snapshot.cells.values())


def search_series(plan: Plan, method: int) -> tuple[Series, ...]:
    """The curves that a search of this method draws while it runs; empty for a method that does not search."""
    return tuple(item for item in described(plan.methods[method].name).series if not item.detail)


def points_of(frames: Sequence[Frame], series: Sequence[Series]) -> list[Point]:
    """The curves of a search: evaluations, and the values by the names of their series."""
    names = [item.name for item in series]
    return [
        (frame.evaluations, {name: short(frame.curves[name]) for name in names if name in frame.curves})
        for frame in frames
    ]


def search_object(cell: Cell, frames: Sequence[Frame], series: Sequence[Series], first: int) -> dict[str, Any]:
    """How a search stands: its points from number `first` on, the best mask (a small PNG), and words before them.

    `frames` are those of the cell that have curves. `total` is the number of evaluations at which it will end, 0
    while that is not known. Of a finished search nothing but that is sent: the page draws it whole.
    """
    if cell.explanation is not None:
        return {"finished": True, "from": 0, "points": [], "mask": None, "total": 0, "words": ""}
    mask = next((frame.mask for frame in reversed(frames) if frame.mask is not None), None)
    return {
        "finished": False,
        "from": first,
        "points": points_of(frames[first:], series),
        "mask": None if mask is None else _mask_uri(mask),
        "total": total_of(cell),
        "words": "" if frames else waiting_words(cell),
    }


def total_of(cell: Cell) -> int:
    """The evaluations at which a search will have spent its budget, 0 while that is not known."""
    return round(cell.evaluations * cell.total / cell.step) if cell.step else 0


def waiting_words(cell: Cell) -> str:
    """Why a search has no curves yet."""
    if cell.state is CellState.RUNNING:
        return "Random masks first: the curves begin with the first generation."
    return cell.error or "This search has not begun yet."


def curved(cell: Cell) -> list[Frame]:
    """The frames of a cell that report curves: its generations."""
    return [frame for frame in cell.frames if frame.curves]
