"""Rotation within subjects and dealing between subjects, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.studies.assignment.chance import Chance, Use
from decam.studies.assignment.subjects import exchanged, permuted, rotated


def difference(counts: Counter[int], colours: int) -> int:
    numbers = [counts[colour] for colour in range(colours)]
    return max(numbers) - min(numbers)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(1, 20), st.integers(1, 12), st.integers(0, 5), st.integers(1, 30))
def test_a_rotation_is_even_in_a_participant_for_a_stimulus_and_over_any_beginning(
    stimuli: int, colours: int, seed: int, participants: int
) -> None:
    whole: Counter[int] = Counter()
    cells = [Counter[int]() for _ in range(stimuli)]
    for number in range(participants):
        row = rotated(number, stimuli, colours, seed)
        assert difference(Counter(row), colours) <= 1
        whole.update(row)
        for stimulus, colour in enumerate(row):
            cells[stimulus][colour] += 1
        assert difference(whole, colours) <= 1
        assert max(difference(cell, colours) for cell in cells) <= 1


@pytest.mark.slow
@given(st.integers(1, 15), st.integers(0, 5), st.integers(0, 50))
def test_each_permuted_block_has_every_colour_once(colours: int, seed: int, block: int) -> None:
    found = [permuted(block * colours + turn, colours, seed) for turn in range(colours)]
    assert sorted(found) == list(range(colours))


def test_permuted_blocks_are_not_all_alike() -> None:
    assert len({tuple(permuted(4 * block + turn, 4, seed=0) for turn in range(4)) for block in range(50)}) > 10


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(2, 6), st.integers(1, 30), st.integers(0, 40), st.integers(0, 5))
def test_exchanges_stay_within_permuted_blocks_and_even_stimuli_out(
    colours: int, participants: int, first: int, seed: int
) -> None:
    chance = Chance(seed, Use.ORDER)
    rows = [chance.shuffled(range(10))[:4] for _ in range(participants)]
    dealt = [permuted(first + number, colours, seed) for number in range(participants)]
    after = exchanged(rows, dealt, first, 10, colours, seed)
    blocks: dict[int, list[tuple[list[int], list[int]]]] = {}
    for number, (before, now) in enumerate(zip(rows, after, strict=True)):
        blocks.setdefault((first + number) // colours, []).append((before, list(now)))
    for block in blocks.values():
        assert sorted(before for before, _ in block) == sorted(now for _, now in block)

    def squares(found: Sequence[Sequence[int]]) -> int:
        cells = Counter((colour, one) for row, colour in zip(found, dealt, strict=True) for one in row)
        return sum(count**2 for count in cells.values())

    assert squares(after) <= squares(rows)
