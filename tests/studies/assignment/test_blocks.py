"""Block designs: exact ones by λ (v − 1) = r (k − 1) and by counting, others by counting and against bounds."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.errors import SettingError
from decam.studies.assignment.blocks import _Exchange, design
from decam.studies.assignment.chance import Chance, Use
from decam.studies.assignment.constructions import SINGER, _candidates, _searched, developed, known


def counted(blocks: tuple[tuple[int, ...], ...], stimuli: int) -> tuple[list[int], list[int]]:
    """How often stimuli and pairs come, by plain loops."""
    once = Counter(one for block in blocks for one in block)
    both = Counter(pair for block in blocks for pair in combinations(sorted(block), 2))
    return [once[one] for one in range(stimuli)], [both[pair] for pair in combinations(range(stimuli), 2)]


def assert_exact(blocks: tuple[tuple[int, ...], ...], stimuli: int, size: int) -> None:
    assert all(len(block) == len(set(block)) == size and set(block) <= set(range(stimuli)) for block in blocks)
    once, both = counted(blocks, stimuli)
    assert len(set(once)) == 1 and len(set(both)) <= 1
    if both:
        assert both[0] * (stimuli - 1) == once[0] * (size - 1)


@pytest.mark.slow
def test_every_construction_gives_an_exact_design_of_the_blocks_that_it_names() -> None:
    names = set()
    for stimuli in range(2, 64):
        for size in range(1, stimuli // 2 + 1):
            for one in _candidates(stimuli, size):
                if one.blocks <= 700:
                    assert len(one.build()) == one.blocks
                    assert_exact(one.build(), stimuli, size)
                    names.add(one.name)
    assert len(names) == 6


@pytest.mark.parametrize("modulus", SINGER)
def test_a_singer_set_gives_every_difference_once(modulus: int) -> None:
    differences = Counter((a - b) % modulus for a in SINGER[modulus] for b in SINGER[modulus] if a != b)
    assert differences == Counter(range(1, modulus))
    assert_exact(developed([SINGER[modulus]], modulus), modulus, len(SINGER[modulus]))


@pytest.mark.parametrize(("stimuli", "size", "blocks"), [(13, 3, 26), (19, 3, 57), (15, 7, 15), (11, 5, 11)])
def test_a_search_finds_cyclic_families(stimuli: int, size: int, blocks: int) -> None:
    found = _searched(stimuli, size, blocks)
    assert found is not None
    assert found.blocks == blocks
    assert_exact(found.build(), stimuli, size)


@pytest.mark.parametrize(
    ("stimuli", "size", "participants"),
    [(7, 3, 7), (7, 4, 14), (9, 3, 24), (9, 6, 12), (13, 4, 13), (13, 9, 13), (15, 3, 35), (25, 5, 30), (25, 20, 30),
     (5, 5, 3), (5, 4, 10), (8, 1, 16), (6, 2, 15), (31, 6, 31), (19, 9, 19), (91, 10, 91)],
)  # fmt: skip
def test_known_designs_are_exact_also_in_copies(stimuli: int, size: int, participants: int) -> None:
    found = design(stimuli, size, participants, seed=3)
    assert_exact(found.blocks, stimuli, size)
    assert found.replications[0] == found.replications[1]
    assert found.concurrences[0] == found.concurrences[1]
    assert "exchanges" not in found.origin


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_stimuli_come_equally_often_and_pairs_are_counted(data: st.DataObject) -> None:
    stimuli = data.draw(st.integers(1, 24))
    size = data.draw(st.integers(1, stimuli))
    participants, seed = data.draw(st.integers(1, 40)), data.draw(st.integers(0, 9))
    found = design(stimuli, size, participants, seed)
    assert len(found.blocks) == participants
    assert all(len(set(block)) == size and list(block) == sorted(block) for block in found.blocks)
    once, both = counted(found.blocks, stimuli)
    assert max(once) - min(once) <= 1
    assert found.replications == (min(once), max(once))
    assert found.concurrences == ((min(both), max(both)) if both else (0, 0))


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.integers(2, 15), st.integers(1, 15), st.integers(1, 12), st.integers(0, 9))
def test_parts_continue_each_other(stimuli: int, size: int, participants: int, seed: int) -> None:
    size = min(size, stimuli)
    blocks: list[tuple[int, ...]] = []
    for part in range(4):
        blocks += design(stimuli, size, participants, seed, part).blocks
        once, _ = counted(tuple(blocks), stimuli)
        assert max(once) - min(once) <= 1


@pytest.mark.parametrize(("stimuli", "size", "participants"), [(6, 3, 10), (8, 4, 14), (16, 6, 16), (16, 4, 20)])
@pytest.mark.slow
def test_exchanges_reach_designs_that_are_known_to_exist(stimuli: int, size: int, participants: int) -> None:
    assert known(stimuli, size, participants) is None or stimuli == 16
    found = design(stimuli, size, participants, seed=1)
    assert_exact(found.blocks, stimuli, size)


@pytest.mark.parametrize("case", [(20, 10, 60), (40, 12, 60), (100, 20, 60)])
@pytest.mark.slow
def test_exchanges_even_pairs_out_far_better_than_chance(case: tuple[int, int, int]) -> None:
    stimuli, size, participants = case
    rng = np.random.default_rng(0)
    random = tuple(tuple(rng.permutation(stimuli)[:size].tolist()) for _ in range(participants))
    _, ours = counted(design(*case).blocks, stimuli)
    _, theirs = counted(random, stimuli)
    assert np.var(ours) < np.var(theirs) / 2


@given(st.integers(0, 200))
@settings(max_examples=25, deadline=None)
def test_the_running_counts_of_pairs_are_those_of_the_blocks(seed: int) -> None:
    table = np.zeros((6, 9), np.int64)
    for row, chosen in zip(
        table, np.random.default_rng(seed).permuted(np.tile(np.arange(9), (6, 1)), axis=1)[:, :4], strict=True
    ):
        row[chosen] = 1
    search = _Exchange(table, Chance(seed, Use.DESIGN))
    for _ in range(20):
        search._visit(*search._two_blocks(), allowed=6)
    plain = search.table.T @ search.table
    np.fill_diagonal(plain, 0)
    np.testing.assert_array_equal(search.pairs, plain)
    assert search.sum == (plain[np.triu_indices(9, 1)] ** 2).sum()
    assert search.sum >= search._bound()


@pytest.mark.slow
def test_an_order_of_blocks_shows_all_stimuli_early() -> None:
    blocks = design(20, 5, 60, seed=2).blocks
    for shown in range(1, 61):
        once, _ = counted(blocks[:shown], 20)
        assert max(once) - min(once) <= 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [((5, 6, 3), "cannot see 6 stimuli, for there are only 5; ask for at most 5"), ((0, 1, 1), "no stimulus to deal"),
     ((5, 0, 3), "at least one participant and one stimulus each, not 3 and 0"), ((5, 2, 0), "not 0 and 2")],
)  # fmt: skip
def test_impossible_designs_are_refused(arguments: tuple[int, int, int], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        design(*arguments)


def test_all_subsets_are_exact() -> None:
    one = known(6, 3, math.comb(6, 3))
    assert one is not None
    assert_exact(one.build(), 6, 3)
