"""Utility by hand: areas of straight lines, ratios of counts, resamples one by one."""

from __future__ import annotations

import numpy as np
import pytest

from decam.errors import SettingError
from decam.intervals import drawn
from decam.studies.analysis.utility import mean_height, utilities


def study(rates: dict[str, dict[int, float]], people: int = 10, trials: int = 20) -> dict[str, list]:
    rows: dict[str, list] = {"right": [], "conditions": [], "trainings": [], "participants": []}
    for condition, by_training in rates.items():
        for person in range(people):
            for training, rate in by_training.items():
                for trial in range(trials):
                    rows["right"].append(trial < round(rate * trials))
                    rows["conditions"].append(condition)
                    rows["trainings"].append(training)
                    rows["participants"].append(f"{condition} {person}")
    return rows


def test_utility_of_known_accuracies() -> None:
    rows = study({"none": {5: 0.5, 10: 0.5, 15: 0.5}, "map": {5: 0.5, 10: 0.75, 15: 1.0}})
    control, method = utilities(**rows, control="none", order=("none", "map"), resamples=50)
    assert [one.value for one in method.accuracy] == [0.5, 0.75, 1.0]
    assert [one.value for one in method.utility_k] == [1.0, 1.5, 2.0]
    assert method.utility.value == pytest.approx(1.5) and method.gain.value == pytest.approx(0.25)
    assert control.utility.value == 1 and control.gain.value == 0
    assert (method.trainings, method.participants) == ((5, 10, 15), 10)
    assert (method.utility.low, method.utility.high) == pytest.approx((1.5, 1.5)), "all people are alike here"


@pytest.mark.parametrize("alone", ["none", "map"])
def test_a_condition_of_one_person_leaves_utility_without_an_interval(alone: str) -> None:
    rows = study({"none": {5: 0.5, 10: 0.5}, "map": {5: 0.5, 10: 0.75}}, people=3)
    kept = [place for place, who in enumerate(rows["participants"]) if who not in (f"{alone} 1", f"{alone} 2")]
    fewer = {name: [values[place] for place in kept] for name, values in rows.items()}
    found = dict(
        zip(("none", "map"), utilities(**fewer, control="none", order=("none", "map"), resamples=50), strict=True)
    )
    assert found["map"].utility.value == pytest.approx(1.25)
    assert not any(one.known for one in (found["map"].utility, found["map"].gain, *found["map"].utility_k))
    assert {name: one.accuracy[0].known for name, one in found.items()} == {
        "none": alone != "none",
        "map": alone != "map",
    }


def test_the_height_is_that_of_a_straight_line_at_uneven_steps() -> None:
    steps = np.array([1.0, 2.0, 7.0])
    assert mean_height(np.array([2 * steps + 1]), steps)[0] == pytest.approx(2 * 4 + 1)
    assert mean_height(np.array([[0.7]]), np.array([5.0]))[0] == 0.7


def test_resamples_draw_people_within_each_condition() -> None:
    generator = np.random.default_rng(0)
    right = generator.random(240) < 0.6
    conditions = np.repeat(["c", "m"], 120)
    people = np.repeat(np.arange(12), 20)
    found = utilities(right, conditions, np.full(240, 5), people, "c", resamples=300, seed=4)[1]
    own = right.reshape(12, 20).mean(axis=1)
    ratios = (drawn(6, 300, 5) @ own[6:] / 6) / (drawn(6, 300, 4) @ own[:6] / 6)
    assert (found.utility.low, found.utility.high) == pytest.approx(tuple(np.quantile(ratios, (0.025, 0.975))))
    assert found.utility == found.utility_k[0]


def test_bad_designs_are_refused_in_sentences() -> None:
    rows = study({"none": {5: 0.0}, "map": {5: 0.5}})
    with pytest.raises(SettingError, match="Nobody of 'none' was right"):
        utilities(**rows, control="none")
    with pytest.raises(SettingError, match="no condition 'other'; there are: map, none"):
        utilities(**rows, control="other")
    with pytest.raises(SettingError, match="'map' has no answers after some number of training trials"):
        utilities(**study({"none": {5: 0.5, 10: 0.5}, "map": {5: 0.5}}), control="none")
