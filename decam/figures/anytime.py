"""How good each method's map was after so many evaluations, all methods in one chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from decam.figures.charts import DARK, LIGHT, dress, mark_stop
from decam.figures.colours import method_colour, method_dash


@dataclass(frozen=True)
class AnytimeLine:
    """A method's maps in the making: the evaluations that each had cost, ascending, and what was measured of it."""

    evaluations: Sequence[int]
    values: Sequence[float]


def anytime_figure(
    lines: Mapping[str, AnytimeLine],
    title: str,
    places: Mapping[str, int],
    *,
    stopped: int | None = None,
    dark: bool = False,
    height: int = 360,
) -> go.Figure:
    """The lines by the methods' titles, over evaluations; `title` names what was measured.

    `places` says which place in the comparison each method has, for its colour and dash. `stopped` are the evaluations
    at which the search could have stopped; None where it could not.
    """
    ink = DARK if dark else LIGHT
    figure = go.Figure()
    for name, line in lines.items():
        colour, dash = method_colour(places[name], dark), method_dash(places[name])
        figure.add_trace(
            go.Scatter(
                x=list(line.evaluations),
                y=list(line.values),
                name=name,
                mode="lines+markers",
                line={"color": colour, "dash": dash, "width": 2.2},
                marker={"size": 7},
                hovertemplate=f"<b>{name}</b><br>%{{x:,d}} evaluations<br>%{{y:.3f}}<extra></extra>",
            )
        )
    figure.update_xaxes(title_text="Evaluations (images through the model)", rangemode="tozero", tickformat=",d")
    figure.update_yaxes(title_text=title)
    dress(figure, ink, height, "", entries=len(lines), columns=2)
    mark_stop(figure, stopped, ink)
    figure.update_layout(hovermode="closest", hoverdistance=40, showlegend=True)
    return figure
