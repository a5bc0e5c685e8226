"""The curves of a run's metrics as a figure for a paper: a row a question, a panel a metric, a line a method."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from matplotlib.axes import Axes as Panel
from matplotlib.figure import Figure

from decam.errors import SettingError
from decam.experiments.cells import CellKey
from decam.experiments.grid import Grid
from decam.experiments.plan import MetricChoice
from decam.figures import printed
from decam.figures.colours import method_colour, method_dash
from decam.figures.look import row_title
from decam.metrics import get as get_metric
from decam.metrics.base import Curve
from decam.numerals import fixed
from decam.shares import percent

HEAD, SMALL = 7.5, 6.0  # points
LINE_HEIGHT = 1.3 * SMALL / 72
LEFT, RIGHT, HEAD_ROOM, FOOT, APART, ROW_GAP = 0.72, 0.12, 0.24, 0.42, 0.52, 0.16
TALL, WIDEST = 1.45, 3.2
KEY_WIDTH, KEY_LINE = 1.75, 0.26
DASHES: Mapping[str, Any] = MappingProxyType(
    {
        "solid": "-",
        "dash": (0, (4, 2)),
        "dot": (0, (1, 1.5)),
        "dashdot": (0, (4, 1.5, 1, 1.5)),
        "longdash": (0, (8, 2)),
        "longdashdot": (0, (8, 1.5, 1, 1.5)),
    }
)
"""The dashes of the page's charts, as lengths of line and gap."""


def curve_sheet(grid: Grid) -> Figure:
    """Every curve that a grid has: panels of one metric below each other, with one key to the methods at the foot.

    `printed.file_bytes` makes a file of the figure. Raises SettingError where there is no curve.
    """
    curves = _curves(grid)
    choices = [choice for choice in grid.plan.metrics if any(choice.key == metric for _, metric in curves)]
    questions = sorted({key.question for key, _ in curves})
    if not curves:
        raise SettingError("No metric of this run keeps a curve; measure deletion or insertion first.")
    with printed.style():
        methods = grid.plan.titles()
        across = len(choices)
        wide = min(WIDEST, (printed.TEXT_WIDTH - LEFT - RIGHT - APART * (across - 1)) / across)
        wide = max(wide, 1.1)
        width = LEFT + RIGHT + across * wide + APART * (across - 1)
        columns = max(1, int((width - LEFT) / KEY_WIDTH))
        key_room = -(-len(methods) // columns) * LINE_HEIGHT + 0.06
        height = HEAD_ROOM + len(questions) * TALL + (len(questions) - 1) * ROW_GAP + FOOT + key_room
        figure = Figure(figsize=(width, height))
        for row, question in enumerate(questions):
            bottom = height - HEAD_ROOM - (row + 1) * TALL - row * ROW_GAP
            for column, choice in enumerate(choices):
                box = printed.shares(figure, LEFT + column * (wide + APART), bottom, wide, TALL)
                panel = figure.add_axes(box)
                _panel(
                    panel,
                    choice,
                    {
                        key.method: curve
                        for (key, metric), curve in curves.items()
                        if key.question == question and metric == choice.key
                    },
                )
                _dress(panel, grid, choice, wide, first=row == 0, last=row == len(questions) - 1)
            name = printed.fitted(row_title(grid, question), TALL, SMALL)
            how = {"ha": "center", "va": "center", "rotation": 90}
            printed.put(figure, 0.12, bottom + TALL / 2, name, SMALL, **how)
        for place, title in enumerate(methods):
            x, y = LEFT + place % columns * KEY_WIDTH, key_room - 0.04 - place // columns * LINE_HEIGHT
            _key(figure, place, title, x, y)
    return figure


def _curves(grid: Grid) -> dict[tuple[CellKey, str], Curve]:
    """By the cells and the metrics' keys."""
    return {
        (key, metric): measured.curve
        for key, cell in sorted(grid.cells.items())
        for metric, measured in cell.measurements.items()
        if measured.curve is not None
    }


def _panel(panel: Panel, choice: MetricChoice, curves: Mapping[int, Curve]) -> None:
    axes = get_metric(choice.name).axes
    assert axes is not None  # a metric that keeps curves says what they show
    for method, curve in curves.items():
        panel.plot(curve.shares * 100, curve.values, color=method_colour(method), ls=_dash(method), lw=1.1)
    panel.set_xlim(0, 100)
    panel.set_ylim(axes.low, axes.high + 0.02 * (axes.high - axes.low))
    panel.set_yticks([axes.low + step * (axes.high - axes.low) / 5 for step in range(6)])
    panel.yaxis.set_major_formatter(lambda value, _: percent(value, 0) if axes.percent else fixed(value, 1))


def _dress(panel: Panel, grid: Grid, choice: MetricChoice, wide: float, *, first: bool, last: bool) -> None:
    """Ticks, names of axes and, above the first panel of a metric, its title."""
    axes = get_metric(choice.name).axes
    assert axes is not None
    panel.tick_params(labelsize=SMALL, length=2.5, width=0.6, labelbottom=last)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(color=printed.LINE, alpha=0.45, lw=0.4)
    panel.set_ylabel(printed.fitted(axes.y, TALL, SMALL), fontsize=SMALL, labelpad=2)
    if last:
        panel.set_xlabel(printed.fitted(f"{axes.x} (%)", wide + APART - 0.1, SMALL), fontsize=SMALL, labelpad=2)
    if first:
        title = printed.fitted(grid.plan.metric_titles()[choice.key], wide, HEAD, bold=True)
        panel.set_title(title, fontsize=HEAD, weight="bold", pad=5)


def _key(figure: Figure, place: int, title: str, x: float, y: float) -> None:
    """A method's line and its name."""
    box = printed.shares(figure, x, y - LINE_HEIGHT / 2, KEY_LINE, LINE_HEIGHT)
    sample = figure.add_axes(box, frameon=False, xticks=[], yticks=[], xlim=(0, 1), ylim=(-1, 1))
    sample.plot([0, 1], [0, 0], color=method_colour(place), ls=_dash(place), lw=1.1)
    name = printed.fitted(title, KEY_WIDTH - KEY_LINE - 0.14, SMALL)
    printed.put(figure, x + KEY_LINE + 0.05, y, name, SMALL, ha="left", va="center_baseline")


def _dash(place: int) -> Any:
    return DASHES[method_dash(place)]
