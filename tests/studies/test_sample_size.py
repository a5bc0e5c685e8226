"""Sample sizes follow the study's own trials, and agree with a formula where there is one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.stats import nct, t, ttest_ind

from decam.intervals import Interval
from decam.studies.analysis.power import PowerAt, PowerCurve, SimulatedRatings
from decam.studies.design import Study, StudyError
from decam.studies.sample_size import SampleSettings, plans, sample_size, sentence
from tests.studies.finishing import finished
from tests.studies.studies import block, study, whole


def test_each_study_has_the_plans_of_its_tasks() -> None:
    assert [plan.result for plan in plans(whole())] == ["preference", "ratings", "accuracy"]
    assert [plan.result for plan in plans(study(block("trials", task="rating")))] == ["ratings"]
    assert plans(study(block("trials", task="clicks"))) == ()


def test_assumptions_follow_the_studys_trials() -> None:
    made = study(block("trials", task="rating", task_points="7"), count=9)
    assumed = plans(made)[0].assumed(made)
    assert isinstance(assumed, SimulatedRatings)
    assert (assumed.points, assumed.trials) == (7, 3)  # nine trials over three conditions


@pytest.mark.slow
def test_power_is_that_of_the_t_test_where_nothing_is_rounded() -> None:
    made = study(block("trials", task="rating"))
    plan = plans(made)[0]
    assumed = SimulatedRatings(
        difference=0.5, deviation=1.0, between=0.0, of_difference=0.0, mean=6, points=11, trials=4
    )
    found = finished(sample_size(made, plan, assumed, SampleSettings(fewest=8, most=26, repetitions=1000)))
    for one in found.sizes:
        # Differences of means of four ratings, each of variance 1 + 1/12 for its rounding.
        noncentral = 0.5 / ((2 * (1 + 1 / 12) / 4) ** 0.5) * one.size**0.5
        bound = t.ppf(0.975, one.size - 1)
        expected = 1 - nct.cdf(bound, one.size - 1, noncentral) + nct.cdf(-bound, one.size - 1, noncentral)
        assert one.power.value == pytest.approx(expected, abs=0.06)


def between(made: Study) -> Study:
    """The study with one condition for each person."""
    return dataclasses.replace(made, assignment=dataclasses.replace(made.assignment, subjects="between"))


def test_people_who_see_one_condition_are_compared_with_other_people() -> None:
    made = between(study(block("trials", task="rating", task_points="7"), count=9))
    (plan,) = plans(made)
    assumed = plan.assumed(made)
    assert "each seen by other people" in plan.test_title
    assert assumed.trials == 9  # all of them show the one condition
    data = plan.simulator(made, assumed)(np.random.default_rng(0), 12)
    seen = {(int(who), int(condition)) for who, condition in zip(data.participants, data.conditions, strict=True)}
    # Three conditions are dealt in turn, and two are compared.
    assert seen == {(who, who % 3) for who in range(12) if who % 3 < 2}
    assert len(data.values) == 8 * 9
    means = [[data.values[data.participants == who].mean() for who in range(own, 12, 3)] for own in (0, 1)]
    assert plan.test(data) == pytest.approx(ttest_ind(*means, equal_var=False).pvalue)


def test_forced_choices_between_subjects_and_rankings_have_no_plan() -> None:
    assert plans(between(study(block("trials", task="forced-choice")))) == ()
    assert plans(study(block("trials", task="ranking"))) == ()


@pytest.mark.slow
def test_power_between_subjects_is_that_of_the_t_test_of_two_groups() -> None:
    made = between(study(block("trials", task="rating")))
    (plan,) = plans(made)
    assumed = SimulatedRatings(
        difference=0.5, deviation=1.0, between=0.0, of_difference=0.0, mean=6, points=11, trials=4
    )
    found = finished(sample_size(made, plan, assumed, SampleSettings(fewest=30, most=120, repetitions=600)))
    for one in found.sizes:
        group = one.size / 3  # three conditions
        noncentral = 0.5 / (2 * (1 + 1 / 12) / 4 / group) ** 0.5
        bound = t.ppf(0.975, 2 * group - 2)
        expected = 1 - nct.cdf(bound, 2 * group - 2, noncentral) + nct.cdf(-bound, 2 * group - 2, noncentral)
        assert one.power.value == pytest.approx(expected, abs=0.08)


@pytest.mark.slow
def test_no_effect_is_found_as_often_as_the_level_says_and_a_large_one_nearly_always() -> None:
    made = study(block("trials", task="forced-choice"), count=12)
    plan = plans(made)[0]
    for gap, low, high in ((0.0, 0.01, 0.1), (4.0, 0.95, 1.0)):
        assumed = type(plan.assumed(made))(gap=gap, spread=0.0)
        found = finished(sample_size(made, plan, assumed, SampleSettings(fewest=20, most=24, repetitions=300)))
        assert low <= sum(one.power.value for one in found.sizes) / len(found.sizes) <= high


def test_sizes_in_the_wrong_order_are_refused() -> None:
    made = study(block("trials", task="rating"))
    plan = plans(made)[0]
    with pytest.raises(StudyError, match="must be fewer"):
        sample_size(made, plan, plan.assumed(made), SampleSettings(fewest=60, most=60))


@pytest.mark.parametrize("least", [10, None])
def test_the_sentence_says_how_many_why_and_on_what_assumptions(least: int | None) -> None:
    made = study(block("trials", task="rating", task_points="7"), count=9)
    plan = plans(made)[0]
    sizes = tuple(PowerAt(size, 20, Interval(0.5, 0.3, 0.7), 0.075 * size) for size in (5, 10))
    found = PowerCurve(sizes, 0.7, 0.05, least)
    words = sentence(plan, plan.assumed(made), SampleSettings(repetitions=20), found)
    start = "10 people, for a power of 75 % where 70 % was wanted" if least else "No number of people up to 10 reaches"
    assert words.startswith(start)
    for part in ("20 simulated studies", "2 numbers of people", plan.test_title, "p below 0.05", "7 points, 3 trials"):
        assert part in words
