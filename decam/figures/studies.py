"""Charts of what people answered: preference, ratings, accuracy, utility, times, power and signal detection."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from decam.errors import SettingError
from decam.figures.charts import DARK, LIGHT, Ink, dress
from decam.figures.colours import DIVERGING, SEQUENTIAL, lut, method_colour, method_dash, plotly_scale
from decam.figures.intervals import FRAME, LINE, Named, error_bars, name_rows
from decam.numerals import minus

CELL = 44  # pixels of a cell of a matrix
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")


@dataclass(frozen=True)
class Curve:
    """A condition's values over a number of trials, with their intervals; the names of the intervals are not shown."""

    name: str
    at: tuple[float, ...]
    intervals: tuple[Named, ...]


def values_figure(
    axis: str,
    intervals: Sequence[Named],
    *,
    reference: float | None = None,
    limits: tuple[float, float] | None = None,
    unit: str = "",
    digits: int = 2,
    dark: bool = False,
) -> go.Figure:
    """Values with intervals below each other, the first on top: strengths, accuracies, response times.

    A dotted line marks the `reference` (0 of log-strengths, chance). `limits` are the axis', else all intervals fit.
    An interval with NaN ends is shown as a dot alone, without ends where the mouse is.
    """
    _some(intervals)
    ink = DARK if dark else LIGHT
    number = f"%{{x:,.{digits}f}}{unit}"
    figure = go.Figure(
        go.Scatter(
            x=[one.value for one in intervals],
            y=list(range(len(intervals))),
            error_x=error_bars(intervals, ink),
            mode="markers",
            marker={"size": 10, "color": method_colour(1, dark)},
            customdata=[(one.name, _ends(one, digits, unit)) for one in intervals],
            hovertemplate=f"<b>%{{customdata[0]}}</b><br>{number}%{{customdata[1]}}<extra></extra>",
        )
    )
    dress(figure, ink, FRAME + LINE * len(intervals), "", entries=0, columns=1)
    if reference is not None:
        figure.add_vline(x=reference, line={"color": ink.faint, "width": 1.5, "dash": "dot"})
    figure.update_xaxes(title_text=axis, range=list(limits or _room(intervals, reference)))
    name_rows(figure, [one.name for one in intervals])
    figure.update_layout(hovermode="closest", showlegend=False, margin={"l": 8, "r": 8, "t": 8, "b": 44})
    return figure


def win_matrix_figure(names: Sequence[str], wins: NDArray[np.float64], *, dark: bool = False) -> go.Figure:
    """How often each item (row) won against each other (column): the share as colour, the counts as text.

    `wins` is items × items, a tie half a win for both. Pairs that were never compared stay empty. Raises SettingError
    for another shape.
    """
    if wins.shape != (len(names), len(names)):
        raise SettingError(f"Wins must be {len(names)} × {len(names)}, one line a name, not of shape {wins.shape}.")
    ink = DARK if dark else LIGHT
    together = wins + wins.T
    shares = np.divide(wins, together, out=np.full(wins.shape, np.nan), where=together > 0)
    np.fill_diagonal(shares, np.nan)
    text = [
        [
            f"{own:g}/{both:g}" if both and row != column else ""
            for column, (own, both) in enumerate(zip(*pair, strict=True))
        ]
        for row, pair in enumerate(zip(wins, together, strict=True))
    ]
    figure = go.Figure(
        go.Heatmap(
            z=shares * 100,
            x=list(names),
            y=list(names),
            zmin=0,
            zmax=100,
            colorscale=plotly_scale(DIVERGING),
            text=text,
            texttemplate="%{text}",
            xgap=2,
            ygap=2,
            hovertemplate="<b>%{y}</b> preferred to <b>%{x}</b><br>%{text} (%{z:.0f} %)<extra></extra>",
            colorbar=_bar("Preferred (%)", ink),
        )
    )
    dress(figure, ink, 110 + CELL * len(names), "", entries=0, columns=1)
    figure.update_xaxes(title_text="to this one", showgrid=False, side="bottom")
    figure.update_yaxes(title_text="Preferred:<br>this one", autorange="reversed", showgrid=False)
    figure.update_layout(hovermode="closest")
    return figure


def ratings_figure(
    names: Sequence[str], counts: NDArray[np.int64], labels: Sequence[str] = (), *, dark: bool = False
) -> go.Figure:
    """How answers spread over the points of a scale: diverging stacked bars, one a condition, in per cent.

    `counts` is conditions × points, the lowest first. The middle of the scale lies at 0; an odd scale's middle point
    is halved. `labels` name the points. Raises SettingError for a condition without answers or other lengths.
    """
    points = counts.shape[1]
    if len(counts) != len(names) or (labels and len(labels) != points):
        raise SettingError("Each condition needs one line of counts, and each point one label.")
    if not (counts.sum(axis=1) > 0).all():
        raise SettingError("A condition has no ratings to show; leave it out.")
    ink = DARK if dark else LIGHT
    shares = 100 * counts / counts.sum(axis=1, keepdims=True)
    middle = points // 2
    lower = shares[:, :middle].sum(axis=1) + (shares[:, middle] / 2 if points % 2 else 0)
    starts = np.cumsum(shares, axis=1) - shares - lower[:, None]
    figure = go.Figure()
    for point in range(points):
        label = labels[point] if labels else str(point + 1)
        figure.add_trace(
            go.Bar(
                x=shares[:, point],
                y=list(range(len(names))),
                base=starts[:, point],
                orientation="h",
                name=label,
                marker={"color": _step(point, points), "line": {"color": ink.line, "width": 1}},
                customdata=[(name, int(count)) for name, count in zip(names, counts[:, point], strict=True)],
                hovertemplate=f"<b>%{{customdata[0]}}</b><br>{label}: %{{x:.1f}} % (%{{customdata[1]}} answers)"
                "<extra></extra>",
            )
        )
    longest = max((len(label) for label in labels), default=1)
    columns = min(points, 7) if longest < 4 else 3 if longest < 9 else 2 if longest < 14 else 1
    dress(figure, ink, FRAME + 34 * len(names), "", entries=points, columns=columns)
    figure.add_vline(x=0, line={"color": ink.faint, "width": 1.5})
    figure.update_xaxes(title_text="Below and above the middle (%)")
    name_rows(figure, names)
    figure.update_layout(barmode="overlay", bargap=0.25, hovermode="closest", legend={"traceorder": "normal"})
    return figure


def utility_figure(
    axis: str, curves: Sequence[Curve], *, reference: float | None = None, dark: bool = False, height: int = 380
) -> go.Figure:
    """Accuracy or Utility-K over the number of training trials: a line a condition, with intervals.

    Lines are moved apart a little, so that intervals do not cover each other. `reference` is chance, or 1.
    """
    _some(curves)
    ink = DARK if dark else LIGHT
    every = [at for curve in curves for at in curve.at]
    apart = 0.012 * ((max(every) - min(every)) or 1.0)
    figure = go.Figure()
    for place, curve in enumerate(curves):
        colour = method_colour(place, dark)
        shift = apart * (place - (len(curves) - 1) / 2)
        figure.add_trace(
            go.Scatter(
                x=[at + shift for at in curve.at],
                y=[one.value for one in curve.intervals],
                error_y=error_bars(curve.intervals, ink, colour),
                mode="lines+markers",
                name=curve.name,
                line={"color": colour, "dash": method_dash(place), "width": 2.2},
                marker={"size": 8, "symbol": SYMBOLS[place % len(SYMBOLS)]},
                customdata=[(at, _ends(one)) for at, one in zip(curve.at, curve.intervals, strict=True)],
                hovertemplate=f"<b>{curve.name}</b><br>%{{customdata[0]}} trials<br>"
                "%{y:.2f}%{customdata[1]}<extra></extra>",
            )
        )
    dress(figure, ink, height, "", entries=len(curves), columns=2)
    if reference is not None:
        figure.add_hline(y=reference, line={"color": ink.faint, "width": 1.5, "dash": "dot"})
    figure.update_xaxes(title_text="Training trials", tickvals=sorted(set(every)))
    figure.update_yaxes(title_text=axis)
    figure.update_layout(hovermode="closest")
    return figure


def preference_figure(
    metric_axis: str,
    metric: Sequence[Named],
    strengths: Sequence[Named],
    *,
    dark: bool = False,
    height: int = 420,
) -> go.Figure:
    """Log-strength of each method over a metric's mean, both with intervals; the names stand beside the dots.

    Both sequences have the methods in one order. Raises SettingError where they differ.
    """
    _some(metric)
    if [one.name for one in metric] != [one.name for one in strengths]:
        raise SettingError("The metric and the strengths must have the same methods in the same order.")
    ink = DARK if dark else LIGHT
    figure = go.Figure(
        go.Scatter(
            x=[one.value for one in metric],
            y=[one.value for one in strengths],
            error_x=error_bars(metric, ink),
            error_y=error_bars(strengths, ink),
            mode="markers+text",
            text=[one.name for one in metric],
            textposition="top right",
            textfont={"size": 13, "color": ink.text},
            marker={
                "size": 11,
                "color": [method_colour(place, dark) for place in range(len(metric))],
                "symbol": [SYMBOLS[place % len(SYMBOLS)] for place in range(len(metric))],
            },
            hovertemplate="<b>%{text}</b><br>metric %{x:.3f}<br>log-strength %{y:.2f}<extra></extra>",
        )
    )
    dress(figure, ink, height, "", entries=0, columns=1)
    figure.add_hline(y=0, line={"color": ink.faint, "width": 1.5, "dash": "dot"})
    figure.update_xaxes(title_text=metric_axis)
    figure.update_yaxes(title_text="Preference (log-strength)")
    figure.update_layout(hovermode="closest", showlegend=False)
    return figure


def power_figure(
    sizes: Sequence[int],
    powers: Sequence[Named],
    fitted: Sequence[float],
    goal: float,
    least: int | None,
    *,
    dark: bool = False,
    height: int = 380,
) -> go.Figure:
    """Power over the number of participants: simulated shares with intervals, and the monotone fit as a line.

    A dotted line marks the goal, another the least size that reaches it.
    """
    _some(powers)
    ink = DARK if dark else LIGHT
    figure = go.Figure(
        [
            go.Scatter(
                x=list(sizes),
                y=[100 * value for value in fitted],
                mode="lines",
                name="Monotone fit",
                line={"color": method_colour(1, dark), "width": 2.2},
                hoverinfo="skip",
            ),
            go.Scatter(
                x=list(sizes),
                y=[100 * one.value for one in powers],
                error_y=error_bars(powers, ink, scale=100),
                mode="markers",
                name="Simulated studies",
                marker={"size": 9, "color": method_colour(0, dark)},
                customdata=[(100 * one.low, 100 * one.high) for one in powers],
                hovertemplate="<b>%{x} participants</b><br>power %{y:.0f} %, from %{customdata[0]:.0f} to "
                "%{customdata[1]:.0f} %<extra></extra>",
            ),
        ]
    )
    dress(figure, ink, height, "", entries=2, columns=2)
    line = {"color": ink.faint, "width": 1.5, "dash": "dot"}
    figure.add_hline(y=100 * goal, line=line)
    if least is not None:
        figure.add_vline(x=least, line=line)
    figure.update_xaxes(title_text="Participants")
    figure.update_yaxes(title_text="Power (%)", range=[0, 102])
    figure.update_layout(hovermode="closest")
    return figure


def detection_figure(
    hits: int,
    misses: int,
    false_alarms: int,
    rejections: int,
    answers: tuple[str, str] = ("yes", "no"),
    *,
    dark: bool = False,
) -> go.Figure:
    """The four counts of signal detection: what people said (columns) where there was a signal and where not (rows)."""
    ink = DARK if dark else LIGHT
    counts = np.array([[hits, misses], [false_alarms, rejections]], dtype=np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(100 * counts, totals, out=np.full((2, 2), np.nan), where=totals > 0)
    titles = (("Hits", "Misses"), ("False alarms", "Correct rejections"))
    text = [
        [f"{title}<br><b>{count:g}</b>" for title, count in zip(*line, strict=True)]
        for line in zip(titles, counts, strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=[f"said {answer}" for answer in answers],
            y=["signal", "no signal"],
            zmin=0,
            zmax=100,
            colorscale=plotly_scale(SEQUENTIAL[0]),
            text=text,
            texttemplate="%{text}",
            xgap=2,
            ygap=2,
            hovertemplate="%{y}, %{x}: %{z:.0f} % of the row<extra></extra>",
            colorbar=_bar("Of the row (%)", ink),
        )
    )
    dress(figure, ink, 260, "", entries=0, columns=1)
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_layout(hovermode="closest")
    return figure


def _ends(interval: Named, digits: int = 2, unit: str = "") -> str:
    """The ends of an interval as they follow its value; nothing where they are not known."""
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return ""
    low, high = (minus(f"{end:z,.{digits}f}") for end in (interval.low, interval.high))
    return f", from {low} to {high}{unit}"


def _room(intervals: Sequence[Named], reference: float | None) -> tuple[float, float]:
    """An axis that holds all ends and the reference, with a little room."""
    ends = [end for one in intervals for end in (one.low, one.value, one.high)]
    finite = [end for end in [*ends, *([] if reference is None else [reference])] if math.isfinite(end)] or [0.0]
    room = 0.06 * ((max(finite) - min(finite)) or 1.0)
    return min(finite) - room, max(finite) + room


def _step(point: int, points: int) -> str:
    """The colour of a point of a scale: the lowest blue, the highest orange, the middle neutral."""
    entry = round(1 + 254 * point / (points - 1))
    return "#{:02x}{:02x}{:02x}".format(*lut(DIVERGING)[entry])


def _bar(title: str, ink: Ink) -> dict[str, object]:
    font = {"size": 13, "color": ink.faint}
    return {
        "title": {"text": title, "side": "right", "font": font},
        "tickfont": font,
        "thickness": 12,
        "outlinewidth": 0,
    }


def _some(lines: Sequence[object]) -> None:
    if not lines:
        raise SettingError("There is nothing to draw; give at least one value.")
