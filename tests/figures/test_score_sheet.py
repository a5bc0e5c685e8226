"""Scores on paper: each class with its ends, the odd ones marked, the others left out of a long list."""

from __future__ import annotations

import pytest

from decam.figures.colours import method_colour
from decam.figures.score_sheet import MOST, score_sheet


def test_each_class_has_its_value_between_its_ends_and_the_odd_ones_another_colour() -> None:
    scores = [("a trigger", 3.1, 2.6, 3.9), ("a plain class", 0.4, -0.2, 0.9)]
    (panel,) = score_sheet(scores, 2.5).axes
    lines = [line for line in panel.lines if len(line.get_xdata()) == 2 and len(set(line.get_ydata())) == 1]
    assert [list(line.get_xdata()) for line in lines] == [[2.6, 3.9], [-0.2, 0.9]]
    dots = [line for line in panel.lines if len(line.get_xdata()) == 1]
    assert [(*dot.get_xdata(), dot.get_color()) for dot in dots] == [(3.1, method_colour(0)), (0.4, method_colour(1))]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["a trigger", "a plain class"]
    assert panel.get_ylim()[0] > panel.get_ylim()[1]  # the oddest is on top
    assert "2.5" in panel.get_xlabel()


@pytest.mark.parametrize(("count", "drawn"), [(1, 1), (MOST, MOST), (MOST + 60, MOST)])
def test_a_long_list_ends_where_the_figure_has_no_room(count: int, drawn: int) -> None:
    (panel,) = score_sheet([(f"class {place}", 1.0, 0.5, 1.5) for place in range(count)], 2.5).axes
    assert len(panel.get_yticklabels()) == drawn
