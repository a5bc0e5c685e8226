"""The proportional odds model beside closed forms, logistic regression, and a plain likelihood searched blindly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from decam.errors import SettingError
from decam.studies.analysis.cumulative_link import CumulativeLink, fit


def answers(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    conditions, points = np.indices(counts.shape)
    return np.repeat(points.ravel() + 1, counts.ravel()), np.repeat(conditions.ravel(), counts.ravel())


def fit_counts(counts: list[list[int]]) -> CumulativeLink:
    table = np.array(counts)
    return fit(*answers(table), table.shape[1])


def test_two_categories_and_two_groups_are_the_table_of_four() -> None:
    found = fit_counts([[30, 10], [12, 24]])
    (odds,) = found.odds
    expected = math.log(24 * 30 / (12 * 10))
    error = math.sqrt(1 / 30 + 1 / 10 + 1 / 12 + 1 / 24)
    assert odds.coefficient == pytest.approx(expected, abs=1e-6)
    assert odds.error == pytest.approx(error, abs=1e-6)
    reach = 1.959964 * error
    assert (odds.odds_ratio.low, odds.odds_ratio.high) == pytest.approx(
        (math.exp(expected - reach), math.exp(expected + reach)), rel=1e-5
    )
    assert found.thresholds[0] == pytest.approx(math.log(30 / 10), abs=1e-6)


def test_two_categories_are_logistic_regression() -> None:
    counts = np.array([[20, 15], [9, 30], [25, 5]])
    found = fit_counts(counts.tolist())
    design = np.array([[1.0, 0, 0], [1, 1, 0], [1, 0, 1]])
    beta = np.zeros(3)
    for _ in range(50):  # iteratively reweighted least squares
        share = expit(design @ beta)
        weight = counts.sum(axis=1) * share * (1 - share)
        information = design.T @ (weight[:, None] * design)
        beta += np.linalg.solve(information, design.T @ (counts[:, 1] - counts.sum(axis=1) * share))
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    assert [one.coefficient for one in found.odds] == pytest.approx(beta[1:].tolist(), abs=1e-6)
    assert [one.error for one in found.odds] == pytest.approx(errors[1:].tolist(), abs=1e-6)


def test_two_groups_are_what_a_blind_search_of_the_plain_likelihood_finds() -> None:
    counts = np.array([[8, 12, 20, 7, 3], [2, 6, 15, 18, 9]])

    def loss(parameters: np.ndarray) -> float:
        cuts = np.cumsum(np.concatenate((parameters[:1], np.exp(parameters[1:4]))))
        total = 0.0
        for group in range(2):
            upto = [0.0, *(1 / (1 + math.exp(parameters[4] * group - cut)) for cut in cuts), 1.0]
            total -= sum(n * math.log(upto[k + 1] - upto[k]) for k, n in enumerate(counts[group]))
        return total

    options = {"xatol": 1e-10, "fatol": 1e-12, "maxiter": 40_000, "maxfev": 40_000}
    blind = minimize(loss, [-1.5, 0, 0, 0, 0.5], method="Nelder-Mead", options=options)
    found = fit_counts(counts.tolist())
    assert found.log_likelihood == pytest.approx(-blind.fun, abs=1e-7)
    assert found.odds[0].coefficient == pytest.approx(blind.x[4], abs=1e-4)
    cuts = np.cumsum(np.concatenate((blind.x[:1], np.exp(blind.x[1:4]))))
    np.testing.assert_allclose(found.thresholds, cuts, atol=1e-4)


def test_the_errors_are_those_of_the_curvature_by_differences() -> None:
    counts = np.array([[8, 12, 20], [2, 6, 15], [9, 3, 4]])
    found = fit_counts(counts.tolist())

    def loss(parameters: np.ndarray) -> float:
        total = 0.0
        for group in range(3):
            shift = 0.0 if group == 0 else parameters[1 + group]
            upto = [0.0, *expit(parameters[:2] - shift), 1.0]
            total -= sum(n * math.log(upto[k + 1] - upto[k]) for k, n in enumerate(counts[group]))
        return total

    best = np.array([*found.thresholds, *(one.coefficient for one in found.odds)])
    step = 1e-4
    bend = np.empty((4, 4))
    for i, j in np.ndindex(4, 4):
        moves = [np.eye(4)[i] * step * a + np.eye(4)[j] * step * b for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
        plus, up, down, minus = (loss(best + move) for move in moves)
        bend[i, j] = (plus - up - down + minus) / (4 * step**2)
    errors = np.sqrt(np.diag(np.linalg.inv(bend)))
    assert [one.error for one in found.odds] == pytest.approx(errors[2:].tolist(), rel=1e-4)


def test_the_truth_is_found_in_many_answers() -> None:
    cuts, shifts = np.array([-1.0, 0.5, 1.5]), np.array([0.0, 0.8, -0.4])
    edges = np.hstack((np.zeros((3, 1)), expit(cuts - shifts[:, None]), np.ones((3, 1))))
    found = fit_counts(np.rint(1e5 * np.diff(edges, axis=1)).astype(int).tolist())
    np.testing.assert_allclose(found.thresholds, cuts, atol=1e-3)
    assert [one.coefficient for one in found.odds] == pytest.approx([0.8, -0.4], abs=1e-3)
    assert found.reference == 0 and found.p < 1e-10


def test_points_that_nobody_chose_change_nothing() -> None:
    ratings, conditions = answers(np.array([[8, 12, 20], [2, 6, 15]]))
    spread = fit(2 * ratings, conditions, 7)
    plain = fit(ratings, conditions, 3)
    assert spread.points == (2, 4, 6)
    assert spread.odds == plain.odds


def test_errors_over_participants_are_the_sandwich_by_hand() -> None:
    generator = np.random.default_rng(4)
    people = np.repeat(np.arange(20), 8)
    conditions = people % 2
    right = generator.random(160) < expit(conditions * 0.7 + 1.5 * generator.normal(size=20)[people])
    found = fit(right + 1, conditions, 2, participants=people)
    design = np.stack([-np.ones(160), conditions], axis=1).astype(float)  # of logit P(high), by threshold and β
    share = np.array([right[conditions == one].mean() for one in (0, 1)])[conditions]
    bread = np.linalg.inv(design.T @ ((share * (1 - share))[:, None] * design))
    scores = (right - share)[:, None] * design
    by_person = np.array([scores[people == one].sum(axis=0) for one in range(20)])
    covariance = bread @ (by_person.T @ by_person) @ bread * 20 / 19
    assert found.clustered
    assert found.odds[0].error == pytest.approx(math.sqrt(covariance[1, 1]), rel=1e-6)
    plain = fit(right + 1, conditions, 2)
    assert found.odds[0].coefficient == plain.odds[0].coefficient and found.odds[0].error > plain.odds[0].error


def test_no_difference_has_an_odds_ratio_of_one() -> None:
    found = fit_counts([[5, 9, 4], [5, 9, 4]])
    assert found.odds[0].odds_ratio.value == pytest.approx(1, abs=1e-6)
    assert found.likelihood_ratio == pytest.approx(0, abs=1e-6) and found.p == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("counts", [[[5, 5, 0], [0, 0, 9]], [[0, 0, 9], [5, 5, 0]], [[6, 0, 0], [0, 2, 7]]])
def test_clean_separation_is_said_and_gives_no_false_interval(counts: list[list[int]]) -> None:
    found = fit_counts(counts)
    (odds,) = found.odds
    assert odds.odds_ratio.value in (0.0, math.inf) and not odds.odds_ratio.known
    assert "no finite estimate" in found.note()
    assert found.p < 0.01


@pytest.mark.parametrize(("people", "known"), [
    ("ppppppppp", [False, False]), ("pqrpqrppp", [True, False]), ("ppppqrpqr", [False, False]),
    ("pqrpqrpqr", [True, True]),
])  # fmt: skip
def test_a_condition_that_one_person_rated_has_neither_interval_nor_p(people: str, known: list[bool]) -> None:
    found = fit([1, 2, 3, 2, 3, 3, 1, 1, 3], list("aaabbbccc"), 3, participants=list(people))
    assert [one.odds_ratio.known for one in found.odds] == known
    assert [math.isfinite(one.p) for one in found.odds] == known
    assert found.note() == ""


def test_one_condition_or_one_rating_is_refused() -> None:
    with pytest.raises(SettingError, match="two conditions and two different ratings, but has 1 and 2"):
        fit([1, 2], ["a", "a"], 5)
    with pytest.raises(SettingError, match="has 2 and 1"):
        fit([3, 3], ["a", "b"], 5)
