from __future__ import annotations

import numpy as np
import pytest

from decam.figures import overlay
from decam.figures.steps import LEAST, OUTLINE, chart_figure, drawn
from decam.metrics.walkthroughs import Bars, Chart, Line, Picture

VIEW = np.random.default_rng(0).integers(0, 200, (128, 128, 3), dtype=np.uint8)
TRUTH = np.zeros((128, 128), bool)
TRUTH[40:80, 50:90] = True
MAP = np.linspace(0, 1, 128 * 128).reshape(128, 128)


def test_a_picture_without_marks_is_shown_as_the_model_saw_it() -> None:
    assert drawn(Picture("plain", VIEW)) is VIEW


def test_a_map_is_laid_over_its_picture_and_a_signed_one_in_two_colours() -> None:
    assert np.array_equal(drawn(Picture("map", VIEW, MAP)), overlay(VIEW, MAP, limits=(0, 1)))
    signed = drawn(Picture("map", VIEW, MAP - 0.5, (-0.5, 0.5)))
    assert np.array_equal(signed, overlay(VIEW, MAP - 0.5, signed=True, limits=(-0.5, 0.5)))


def test_the_outline_runs_along_the_inner_edge_of_the_object() -> None:
    pixels = drawn(Picture("truth", VIEW, truth=TRUTH))
    line = (pixels == OUTLINE).all(axis=2)
    large = np.kron(TRUTH, np.ones((2, 2), bool))
    assert min(pixels.shape[:2]) >= LEAST
    assert line.any() and not (line & ~large).any()
    assert line[80, 100:180].all() and line[80:160, 100].all()
    assert np.array_equal(pixels[100:140, 120:160], np.kron(VIEW, np.ones((2, 2, 1), np.uint8))[100:140, 120:160])


def test_an_object_at_the_edge_of_the_picture_is_outlined_where_it_ends_inside() -> None:
    truth = np.zeros((128, 128), bool)
    truth[:, :30] = True
    line = (drawn(Picture("truth", VIEW, truth=truth)) == OUTLINE).all(axis=2)
    assert line[:, 58:60].all() and not line[:, :58].any()


def test_what_is_not_kept_is_dimmed_and_what_is_kept_stays() -> None:
    pixels = drawn(Picture("cut", VIEW, kept=TRUTH))
    assert np.array_equal(pixels[TRUTH], VIEW[TRUTH])
    assert pixels[~TRUTH].std() < VIEW[~TRUTH].std() / 3


@pytest.mark.parametrize("place", [(64, 64), (0, 0), (127, 127), (0, 127)])
def test_a_mark_is_a_white_cross_on_its_pixel(place: tuple[int, int]) -> None:
    pixels = drawn(Picture("mark", VIEW, mark=place))
    row, column = (2 * each + 1 for each in place)
    assert tuple(pixels[row, column]) == (255, 255, 255)


def test_a_chart_has_its_lines_and_points_and_no_more_than_the_eye_can_tell() -> None:
    many = np.linspace(0, 1, 50_000)
    panel = Chart(
        "area", "x", "y", (Line("curve", many, many**2, filled=True), Line("points", many[:3], many[:3], points=True))
    )
    figure = chart_figure(panel)
    curve, points = figure.data
    assert len(curve.x) <= 500 and (curve.x[0], curve.x[-1]) == (0, 1)
    assert curve.fill == "tozeroy" and points.mode == "markers"
    assert figure.layout.title.text == "area" and figure.layout.xaxis.title.text == "x"


@pytest.mark.parametrize("dark", [False, True])
def test_bars_carry_their_numbers_within_the_frame(dark: bool) -> None:
    figure = chart_figure(Bars("parts", ("one", "two"), np.array([0.25, 1.0]), 0.0, 1.0), dark=dark)
    (bars,) = figure.data
    assert list(bars.text) == ["0.25", "1.00"]
    assert figure.layout.yaxis.range[1] > 1.0


def test_bars_that_are_all_zero_have_a_scale_all_the_same() -> None:
    figure = chart_figure(Bars("nothing", ("one",), np.zeros(1)))
    assert figure.layout.yaxis.range == (0, 1)
