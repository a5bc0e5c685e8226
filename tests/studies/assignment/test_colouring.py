"""Equitable colourings against their definition."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.studies.assignment.chance import Chance, Use
from decam.studies.assignment.colouring import equitable

ROWS = st.lists(st.lists(st.integers(0, 9), unique=True, max_size=10), min_size=1, max_size=25)


def even(counts: Counter[int], colours: int) -> bool:
    numbers = [counts[colour] for colour in range(colours)]
    return max(numbers) - min(numbers) <= 1


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(ROWS, st.integers(1, 12), st.integers(0, 99))
def test_rows_columns_every_beginning_and_the_whole_have_all_colours_equally_often(
    rows: list[list[int]], colours: int, seed: int
) -> None:
    found = equitable(rows, colours, Chance(seed, Use.COLOURS))
    assert [len(row) for row in found] == [len(row) for row in rows]
    assert all(0 <= colour < colours for row in found for colour in row)
    assert all(even(Counter(row), colours) for row in found)
    columns: dict[int, Counter[int]] = {}
    for row, row_colours in zip(rows, found, strict=True):
        for column, colour in zip(row, row_colours, strict=True):
            columns.setdefault(column, Counter())[colour] += 1
            assert even(columns[column], colours)
    assert even(Counter(colour for row in found for colour in row), colours)
