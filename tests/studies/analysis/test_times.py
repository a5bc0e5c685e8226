"""Response times by hand: time away is taken off, medians are those of repeated answers, odd ones are flagged only."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.errors import SettingError
from decam.studies.analysis.resampling import sample
from decam.studies.analysis.times import OddTimes, _weighted_median, by_condition, cleaned, median, odd


def test_time_away_is_taken_off() -> None:
    np.testing.assert_array_equal(cleaned([1000, 500.0, 100], [0, 200.0, 100.5]), [1000, 300, 0])


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 4)), min_size=1, max_size=20))
def test_the_weighted_median_is_that_of_the_values_repeated(pairs: list[tuple[int, int]]) -> None:
    pairs.sort()
    values, counts = np.array(pairs, dtype=float).T
    repeated = np.repeat(values, counts.astype(int))
    found = _weighted_median(values, counts)
    assert found == np.median(repeated) if len(repeated) else math.isnan(found)


def test_medians_of_resamples_are_over_the_people_drawn() -> None:
    generator = np.random.default_rng(0)
    values, people = generator.lognormal(7, 0.5, 90), np.repeat(np.arange(9), 10)
    own = sample(people, 60, 2)
    found = median(values, own, np.ones(90, dtype=bool))
    plain = [
        np.median(np.concatenate([np.repeat(values[people == one], int(n)) for one, n in enumerate(w)]))
        for w in own.weights
    ]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(plain, (0.025, 0.975))))
    assert found.value == np.median(values)


def test_an_odd_answer_is_flagged_for_its_person_and_stays() -> None:
    slow, fast = [10_000.0, 11_000, 9_000, 10_500, 9_500], [500.0, 550, 450, 525, 10_000]
    times, people = slow + fast, ["slow"] * 5 + ["fast"] * 5
    flags = odd(times, people)
    assert flags.tolist() == [False] * 9 + [True]
    logs = np.log(fast)
    gaps = np.abs(logs - np.median(logs))
    assert gaps[4] > 3 * 1.4826 * np.median(gaps) > gaps[3]
    (found,) = by_condition(times, np.zeros(10), ["a"] * 10, people, resamples=50)
    assert (found.answers, found.flagged, found.participants, found.hidden) == (10, 1, 2, 0)
    assert found.median.value == np.median(times) and found.unflagged.value == np.median(times[:9])


def test_too_few_answers_and_equal_ones_flag_nobody() -> None:
    assert not odd([1, 1, 1, 9_999], [0] * 4).any()
    assert not odd([100] * 9 + [5000], [0] * 10).any(), "no spread to measure by"
    assert odd([100, 110, 120, 9_999], [0] * 4, OddTimes(least_answers=4)).tolist() == [False, False, False, True]


def test_conditions_are_told_apart() -> None:
    first, second = by_condition(
        [100, 200, 300, 1000], [0, 0, 0, 100], ["a", "a", "a", "b"], [0, 0, 1, 1], resamples=50
    )
    assert (first.median.value, second.median.value, second.hidden) == (200, 900, 1)
    assert first.quartiles == (150, 250)


def test_impossible_times_are_refused() -> None:
    with pytest.raises(SettingError, match="is negative"):
        cleaned([-1], [0])
    with pytest.raises(SettingError, match="Answer 2 took 100 ms, but the page was away for 300 ms of it"):
        cleaned([100, 100], [0, 300])
    with pytest.raises(SettingError, match="deviations is 0"):
        OddTimes(deviations=0.0)
