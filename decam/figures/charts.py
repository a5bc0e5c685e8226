"""Plotly charts of finished work: convergence of a search, deletion and insertion curves of all methods."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import plotly.graph_objects as go

from decam.figures.colours import method_colour, method_dash
from decam.methods.base import Series
from decam.metrics.base import Axes, Curve
from decam.numerals import score

FONT = '"Source Sans", "Source Sans 3", "Source Sans Pro", Inter, "Segoe UI", system-ui, sans-serif'
LONGEST_NAME = 26
PERCENT = ".3~p"
"""Shares in per cent, to three digits: a small one has more places, never a power of ten."""
GAP = 0.06
STOP = "could have stopped"
ROOM = 28  # pixels above a chart for these words


class Moment(Protocol):
    """A point of a search that a chart can show: evaluations so far and the values reported there."""

    @property
    def evaluations(self) -> int:
        """Images through the model so far."""

    @property
    def curves(self) -> Mapping[str, float]:
        """Values by the names of the method's series."""


@dataclass(frozen=True)
class Ink:
    """The colours of a chart's frame; the background is always transparent."""

    text: str
    faint: str
    grid: str
    line: str
    panel: str


LIGHT = Ink(text="#31333f", faint="#6b6d78", grid="rgba(49,51,63,0.10)", line="rgba(49,51,63,0.25)", panel="#ffffff")
DARK = Ink(
    text="#e6e8ee", faint="#a3a8b4", grid="rgba(250,250,250,0.10)", line="rgba(250,250,250,0.25)", panel="#1b1f2a"
)


def curves_figure(
    title: str,
    curves: Mapping[str, Curve],
    values: Mapping[str, float],
    axes: Axes,
    *,
    labels: Sequence[str] = (),
    places: Mapping[str, int] | None = None,
    dark: bool = False,
    chosen: float | None = None,
    height: int = 380,
) -> go.Figure:
    """Curves of one metric, one line a method, by the methods' titles; `axes` are the metric's.

    The legend gives the metric's value (`values`, by the titles; – for NaN); hovering gives a point and, where it was
    looked at, the class then predicted (`labels` names the classes). `places` says which place in the comparison each
    title has, for its colour and dash; by default they are counted. `chosen` marks a share in [0, 1] with an upright
    line.
    """
    ink = DARK if dark else LIGHT
    figure = go.Figure()
    digits, ticks = (PERCENT, PERCENT) if axes.percent else (".3f", ".1f")
    for counted, (name, curve) in enumerate(curves.items()):
        place = counted if places is None else places[name]
        seen = "" if curve.top is None else f"<br>predicted: %{{customdata[0]}} %{{customdata[1]:{PERCENT}}}"
        figure.add_trace(
            go.Scatter(
                x=curve.shares * 100,
                y=curve.values,
                name=f"{name} <b>{_value(values[name])}</b>",
                mode="lines",
                line={"color": method_colour(place, dark), "dash": method_dash(place), "width": 2.2},
                customdata=_predicted(curve, labels),
                hovertemplate=f"<b>{name}</b><br>%{{x:.0f}} %<br>%{{y:{digits}}}{seen}<extra></extra>",
            )
        )
    figure.update_xaxes(title_text=f"{axes.x} (%)", range=[0, 100])
    reach = axes.high - axes.low
    figure.update_yaxes(
        title_text=axes.y, range=[axes.low, axes.high + 0.02 * reach], dtick=reach / 5, tickformat=ticks
    )
    _mark(figure, None if chosen is None else chosen * 100, ink)
    dress(figure, ink, height, title, entries=len(curves) + 2, columns=2)
    figure.update_layout(
        hovermode="closest",
        hoverdistance=40,
        legend_title={"text": "Value of each method", "side": "top", "font": {"size": 13, "color": ink.faint}},
    )
    return figure


def _value(value: float) -> str:
    return score(value) if math.isfinite(value) else "–"


def _predicted(curve: Curve, labels: Sequence[str]) -> list[tuple[str, float]] | None:
    """The class predicted at each point and its probability; None where nobody looked."""
    if curve.top is None or curve.top_values is None:
        return None
    return [(_label(labels, int(top)), float(value)) for top, value in zip(curve.top, curve.top_values, strict=True)]


def convergence_figure(
    frames: Sequence[Moment],
    series: Sequence[Series],
    *,
    colour: str = "",
    dark: bool = False,
    chosen: int | None = None,
    stopped: int | None = None,
    height: int | None = None,
) -> go.Figure:
    """A search over its evaluations: one panel a group of series, one x axis for all.

    In a group with `mean` and `spread` the spread is a band of mean ± spread. `colour` is the first line's in each
    panel; `chosen` marks the frame of this index with an upright line. `stopped` are the evaluations at which the
    search could have stopped; None where it could not.
    """
    ink = DARK if dark else LIGHT
    reported = {name for frame in frames for name in frame.curves}
    groups: dict[str, list[Series]] = {}
    for item in series:
        if item.name in reported:
            groups.setdefault(item.group, []).append(item)
    count = max(1, len(groups))
    figure = go.Figure()
    share = (1 - GAP * (count - 1)) / count
    for row, (group, members) in enumerate(groups.items()):
        top = 1 - row * (share + GAP)
        _panel(figure, row, frames, members, colour or method_colour(0, dark), dark)
        title = members[0].title if len(members) == 1 else group
        domain = [max(0.0, top - share), top]
        axis = {"title": {"text": _wrapped(title)}, "domain": domain, "nticks": 5}
        if all(member.share for member in members):
            axis["tickformat"] = PERCENT
        figure.update_layout({_axis(row): axis})
    figure.update_xaxes(
        title_text="Evaluations (images through the model)",
        anchor=f"y{count}" if count > 1 else "y",
        hoverformat=",d",
        unifiedhovertitle={"text": "%{x:,d} evaluations"},
    )
    if chosen is not None and frames:
        _mark(figure, float(frames[min(max(chosen, 0), len(frames) - 1)].evaluations), ink)
    named = sum(len(members) for members in groups.values() if len(members) > 1)
    dress(figure, ink, height or 80 + 130 * count, "", entries=named, columns=2)
    mark_stop(figure, stopped, ink)
    figure.update_layout(hoversubplots="axis")
    return figure


def _panel(
    figure: go.Figure, row: int, frames: Sequence[Moment], members: Sequence[Series], colour: str, dark: bool
) -> None:
    """Draw the series of one group into one panel."""
    by_name = {member.name: member for member in members}
    banded = "mean" in by_name and "spread" in by_name
    if banded:
        frames_with_spread = [frame for frame in frames if {"mean", "spread"} <= frame.curves.keys()]
        x = [frame.evaluations for frame in frames_with_spread]
        upper = [frame.curves["mean"] + frame.curves["spread"] for frame in frames_with_spread]
        lower = [frame.curves["mean"] - frame.curves["spread"] for frame in frames_with_spread]
        figure.add_trace(
            go.Scatter(
                x=x + x[::-1],
                y=upper + lower[::-1],
                mode="lines",  # else up to twenty corners of the band have markers
                fill="toself",
                fillcolor=faded(method_colour(1, dark)),
                line={"width": 0},
                name=by_name["spread"].title,
                hoverinfo="skip",
                legendrank=2000,
                yaxis=_axis(row).replace("axis", ""),
            )
        )
    lines = [member for member in members if not (banded and member.name == "spread")]
    for place, member in enumerate(lines):
        frames_with_curve = [frame for frame in frames if member.name in frame.curves]
        figure.add_trace(
            go.Scatter(
                x=[frame.evaluations for frame in frames_with_curve],
                y=[frame.curves[member.name] for frame in frames_with_curve],
                mode="lines" if len(frames_with_curve) > 1 else "markers",
                line={"color": colour if place == 0 else method_colour(place, dark), "width": 2},
                name=member.title,
                showlegend=len(members) > 1,
                hovertemplate=f"%{{y:{PERCENT if member.share else '.3f'}}}<extra>{member.title}</extra>",
                yaxis=_axis(row).replace("axis", ""),
            )
        )


def dress(figure: go.Figure, ink: Ink, height: int, title: str, entries: int, columns: int) -> None:
    """Fonts, grid, legend and margins, the same for every chart; the legend stands below in columns."""
    axis = {
        "gridcolor": ink.grid,
        "linecolor": ink.line,
        "showline": True,
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": ink.line,
        "ticklen": 4,
        "automargin": True,
        "title_font": {"size": 13, "color": ink.faint},
        "title_standoff": 8,
        "tickfont": {"size": 13, "color": ink.faint},
        "exponentformat": "none",  # else a small value reads "40µ"
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    figure.update_layout(
        height=height + 22 * -(-entries // columns),
        font={"family": FONT, "size": 13, "color": ink.text},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 56, "r": 16, "t": 44 if title else 16, "b": 48},
        hovermode="x unified",
        hoverlabel={
            "bgcolor": ink.panel,
            "bordercolor": ink.line,
            "font": {"family": FONT, "size": 13, "color": ink.text},
            "align": "left",
        },
        legend={
            "orientation": "h",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "x": 0,
            "xanchor": "left",
            "font": {"size": 13},
            "entrywidthmode": "fraction",
            "entrywidth": 1 / columns,
            "bgcolor": "rgba(0,0,0,0)",
        },
        colorway=[method_colour(index, ink is DARK) for index in range(8)],
    )
    if title:
        figure.update_layout(
            title={"text": title, "font": {"size": 15, "color": ink.text}, "x": 0, "xref": "paper", "y": 0.98}
        )


def _axis(row: int) -> str:
    """The name of the y axis of a panel, counted from 0."""
    return "yaxis" if row == 0 else f"yaxis{row + 1}"


def _mark(figure: go.Figure, x: float | None, ink: Ink) -> None:
    """An upright line through all panels at x; none where x is None."""
    if x is not None:
        line = {"color": ink.faint, "width": 1.5, "dash": "dot"}
        figure.add_shape(type="line", xref="x", yref="paper", x0=x, x1=x, y0=0, y1=1, line=line)


def mark_stop(figure: go.Figure, evaluations: int | None, ink: Ink) -> None:
    """A dashed upright line where a search could have stopped, words above it; none where `evaluations` is None.

    To be called last, for the words need room.
    """
    if evaluations is None:
        return
    line = {"color": ink.text, "width": 1.5, "dash": "dash"}
    figure.add_shape(type="line", xref="x", yref="paper", x0=evaluations, x1=evaluations, y0=0, y1=1, line=line)
    figure.add_annotation(
        x=evaluations,
        y=1,
        yref="paper",
        yanchor="bottom",
        xanchor="right",
        xshift=6,
        text=STOP,
        showarrow=False,
        font={"size": 13, "color": ink.text},
    )
    figure.update_layout(margin_t=ROOM)


def _label(labels: Sequence[str], index: int) -> str:
    name = labels[index] if index < len(labels) else f"class {index}"
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _wrapped(text: str) -> str:
    """A title that fits beside a low panel: capital first, broken into short lines."""
    return "<br>".join(textwrap.wrap(text[:1].upper() + text[1:], 18))


def faded(colour: str) -> str:
    """#rrggbb as the same colour, mostly transparent."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"
