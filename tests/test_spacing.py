"""Few of many: no more than are asked for, in order, both ends among them, and as far apart as can be."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.spacing import evenly


@pytest.mark.slow
@given(st.integers(1, 5000), st.integers(2, 400))
def test_both_ends_are_there_and_steps_differ_by_one_at_most(count: int, most: int) -> None:
    chosen = evenly(count, most)
    assert len(chosen) == min(count, most) and chosen == sorted(set(chosen))
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    steps = {after - before for before, after in itertools.pairwise(chosen)}
    assert not steps or max(steps) - min(steps) <= 1
