"""Letters of methods."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.errors import SettingError
from decam.studies.assignment.letters import letters


def test_letters_go_on_as_columns_of_a_spreadsheet() -> None:
    found = sorted(letters(704, seed=1), key=lambda name: (len(name), name))
    assert found[:3] == ["A", "B", "C"]
    assert found[25:28] == ["Z", "AA", "AB"]
    assert found[701:] == ["ZZ", "AAA", "AAB"]


@pytest.mark.slow
@given(st.integers(0, 60), st.integers(0, 1000))
def test_letters_differ_and_depend_on_the_seed_alone(count: int, seed: int) -> None:
    assert len(set(letters(count, seed))) == count
    assert letters(count, seed) == letters(count, seed)


def test_any_letter_can_be_that_of_the_first_method() -> None:
    firsts = [letters(4, seed)[0] for seed in range(400)]
    assert all(70 < firsts.count(one) < 130 for one in "ABCD")


def test_a_negative_number_of_letters_is_refused() -> None:
    with pytest.raises(SettingError, match="not to -1"):
        letters(-1, 0)
