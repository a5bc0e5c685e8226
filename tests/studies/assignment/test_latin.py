"""Williams squares against their definition, counted cell by cell."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.errors import SettingError
from decam.studies.assignment.latin import rounds, rows, williams, williams_row


@pytest.mark.parametrize("count", range(2, 13))
def test_a_square_is_balanced_for_position_and_first_order_carry_over(count: int) -> None:
    square = williams(count)
    assert len(square) == (count if count % 2 == 0 else 2 * count)
    assert all(sorted(row) == list(range(count)) for row in square)
    positions = Counter((place, one) for row in square for place, one in enumerate(row))
    assert len(positions) == count**2 and set(positions.values()) == {len(square) // count}
    neighbours = Counter(pair for row in square for pair in pairwise(row))
    assert len(neighbours) == count * (count - 1) and set(neighbours.values()) == {len(square) // count}


def test_the_square_of_four_is_that_of_the_textbook() -> None:
    assert williams(4) == ((0, 1, 3, 2), (1, 2, 0, 3), (2, 3, 1, 0), (3, 0, 2, 1))


@given(st.integers(1, 30), st.integers(0, 1000))
def test_rows_past_the_last_begin_the_square_again(count: int, number: int) -> None:
    assert williams_row(count, number) == williams(count)[number % rows(count)]


@given(st.integers(2, 9), st.integers(1, 7))
def test_rounds_have_each_condition_at_each_place_equally_often_and_never_twice_in_a_row(
    count: int, turns: int
) -> None:
    orders = [[one for row in rounds(count, number, turns) for one in row] for number in range(rows(count))]
    assert all(one != other for order in orders for one, other in pairwise(order))
    for place in range(count * turns):
        assert set(Counter(order[place] for order in orders).values()) == {rows(count) // count}
        assert len({order[place] for order in orders}) == count


def test_an_order_of_nothing_is_refused() -> None:
    with pytest.raises(SettingError, match="needs at least one condition; there are 0"):
        williams(0)
