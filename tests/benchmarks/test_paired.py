"""Means over seeds, pairs by picture, intervals and verdicts of the benchmark of faithfulness."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.paired import (
    Aim,
    Result,
    agreement,
    agreement_table,
    aims_table,
    by_picture,
    differences,
    means_table,
    scenes_table,
    small,
    unsearched_table,
)
from decam.explanation import Map
from decam.intervals import Interval


def result(
    row: str, picture: str, seed: int, insertion: float, *, road: float = math.nan, saliency: Map | None = None
) -> Result:
    places = None if saliency is None else small(saliency)
    return Result(row, picture, seed, 500, 0.1, insertion, 0.2, 0.5, road, places=places)


def test_a_pictures_value_is_the_mean_over_its_seeds() -> None:
    results = [result("a", "p", 0, 0.2), result("a", "p", 1, 0.6), result("a", "q", 0, 0.9), result("b", "p", 0, 0.0)]
    assert by_picture(results, "a", "insertion") == pytest.approx({"p": 0.4, "q": 0.9})


def test_differences_are_paired_by_picture_and_leave_out_what_one_row_lacks() -> None:
    results = [
        *(result("a", "p", seed, value) for seed, value in enumerate((0.2, 0.6))),
        result("a", "q", 0, 0.9),
        result("a", "only a", 0, 0.0),
        result("b", "q", 0, 0.5),
        result("b", "p", 0, 0.1),
        result("b", "only b", 0, 1.0),
    ]
    assert differences(results, "a", "b", "insertion") == pytest.approx([0.3, 0.4])


@pytest.mark.parametrize(
    ("aim", "interval", "met"),
    [
        (Aim("a", "b", "insertion", 0.03), Interval(0.03, -0.01, 0.07), True),
        (Aim("a", "b", "insertion", 0.03), Interval(0.029, 0.01, 0.07), False),
        (Aim("a", "b", "insertion", 0.03, clear=True), Interval(0.04, -0.01, 0.07), False),
        (Aim("a", "b", "insertion", 0.03, clear=True), Interval(0.04, 0.001, 0.07), True),
        (Aim("a", "b", "deletion", 0.0), Interval(-0.01, -0.03, 0.01), True),
        (Aim("a", "b", "deletion", 0.0), Interval(0.01, -0.03, 0.02), False),
    ],
)
def test_an_aim_is_met_by_the_mean_and_where_asked_by_the_interval(aim: Aim, interval: Interval, met: bool) -> None:
    assert aim.met(interval) is met


def test_the_table_of_means_says_how_much_each_row_rests_on() -> None:
    results = [result("a", "p", 0, 0.2), result("a", "p", 1, 0.6), result("a", "q", 0, 0.8)]
    lines = means_table(results, ["a", "absent"]).splitlines()
    assert lines[2:] == ["| a | 500 | 2 | 1 to 2 | 0.100 | 0.600 | 0.500 | 0.300 | – | – |"]


def test_ours_is_held_against_the_best_of_as_many_evaluations_by_what_nobody_searches_by() -> None:
    worth = {"de-cam-1000": 0.2, "a-1000": 0.3, "b-1000": 0.1, "c-4000": 0.9}
    rows = list(worth)

    def found(spread: float) -> str:
        moved = {"p": spread, "q": -spread}
        each = [
            result(row, picture, 0, 0.5, road=value + (moved[picture] if row == "a-1000" else 0))
            for row, value in worth.items()
            for picture in moved
        ]
        each.append(result("b-1000", "only b", 0, 0.5))  # a map of which ROAD says nothing
        return unsearched_table(each, rows)

    missed = "| ROAD | 0.200 | a-1000 0.300 | -0.100 [-0.100, -0.100] | not below 0 | missed |"
    assert found(0.0).splitlines()[2:] == [missed]
    assert found(0.5).splitlines()[2].endswith("| not below 0 | met |")
    assert unsearched_table([result("de-cam-1000", "p", 0, 0.5)], rows).startswith("Nothing is measured")


def test_the_table_of_aims_gives_verdicts_and_says_where_nothing_can_be_compared() -> None:
    rows = {"de-cam-500": 0.7, "de-cam-1000": 0.7, "rise-4000": 0.65}
    results = [result(row, picture, 0, value) for row, value in rows.items() for picture in "pq"]
    lines = aims_table(results).splitlines()
    assert "| de-cam-500 − rise-4000 | insertion | 2 | +0.050 [+0.050, +0.050] | ≥ +0.03 | met |" in lines
    assert "| de-cam-1000 − rise-4000 | insertion | 2 | +0.050 [+0.050, +0.050] | ≥ +0.06 | missed |" in lines
    assert "| de-cam-500 − rise-4000 | deletion | 2 | +0.000 [+0.000, +0.000] | ≤ +0.00 | met |" in lines
    assert "| de-cam-1000 − grad-cam | ins − del | 0 | no image has both | ≥ +0.12 | |" in lines


def test_agreement_is_spearmans_over_all_pairs_of_seeds() -> None:
    rising = np.arange(64.0, dtype=np.float32).reshape(8, 8)
    maps = (rising, rising**3, -rising)
    results = [result("a", "p", seed, 0.5, saliency=each) for seed, each in enumerate(maps)]
    results.append(result("a", "alone", 0, 0.5, saliency=rising))
    assert agreement(results, "a") == pytest.approx({"p": -1 / 3})
    assert "| a | 1 | -0.333 | -0.333 | ≥ 0.9 | missed |" in agreement_table(results, ["a"])


def test_scenes_are_counted_by_kind_and_held_against_their_shares() -> None:
    hits = {"scene-object": [number > 0 for number in range(50)], "scene-asked": [number > 4 for number in range(50)]}
    lines = scenes_table(hits).splitlines()
    assert lines[2].endswith("| 49 of 50 | ≥ 98% | met |")
    assert lines[3].endswith("| 45 of 50 | ≥ 92% | missed |")


def test_a_small_map_holds_the_means_of_its_places() -> None:
    saliency = np.random.default_rng(0).random((112, 112), dtype=np.float32)
    expected = saliency.reshape(56, 2, 56, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(small(saliency), expected.ravel(), rtol=1e-5)
    tiny = saliency[:20, :30].copy()
    np.testing.assert_array_equal(small(tiny), tiny.ravel())
