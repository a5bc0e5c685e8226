"""Charts hold the numbers they were given, in colours that belong to the methods."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from decam.figures import convergence_figure, curves_figure, method_colour
from decam.methods import METHODS
from decam.methods.base import Series
from decam.metrics import METRICS
from decam.metrics.base import Axes, Curve

LABELS = ("tench", "goldfish", "great white shark with a very long name")


@dataclass(frozen=True)
class Frame:
    evaluations: int
    curves: Mapping[str, float]


def _curve(metric: str = "deletion", rate: float = 3.0) -> Curve:
    shares = np.linspace(0, 1, 11, dtype=np.float32)
    falling = np.exp(-rate * shares).astype(np.float32)
    values = falling if metric == "deletion" else 1 - falling
    top = np.arange(11) % 3
    return Curve(shares, values, top, values)


def _figure(title: str, curves: Mapping[str, Curve], metric: str = "deletion", **options):
    """The curves with their areas as values."""
    axes = METRICS[metric].axes
    assert axes is not None
    return curves_figure(title, curves, {name: curve.area for name, curve in curves.items()}, axes, **options)


SERIES = (
    Series("best", "Best", "", "Fitness"),
    Series("mean", "Mean", "", "Fitness"),
    Series("spread", "Spread", "", "Fitness"),
    Series("diversity", "Diversity", "", "Diversity"),
)
FRAMES = [
    Frame(100 + 96 * step, {"best": 0.5 + step / 10, "mean": 0.3, "spread": 0.1, "diversity": 1 / (step + 1)})
    for step in range(4)
]


@pytest.mark.parametrize(("metric", "word"), [("deletion", "hidden"), ("insertion", "shown")])
def test_curves_show_their_numbers_their_areas_and_what_was_predicted(metric, word):
    curves = {"DE-CAM": _curve(metric), "RISE": _curve(metric, 5.0)}
    figure = _figure("Curves", curves, metric, labels=LABELS, places={"DE-CAM": 0, "RISE": 4})
    assert len(figure.data) == 2
    for trace, (name, curve), place in zip(figure.data, curves.items(), (0, 4), strict=True):
        assert np.allclose(trace.x, curve.shares * 100) and np.allclose(trace.y, curve.values)
        assert name in trace.name and f"{curve.area:.3f}" in trace.name
        assert trace.line.color == method_colour(place)
        assert trace.customdata[1][0] == "goldfish" and trace.customdata[2][0].endswith("…")
    assert word in figure.layout.xaxis.title.text and "%" in figure.layout.xaxis.title.text


def test_a_curve_at_which_nobody_looked_predicts_nothing_and_its_axis_is_the_metrics():
    curve = Curve(np.array([0.1, 0.9], np.float32), np.array([-0.4, 0.3], np.float32))
    axes = Axes("Share removed", "Difference", -0.5, 0.5)
    figure = curves_figure("", {"RISE": curve}, {"RISE": -0.05}, axes)
    (trace,) = figure.data
    assert trace.customdata is None and "predicted" not in trace.hovertemplate and "−0.050" in trace.name
    assert figure.layout.yaxis.range[0] == -0.5 and 0.5 <= figure.layout.yaxis.range[1] <= 0.55
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("Share removed (%)", "Difference")


def test_every_metric_with_curves_says_what_their_axes_are():
    for metric in METRICS.values():
        if metric.axes is not None:
            assert metric.axes.x and metric.axes.y and metric.axes.low < metric.axes.high
        else:
            assert metric.sequence is None


@pytest.mark.slow
def test_a_method_keeps_its_colour_when_others_leave_the_figure():
    places = {title: place for place, title in enumerate(method.title for method in METHODS.values())}
    last = list(places)[-1]
    alone = _figure("", {last: _curve()}, places=places)
    together = _figure("", {title: _curve() for title in places}, places=places)
    assert alone.data[0].line.color == together.data[-1].line.color == method_colour(len(places) - 1)


def test_a_share_can_be_marked():
    figure = _figure("", {"DE-CAM": _curve()}, chosen=0.25)
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(25.0, 25.0)]
    assert not _figure("", {"DE-CAM": _curve()}).layout.shapes


def test_convergence_has_one_panel_a_group_over_one_axis_of_evaluations():
    figure = convergence_figure(FRAMES, SERIES, chosen=2)
    assert {trace.yaxis for trace in figure.data} == {"y", "y2"}
    assert {trace.xaxis for trace in figure.data} == {None}
    by_name = {trace.name: trace for trace in figure.data}
    assert list(by_name["Best"].y) == pytest.approx([0.5, 0.6, 0.7, 0.8])
    assert list(by_name["Best"].x) == [100, 196, 292, 388]
    band = np.array(by_name["Spread"].y)
    assert band.max() == pytest.approx(0.4) and band.min() == pytest.approx(0.2)
    assert figure.layout.shapes[0].x0 == 292
    domains = [figure.layout.yaxis.domain, figure.layout.yaxis2.domain]
    assert domains[0][0] > domains[1][1] and domains[1][0] == pytest.approx(0, abs=1e-9)


@pytest.mark.slow
def test_convergence_marks_where_the_search_could_have_stopped_beside_the_frame_that_is_chosen():
    figure = convergence_figure(FRAMES, SERIES, chosen=2, stopped=200)
    assert [shape.x0 for shape in figure.layout.shapes] == [292, 200]
    assert [(words.x, words.text) for words in figure.layout.annotations] == [(200, "could have stopped")]
    assert not convergence_figure(FRAMES, SERIES, chosen=2).layout.annotations


@pytest.mark.slow
def test_no_search_draws_its_band_as_points():
    for count in (2, 4):
        figure = convergence_figure(FRAMES[:count], SERIES)
        assert {trace.name: trace.mode for trace in figure.data}["Spread"] == "lines"


@pytest.mark.parametrize("frames", [[], FRAMES[:1], [Frame(10, {})], [Frame(10, {"best": 0.5}), Frame(20, {})]])
def test_searches_that_have_hardly_begun_are_drawn_too(frames):
    json.loads(convergence_figure(frames, SERIES, chosen=5).to_json())


@pytest.mark.parametrize("dark", [False, True])
def test_backgrounds_are_transparent_and_text_stands_out_in_both_themes(dark):
    for figure in (_figure("", {"a": _curve()}, dark=dark), convergence_figure(FRAMES, SERIES, dark=dark)):
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        text = figure.layout.font.color
        brightness = sum(int(text[start : start + 2], 16) for start in (1, 3, 5)) / 3
        assert brightness > 200 if dark else brightness < 80


@pytest.mark.slow
def test_every_series_of_every_method_finds_a_place_in_its_chart():
    for method in METHODS.values():
        frames = [Frame(step, {item.name: 0.5 for item in method.series}) for step in (1, 2)]
        figure = convergence_figure(frames, method.series)
        assert {trace.name for trace in figure.data} == {item.title for item in method.series}


def test_probabilities_are_written_in_per_cent_and_no_small_value_in_powers_of_ten():
    series = (*SERIES, Series("probability", "Target", "", "Probability", share=True))
    frames = [Frame(step, {"best": 4e-5 * step, "probability": 3.2e-5 * step}) for step in (1, 2, 3)]
    figure = convergence_figure(frames, series)
    assert figure.layout.yaxis.exponentformat == "none" and figure.layout.yaxis.tickformat is None
    assert figure.layout.yaxis2.tickformat == ".3~p" and ".3~p" in figure.data[1].hovertemplate
    assert _figure("", {"a": _curve()}).layout.yaxis.tickformat == ".3~p"


def test_a_value_that_says_nothing_is_a_dash_and_a_small_one_keeps_its_digits_and_its_sign():
    axes = METRICS["deletion-correlation"].axes
    assert axes is not None
    figure = curves_figure("", dict.fromkeys("ABC", _curve()), {"A": float("nan"), "B": -0.0001, "C": -0.0}, axes)
    assert [trace.name for trace in figure.data] == ["A <b>–</b>", "B <b>−0.00010</b>", "C <b>0.000</b>"]
