"""Every kind of chart that the pages have, once, with names that a test can look for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go

from decam.figures import studies
from decam.figures.anytime import AnytimeLine, anytime_figure
from decam.figures.charts import convergence_figure, curves_figure
from decam.figures.intervals import Named, intervals_figure
from decam.figures.stages import StageLine, stages_figure
from decam.figures.steps import chart_figure
from decam.methods import METHODS
from decam.metrics import get as get_metric
from decam.metrics.base import Curve
from decam.metrics.walkthroughs import Bars, Chart, Line

SHARES = np.linspace(0, 1, 11, dtype=np.float32)
NAMES = ("Grad-CAM", "RISE", "Integrated Gradients")
INTERVALS = [Named(value, value - 0.4, value + 0.6, name) for name, value in zip(NAMES, (1.2, 0.1, -0.9), strict=True)]


@dataclass(frozen=True)
class Moment:
    """A generation of a search."""

    evaluations: int
    curves: Mapping[str, float] = field(default_factory=dict)


def _curves(dark: bool) -> go.Figure:
    axes = get_metric("deletion").axes
    assert axes is not None
    curves = {name: Curve(SHARES, SHARES ** (place + 1)) for place, name in enumerate(NAMES)}
    return curves_figure("Deletion", curves, dict.fromkeys(NAMES, 0.25), axes, dark=dark, chosen=0.2)


def _convergence(dark: bool) -> go.Figure:
    series = tuple(one for one in METHODS["de-cam"].series if not one.detail)
    frames = [
        Moment(100 * step, {one.name: 0.9 - 0.5 / (step + place + 1) for place, one in enumerate(series)})
        for step in range(1, 9)
    ]
    return convergence_figure(frames, series, dark=dark, chosen=3, stopped=600)


def _anytime(dark: bool) -> go.Figure:
    lines = {name: AnytimeLine([100, 400, 1600], [0.1 * place, 0.3, 0.4]) for place, name in enumerate(NAMES)}
    return anytime_figure(
        lines, "Insertion − deletion", {name: place for place, name in enumerate(NAMES)}, stopped=900, dark=dark
    )


def _stages(dark: bool) -> go.Figure:
    lines = [StageLine(name, place, (0.9 - 0.1 * place, 0.4, float("nan")), 0.1) for place, name in enumerate(NAMES)]
    return stages_figure("Rank correlation", ["head", "blocks.2", "stem"], lines, low=-1, dark=dark)


CHARTS: Mapping[str, Callable[[bool], go.Figure]] = {
    "curves": _curves,
    "convergence": _convergence,
    "anytime": _anytime,
    "stages": _stages,
    "intervals": lambda dark: intervals_figure("Anomaly score", INTERVALS, 1.0, dark=dark),
    "values": lambda dark: studies.values_figure("Log-strength", INTERVALS, reference=0, dark=dark),
    "wins": lambda dark: studies.win_matrix_figure(NAMES, np.array([[0, 7, 9], [3, 0, 5.5], [1, 4.5, 0]]), dark=dark),
    "ratings": lambda dark: studies.ratings_figure(
        NAMES,
        np.array([[1, 2, 3, 9, 5], [2, 2, 2, 2, 2], [9, 5, 1, 0, 0]]),
        ["bad", "poor", "fair", "good", "great"],
        dark=dark,
    ),
    "utility": lambda dark: studies.utility_figure(
        "Accuracy",
        [studies.Curve(name, (4.0, 8.0, 12.0), tuple(INTERVALS)) for name in NAMES],
        reference=0.5,
        dark=dark,
    ),
    "preference": lambda dark: studies.preference_figure("Deletion", INTERVALS, INTERVALS, dark=dark),
    "power": lambda dark: studies.power_figure(
        (20, 40, 80),
        [Named(0.3 * k, 0.3 * k - 0.1, 0.3 * k + 0.05, str(n)) for k, n in enumerate((20, 40, 80), 1)],
        (0.3, 0.6, 0.9),
        0.8,
        64,
        dark=dark,
    ),
    "detection": lambda dark: studies.detection_figure(30, 10, 5, 35, dark=dark),
    "bars": lambda dark: chart_figure(Bars("Mean over rings", ("inner", "outer"), np.array([0.4, 0.1])), dark=dark),
    "lines": lambda dark: chart_figure(
        Chart(
            "Ranks beside ranks",
            "rank",
            "other rank",
            (Line("this map", SHARES, SHARES**2, points=True), Line("a line", SHARES, SHARES, filled=True)),
        ),
        dark=dark,
    ),
}
