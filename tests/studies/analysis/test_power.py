"""Power by simulation beside power in closed form; simulators beside the truths they were given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from decam.errors import SettingError
from decam.studies.analysis.power import (
    Answers,
    ForcedChoice,
    PowerProgress,
    Preferred,
    SimulatedAccuracy,
    SimulatedRatings,
    paired_difference,
    power,
)
from decam.studies.analysis.preference import bradley_terry, comparisons
from tests.studies.finishing import finished


def normal(generator: np.random.Generator, size: int) -> np.ndarray:
    return generator.normal(0.5, 1.0, size)


def one_sample(values: np.ndarray) -> float:
    return float(stats.ttest_1samp(values, 0).pvalue)


@pytest.mark.slow
def test_power_of_the_t_test_is_that_of_the_noncentral_distribution() -> None:
    found = finished(power(normal, one_sample, [10, 20, 34, 50], 1500, seed=2))
    for at in found.sizes:
        edge = stats.t.ppf(0.975, at.size - 1)
        exact = stats.nct.sf(edge, at.size - 1, 0.5 * math.sqrt(at.size)) + stats.nct.cdf(
            -edge, at.size - 1, 0.5 * math.sqrt(at.size)
        )
        assert at.power.value == pytest.approx(exact, abs=0.03)
        assert at.power.low - 0.02 < exact < at.power.high + 0.02
    assert found.least == 50 or found.sizes[2].fitted >= 0.8  # 34 people have a power of 0.808


def test_without_an_effect_power_is_the_level() -> None:
    def nothing(generator: np.random.Generator, _: int) -> float:
        return float(generator.random())

    found = finished(power(nothing, lambda p: p, [5], 2000, level=0.1))
    assert found.sizes[0].power.low < 0.1 < found.sizes[0].power.high and found.least is None


def test_progress_comes_after_each_study_and_closing_cancels() -> None:
    made: list[int] = []

    def simulate(_: np.random.Generator, size: int) -> int:
        made.append(size)
        return size

    steps = power(simulate, lambda _: 0.0, [3, 2], 2)
    assert [next(steps) for _ in range(3)] == [
        PowerProgress(1, 4, 2),
        PowerProgress(2, 4, 2),
        PowerProgress(3, 4, 3),
    ]
    steps.close()
    assert made == [2, 2, 3]


def test_the_fit_never_falls_and_the_least_size_is_read_from_it() -> None:
    shares = {5: 0.5, 10: 0.9, 15: 0.7, 20: 1.0}
    counts: dict[int, int] = dict.fromkeys(shares, 0)

    def test(size: int) -> float:
        counts[size] += 1
        return 0.0 if counts[size] <= shares[size] * 10 else math.nan

    found = finished(power(lambda _, size: size, test, list(shares), 10))
    assert [at.power.value for at in found.sizes] == list(shares.values())
    assert [at.fitted for at in found.sizes] == pytest.approx([0.5, 0.8, 0.8, 1.0])
    assert found.least == 10 and found.goal == 0.8


@pytest.mark.slow
def test_a_size_gives_the_same_whatever_the_others_are() -> None:
    alone = finished(power(normal, one_sample, [12], 40, seed=5))
    among = finished(power(normal, one_sample, [6, 12, 18], 40, seed=5))
    assert alone.sizes[0].power == among.sizes[1].power
    assert finished(power(normal, one_sample, [12], 40, seed=6)) != alone


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"sizes": []}, "give at least one"),
        ({"sizes": [0, 5]}, "between 1 and 100,000"),
        ({"repetitions": 0}, "number of repetitions is 0"),
        ({"goal": 1.0}, "goal is 1"),
        ({"level": 0.0}, "level is 0"),
    ],
)
def test_bad_plans_are_refused(more: dict[str, Any], sentence: str) -> None:
    plan: dict[str, Any] = {"sizes": [5], "repetitions": 3} | more
    with pytest.raises(SettingError, match=sentence):
        next(power(normal, one_sample, **plan))


def test_simulated_comparisons_have_the_strengths_they_were_given() -> None:
    data = ForcedChoice((0.8, 0.0, -0.8), 60, spread=0.0)(np.random.default_rng(0), 300)
    assert len(data.winners) == 18_000 and len(np.unique(data.participants)) == 300
    found = [one.value for one in bradley_terry(data, resamples=10).values]
    assert found == pytest.approx([0.8, 0.0, -0.8], abs=0.05)


def test_preferred_is_the_t_test_of_the_shares() -> None:
    data = ForcedChoice((0.5, 0.0), 12)(np.random.default_rng(1), 15)
    shares = [np.mean(data.winners[data.participants == person] == 0) for person in range(15)]
    assert Preferred(0, 1)(data) == pytest.approx(stats.ttest_1samp(shares, 0.5).pvalue)
    assert Preferred(1, 0)(data) == pytest.approx(Preferred(0, 1)(data))


def test_answers_without_spread_have_the_sign_tests_p() -> None:
    always = comparisons("ab", [0] * 6, [1] * 6, range(6))
    assert Preferred(0, 1)(always) == pytest.approx(2 / 64)
    even = comparisons("ab", [0, 1] * 4, [1, 0] * 4, np.repeat(range(4), 2))
    assert Preferred(0, 1)(even) == 1.0
    assert math.isnan(Preferred(0, 1)(comparisons("ab", [0], [1], [0])))


def test_ties_count_as_half_a_win() -> None:
    data = comparisons("ab", [0, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 1], [False, True, True, True])
    assert Preferred(0, 1)(data) == pytest.approx(stats.ttest_1samp([0.75, 0.5], 0.5).pvalue)


def test_simulated_ratings_have_the_difference_they_were_given() -> None:
    data = SimulatedRatings(difference=0.7, deviation=0.8)(np.random.default_rng(2), 4000)
    means = [data.values[data.conditions == one].mean() for one in (0, 1)]
    assert means[1] - means[0] == pytest.approx(0.7, abs=0.05)
    assert set(np.unique(data.values)) <= set(range(1, 8))


def test_simulated_accuracies_are_those_given_without_spread() -> None:
    data = SimulatedAccuracy(first=0.4, second=0.7, spread=0.0)(np.random.default_rng(3), 2000)
    means = [data.values[data.conditions == one].mean() for one in (0, 1)]
    assert means == pytest.approx([0.4, 0.7], abs=0.01)


def test_the_paired_test_is_scipys() -> None:
    data = SimulatedAccuracy()(np.random.default_rng(4), 12)
    own = [
        [data.values[(data.participants == person) & (data.conditions == one)].mean() for one in (0, 1)]
        for person in range(12)
    ]
    expected = stats.ttest_rel([second for _, second in own], [first for first, _ in own]).pvalue
    assert paired_difference(data) == pytest.approx(expected)
    one = Answers(np.array([1.0, 0.0]), np.array([0, 1]), np.array([0, 0]))
    assert math.isnan(paired_difference(one))


def test_bad_simulators_are_refused() -> None:
    with pytest.raises(SettingError, match="two items"):
        ForcedChoice((1.0,), 5)
    with pytest.raises(SettingError, match=r"first is 1\.5"):
        SimulatedAccuracy(first=1.5)
