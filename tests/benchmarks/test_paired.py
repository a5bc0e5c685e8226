"""Means over seeds, pairs by picture, intervals and verdicts of the benchmark of faithfulness."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmarks.paired import (
    Aim,
    Interval,
    agreement,
    agreement_table,
    aims_table,
    bootstrap,
    by_picture,
    differences,
    means_table,
    scenes_table,
)
from benchmarks.results import Hit, Key, Result, small


def result(row: str, picture: str, seed: int, insertion: float, *, deletion: float = 0.1, places: str = "") -> Result:
    key = Key("net", picture, seed, row, "v")
    return Result(key, f"{picture}.png", 3, 500, deletion, insertion, 0.2, 0.5, places)


def test_the_interval_is_scipys() -> None:
    values = np.random.default_rng(3).normal(0.05, 0.1, 16)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=10_000, rng=1).confidence_interval
    ours = bootstrap(values)
    assert ours.mean == pytest.approx(values.mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.003)


def test_the_interval_of_many_values_is_the_normal_one() -> None:
    values = np.random.default_rng(4).normal(0.0, 1.0, 400)
    ours = bootstrap(values)
    reach = 1.96 * values.std() / 20
    assert (ours.low, ours.high) == pytest.approx((values.mean() - reach, values.mean() + reach), abs=0.01)


def test_the_interval_is_the_same_each_time_and_a_point_for_one_value() -> None:
    assert bootstrap([0.1, 0.4, -0.2]) == bootstrap([0.1, 0.4, -0.2])
    assert bootstrap([0.25]) == Interval(0.25, 0.25, 0.25)


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        bootstrap([])


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
    assert lines[2:] == ["| a | 500 | 2 | 1 to 2 | 0.100 | 0.600 | 0.500 | 0.300 |"]


def test_the_table_of_aims_gives_verdicts_and_says_where_nothing_can_be_compared() -> None:
    rows = {"de-cam-500": 0.7, "de-cam-1000": 0.7, "rise-4000": 0.65}
    results = [result(row, picture, 0, value) for row, value in rows.items() for picture in "pq"]
    lines = aims_table(results).splitlines()
    assert "| de-cam-500 − rise-4000 | insertion | 2 | +0.050 [+0.050, +0.050] | ≥ +0.03 | met |" in lines
    assert "| de-cam-1000 − rise-4000 | insertion | 2 | +0.050 [+0.050, +0.050] | ≥ +0.06 | missed |" in lines
    assert "| de-cam-500 − rise-4000 | deletion | 2 | +0.000 [+0.000, +0.000] | ≤ +0.00 | met |" in lines
    assert "| de-cam-1000 − grad-cam | ins − del | 0 | no picture has both | ≥ +0.12 |  |" in lines


def test_agreement_is_spearmans_over_all_pairs_of_seeds() -> None:
    rising = np.arange(64.0, dtype=np.float32).reshape(8, 8)
    maps = (rising, rising**3, -rising)
    results = [result("a", "p", seed, 0.5, places=small(each)) for seed, each in enumerate(maps)]
    results.append(result("a", "alone", 0, 0.5, places=small(rising)))
    assert agreement(results, "a") == pytest.approx({"p": -1 / 3})
    assert "| a | 1 | -0.333 [-0.333, -0.333] | -0.333 | ≥ 0.9 | missed |" in agreement_table(results, ["a"])


def test_scenes_are_counted_by_kind_and_held_against_their_shares() -> None:
    hits = [Hit(Key("embedded", f"scene {i}", 0, "scene-object", "v"), i > 0) for i in range(50)]
    hits += [Hit(Key("embedded", f"scene {i}", 0, "scene-asked", "v"), i > 4) for i in range(50)]
    lines = scenes_table(hits).splitlines()
    assert lines[2].endswith("| 49 of 50 | ≥ 98% | met |")
    assert lines[3].endswith("| 45 of 50 | ≥ 92% | missed |")
