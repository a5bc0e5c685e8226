"""The grid of a run as a figure for a paper: a row a question, a column a method, and colour bars with their values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from decam.classifier import Pixels
from decam.classifier.certainty import decimal
from decam.errors import SettingError
from decam.experiments.cells import CellKey
from decam.experiments.grid import Grid
from decam.explanation import ClassExplanation, Explanation
from decam.figures import printed
from decam.figures.colours import lut, table_for
from decam.figures.formats import MOST_ROWS
from decam.figures.legend import BY_RANK, SILENT, Scale, limit_text, value_text
from decam.figures.look import Look, drawn, finished, row_title, scales
from decam.methods import described
from decam.methods.class_level.display import shown
from decam.metrics import get as get_metric
from decam.numerals import score

HEAD, SMALL = 7.5, 6.0  # points
LINE_HEIGHT = 1.25 / 72  # inches of a line for each point of its letters
WIDEST, NARROWEST = 1.6, 0.85  # inches of a map
GAP, MARGIN, TITLE = 0.07, 0.05, 0.2
BAR = 0.06
BAR_ROOM = 0.24
HEAD_LINES, LABEL_LINES = 3, 2
PICTURE = "Image"
MISSING = "No map"


@dataclass(frozen=True)
class _Sheet:
    """Where things stand, in inches: the figure, its grid and the grid itself."""

    figure: Figure
    grid: Grid
    look: Look
    scales: Mapping[CellKey, Scale]
    metrics: Sequence[str]
    pictured: bool
    side: float
    tall: float
    top: float
    below: float
    common: frozenset[int]

    def left(self, column: int) -> float:
        """Of a column, counted from 0 with the pictures' first."""
        return MARGIN + TITLE + column * (self.side + GAP)

    def bottom(self, row: int) -> float:
        """Of the maps of a row."""
        return self.top - (row + 1) * self.tall - row * (self.below + GAP)


def grid_figure(grid: Grid, look: Look | None = None, *, metrics: Sequence[str] = ()) -> Figure:
    """The maps of a grid as the look has them, with titles of rows and columns, and colour bars with values.

    Maps with a scale of their own each have a bar; a column in which all have one scale has one bar at its foot.
    `metrics` are keys of the plan's metrics, whose values stand under each map, the best of a row in bold. A class that
    was asked about without a picture is shown by its pattern. `printed.file_bytes` makes a file of the figure. Raises
    SettingError where no map is finished, for more than MOST_ROWS questions, and for a metric that the plan lacks.
    """
    if not finished(grid):
        raise SettingError("No map is finished yet; a figure needs at least one.")
    if len(grid.plan.questions) > MOST_ROWS:
        raise SettingError(
            f"The run has {len(grid.plan.questions)} rows, but a figure has room for {MOST_ROWS}; take single maps "
            "from the ZIP instead."
        )
    titles = grid.plan.metric_titles()
    for key in metrics:
        if key not in titles:
            raise SettingError(f"This run has no metric {key!r}; it has: {', '.join(titles) or 'none'}.")
    with printed.style():
        sheet = _sheet(grid, look or Look(), metrics)
        _heads(sheet)
        best = _best(grid, metrics)
        for question in range(len(grid.plan.questions)):
            _row(sheet, question, best)
        for method in sheet.common:
            scale = next(one for key, one in sheet.scales.items() if key.method == method and one.text != SILENT)
            _bar(sheet, method, scale, _foot(sheet))
    return sheet.figure


def _foot(sheet: _Sheet) -> float:
    """Under which height the bars of whole columns stand: the last row's maps and values, but not its class."""
    own = len(sheet.common) < len(sheet.grid.plan.methods)
    values = len(sheet.metrics) * LINE_HEIGHT * SMALL + 0.035
    return sheet.bottom(len(sheet.grid.plan.questions) - 1) - (values + BAR_ROOM * own if sheet.metrics else 0)


def _sheet(grid: Grid, look: Look, metrics: Sequence[str]) -> _Sheet:
    """An empty sheet that has room for the grid, as wide as a journal's page where the maps allow that."""
    plan = grid.plan
    pictured = not plan.about_classes
    columns, rows = len(plan.methods) + pictured, len(plan.questions)
    side = (printed.TEXT_WIDTH - 2 * MARGIN - TITLE - GAP * (columns - 1)) / columns
    side = min(WIDEST, max(NARROWEST, side))
    made = scales(grid, look)
    height, width = next(iter(made.values())).values.shape
    tall = side * height / width
    common = _common(made) if pictured and rows > 1 else frozenset[int]()
    bars = pictured and len(common) < len(plan.methods)
    labels = [_label(grid, question, side) for question in range(rows)] if pictured else []
    lines = max((text.count("\n") + 1 for text in labels), default=0)
    label = lines * LINE_HEIGHT * SMALL + 0.04
    values = len(metrics) * LINE_HEIGHT * SMALL + 0.035 * bool(metrics)
    below = max(label, BAR_ROOM * bars + values)
    foot = max(below, BAR_ROOM * (bars or bool(common)) + values + (BAR_ROOM * bars if common and metrics else 0))
    heads = [printed.fitted(title, side, HEAD, lines=HEAD_LINES, bold=True) for title in plan.titles()]
    head = max(text.count("\n") + 1 for text in heads) * LINE_HEIGHT * HEAD + 0.06
    across = 2 * MARGIN + TITLE + columns * side + GAP * (columns - 1)
    top = 2 * MARGIN + rows * tall + (rows - 1) * (below + GAP) + foot
    figure = Figure(figsize=(across, top + head))
    return _Sheet(figure, grid, look, made, metrics, pictured, side, tall, top - MARGIN, below, common)


def _common(made: Mapping[CellKey, Scale]) -> frozenset[int]:
    """The methods of which all maps that are not flat are drawn between the same ends."""
    ends: dict[int, set[object]] = {}
    for key, scale in made.items():
        if scale.text != SILENT:
            ends.setdefault(key.method, set()).add((scale.limits, scale.text in BY_RANK.values()))
    return frozenset(method for method, found in ends.items() if len(found) == 1 and _counted(made, method) > 1)


def _counted(made: Mapping[CellKey, Scale], method: int) -> int:
    return sum(key.method == method and scale.text != SILENT for key, scale in made.items())


def _heads(sheet: _Sheet) -> None:
    titles = [*([PICTURE] if sheet.pictured else []), *sheet.grid.plan.titles()]
    for column, title in enumerate(titles):
        middle = sheet.left(column) + sheet.side / 2
        text = printed.fitted(title, sheet.side, HEAD, lines=HEAD_LINES, bold=True)
        how = {"ha": "center", "va": "baseline", "weight": "bold", "linespacing": 1.1}
        printed.put(sheet.figure, middle, sheet.top + 0.06, text, HEAD, **how)


def _row(sheet: _Sheet, question: int, best: frozenset[tuple[CellKey, str]]) -> None:
    grid, bottom = sheet.grid, sheet.bottom(question)
    middle, title = bottom + sheet.tall / 2, printed.fitted(row_title(grid, question), sheet.tall, SMALL)
    how = {"ha": "center", "va": "center", "rotation": 90}
    printed.put(sheet.figure, MARGIN + TITLE / 2 - 0.02, middle, title, SMALL, **how)
    maps = finished(grid)
    if sheet.pictured:
        _image(sheet, 0, bottom, grid.view_of(question))
        _class(sheet, question, bottom)
    for method in range(len(grid.plan.methods)):
        key = CellKey(question, method)
        if key in maps:
            _map(sheet, key, maps[key], bottom, best)
        else:
            _nothing(sheet, method, bottom)


def _class(sheet: _Sheet, question: int, bottom: float) -> None:
    text = _label(sheet.grid, question, sheet.side)
    how = {"ha": "center", "va": "top", "color": printed.FAINT, "linespacing": 1.15}
    printed.put(sheet.figure, sheet.left(0) + sheet.side / 2, bottom - 0.035, text, SMALL, **how)


def _label(grid: Grid, question: int, width: float) -> str:
    """The class that was asked about, with its probability; empty where no map of the question is finished."""
    made = next((one for key, one in finished(grid).items() if key.question == question), None)
    return "" if made is None else _ended(made.label, f" {decimal(made.probability)}", width)


def _ended(text: str, end: str, width: float) -> str:
    """A text in at most two lines that ends with its value, however long the text is."""
    whole = printed.fitted(text + end, width, SMALL, lines=LABEL_LINES)
    if whole.replace("\n", " ") == printed.written(text + end):
        return whole
    *before, last = printed.fitted(text, width, SMALL, lines=LABEL_LINES).split("\n")
    return "\n".join([*before, printed.fitted(last, width - printed.width_of(end, SMALL), SMALL) + end])


def _map(sheet: _Sheet, key: CellKey, made: Explanation, bottom: float, best: frozenset[tuple[CellKey, str]]) -> None:
    column, scale = key.method + sheet.pictured, sheet.scales[key]
    if isinstance(made, ClassExplanation):
        _image(sheet, column, bottom, shown(made.map))
        return
    _image(sheet, column, bottom, drawn(sheet.grid.view_of(key.question), made, scale, sheet.look))
    under = bottom
    if key.method not in sheet.common or scale.text == SILENT:
        _bar(sheet, key.method, scale, under)
    if len(sheet.common) < len(sheet.grid.plan.methods):
        under -= BAR_ROOM
    _values(sheet, key, under - 0.035, best)


def _image(sheet: _Sheet, column: int, bottom: float, pixels: Pixels) -> None:
    axes = _axes(sheet, column, bottom, sheet.tall)
    axes.imshow(pixels, aspect="auto")


def _axes(sheet: _Sheet, column: int, bottom: float, height: float) -> Axes:
    box = printed.shares(sheet.figure, sheet.left(column), bottom, sheet.side, height)
    axes = sheet.figure.add_axes(box, xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
    return axes


def _nothing(sheet: _Sheet, method: int, bottom: float) -> None:
    """An empty frame, for a map that failed or was not made."""
    column = method + sheet.pictured
    _axes(sheet, column, bottom, sheet.tall)
    how = {"ha": "center", "va": "center", "color": printed.FAINT}
    printed.put(sheet.figure, sheet.left(column) + sheet.side / 2, bottom + sheet.tall / 2, MISSING, SMALL, **how)


def _bar(sheet: _Sheet, method: int, scale: Scale, under: float) -> None:
    """A colour bar `under` a map, with the values at its ends; words in its place for a flat map."""
    column = method + sheet.pictured
    left, right = sheet.left(column), sheet.left(column) + sheet.side
    how = {"va": "top", "color": printed.FAINT}
    if scale.text == SILENT:
        printed.put(sheet.figure, (left + right) / 2, under - 0.035, SILENT, SMALL, ha="center", **how)
        return
    signed = described(sheet.grid.plan.methods[method].name).signed
    table = lut(table_for(sheet.look.colours, signed))[int(signed) :]  # entry 0 of a signed table is never used
    _axes(sheet, column, under - 0.035 - BAR, BAR).imshow(table[None], aspect="auto")
    foot = under - 0.055 - BAR
    for text, x, side in zip(_ends(scale, signed), (left, (left + right) / 2, right), _SIDES, strict=True):
        printed.put(sheet.figure, x, foot, text, SMALL, ha=side, **how)


_SIDES = ("left", "center", "right")


def _ends(scale: Scale, signed: bool) -> tuple[str, str, str]:
    """What stands at the left end of a bar, in its middle and at its right end."""
    low, high = scale.limits
    if scale.text in BY_RANK.values():
        return ("−100 %", "0", "100 %") if signed else ("0 %", "rank", "100 %")
    if signed:
        return value_text(low, 2), "0", value_text(high, 2)
    return limit_text(low, scale.limits), "", limit_text(high, scale.limits)


def _values(sheet: _Sheet, key: CellKey, top: float, best: frozenset[tuple[CellKey, str]]) -> None:
    """What the metrics give a map, one line each: the title at the left, the value at the right."""
    titles = sheet.grid.plan.metric_titles()
    left = sheet.left(key.method + sheet.pictured)
    for place, metric in enumerate(sheet.metrics):
        measured = sheet.grid.cells[key].measurements.get(metric)
        known = measured is not None and math.isfinite(measured.value)
        text = score(measured.value) if measured is not None and known else "–"
        weight = "bold" if (key, metric) in best else "normal"
        y = top - place * LINE_HEIGHT * SMALL
        room = sheet.side - printed.width_of(text, SMALL, bold=True) - 0.06
        title = printed.fitted(titles[metric], room, SMALL)
        printed.put(sheet.figure, left, y, title, SMALL, ha="left", va="top", color=printed.FAINT)
        printed.put(sheet.figure, left + sheet.side, y, text, SMALL, ha="right", va="top", weight=weight)


def _best(grid: Grid, metrics: Sequence[str]) -> frozenset[tuple[CellKey, str]]:
    """The best values of each row, ties included, where at least two maps were measured."""
    directions = {choice.key: get_metric(choice.name).direction for choice in grid.plan.metrics}
    found = set()
    for metric in metrics:
        for question in range(len(grid.plan.questions)):
            values = {
                key: directions[metric] * cell.measurements[metric].value
                for key, cell in grid.cells.items()
                if key.question == question and metric in cell.measurements
            }
            finite = {key: value for key, value in values.items() if np.isfinite(value)}
            if len(finite) > 1:
                top = max(finite.values())
                found |= {(key, metric) for key, value in finite.items() if value == top}
    return frozenset(found)
