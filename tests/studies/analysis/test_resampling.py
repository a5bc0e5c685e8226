"""The bootstrap over participants: draws by hand, coverage, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.errors import SettingError
from decam.intervals import Interval, drawn, percentiles
from decam.studies.analysis.resampling import conditions_of, numbers, per_participant, same_length, sample


def test_each_draw_has_as_many_participants_as_there_are() -> None:
    weights = drawn(7, 500, 3)
    assert weights.shape == (500, 7)
    np.testing.assert_array_equal(weights.sum(axis=1), 7)
    np.testing.assert_array_equal(weights, drawn(7, 500, 3))
    assert weights.mean() == pytest.approx(1) and weights.var() == pytest.approx(6 / 7, abs=0.1)


def test_means_of_resamples_are_those_of_the_answers_repeated() -> None:
    people = ["x", "y", "x", "z", "y", "x"]
    values = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    which = np.array([True, True, True, False, True, True])
    own = sample(people, 40, 1)
    for mean, weights in zip(own.means(values, which), own.weights, strict=True):
        times = dict(zip("xyz", weights.astype(int), strict=True))
        repeated = [
            value for value, who, used in zip(values, people, which, strict=True) if used for _ in range(times[who])
        ]
        assert mean == pytest.approx(np.mean(repeated)) if repeated else math.isnan(mean)


def test_a_difference_within_people_leaves_out_how_they_differ_from_each_other() -> None:
    generator = np.random.default_rng(0)
    people = np.repeat(np.arange(30), 2)
    second = np.tile([False, True], 30)
    values = 10 * generator.normal(size=30)[people // 1] + second * 1.0 + 0.1 * generator.normal(size=60)
    found = sample(people).difference(values, second, ~second)
    assert found.value == pytest.approx(1.0, abs=0.1)
    assert found.high - found.low < 0.3


def test_percentiles_leave_out_what_is_not_finite() -> None:
    found = percentiles(1.0, np.array([0.0, math.nan, 1.0, 2.0]), 2)
    assert (found.low, found.high) == pytest.approx((0.05, 1.95))
    empty = percentiles(1.0, np.array([math.nan]), 2)
    assert not empty.known and empty.value == 1.0
    assert not percentiles(math.nan, np.array([1.0]), 2).known
    assert not percentiles(1.0, np.array([1.0, 1.0]), 1).known, "one alone is drawn the same each time"
    assert str(Interval(0.5, 0.25, 0.75)) == "0.500 [0.250, 0.750]"
    assert str(Interval(-0.0, math.nan, math.nan)) == "0.000"


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from("pqr"), st.booleans()), min_size=1, max_size=12))
def test_only_what_two_people_gave_has_an_interval(answers: list[tuple[str, bool]]) -> None:
    people, which = zip(*answers, strict=True)
    values, mask = np.arange(len(people), dtype=float), np.array(which)
    own = sample(people, 50)
    ours = {who for who, chosen in answers if chosen}
    others = {who for who, chosen in answers if not chosen}
    assert own.among(mask) == len(ours)
    assert not own.share(values, mask).known or len(ours) > 1
    assert not own.difference(values, mask, ~mask).known or min(len(ours), len(others)) > 1
    assert len(ours) < 3 or own.share(values, mask).known


def test_means_by_participant_and_condition() -> None:
    table = per_participant(
        np.array([1.0, 3.0, 5.0]), ["p", "p", "q"], np.array([0, 0, 1]), 2, lambda own: float(own.mean())
    )
    np.testing.assert_array_equal(table, [[2.0, math.nan], [math.nan, 5.0]])


def test_conditions_come_in_the_order_given() -> None:
    names, places = conditions_of(["b", "a", "b"], ("b", "a", "c"))
    assert names == ("b", "a", "c") and places.tolist() == [0, 1, 0]
    assert conditions_of(["b", "a"])[0] == ("a", "b")
    with pytest.raises(SettingError, match="no condition 'z' in the order a, b"):
        conditions_of(["z"], ("a", "b"))


def test_bad_input_is_refused_in_sentences() -> None:
    with pytest.raises(SettingError, match="nothing to draw from"):
        drawn(0)
    with pytest.raises(SettingError, match="must lie between 1 and 100,000"):
        drawn(3, 200_000)
    with pytest.raises(SettingError, match="ratings must be finite numbers"):
        numbers([1.0, math.nan], "ratings")
    with pytest.raises(SettingError, match=r"one line of numbers, not an array of shape \(1, 2\)"):
        numbers([[1.0, 2.0]], "ratings")
    with pytest.raises(SettingError, match="3 ratings, 2 participants"):
        same_length(ratings=[1, 2, 3], participants=[1, 2])


@pytest.mark.slow
def test_the_interval_covers_the_truth_though_answers_of_one_person_are_alike() -> None:
    generator = np.random.default_rng(11)
    covered, naive, rounds = 0, 0, 200
    people = np.repeat(np.arange(40), 10)
    everything = np.ones(400, dtype=bool)
    for number in range(rounds):
        values = generator.normal(size=40)[people] + 0.5 * generator.normal(size=400)
        found = sample(people, 400, number).share(values, everything)
        covered += found.low <= 0 <= found.high
        answers = sample(np.arange(400), 200, number).share(values, everything)
        naive += answers.low <= 0 <= answers.high
    assert 0.90 <= covered / rounds <= 0.99
    assert naive / rounds < 0.7, "drawing answers instead of people would promise too much"
