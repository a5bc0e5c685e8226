"""How alike maps stay while a model forgets: one line a method over the stages, above what a random map scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from decam.figures.charts import DARK, LIGHT, dress
from decam.figures.colours import method_colour, method_dash

LONGEST_STAGE = 18


@dataclass(frozen=True)
class StageLine:
    """A method's similarities, one a stage (nan: none), its place in the comparison, and a random map's similarity."""

    title: str
    place: int
    values: tuple[float, ...]
    floor: float


def stages_figure(
    title: str,
    stages: Sequence[str],
    lines: Sequence[StageLine],
    *,
    low: float,
    dark: bool = False,
    height: int = 300,
) -> go.Figure:
    """Similarity with the original map from 1 at "original" over the stages; `low` is the measure's least value.

    The thin grey lines are the least and the greatest similarity of the methods' maps with a random map.
    """
    ink = DARK if dark else LIGHT
    names = ["original", *stages]
    places = list(range(len(names)))
    figure = go.Figure()
    for line in lines:
        values = [1.0, *line.values]
        figure.add_trace(
            go.Scatter(
                x=places,
                y=[None if math.isnan(value) else value for value in values],
                customdata=names,
                name=line.title,
                mode="lines+markers",
                marker={"size": 5},
                line={"color": method_colour(line.place, dark), "dash": method_dash(line.place), "width": 2.2},
                hovertemplate=f"<b>{line.title}</b><br>%{{customdata}}<br>%{{y:.3f}}<extra></extra>",
            )
        )
    floors = [line.floor for line in lines if math.isfinite(line.floor)]
    for number, floor in enumerate(dict.fromkeys((min(floors), max(floors))) if floors else ()):
        figure.add_trace(
            go.Scatter(
                x=[0, len(names) - 1],
                y=[floor, floor],
                name="a random map",
                showlegend=number == 0,
                mode="lines",
                line={"color": ink.faint, "width": 1},
                hovertemplate="a random map<br>%{y:.3f}<extra></extra>",
            )
        )
    shown = [value for line in lines for value in (*line.values, line.floor) if math.isfinite(value)]
    figure.update_yaxes(title_text="Similarity", range=[max(low, min([0.0, *shown])) - 0.05, 1.05])
    figure.update_xaxes(tickvals=places, ticktext=[_short(name) for name in names], tickangle=-35)
    dress(figure, ink, height, title, entries=len(lines) + 1, columns=2)
    figure.update_layout(hovermode="closest", hoverdistance=40)
    return figure


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_STAGE else f"{name[: LONGEST_STAGE - 1]}…"
