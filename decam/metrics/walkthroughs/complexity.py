"""Metrics of the map alone: its values in order, from the highest to the lowest."""

from __future__ import annotations

import numpy as np

from decam.metrics.complexity import heights, shares_of
from decam.metrics.scales import Values
from decam.metrics.walkthroughs.panels import Chart, Line, Panel, Picture, Show, Work, array
from decam.numerals import significant
from decam.shares import percent

_PIXELS = "Pixels from the most salient on (%)"


def _sparsity(work: Work) -> tuple[tuple[Panel, ...], str]:
    """The scaled values in order, and their mean."""
    values = np.sort(heights(work.saliency.reshape(1, -1))[0])[::-1]
    mean = float(values.mean())
    lines = (Line("the map", _percent(values), values, filled=True), _level("the mean", mean))
    chart = Chart(
        "The value is how often the mean goes into the maximum", _PIXELS, "Value, scaled", lines, (0, 100), (0, 1)
    )
    short = significant(mean, 4)
    sentence = f"Scaled from 0 to 1 the map has a mean of {short}: 1 / {short} = {work.measurement.value:.2f}."
    return (work.judged(), chart), sentence


def _entropy(work: Work) -> tuple[tuple[Panel, ...], str]:
    """Each pixel's share in order, beside equal shares."""
    shares = _shares(work)
    lines = (
        Line("the map", _percent(shares), shares * shares.size, filled=True),
        _level("all pixels alike", 1.0),
    )
    chart = Chart("The flatter, the higher the value", _PIXELS, "Share, times the number of pixels", lines, (0, 100))
    value = work.measurement.value
    spread = f"as uncertain as a choice among {shares.size**value:,.0f} equal ones"
    return (work.judged(), chart), f"Which of {shares.size:,} pixels is meant is {spread}: {value:.3f}."


def _effective(work: Work) -> tuple[tuple[Panel, ...], str]:
    """As many pixels as would be as concentrated if all were equal."""
    shares = _shares(work)
    value = work.measurement.value
    count = max(1, round(value * shares.size))
    kept = np.zeros(shares.size, bool)
    kept[np.argsort(-np.abs(work.saliency.ravel()), kind="stable")[:count]] = True
    picture = Picture(f"The {count:,} most salient pixels", work.pixels, kept=kept.reshape(work.saliency.shape))
    edge = array([0, 100 * value, 100 * value, 100])
    height = array([1 / value, 1 / value, 0, 0])
    lines = (
        Line("the map", _percent(shares), shares * shares.size, filled=True),
        Line("equal pixels as concentrated", edge, height, quiet=True),
    )
    chart = Chart("The value is the width of the box", _PIXELS, "Share, times the number of pixels", lines, (0, 100))
    sentence = f"{count:,} equally salient pixels would be as concentrated: {percent(value, 1)} of the image."
    return (work.judged(), picture, chart), sentence


def _shares(work: Work) -> Values:
    """Each pixel's share of the absolute values, from the highest on."""
    ordered: Values = np.sort(shares_of(work.saliency.reshape(1, -1))[0])[::-1]
    return ordered


def _percent(values: Values) -> Values:
    """Where each of these values stands, in percent of all."""
    places: Values = (np.arange(values.size) + 0.5) * 100 / values.size
    return places


def _level(name: str, height: float) -> Line:
    return Line(name, array([0, 100]), array([height, height]), quiet=True)


SPARSITY_SHOWN: Show = _sparsity
ENTROPY_SHOWN: Show = _entropy
PIXELS_SHOWN: Show = _effective
