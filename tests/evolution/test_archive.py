"""The archive: what it holds, and that it never holds too much."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from decam.evolution.archive import Archive


def vectors(*values: int) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).unsqueeze(1)


def empty(capacity: int) -> Archive:
    return Archive(capacity, 1, torch.float64, torch.device("cpu"))


def held(archive: Archive) -> list[int]:
    return [int(value) for value in archive.vectors.flatten().tolist()]


def test_vectors_are_held_in_their_order_until_it_is_full() -> None:
    archive = empty(4)
    archive.add(vectors(1, 2), 3)
    archive.add(vectors(3), 1)
    assert held(archive) == [1, 2, 3]


def test_newcomers_that_find_no_free_place_replace_a_run_that_may_pass_the_end() -> None:
    archive = empty(4)
    archive.add(vectors(1, 2, 3), 0)
    archive.add(vectors(4, 5, 6), 3)
    assert held(archive) == [6, 2, 3, 5]


def test_of_more_vectors_than_it_can_hold_the_first_are_held() -> None:
    archive = empty(2)
    archive.add(vectors(1, 2, 3), 0)
    assert held(archive) == [1, 2]


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 9), st.lists(st.tuples(st.integers(0, 12), st.integers(0, 100)), max_size=8), st.integers(0, 9))
def test_it_never_holds_more_than_its_capacity_and_nothing_but_what_was_added(
    capacity: int, additions: list[tuple[int, int]], later: int
) -> None:
    archive, given_in = empty(capacity), 0
    for number, (count, turn) in enumerate(additions):
        if number == len(additions) // 2:
            archive.shrink(min(capacity, later))
        before = held(archive)
        newcomers = list(range(given_in, given_in + count))
        given_in += count
        archive.add(vectors(*newcomers), turn % max(1, archive.capacity))
        after = held(archive)
        assert len(after) == min(archive.capacity, len(before) + count)
        assert set(after) <= set(before) | set(newcomers)
        assert len(set(after)) == len(after)


def test_shrinking_drops_what_has_no_place() -> None:
    archive = empty(5)
    archive.add(vectors(1, 2, 3, 4), 0)
    archive.shrink(2)
    assert held(archive) == [1, 2]
