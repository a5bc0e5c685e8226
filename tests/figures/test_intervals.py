"""The chart of values with intervals holds what it was given, and tells those from the threshold on apart."""

from __future__ import annotations

import pytest

from decam.figures import method_colour
from decam.figures.intervals import Named, intervals_figure

ROWS = (Named(1.0, 0.5, 1.2, "disc"), Named(6.0, 4.5, 9.0, "star"), Named(-2.0, -3.0, -2.0, "ring"))


@pytest.mark.parametrize("dark", [False, True])
def test_each_value_lies_in_its_interval_on_its_own_line(dark: bool) -> None:
    figure = intervals_figure("Score", ROWS, 4.0, dark=dark)
    (dots,) = figure.data
    ends = [(x - down, x + up) for x, up, down in zip(dots.x, dots.error_x.array, dots.error_x.arrayminus, strict=True)]
    assert list(dots.x) == [1.0, 6.0, -2.0]
    assert ends == [pytest.approx((one.low, one.high)) for one in ROWS]
    assert list(figure.layout.yaxis.ticktext) == ["disc", "star", "ring"]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1], "the first is on top"
    assert list(dots.marker.color) == [method_colour(1, dark), method_colour(0, dark), method_colour(1, dark)]


@pytest.mark.slow
def test_the_axis_holds_every_interval_zero_and_the_threshold() -> None:
    for threshold in (4.0, 20.0):
        figure = intervals_figure("Score", ROWS, threshold)
        low, high = figure.layout.xaxis.range
        assert low < -3 and high > max(9.0, threshold)
        assert figure.layout.shapes[0].x0 == threshold
    low, high = intervals_figure("Score", ROWS[:1], 4.0).layout.xaxis.range
    assert low < 0 and high > 4
