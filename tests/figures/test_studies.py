"""The charts of studies hold what they were given, in light and dark, and stand without what is missing."""

from __future__ import annotations

import functools
import math

import numpy as np
import plotly.graph_objects as go
import pytest

from decam.errors import SettingError
from decam.figures.colours import DIVERGING, lut, method_colour
from decam.figures.intervals import Named
from decam.figures.studies import (
    Curve,
    detection_figure,
    power_figure,
    preference_figure,
    ratings_figure,
    utility_figure,
    values_figure,
    win_matrix_figure,
)

ROWS = (Named(0.8, 0.5, 1.2, "Grad-CAM"), Named(-0.1, -0.4, 0.3, "RISE"), Named(-0.7, -1.1, -0.2, "Random"))
COUNTS = np.array([[1, 2, 3, 4, 10], [5, 5, 0, 5, 5]])
WINS = np.array([[0, 7.5, 0], [2.5, 0, 1], [0, 3, 0]])


@functools.cache
def figures(dark: bool) -> dict[str, go.Figure]:
    curves = [Curve(name, (5, 10), ROWS[:2]) for name in ("control", "map")]
    return {
        "values": values_figure("Log-strength", ROWS, reference=0, dark=dark),
        "wins": win_matrix_figure(["a", "b", "c"], WINS, dark=dark),
        "ratings": ratings_figure(["a", "b"], COUNTS, dark=dark),
        "utility": utility_figure("Accuracy", curves, reference=0.5, dark=dark),
        "preference": preference_figure("Insertion", ROWS, ROWS, dark=dark),
        "power": power_figure([10, 20], ROWS[:2], [0.3, 0.8], 0.8, 20, dark=dark),
        "detection": detection_figure(8, 2, 3, 7, dark=dark),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", figures(False))
def test_each_chart_has_ink_that_is_seen_on_its_background(name: str) -> None:
    light, dark = figures(False)[name], figures(True)[name]
    assert light.layout.font.color != dark.layout.font.color
    assert light.layout.paper_bgcolor == dark.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert light.to_json()


def test_values_lie_in_their_intervals_the_first_on_top() -> None:
    figure = values_figure("Accuracy", ROWS, reference=0.25, limits=(0, 1), unit=" %", digits=1)
    (dots,) = figure.data
    ends = [(x - down, x + up) for x, up, down in zip(dots.x, dots.error_x.array, dots.error_x.arrayminus, strict=True)]
    assert ends == [pytest.approx((one.low, one.high)) for one in ROWS]
    assert list(figure.layout.yaxis.ticktext) == [one.name for one in ROWS]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    assert tuple(figure.layout.xaxis.range) == (0, 1) and figure.layout.shapes[0].x0 == 0.25
    assert "%{x:,.1f} %" in dots.hovertemplate


def test_the_axis_holds_all_ends_and_values_without_interval_are_dots() -> None:
    rows = (*ROWS, Named(2.0, math.nan, math.nan, "Unknown"))
    figure = values_figure("Log-strength", rows, reference=-3)
    low, high = figure.layout.xaxis.range
    assert low < -3 and high > 2
    assert figure.data[0].error_x.array[3] == 0
    assert figure.data[0].customdata[2][1] == ", from −1.10 to −0.20"
    assert figure.data[0].customdata[3][1] == ""
    curve = utility_figure("Utility-K", [Curve("map", (5,), rows[3:])]).data[0]
    assert curve.customdata[0][1] == "" and curve.error_y.array[0] == 0


def test_the_matrix_shows_shares_with_the_counts_and_leaves_out_what_was_never_compared() -> None:
    (heat,) = win_matrix_figure(["a", "b", "c"], WINS).data
    assert heat.z[0, 1] == 75 and heat.z[1, 0] == 25 and heat.z[2, 1] == 75
    assert np.isnan(heat.z[0, 2]) and np.isnan(np.diag(heat.z)).all()
    assert heat.text[0][1] == "7.5/10" and heat.text[0][2] == "" and heat.text[1][1] == ""
    with pytest.raises(SettingError, match="must be 2 × 2"):
        win_matrix_figure(["a", "b"], WINS)


def test_bars_touch_each_other_and_lie_about_the_middle() -> None:
    figure = ratings_figure(["a", "b"], COUNTS, ["never", "rarely", "sometimes", "often", "always"])
    starts = np.array([bar.base for bar in figure.data], dtype=float)
    widths = np.array([bar.x for bar in figure.data], dtype=float)
    np.testing.assert_allclose(starts[1:], starts[:-1] + widths[:-1])
    np.testing.assert_allclose(widths.sum(axis=0), 100)
    assert starts[0, 0] == pytest.approx(-(5 + 10 + 7.5)), "half of the middle lies below"
    assert starts[0, 1] == -50
    assert [bar.name for bar in figure.data] == ["never", "rarely", "sometimes", "often", "always"]
    assert figure.data[2].marker.color == "#{:02x}{:02x}{:02x}".format(*lut(DIVERGING)[128])
    even = ratings_figure(["a"], np.array([[1, 1, 1, 1]]))
    assert even.data[2].base[0] == 0


def test_curves_have_colours_symbols_and_intervals_of_their_own() -> None:
    curves = [Curve(name, (5, 10), ROWS[:2]) for name in ("control", "map")]
    figure = utility_figure("Utility-K", curves, reference=1)
    first, second = figure.data
    assert first.line.color == method_colour(0) != second.line.color and first.marker.symbol != second.marker.symbol
    assert first.x[0] < 5 < second.x[0] and [one[0] for one in first.customdata] == [5, 10]
    assert list(figure.layout.xaxis.tickvals) == [5, 10]
    assert first.error_y.array[0] == pytest.approx(0.4)


def test_preference_lies_over_the_metric_method_by_method() -> None:
    strengths = tuple(Named(2 * one.value, 2 * one.low, 2 * one.high, one.name) for one in ROWS)
    (dots,) = preference_figure("Insertion", ROWS, strengths).data
    assert list(dots.x) == [0.8, -0.1, -0.7] and list(dots.y) == [1.6, -0.2, -1.4]
    assert list(dots.text) == [one.name for one in ROWS] and len(set(dots.marker.symbol)) == 3
    with pytest.raises(SettingError, match="same methods in the same order"):
        preference_figure("Insertion", ROWS, strengths[::-1])


@pytest.mark.slow
def test_the_power_curve_marks_the_goal_and_the_least_size() -> None:
    powers = (Named(0.25, 0.2, 0.3, ""), Named(0.85, 0.8, 0.9, ""))
    figure = power_figure([10, 20], powers, [0.25, 0.85], 0.8, 20)
    line, dots = figure.data
    assert list(line.y) == [25, 85] and list(dots.y) == [25, 85]
    assert list(dots.error_y.array) == pytest.approx([5, 5])
    assert {shape.y0 for shape in figure.layout.shapes} >= {80} and figure.layout.shapes[1].x0 == 20
    assert len(power_figure([10], powers[:1], [0.25], 0.8, None).layout.shapes) == 1


def test_the_confusion_of_detection_has_its_four_counts() -> None:
    (heat,) = detection_figure(8, 2, 3, 7, ("same", "different")).data
    assert heat.z.tolist() == [[80, 20], [30, 70]]
    assert heat.text[0][0] == "Hits<br><b>8</b>" and heat.text[1][0] == "False alarms<br><b>3</b>"
    assert list(heat.x) == ["said same", "said different"]
    assert np.isnan(detection_figure(0, 0, 3, 7).data[0].z[0]).all()


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(SettingError, match="nothing to draw"):
        values_figure("x", [])
    with pytest.raises(SettingError, match="has no ratings to show"):
        ratings_figure(["a"], np.zeros((1, 5), dtype=int))
    with pytest.raises(SettingError, match="each point one label"):
        ratings_figure(["a"], np.ones((1, 5), dtype=int), ["one"])
