"""Scores of questionnaires, counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.studies.blocks.questionnaires import scales, sus_score, tlx_score
from decam.studies.design import Item


def test_the_system_usability_scale_gives_the_score_of_brookes_example() -> None:
    answers = {f"sus{item}": value for item, value in enumerate((5, 4, 2, 1, 2, 3, 2, 4, 5, 2), start=1)}
    assert sus_score(answers) == 55.0  # Brooke 1996: 22 points, times 2.5
    assert sus_score({**answers, "sus4": None}) is None


def test_the_raw_load_index_is_the_mean_of_six() -> None:
    names = ("mental", "physical", "temporal", "performance", "effort", "frustration")
    answers = {f"tlx-{name}": value for name, value in zip(names, (70, 10, 40, 30, 65, 25), strict=True)}
    assert tlx_score(answers) == 40.0
    assert tlx_score({}) is None


SEVEN = tuple("1234567")
ITEMS = (
    Item("I trust it", "rating", group="trust"),
    Item("Age", "number", group="trust"),
    Item("I doubt it", "rating", group=" trust ", reverse=True),
    Item("I rely on it", "slider", group="trust", optional=True),
    Item("It is clear", "rating", SEVEN, group="clarity"),
    Item("By itself", "rating"),
)


def test_items_of_a_group_are_one_score_in_percent_of_their_ranges() -> None:
    trust, clarity = scales("own", ITEMS)
    assert (trust.title, clarity.title) == ("trust", "clarity")
    # 4 of 1 … 5 is 75 %, 2 turned round is 75 %, 30 of 0 … 100 is 30 %; the age is no part of it
    assert trust.score({"item1": 4, "item2": 99, "item3": 2, "item4": 30}) == pytest.approx(60.0)
    assert trust.score({"item1": 4, "item3": 2, "item4": None}) is None
    assert clarity.score({"item5": 7}) == 100.0
    assert clarity.score({"item5": 1}) == 0.0


@pytest.mark.slow
@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_a_scale_of_reversed_items_is_the_rest_to_a_hundred(values: list[int]) -> None:
    answers = {f"item{place}": value for place, value in enumerate(values, start=1)}
    plain, turned = (
        scales("own", tuple(Item("?", "rating", group="one", reverse=reverse) for _ in values))[0].score(answers)
        for reverse in (False, True)
    )
    assert plain is not None and turned is not None
    assert plain + turned == pytest.approx(100)


def test_a_published_scale_is_scored_by_its_own_rule_whatever_items_there_are() -> None:
    assert [scale.title for scale in scales("SUS", ITEMS)] == ["System Usability Scale"]
    assert scales("own", ()) == ()
