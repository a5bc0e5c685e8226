"""The chart of similarities over the stages holds the values that it was given, and nothing else."""

from __future__ import annotations

import math

import pytest

from decam.figures import method_colour
from decam.figures.stages import StageLine, stages_figure

LINES = (
    StageLine("Grad-CAM", 0, (0.5, math.nan, -0.2), 0.05),
    StageLine("Edge detector", 3, (1.0, 1.0, 1.0), 0.15),
)


def test_each_method_begins_at_one_and_has_a_gap_where_there_is_no_value() -> None:
    figure = stages_figure("Spearman", ("head", "body", "stem"), LINES, low=-1)
    first, second, *_ = figure.data
    assert list(first.y) == [1.0, 0.5, None, -0.2]
    assert list(first.customdata) == ["original", "head", "body", "stem"]
    assert (first.line.color, second.line.color) == (method_colour(0), method_colour(3))


def test_thin_lines_bound_what_random_maps_score_and_are_named_once() -> None:
    figure = stages_figure("Spearman", ("head", "body", "stem"), LINES, low=-1)
    floors = figure.data[2:]
    assert [list(floor.y) for floor in floors] == [[0.05, 0.05], [0.15, 0.15]]
    assert [floor.showlegend for floor in floors] == [True, False]


@pytest.mark.parametrize("floor", [math.nan, 0.0])
def test_the_axis_holds_all_values_and_no_more_than_the_measure_has(floor: float) -> None:
    line = StageLine("Grad-CAM", 0, (-0.9, 0.2), floor)
    low, high = stages_figure("SSIM", ("head", "stem"), [line], low=-1).layout.yaxis.range
    assert low == pytest.approx(-0.95) and high > 1
    low, _ = stages_figure("Top-k", ("head",), [StageLine("a", 0, (0.4,), floor)], low=0).layout.yaxis.range
    assert low == pytest.approx(-0.05)


def test_long_names_of_stages_are_shortened_on_the_axis_only() -> None:
    figure = stages_figure("SSIM", ("features.12 … features.9",), [StageLine("a", 0, (0.4,), 0.0)], low=0)
    assert figure.layout.xaxis.ticktext[1].endswith("…")
    assert figure.data[0].customdata[1] == "features.12 … features.9"
