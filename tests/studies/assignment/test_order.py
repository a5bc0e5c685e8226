"""Orders of trials, and checks between them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.errors import SettingError
from decam.studies.assignment.blocks import design
from decam.studies.assignment.chance import Chance, Use
from decam.studies.assignment.latin import rows as rows_of
from decam.studies.assignment.latin import williams_row
from decam.studies.assignment.order import (
    spread,
    stimuli_by_places,
    stimuli_by_williams,
    trials_blocked,
    trials_by_conditions,
)


@pytest.mark.slow
@given(st.integers(1, 12), st.integers(0, 5))
def test_all_stimuli_come_at_each_place_equally_often(stimuli: int, seed: int) -> None:
    orders = [stimuli_by_williams(stimuli, number, seed) for number in range(rows_of(stimuli))]
    for places in zip(*orders, strict=True):
        counts = Counter(places)
        assert len(counts) == stimuli and len(set(counts.values())) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("stimuli", "size", "participants"), [(7, 3, 7), (13, 4, 26), (20, 6, 33), (30, 10, 60)])
def test_some_of_the_stimuli_come_at_each_place_equally_often_up_to_one(
    stimuli: int, size: int, participants: int
) -> None:
    blocks = design(stimuli, size, participants).blocks
    orders = stimuli_by_places(blocks, seed=1, part=0)
    assert [tuple(sorted(row)) for row in orders] == list(blocks)
    counts = Counter((place, one) for row in orders for place, one in enumerate(row))
    for one in range(stimuli):
        times = [counts[place, one] for place in range(size)]
        assert max(times) - min(times) <= 1


@pytest.mark.slow
@given(st.integers(1, 6), st.integers(1, 25), st.integers(0, 50))
def test_conditions_come_in_rounds_or_in_blocks(count: int, trials: int, number: int) -> None:
    chance = Chance(number, Use.ORDER)
    colours = chance.shuffled([trial % count for trial in range(trials)])
    rounds = trials_by_conditions(colours, count, number, chance)
    assert sorted(rounds) == list(range(trials))
    for start in range(0, trials, count):
        shown = [colours[trial] for trial in rounds[start : start + count]]
        assert len(set(shown)) == len(shown)
    if trials >= count:
        assert tuple(colours[trial] for trial in rounds[:count]) == williams_row(count, number % rows_of(count))
    blocked = trials_blocked(colours, count, number, chance)
    assert sorted(blocked) == list(range(trials))
    in_turn = [one for one in williams_row(count, number) for _ in range(colours.count(one))]
    assert [colours[trial] for trial in blocked] == in_turn


@pytest.mark.slow
@given(st.integers(2, 40), st.integers(1, 20))
def test_checks_stand_evenly_and_neither_first_nor_last(trials: int, checks: int) -> None:
    mixed = spread(list(range(trials)), ["check"] * checks)
    assert [one for one in mixed if one != "check"] == list(range(trials))
    assert mixed.count("check") == checks
    assert mixed[0] != "check" != mixed[-1]
    lengths = [len(part) for part in "".join("c" if one == "check" else "t" for one in mixed).split("c")]
    if checks < trials:
        assert max(lengths) - min(lengths) <= 1
    else:
        gaps = Counter(sum(1 for one in mixed[:at] if one != "check") for at, one in enumerate(mixed) if one == "check")
        assert len(gaps) == trials - 1 and max(gaps.values()) - min(gaps.values()) <= 1


@pytest.mark.slow
@settings(max_examples=100)
@given(st.integers(5, 12), st.data())
def test_a_catch_trial_does_not_stand_beside_its_own_stimulus(trials: int, data: st.DataObject) -> None:
    extra = data.draw(st.lists(st.integers(0, trials - 1), min_size=1, max_size=4, unique=True))
    mixed = spread([(one, False) for one in range(trials)], [(one, True) for one in extra], key=lambda one: one[0])
    assert [one for one, added in mixed if not added] == list(range(trials))
    assert sorted(one for one, added in mixed if added) == sorted(extra)
    assert not mixed[0][1] and not mixed[-1][1]
    assert all(one[0] != other[0] for one, other in pairwise(mixed))


def test_a_catch_trial_stays_where_it_cannot_be_apart() -> None:
    assert spread("ab", "a", key=str) == ["a", "a", "b"]


def test_nothing_is_added_to_anything() -> None:
    assert spread([1], []) == [1]


@pytest.mark.parametrize(("trials", "words"), [([], "there is none"), ([1], "there is one")])
def test_checks_without_two_trials_are_refused(trials: list[int], words: str) -> None:
    with pytest.raises(SettingError, match=f"between two trials, but {words}; show more stimuli"):
        spread(trials, [9])
