"""Pairs and sides of forced choices, counted; sides of single participants against all ways there are."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.errors import SettingError
from decam.studies.assignment.chance import Chance, Use
from decam.studies.assignment.pairs import Pair, all_pairs, sided


@pytest.mark.parametrize("conditions", range(2, 14))
def test_pairs_come_in_rounds_in_which_everybody_plays_once(conditions: int) -> None:
    pairs = all_pairs(conditions)
    assert sorted(pairs) == list(combinations(range(conditions), 2))
    games = conditions // 2
    for start in range(0, len(pairs), games):
        players = [one for pair in pairs[start : start + games] for one in pair]
        assert len(set(players)) == 2 * games


@pytest.mark.parametrize("conditions", [0, 1])
def test_a_forced_choice_of_one_condition_is_refused(conditions: int) -> None:
    with pytest.raises(SettingError, match="needs at least two conditions"):
        all_pairs(conditions)


def lean(row: list[Pair], conditions: int) -> int:
    """How much oftener a condition stands on one side than on the other, at most."""
    left, right = (Counter(pair[side] for pair in row) for side in (0, 1))
    return max(abs(left[one] - right[one]) for one in range(conditions))


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(st.data())
def test_each_pair_stands_each_way_equally_often_whatever_the_pairs(data: st.DataObject) -> None:
    conditions = data.draw(st.integers(2, 6))
    pairs = all_pairs(conditions)
    some = st.lists(st.sampled_from(pairs), max_size=12)
    surplus, chance = (0,) * len(pairs), Chance(data.draw(st.integers(0, 9)), Use.SIDES)
    ways: Counter[Pair] = Counter()
    for _part in range(2):
        rows = data.draw(st.lists(some, max_size=12))
        found, surplus = sided(rows, pairs, surplus, chance)
        assert [[tuple(sorted(pair)) for pair in row] for row in found] == rows
        ways.update(pair for row in found for pair in row)
        assert surplus == tuple(ways[pair] - ways[pair[::-1]] for pair in pairs)
        assert max(map(abs, surplus)) <= 1


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 7), st.integers(0, 50), st.integers(0, 30))
def test_a_single_participant_has_each_condition_left_as_often_as_right(
    conditions: int, trials: int, seed: int
) -> None:
    pairs = all_pairs(conditions)
    chance = Chance(seed, Use.COLOURS)
    row = [pairs[chance.whole(len(pairs))] for _ in range(trials)]
    found, _ = sided([row], pairs, (0,) * len(pairs), chance)
    assert lean(found[0], conditions) <= 1


def test_where_both_balances_cannot_be_had_the_pairs_are_balanced() -> None:
    rows: list[list[Pair]] = [[(0, 1), (1, 2)], [(1, 2), (0, 2)], [(0, 2), (0, 1)]]

    def balanced(signs: tuple[int, ...]) -> tuple[bool, bool]:
        turned = iter(signs)
        sides = [[pair if next(turned) > 0 else pair[::-1] for pair in row] for row in rows]
        ways = Counter(pair for row in sides for pair in row)
        return all(ways[one] == ways[one[::-1]] for one in all_pairs(3)), all(lean(row, 3) <= 1 for row in sides)

    assert (True, True) not in {balanced(signs) for signs in product((1, -1), repeat=6)}
    found, surplus = sided(rows, all_pairs(3), (0, 0, 0), Chance(0, Use.SIDES))
    assert surplus == (0, 0, 0)
    assert sum(lean(row, 3) > 1 for row in found) == 1
