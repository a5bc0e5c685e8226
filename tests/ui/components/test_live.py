"""What the live curves send to the browser."""

from __future__ import annotations

import json

import pytest

from decam.methods.base import Series
from decam.methods.de_cam.method import DE_CAM
from decam.ui.components.charts.live import LivePicture, payload

SERIES = (
    Series("best", "Best", "The fittest.", "Fitness"),
    Series("mean", "Mean", "Of all.", "Fitness"),
    Series("accepted", "Accepted", "Trials.", "Accepted"),
)
COLOURS = ("#111111", "#222222")


def test_series_of_one_group_share_a_chart_and_each_has_its_colour() -> None:
    sent = payload(SERIES, COLOURS, [(96, {"best": 0.5, "mean": 0.25, "accepted": 3.0})], 500, [])
    assert [group["title"] for group in sent["groups"]] == ["Fitness", "Accepted"]
    fitness = sent["groups"][0]
    assert [(line["title"], line["colour"], line["values"]) for line in fitness["series"]] == [
        ("Best", "#111111", [0.5]),
        ("Mean", "#222222", [0.25]),
    ]
    assert fitness["help"] == "Best: The fittest. Mean: Of all."
    assert sent["groups"][1]["series"][0]["colour"] == "#111111"
    assert (sent["places"], sent["limits"]) == ([96], [0, 500])


def test_a_value_that_is_missing_or_not_finite_is_a_gap_and_the_rest_is_short() -> None:
    points = [(1, {"best": 1 / 3}), (2, {}), (3, {"best": float("nan")}), (4, {"best": float("inf")})]
    sent = payload(SERIES[:1], COLOURS, points, 4, [])
    assert sent["groups"][0]["series"][0]["values"] == [0.33333, None, None, None]
    assert json.loads(json.dumps(sent, allow_nan=False)) == sent


def test_the_axis_reaches_as_far_as_the_search_will_go_and_never_less_than_it_went() -> None:
    assert payload(SERIES, COLOURS, [(10, {}), (700, {})], 500, [])["limits"] == [0, 700]


def test_before_the_first_generation_there_are_words_and_no_charts() -> None:
    sent = payload(SERIES, COLOURS, [], 500, [LivePicture("Map", "data:,")], "Random masks first.")
    assert sent["groups"] == [] and sent["words"] == "Random masks first."
    assert sent["pictures"] == [{"title": "Map", "source": "data:,"}]


@pytest.mark.parametrize("count", [1, 400])
def test_a_long_search_is_a_few_kilobytes(count: int) -> None:
    usual = [series for series in DE_CAM.series if not series.detail]
    values = {series.name: 1 / 3 for series in usual}
    sent = payload(usual, COLOURS, [(96 * i, values) for i in range(count)], 96 * count, [])
    assert len(json.dumps(sent)) < 2_000 + 70 * count


def test_a_series_that_nobody_reported_has_no_chart() -> None:
    sent = payload(SERIES, COLOURS, [(1, {"best": 0.5}), (2, {"best": 0.6, "mean": 0.1})], 2, [])
    assert [group["title"] for group in sent["groups"]] == ["Fitness"]
