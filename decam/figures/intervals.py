"""Values with their intervals below each other, and the threshold from which one counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from decam.figures.charts import DARK, LIGHT, Ink, dress
from decam.figures.colours import method_colour
from decam.intervals import Interval

LINE = 24  # pixels for each value
FRAME = 84  # pixels for the axis and its title


@dataclass(frozen=True)
class Named(Interval):
    """An interval with the name that stands beside it."""

    name: str


def intervals_figure(axis: str, intervals: Sequence[Named], threshold: float, *, dark: bool = False) -> go.Figure:
    """The values, the first one on top; those from the threshold on have another colour, and a line marks it."""
    ink = DARK if dark else LIGHT
    figure = go.Figure(
        go.Scatter(
            x=[one.value for one in intervals],
            y=list(range(len(intervals))),
            error_x=error_bars(intervals, ink),
            mode="markers",
            marker={
                "size": 10,
                "color": [method_colour(0 if one.value >= threshold else 1, dark) for one in intervals],
            },
            customdata=[(one.name, one.low, one.high) for one in intervals],
            hovertemplate="<b>%{customdata[0]}</b><br>%{x:.1f}, from %{customdata[1]:.1f} to %{customdata[2]:.1f}"
            "<extra></extra>",
        )
    )
    dress(figure, ink, FRAME + LINE * len(intervals), "", entries=0, columns=1)
    figure.add_vline(x=threshold, line={"color": ink.faint, "width": 1.5, "dash": "dot"})
    ends = [end for one in intervals for end in (one.low, one.high)]
    low, high = min([0.0, *ends]), max([threshold, *ends])
    room = 0.06 * (high - low)
    figure.update_xaxes(title_text=axis, range=[low - room, high + room])
    name_rows(figure, [one.name for one in intervals])
    figure.update_layout(hovermode="closest", showlegend=False, margin={"l": 8, "r": 8, "t": 8, "b": 44})
    return figure


def error_bars(
    intervals: Sequence[Named], ink: Ink, colour: str = "", scale: float = 1.0
) -> dict[str, str | bool | float | list[float]]:
    """The bars of intervals as Plotly takes them; an end that is NaN has no length."""
    up = [scale * (one.high - one.value) for one in intervals]
    down = [scale * (one.value - one.low) for one in intervals]
    return {
        "type": "data",
        "symmetric": False,
        "array": [reach if math.isfinite(reach) else 0.0 for reach in up],
        "arrayminus": [reach if math.isfinite(reach) else 0.0 for reach in down],
        "color": colour or ink.faint,
        "thickness": 1.5,
        "width": 4,
    }


def name_rows(figure: go.Figure, names: Sequence[str]) -> None:
    """Names on the y axis, the first on top."""
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=list(names), range=[len(names) - 0.4, -0.6], showgrid=False
    )
