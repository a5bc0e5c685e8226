"""Exact Shapley values against orders enumerated by hand and against closed forms."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from decam.benchmark.known_answers.shapley import PairGame, coalitions, shapley, shuffled
from decam.errors import SettingError

WEIGHTS = st.lists(st.floats(-1, 1), min_size=4, max_size=4)


def by_orders(game: PairGame, players: int) -> list[float]:
    """The mean over all orders of what a player adds when it comes."""
    found = [0.0] * players
    orders = list(itertools.permutations(range(players)))
    for order in orders:
        there = torch.zeros(1, players)
        for player in order:
            before = float(game.raw(there))
            there[0, player] = 1
            found[player] += (float(game.raw(there)) - before) / len(orders)
    return found


def test_coalitions_are_all_sets_once() -> None:
    rows = {tuple(row) for row in coalitions(3).int().tolist()}
    assert rows == set(itertools.product((0, 1), repeat=3))


@pytest.mark.slow
@given(WEIGHTS, WEIGHTS)
def test_values_are_the_mean_over_all_orders(singles: list[float], weights: list[float]) -> None:
    game = PairGame(tuple(singles), tuple(zip((0, 0, 1, 2), (1, 2, 3, 3), weights, strict=True)))
    assert shapley(game.raw, 4) == pytest.approx(by_orders(game, 4), abs=1e-5)


def test_half_of_a_pair_belongs_to_each_and_sixteen_players_are_enumerated() -> None:
    game = PairGame((0.0,) * 15 + (0.25,), ((2, 7, 1.0), (2, 3, -0.5)))
    found = shapley(game.raw, 16)
    expected = np.zeros(16)
    expected[[2, 3, 7, 15]] = 0.25, -0.25, 0.5, 0.25
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
@given(WEIGHTS, st.permutations(range(4)))
def test_players_move_with_their_values(weights: list[float], order: list[int]) -> None:
    game = PairGame(tuple(weights), ((0, 1, 0.5),))
    before, after = shapley(game.raw, 4), shapley(shuffled(game, order).raw, 4)
    assert after[list(order)] == pytest.approx(before, abs=1e-6)


def test_a_scaled_game_reaches_zero_and_one() -> None:
    worth = PairGame((0.3, -0.2, 0.1), ((0, 1, 0.7),)).scaled()(coalitions(3))
    assert float(worth.min()) == pytest.approx(0, abs=1e-6) and float(worth.max()) == pytest.approx(1, abs=1e-6)


def test_more_players_than_can_be_enumerated_are_refused() -> None:
    with pytest.raises(SettingError, match="17 players"):
        coalitions(17)
