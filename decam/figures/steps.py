"""A metric at work, drawn: its pictures with what is marked on them, its charts and its bars."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion

from decam.classifier import Pixels
from decam.explanation import Truth
from decam.figures.charts import DARK, LIGHT, Ink, dress, faded
from decam.figures.colours import method_colour
from decam.figures.overlays import overlay
from decam.metrics.walkthroughs import Bars, Chart, Line, Picture
from decam.numerals import fixed
from decam.spacing import evenly

T = TypeVar("T", bound=np.generic)

LEAST = 256  # pixels across, below which an outline or a cross would be coarse
OUTLINE = (255, 59, 138)
DIMMED = 0.22
HEIGHT = 250
_MOST_POINTS = 500


def drawn(picture: Picture) -> Pixels:
    """The picture with its map, outline, dimmed part and mark, H×W×3 uint8, enlarged where lines would be coarse."""
    pixels = picture.pixels
    if picture.saliency is not None:
        pixels = overlay(pixels, picture.saliency, signed=picture.limits[0] < 0, limits=picture.limits)
    if picture.kept is not None:
        grey = np.full_like(pixels, 110) * (1 - DIMMED) + pixels * DIMMED
        pixels = np.where(picture.kept[..., None], pixels, grey.astype(np.uint8))
    if picture.truth is None and picture.mark is None:
        return pixels
    times = _times(pixels)
    large = _enlarged(pixels, times) if picture.truth is None else outlined(pixels, picture.truth)
    if picture.mark is not None:
        row, column = (place * times + times // 2 for place in picture.mark)
        _cross(large, row, column)
    return large


def outlined(pixels: Pixels, truth: Truth) -> Pixels:
    """A picture with the outline of what is true in `truth` (H×W), enlarged where the line would be coarse."""
    times = _times(pixels)
    large = _enlarged(pixels, times)
    _outline(large, _enlarged(truth, times))
    return large


def _times(pixels: Pixels) -> int:
    longest: int = max(pixels.shape[:2])
    return max(1, -(-LEAST // longest))


def _enlarged(array: NDArray[T], times: int) -> NDArray[T]:
    """Every pixel as a square of pixels."""
    return np.repeat(np.repeat(array, times, axis=0), times, axis=1)


def _outline(pixels: Pixels, truth: NDArray[np.bool_]) -> None:
    """A bright line along the edge, dark outside, so that it is seen on any picture."""
    edge = truth & ~binary_erosion(truth, iterations=2, border_value=1)
    pixels[binary_dilation(truth, iterations=1) & ~truth] = 0
    pixels[edge] = OUTLINE


def _cross(pixels: Pixels, row: int, column: int) -> None:
    reach = max(pixels.shape[:2]) // 18
    for width, colour in ((2, (0, 0, 0)), (1, (255, 255, 255))):
        for down, across in ((width, reach + width), (reach + width, width)):
            top, left = max(0, row - down), max(0, column - across)
            pixels[top : row + down + 1, left : column + across + 1] = colour


def chart_figure(panel: Chart | Bars, *, dark: bool = False) -> go.Figure:
    """A chart or bars as a small Plotly figure, its caption as the title."""
    ink = DARK if dark else LIGHT
    figure = go.Figure()
    if isinstance(panel, Bars):
        _bars(figure, panel, ink, dark)
        named = 0
    else:
        _lines(figure, panel, ink, dark)
        named = len(panel.lines) if len(panel.lines) > 1 else 0
    dress(figure, ink, HEIGHT, panel.caption, entries=named, columns=2)
    figure.update_layout(
        hovermode="closest",
        showlegend=named > 0,
        margin={"l": 52, "r": 12, "t": 34, "b": 44},
        title={"font": {"size": 13, "color": ink.text}},
    )
    return figure


def _bars(figure: go.Figure, bars: Bars, ink: Ink, dark: bool) -> None:
    digits = 2 if np.nanmax(np.abs(bars.values)) >= 0.1 else 4
    figure.add_trace(
        go.Bar(
            x=list(bars.names),
            y=bars.values,
            text=[fixed(value, digits) for value in bars.values],
            textposition="outside",
            cliponaxis=False,
            textfont={"color": ink.faint, "size": 13},
            marker_color=method_colour(1, dark),
            hovertemplate="%{x}: %{y:.4f}<extra></extra>",
        )
    )
    high = (bars.high if bars.high is not None else float(np.nanmax(bars.values))) * 1.15  # the numbers stand above
    figure.update_xaxes(type="category")
    figure.update_yaxes(range=[bars.low, high or 1.0], nticks=6)


def _lines(figure: go.Figure, chart: Chart, ink: Ink, dark: bool) -> None:
    coloured = 0
    for line in chart.lines:
        colour = ink.faint if line.quiet else method_colour((1, 0, 2)[coloured % 3], dark)
        coloured += not line.quiet
        figure.add_trace(_trace(line, colour))
    figure.update_xaxes(title_text=chart.x_title, range=_wider(chart.x_range))
    figure.update_yaxes(title_text=chart.y_title, range=_wider(chart.y_range), nticks=6)


def _trace(line: Line, colour: str) -> go.Scatter:
    drawn_places = slice(None) if line.points else evenly(line.x.size, _MOST_POINTS)
    return go.Scatter(
        x=line.x[drawn_places],
        y=line.y[drawn_places],
        name=line.name,
        mode="markers" if line.points else "lines",
        marker={"color": colour, "size": 6, "opacity": 0.75},
        line={"color": colour, "width": 1.5 if line.quiet else 2.2, "dash": "dot" if line.quiet else "solid"},
        fill="tozeroy" if line.filled else None,
        fillcolor=faded(colour) if line.filled else None,
        hovertemplate=f"%{{x:.3g}}, %{{y:.3g}}<extra>{line.name}</extra>",
    )


def _wider(limits: tuple[float, float] | None) -> list[float] | None:
    """A little room beyond the ends, so that points on them are seen whole."""
    if limits is None:
        return None
    room = 0.02 * (limits[1] - limits[0])
    return [limits[0] - room, limits[1] + room]
