"""Numbers have a real minus, and none where nothing is left of them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.numerals import apart, bounds, fixed, listed, minus, score, several, significant
from tests.tools import node


@pytest.mark.parametrize(
    ("value", "places", "written"),
    [(-0.07, 2, "−0.07"), (0.07, 2, "0.07"), (-0.004, 2, "0.00"), (-0.0, 3, "0.000"), (-12.5, 0, "−12")],
)
def test_a_value_has_its_places_and_a_sign_only_where_something_is_left(
    value: float, places: int, written: str
) -> None:
    assert fixed(value, places) == written


@given(st.floats(-1e6, 1e6))
def test_what_is_written_reads_as_the_rounded_value(value: float) -> None:
    assert math.isclose(float(fixed(value, 3).replace("−", "-")), value, abs_tol=5.001e-4)


def test_every_minus_of_a_line_is_a_real_one() -> None:
    assert minus("-3 to -1e-05") == "−3 to −1e−05"


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0"), (0.00003124, "0.0000312"), (-0.5, "−0.500"), (50176.2, "50176"), (12.34, "12.3")],
)
def test_a_value_has_three_digits_and_never_a_power_of_ten(value: float, written: str) -> None:
    assert significant(value) == written


@pytest.mark.parametrize(
    ("one", "other", "places"),
    [(0.9, 0.2, 3), (0.5, 0.5, 3), (0.0002, 0.00013, 6), (0.9991, 0.9993, 5), (1.0, 1 - 1e-16, 9)],
)
def test_two_values_have_as_many_places_as_tell_them_apart(one: float, other: float, places: int) -> None:
    assert apart(one, other) == places


SCORES = {
    0.0: "0.000", 0.91149: "0.911", -0.25: "−0.250", 0.0042: "0.0042", 0.00999: "0.0100", -0.0000312: "−0.000031",
    12.3456: "12.346", 1e-6: "0.0000010", 9e-7: "<0.000001", -1e-12: ">−0.000001",
}  # fmt: skip


@pytest.mark.parametrize(("value", "written"), SCORES.items())
def test_a_score_that_is_small_is_not_written_as_nothing(value: float, written: str) -> None:
    assert score(value) == written


@pytest.mark.slow
@node.needed
def test_the_browser_writes_scores_alike() -> None:
    found = node.evaluate("scoreText", "grid/grid_draw.js", "given.map(scoreText)", list(SCORES))
    assert found == list(SCORES.values())


def test_bounds_say_which_ends_there_are() -> None:
    assert [bounds(*ends) for ends in ((-1, 1), (0, None), (None, 0.5), (None, None))] == [
        "−1 to 1",
        "at least 0",
        "at most 0.5",
        "any number",
    ]


def test_things_are_counted_and_listed_as_in_a_sentence() -> None:
    assert [several(1, "map"), several(1200, "map"), several(0, "class", "classes")] == [
        "1 map",
        "1,200 maps",
        "0 classes",
    ]
    assert [listed(names) for names in (["A"], ["A", "B"], ["A", "B", "C"])] == ["A", "A and B", "A, B and C"]
