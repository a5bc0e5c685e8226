"""The chart of maps in the making holds the numbers it was given, and marks where the search could have stopped."""

import pytest

from decam.figures import method_colour
from decam.figures.anytime import AnytimeLine, anytime_figure
from decam.figures.charts import STOP

LINES = {"DE-CAM": AnytimeLine([100, 200, 400], [0.1, 0.3, 0.4]), "RISE": AnytimeLine([400], [0.2])}
PLACES = {"DE-CAM": 0, "RISE": 2}


@pytest.mark.parametrize("dark", [False, True])
def test_each_line_has_its_points_and_its_methods_colour(dark: bool) -> None:
    figure = anytime_figure(LINES, "Insertion", PLACES, dark=dark)
    for trace, (name, line) in zip(figure.data, LINES.items(), strict=True):
        assert (trace.name, list(trace.x), list(trace.y)) == (name, line.evaluations, line.values)
        assert trace.line.color == method_colour(PLACES[name], dark)
        assert "markers" in trace.mode, "a method with one point is seen too"
    assert figure.layout.yaxis.title.text == "Insertion"
    assert "Evaluations" in figure.layout.xaxis.title.text
    assert not figure.layout.shapes and not figure.layout.annotations


def test_where_the_search_could_have_stopped_there_is_a_line_with_words() -> None:
    figure = anytime_figure(LINES, "Insertion", PLACES, stopped=250)
    (line,), (words,) = figure.layout.shapes, figure.layout.annotations
    assert (line.x0, line.x1, words.x, words.text) == (250, 250, 250, STOP)
