"""Scores of classes with their ends as a figure for print, and the threshold from which one counts."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from decam.figures import printed
from decam.figures.colours import method_colour

SMALL = 7.0  # points
LINE, FOOT, TOP = 0.2, 0.45, 0.15  # inches
WIDE, LONGEST, RIGHT = 3.4, 1.6, 0.15
MOST = 40
"""Classes that are drawn: the others are less odd than all of these."""


def score_sheet(scores: Sequence[tuple[str, float, float, float]], threshold: float) -> Figure:
    """Names with value, low and high, the first on top; a dotted line marks the threshold."""
    drawn = scores[:MOST]
    height = TOP + FOOT + LINE * max(1, len(drawn))
    with printed.style():
        names = [printed.fitted(name, LONGEST, SMALL) for name, *_ in drawn]
        left = max((printed.width_of(name, SMALL) for name in names), default=0.0) + 0.2
        figure = Figure(figsize=(left + WIDE + RIGHT, height))
        panel = figure.add_axes(printed.shares(figure, left, FOOT, WIDE, height - FOOT - TOP))
        for place, (_, value, low, high) in enumerate(drawn):
            panel.plot([low, high], [place, place], color=printed.LINE, lw=1.4)
            panel.plot([value], [place], "o", ms=4, color=method_colour(0 if value >= threshold else 1))
        panel.axvline(threshold, color=printed.FAINT, lw=0.8, ls=":")
        panel.set_yticks(range(len(drawn)), names)
        panel.set_ylim(len(drawn) - 0.4, -0.6)
        panel.set_xlabel(f"Score (a class counts from {threshold:g} on)", fontsize=SMALL)
        panel.tick_params(labelsize=SMALL, length=2.5, width=0.6)
        panel.spines[["top", "right"]].set_visible(False)
    return figure
