"""Strengths beside choix, the MM iteration written out, and closed forms for two and three items."""

from __future__ import annotations

import math
from itertools import permutations

import choix
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from decam.errors import SettingError
from decam.studies.analysis import luce
from decam.studies.analysis.preference import (
    Strengths,
    bradley_terry,
    comparisons,
    disconnection,
    plackett_luce,
    rankings,
    win_matrix,
)

FEW = 50
ABC = ("a", "b", "c")


def values(found: Strengths) -> np.ndarray:
    return np.array([one.value for one in found.values])


def answers_of(wins: np.ndarray) -> list[tuple[int, int]]:
    return [
        (winner, loser)
        for winner in range(len(wins))
        for loser in range(len(wins))
        for _ in range(int(wins[winner, loser]))
    ]


def plain_mm(wins: np.ndarray, rounds: int = 20_000) -> np.ndarray:
    """Hunter 2004, eq. 3, in loops."""
    items = len(wins)
    strength = np.ones(items)
    for _ in range(rounds):
        new = np.empty(items)
        for i in range(items):
            games = sum((wins[i, j] + wins[j, i]) / (strength[i] + strength[j]) for j in range(items) if j != i)
            new[i] = wins[i].sum() / games
        new /= new.sum()
        if np.abs(new - strength).max() < 1e-14:
            break
        strength = new
    logs = np.log(strength)
    return logs - logs.mean()


def plain_mm_of_rankings(orders: list[tuple[int, ...]], items: int) -> np.ndarray:
    """Hunter 2004, section 5, in loops."""
    strength = np.ones(items)
    for _ in range(20_000):
        wins, games = np.zeros(items), np.zeros(items)
        for order in orders:
            for place in range(len(order) - 1):
                left = order[place:]
                wins[order[place]] += 1
                for one in left:
                    games[one] += 1 / sum(strength[other] for other in left)
        new = wins / games
        new /= new.sum()
        if np.abs(new - strength).max() < 1e-14:
            break
        strength = new
    logs = np.log(strength)
    return logs - logs.mean()


def fit(wins: np.ndarray, **more: int) -> Strengths:
    pairs = answers_of(wins)
    names = [f"item {place}" for place in range(len(wins))]
    return bradley_terry(comparisons(names, *zip(*pairs, strict=True), range(len(pairs))), resamples=FEW, **more)


def test_two_items_have_the_log_odds_of_the_wins() -> None:
    found = fit(np.array([[0, 30], [10, 0]]))
    np.testing.assert_allclose(values(found), [math.log(3) / 2, -math.log(3) / 2], atol=1e-8)
    assert found.beats(0, 1).value == pytest.approx(0.75)
    assert (found.alpha, found.note, found.answers, found.participants) == (0, "", 40, 40)


def test_three_items_in_proportion_have_the_strengths_they_were_made_from() -> None:
    strength = np.array([4.0, 2.0, 1.0])
    wins = 60 * strength[:, None] / (strength[:, None] + strength[None, :])  # 40, 48, 40 …
    np.fill_diagonal(wins, 0)
    assert np.allclose(wins, np.rint(wins))
    expected = np.log(strength) - np.log(strength).mean()
    np.testing.assert_allclose(values(fit(wins)), expected, atol=1e-7)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.integers(3, 5).flatmap(lambda n: st.lists(st.integers(1, 20), min_size=n * n, max_size=n * n)))
def test_strengths_are_those_of_mm_and_of_choix_and_of_newton(cells: list[int]) -> None:
    items = math.isqrt(len(cells))
    wins = np.array(cells, dtype=float).reshape(items, items)
    np.fill_diagonal(wins, 0)
    expected = plain_mm(wins)
    np.testing.assert_allclose(values(fit(wins)), expected, atol=1e-6)
    np.testing.assert_allclose(choix.opt_pairwise(items, answers_of(wins), alpha=1e-9, tol=1e-10), expected, atol=1e-4)
    newton = luce.log_strengths(luce.pairs(items), wins[~np.eye(items, dtype=bool)][None])
    np.testing.assert_allclose(newton[0], expected, atol=1e-8)


def test_a_tie_is_half_a_win_for_both() -> None:
    tied = comparisons("ab", [0, 0, 1, 0], [1, 1, 0, 1], range(4), [False, False, False, True])
    np.testing.assert_array_equal(win_matrix(tied), [[0, 2.5], [1.5, 0]])
    found = bradley_terry(tied, resamples=FEW)
    assert found.values[0].value - found.values[1].value == pytest.approx(math.log(2.5 / 1.5))
    swapped = comparisons("ab", [0, 0, 1, 1], [1, 1, 0, 0], range(4), [False, False, False, True])
    np.testing.assert_array_equal(win_matrix(swapped), win_matrix(tied))


def test_probabilities_of_a_pair_sum_to_one() -> None:
    found = fit(np.array([[0, 5, 9], [4, 0, 3], [2, 6, 0]]))
    shares = found.probabilities()
    np.testing.assert_allclose(shares + shares.T, np.ones((3, 3)))
    assert shares[0, 2] == pytest.approx(found.beats(0, 2).value)
    assert found.beats(0, 2).low <= found.beats(0, 2).value <= found.beats(0, 2).high


def test_resamples_are_fits_of_the_answers_of_the_people_drawn() -> None:
    generator = np.random.default_rng(1)
    people = np.repeat(np.arange(6), 15)
    first = generator.integers(3, size=90)
    second = (first + generator.integers(1, 3, size=90)) % 3
    found = bradley_terry(comparisons(ABC, first, second, people), resamples=20, seed=5)
    counts = np.random.default_rng(5).multinomial(6, np.full(6, 1 / 6), size=20)
    for row, times in zip(found.samples, counts, strict=True):
        pairs = [(a, b) for a, b, who in zip(first, second, people, strict=True) for _ in range(times[who])]
        np.testing.assert_allclose(row, choix.ilsr_pairwise(3, pairs), atol=1e-6)
    ends = np.quantile(found.samples[:, 0], (0.025, 0.975))
    assert (found.values[0].low, found.values[0].high) == pytest.approx(tuple(ends))


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others() -> None:
    wins = np.array([[0, 12], [7, 0]])
    assert fit(wins, seed=3) == fit(wins, seed=3)
    assert fit(wins, seed=3).values != fit(wins, seed=4).values


def test_an_item_that_always_wins_has_finite_strength_and_the_note_says_why() -> None:
    found = fit(np.array([[0, 50, 50], [0, 0, 5], [0, 5, 0]]))
    assert found.note == (
        "item 0 never lost to any other item, so the comparisons alone set no upper limit to strength. "
        "Each pair was therefore given 0.1 wins in both directions."
    )
    assert found.alpha == 0.1 and found.regularised == FEW
    assert np.isfinite(found.samples).all() and all(one.known for one in found.values)
    virtual = np.array([[0, 50.1, 50.1], [0.1, 0, 5.1], [0.1, 5.1, 0]])
    np.testing.assert_allclose(values(found), plain_mm(virtual), atol=1e-6)


def test_items_never_compared_with_the_others_are_named() -> None:
    wins = np.array([[0, 3, 0, 0], [2, 0, 0, 0], [0, 0, 0, 4], [0, 0, 4, 0]], dtype=float)
    assert disconnection("abcd", wins) == (
        "Nobody compared items of different groups, so nothing places these together: a and b; c and d."
    )
    assert disconnection("abcd", wins + wins[::-1, ::-1].T + np.roll(wins, 1, axis=0)) == ""


def test_all_items_that_never_lost_are_named() -> None:
    wins = np.array([[0, 0, 2, 0], [0, 0, 1, 3], [0, 0, 0, 1], [0, 0, 1, 0]], dtype=float)
    assert disconnection("abcd", wins) == (
        "a and b never lost to any other item, so the comparisons alone set no upper limit to strength."
    )


@pytest.mark.parametrize(("wins", "best"), [
    ([[0, 4, 6], [4, 0, 6], [2, 2, 0]], ("item 0", "item 1")),
    ([[0, 3, 3], [3, 0, 3], [3, 3, 0]], ("item 0", "item 1", "item 2")),
    ([[0, 5, 6], [4, 0, 6], [2, 2, 0]], ("item 0",)),
])  # fmt: skip
def test_all_of_the_strongest_items_are_named(wins: list[list[int]], best: tuple[str, ...]) -> None:
    assert fit(np.array(wins)).best == best


def test_one_person_alone_gives_no_interval() -> None:
    answers = comparisons("ab", [0, 0, 1], [1, 1, 0], ["p", "p", "p"])
    found = bradley_terry(answers, resamples=FEW)
    assert values(found)[0] == pytest.approx(math.log(2) / 2, abs=1e-6)
    assert not any(one.known for one in (*found.values, found.beats(0, 1)))
    ranked = plackett_luce(rankings("ab", [[0, 1], [0, 1], [1, 0]], ["p", "p", "p"]), resamples=FEW)
    assert not any(one.known for one in ranked.values)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), min_size=16, max_size=16))
def test_connected_is_what_ford_says(cells: list[bool]) -> None:
    wins = np.array(cells, dtype=float).reshape(4, 4)
    np.fill_diagonal(wins, 0)
    parts = [[bool(number >> item & 1) for item in range(4)] for number in range(1, 15)]
    every = all(wins[np.ix_(np.array(part), ~np.array(part))].any() for part in parts)
    assert bool(luce.connected(wins[None])[0]) == every
    assert (disconnection("abcd", wins) == "") == every


def test_a_resample_that_is_not_connected_is_regularised_and_counted() -> None:
    found = bradley_terry(comparisons("ab", [0, 0, 0, 1], [1, 1, 1, 0], range(4)), resamples=200)
    assert found.alpha == 0 and 0 < found.regularised < 200
    assert found.note.startswith(f"{found.regularised} of 200 resamples did not connect all items")
    assert np.isfinite(found.samples).all()


@pytest.mark.parametrize("wins", [1, 10_000])
def test_extreme_answers_have_finite_strengths(wins: int) -> None:
    found = fit(np.array([[0, wins], [0, 0]]))
    assert values(found)[0] == pytest.approx(math.log((wins + 0.1) / 0.1) / 2, abs=1e-5)
    orders = rankings(ABC, [[0, 1, 2]] * 40, range(40))
    ranked = plackett_luce(orders, resamples=FEW)
    assert np.isfinite(values(ranked)).all() and np.isfinite(ranked.samples).all()
    assert list(np.argsort(-values(ranked))) == [0, 1, 2] and "never lost" in ranked.note


@pytest.mark.slow
def test_rankings_are_those_of_choix_and_of_mm() -> None:
    generator = np.random.default_rng(2)
    true = np.array([1.0, 0.3, 0.0, -0.4, -0.9])
    orders = [tuple(np.argsort(-(true + generator.gumbel(size=5))).tolist()) for _ in range(120)]
    orders += [order[1:4] for order in orders[:40]]  # some rank three items only
    found = plackett_luce(rankings("abcde", orders, np.arange(160) % 20), resamples=FEW)
    np.testing.assert_allclose(values(found), choix.mm_rankings(5, orders, tol=1e-12), atol=1e-7)
    np.testing.assert_allclose(values(found), plain_mm_of_rankings(orders, 5), atol=1e-7)
    assert found.note == "" and found.participants == 20 and found.answers == 160


def test_each_order_once_makes_all_items_alike() -> None:
    orders = list(permutations(range(3)))
    found = plackett_luce(rankings(ABC, orders, range(6)), resamples=FEW)
    np.testing.assert_allclose(values(found), 0, atol=1e-9)


def test_rankings_of_two_are_comparisons() -> None:
    pairs = [(0, 1)] * 7 + [(1, 0)] * 3 + [(1, 2)] * 4 + [(2, 1)] * 4 + [(2, 0)] * 5 + [(0, 2)] * 2
    who = np.arange(len(pairs)) % 5
    ranked = plackett_luce(rankings(ABC, pairs, who), resamples=FEW)
    compared = bradley_terry(comparisons(ABC, *zip(*pairs, strict=True), who), resamples=FEW)
    np.testing.assert_allclose(values(ranked), values(compared), atol=1e-6)
    np.testing.assert_allclose(ranked.samples, compared.samples, atol=1e-6)


def test_bad_answers_are_refused_in_sentences() -> None:
    with pytest.raises(SettingError, match="'b' was compared with itself"):
        comparisons(ABC, [0, 1], [1, 1], [0, 0])
    with pytest.raises(SettingError, match="no item at place 3; places go from 0 to 2"):
        comparisons(ABC, [3], [1], [0])
    with pytest.raises(SettingError, match="2 winners, 1 losers"):
        comparisons(ABC, [0, 1], [1], [0, 0])
    with pytest.raises(SettingError, match="two or more items to compare"):
        comparisons("a", [0], [1], [0])
    with pytest.raises(SettingError, match="no answers to analyse"):
        comparisons(ABC, [], [], [])
    with pytest.raises(SettingError, match=r"each once, not \[0, 0\]"):
        rankings(ABC, [[0, 0]], [0])
    with pytest.raises(SettingError, match="alpha is 0"):
        bradley_terry(comparisons(ABC, [0], [1], [0]), alpha=0)
    with pytest.raises(SettingError, match="number of resamples is 0"):
        bradley_terry(comparisons(ABC, [0], [1], [0]), resamples=0)


def test_newton_says_where_there_is_no_finite_estimate() -> None:
    with pytest.raises(SettingError, match="no finite estimate"):
        luce.log_strengths(luce.pairs(2), np.array([[5.0, 0.0]]))


@pytest.mark.slow
def test_intervals_cover_the_true_strengths_as_often_as_they_say() -> None:
    generator = np.random.default_rng(7)
    true = np.array([0.6, 0.0, -0.6])
    covered, rounds, people, each = 0, 300, 40, 9
    for number in range(rounds):
        who = np.repeat(np.arange(people), each)
        first = generator.integers(3, size=len(who))
        second = (first + generator.integers(1, 3, size=len(who))) % 3
        won = generator.random(len(who)) < expit(true[first] - true[second])
        winners, losers = np.where(won, first, second), np.where(won, second, first)
        found = bradley_terry(comparisons(ABC, winners, losers, who), resamples=400, seed=number)
        covered += found.values[0].low <= true[0] <= found.values[0].high
    assert 0.90 <= covered / rounds <= 0.985
