"""Any chart of the pages drawn again for print: on white paper, with a title, names of axes and text that stays text.

A chart is described by Plotly; what it describes is drawn by matplotlib, trace by trace and axis by axis.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes as Panel
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from decam.figures import printed
from decam.figures.curve_sheet import DASHES
from decam.figures.overlays import GREY
from decam.numerals import minus

if TYPE_CHECKING:
    import plotly.graph_objects as go

Entries = Mapping[str, Any]
WIDE = 5.6
"""Inches: between one column of a journal's page and two."""
HEAD, SMALL = 8.0, 6.5  # points
PIXELS = 110  # of a chart on the page for each inch
THIN = 0.5  # points of a line for each pixel
MARK = 0.42  # points of a marker for each pixel
MARKERS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "cross": "P",
    "x": "X",
    "star": "*",
    "hexagon": "h",
}
_TAG = re.compile(r"<[^>]+>")
_RGBA = re.compile(r"rgba?\(([^)]+)\)")
_FORMATS: Mapping[str, Callable[[float], str]] = {
    ".3~p": lambda value: f"{_plain(100 * value, 3)} %",
    ",d": lambda value: f"{value:,.0f}",
    ".1f": lambda value: f"{value:.1f}",
    "": lambda value: _plain(value, 5),
}


@dataclass
class _Sheet:
    """What is drawn on: the figure, a panel for each y axis by its name, what the legend says, and axes of names."""

    figure: Figure
    panels: Mapping[str, Panel]
    legend: list[tuple[str, Any]] = field(default_factory=list)
    named: list[Any] = field(default_factory=list)


def on_paper(chart: go.Figure, title: str) -> Figure:
    """A chart as a figure of matplotlib; `title` stands above unless the chart has its own.

    The chart is one that was made for a light page. Raises TypeError for a kind of trace that no chart here has.
    """
    described = _decoded(chart.to_plotly_json())
    layout, traces = described.get("layout", {}), described.get("data", ())
    with printed.style():
        sheet = _sheet(layout)
        for trace in traces:
            if trace["type"] not in _TRACES:
                raise TypeError(f"A chart on paper has no traces of the kind {trace['type']!r}.")
            _TRACES[trace["type"]](sheet, trace, layout)
        _axes(sheet, layout)
        for shape in layout.get("shapes", ()):
            _line_across(sheet, shape)
        for note in layout.get("annotations", ()):
            _note(sheet, note)
        own = layout.get("title", {}).get("text")
        head = printed.fitted(_text(own or title), WIDE - 0.2, HEAD, lines=2, bold=True)
        sheet.figure.suptitle(head, fontsize=HEAD, weight="bold")
        _legend(sheet, layout, traces)
    return sheet.figure


def paper_bytes(chart: go.Figure, kind: str, title: str) -> bytes:
    """A chart as a file of a kind in FORMATS; arguments and errors as in `on_paper` and `printed.file_bytes`."""
    return printed.file_bytes(on_paper(chart, title), kind, _text(title))


def _sheet(layout: Entries) -> _Sheet:
    """A figure with a panel for each y axis, the upper ones first, as tall as their shares of the chart."""
    names = sorted(name for name in layout if re.fullmatch(r"yaxis\d*", name)) or ["yaxis"]
    domains = {name: layout.get(name, {}).get("domain") or (0.0, 1.0) for name in names}
    ordered = sorted(names, key=lambda name: -domains[name][0])
    high = layout.get("height", 380) / PIXELS + 0.2
    figure = Figure(figsize=(WIDE, high), layout="constrained")
    ratios = [domains[name][1] - domains[name][0] for name in ordered]
    grid = figure.subplots(len(ordered), 1, sharex=True, squeeze=False, height_ratios=ratios)
    return _Sheet(figure, {name.replace("axis", ""): grid[row, 0] for row, name in enumerate(ordered)})


def _scatter(sheet: _Sheet, trace: Entries, layout: Entries) -> None:
    panel = sheet.panels[trace.get("yaxis", "y")]
    x, y = _numbers(trace["x"]), _numbers(trace["y"])
    line, marker, mode = trace.get("line", {}), trace.get("marker", {}), trace.get("mode", "lines")
    own = marker.get("color")
    named = line.get("color") or (own if isinstance(own, str) else None) or _cycled(sheet, layout)
    colour = _colour(named)
    if trace.get("fill") == "toself":
        filled = _colour(trace["fillcolor"])
        panel.fill(x, y, facecolor=filled, lw=0)
        _name(sheet, trace, Patch(facecolor=filled))
        return
    if trace.get("fill") == "tozeroy":
        panel.fill_between(x, y, 0, facecolor=_colour(trace["fillcolor"]), lw=0)
    style: dict[str, Any] = {"color": colour, "ls": "none", "marker": "none"}
    if "lines" in mode:
        style |= {"ls": DASHES[line.get("dash", "solid")], "lw": THIN * line.get("width", 2)}
    if "markers" in mode:
        style |= {"ms": MARK * marker.get("size", 6)}
        symbols, colours = _each(marker.get("symbol", "circle"), x), _each(own or named, x)
        if len(set(symbols)) == len(set(colours)) == 1:
            style |= {"marker": MARKERS[symbols[0]], "color": _colour(colours[0])}
        else:
            for at, value, symbol, single in zip(x, y, symbols, colours, strict=True):
                panel.plot([at], [value], marker=MARKERS[symbol], color=_colour(single), ms=style["ms"], ls="none")
            style |= {"marker": "none"}
    if style["ls"] != "none" or style["marker"] != "none":
        panel.plot(x, y, **style)
    _errors(panel, trace, x, y)
    if "text" in mode:
        for at, value, text in zip(x, y, trace["text"], strict=True):
            panel.annotate(
                printed.written(_text(text)), (at, value), (4, 4), textcoords="offset points", fontsize=SMALL
            )
    _name(sheet, trace, Line2D([], [], **style))


def _errors(panel: Panel, trace: Entries, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    for name, place in (("error_x", "xerr"), ("error_y", "yerr")):
        bars = trace.get(name)
        if bars:
            # About the middle of each bar, for a value may lie beside its interval and a reach below zero is refused.
            down, up = _numbers(bars["arrayminus"]), _numbers(bars["array"])
            middle = (up - down) / 2
            across, along = (x + middle, y) if place == "xerr" else (x, y + middle)
            reach: Any = {place: np.maximum((up + down) / 2, 0.0)}
            panel.errorbar(
                across,
                along,
                **reach,
                fmt="none",
                ecolor=_colour(bars["color"]),
                elinewidth=0.8,
                capsize=2,
                capthick=0.8,
            )


def _bar(sheet: _Sheet, trace: Entries, layout: Entries) -> None:
    panel = sheet.panels[trace.get("yaxis", "y")]
    marker = trace.get("marker", {})
    colour = _colour(marker.get("color") or _cycled(sheet, layout))
    edge: dict[str, Any] = {"edgecolor": printed.LINE, "lw": 0.4}
    if trace.get("orientation") == "h":
        panel.barh(_numbers(trace["y"]), _numbers(trace["x"]), 0.7, left=_numbers(trace["base"]), color=colour, **edge)
    else:
        names = [_text(name) for name in trace["x"]]
        drawn = panel.bar(range(len(names)), _numbers(trace["y"]), 0.7, color=colour, **edge)
        panel.set_xticks(range(len(names)), [printed.written(name) for name in names])
        sheet.named.append(panel.xaxis)
        panel.bar_label(drawn, [_text(text) for text in trace.get("text", names)], fontsize=SMALL, padding=1)
    _name(sheet, trace, Patch(facecolor=colour, **edge))


def _heatmap(sheet: _Sheet, trace: Entries, _layout: Entries) -> None:
    panel = sheet.panels["y"]
    values = np.asarray(trace["z"], np.float64)
    table = LinearSegmentedColormap.from_list("chart", [(stop, colour) for stop, colour in trace["colorscale"]])
    low, high = trace["zmin"], trace["zmax"]
    mesh = panel.pcolormesh(
        np.ma.masked_invalid(values), cmap=table, vmin=low, vmax=high, edgecolors="white", linewidth=1
    )
    for (row, column), value in np.ndenumerate(values):
        text = _text(trace["text"][row][column])
        shade = to_rgb(table((value - low) / (high - low))) if np.isfinite(value) else (1.0, 1.0, 1.0)
        ink = "white" if np.dot(shade, GREY) < 0.5 else printed.INK
        if text:
            panel.text(
                column + 0.5, row + 0.5, text, fontsize=SMALL, ha="center", va="center", color=ink, linespacing=1.15
            )
    for axis, names in ((panel.xaxis, trace["x"]), (panel.yaxis, trace["y"])):
        axis.set_ticks(np.arange(len(names)) + 0.5, [printed.fitted(_text(name), 1.2, SMALL) for name in names])
        sheet.named.append(axis)
    bar = sheet.figure.colorbar(mesh, ax=panel, pad=0.02)
    bar.set_label(_text(trace["colorbar"]["title"]["text"]), fontsize=SMALL, color=printed.FAINT)
    bar.ax.tick_params(labelsize=SMALL, length=2, width=0.5)
    bar.outline.set_visible(False)


_TRACES: Mapping[str, Callable[[_Sheet, Entries, Entries], None]] = {
    "scatter": _scatter,
    "bar": _bar,
    "heatmap": _heatmap,
}


def _axes(sheet: _Sheet, layout: Entries) -> None:
    """Names, ends, ticks and grid of all axes, as the chart has them."""
    panels = list(sheet.panels.values())
    shared = layout.get("xaxis", {})
    for name, panel in sheet.panels.items():
        own = layout.get(name.replace("y", "yaxis"), {})
        last = panel is panels[-1]
        panel.tick_params(labelsize=SMALL, length=2.5, width=0.6, labelbottom=last)
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_axisbelow(True)
        _axis(sheet, panel, "x", shared, titled=last)
        _axis(sheet, panel, "y", own, titled=True)


def _axis(sheet: _Sheet, panel: Panel, name: str, entries: Entries, *, titled: bool) -> None:
    axis = panel.xaxis if name == "x" else panel.yaxis
    title = _text(entries.get("title", {}).get("text", ""))
    if title and titled:
        axis.set_label_text(printed.written_lines(title), fontsize=SMALL)
    if entries.get("showgrid", True):
        axis.grid(color=printed.LINE, alpha=0.45, lw=0.4)
    limits, bound = (panel.get_xlim, panel.set_xlim) if name == "x" else (panel.get_ylim, panel.set_ylim)
    if entries.get("range") is not None:
        bound(*entries["range"])
    elif entries.get("autorange") == "reversed":
        bound(*limits()[::-1])
    elif entries.get("rangemode") == "tozero":
        bound(min(0.0, limits()[0]), limits()[1])
    if entries.get("tickvals") is not None:
        places = list(entries["tickvals"])
        words = entries.get("ticktext")
        names = [_plain(place, 5) for place in places] if words is None else [_cut(_text(word)) for word in words]
        axis.set_ticks(places, names)
    elif axis not in sheet.named:
        _numbered(panel, name, entries)
    if entries.get("tickangle"):
        for label in axis.get_ticklabels():
            label.set(rotation=-entries["tickangle"], ha="right", rotation_mode="anchor")


def _numbered(panel: Panel, name: str, entries: Entries) -> None:
    axis = panel.xaxis if name == "x" else panel.yaxis
    low, high = sorted(panel.get_xlim() if name == "x" else panel.get_ylim())
    if entries.get("dtick"):
        step = float(entries["dtick"])
        axis.set_ticks(np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step)
    written = _FORMATS[entries.get("tickformat") or ""]
    axis.set_major_formatter(lambda value, _place: minus(written(value)))


def _line_across(sheet: _Sheet, shape: Entries) -> None:
    """A line through all panels at one x, or through one panel at one y."""
    line = shape["line"]
    how = {"color": _colour(line["color"]), "lw": THIN * line["width"], "ls": DASHES[line.get("dash", "solid")]}
    if shape["yref"] == "paper" or shape["yref"].endswith("domain"):
        for panel in sheet.panels.values():
            panel.axvline(shape["x0"], **how)
    else:
        sheet.panels[shape["yref"]].axhline(shape["y0"], **how)


def _note(sheet: _Sheet, note: Entries) -> None:
    """Words above the first panel at a place of its x axis."""
    panel = next(iter(sheet.panels.values()))
    panel.annotate(
        printed.written(_text(note["text"])),
        (note["x"], note["y"]),
        (0, 2),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha=note.get("xanchor", "center"),
        va="bottom",
        fontsize=SMALL,
    )


def _legend(sheet: _Sheet, layout: Entries, traces: Sequence[Entries]) -> None:
    """The names of what is drawn below the chart, where it has several or wants them."""
    wanted = layout.get("showlegend", len(traces) > 1)
    if not wanted or not sheet.legend:
        return
    names = [printed.fitted(name, WIDE / 2 - 0.5, SMALL) for name, _ in sheet.legend]
    columns = 2 if max(printed.width_of(name, SMALL) for name in names) > WIDE / 3 - 0.5 else 3
    title = layout.get("legend", {}).get("title", {}).get("text")
    sheet.figure.legend(
        [handle for _, handle in sheet.legend],
        names,
        loc="outside lower left",
        ncols=min(columns, len(names)),
        fontsize=SMALL,
        frameon=False,
        handlelength=2.4,
        title=_text(title) if title else None,
        title_fontsize=SMALL,
        alignment="left",
    )


def _name(sheet: _Sheet, trace: Entries, handle: Any) -> None:
    if trace.get("name") and trace.get("showlegend", True):
        sheet.legend.append((_text(trace["name"]), handle))


def _cycled(sheet: _Sheet, layout: Entries) -> str:
    """The next colour of the chart's own row of colours."""
    colours: Sequence[str] = layout["colorway"]
    return colours[len(sheet.legend) % len(colours)]


def _decoded(value: Any) -> Any:
    """A chart's parts with their arrays as arrays, which Plotly writes as text of base64."""
    if isinstance(value, dict) and "bdata" in value:
        array = np.frombuffer(b64decode(value["bdata"]), np.dtype(value["dtype"]))
        return array.reshape([int(side) for side in str(value["shape"]).split(",")]) if "shape" in value else array
    if isinstance(value, dict):
        return {name: _decoded(part) for name, part in value.items()}
    return [_decoded(part) for part in value] if isinstance(value, list | tuple) else value


def _numbers(values: Any) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in np.atleast_1d(values)], np.float64)


def _each(value: Any, places: NDArray[np.float64]) -> list[Any]:
    """One value for each place: the same for all, or its own."""
    return [value] * len(places) if isinstance(value, str) else list(value)


def _colour(colour: str) -> tuple[float, float, float, float]:
    """#rrggbb, rgb(…) or rgba(…) as matplotlib takes it."""
    found = _RGBA.fullmatch(colour)
    if found is None:
        red, green, blue = to_rgb(colour)
        return (red, green, blue, 1.0)
    red, green, blue, *alpha = (float(part) for part in found[1].split(","))
    return (red / 255, green / 255, blue / 255, alpha[0] if alpha else 1.0)


def _text(text: str) -> str:
    """A text of Plotly without its marks; a break stays one."""
    return unescape(_TAG.sub("", text.replace("<br>", "\n")))


def _cut(text: str) -> str:
    return printed.fitted(text, 1.7, SMALL, lines=2)


def _plain(value: float, digits: int) -> str:
    """A number in so many digits, never in powers of ten; 0 for what is as good as 0 beside 1e-12."""
    if abs(value) < 1e-12:
        return "0"
    return np.format_float_positional(value, precision=digits, fractional=False, trim="-")
