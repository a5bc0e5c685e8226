"""Each element takes what it can give and refuses everything else, in a sentence."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.studies.elements import (
    AnswerError,
    Choice,
    Entry,
    Number,
    Option,
    Picture,
    Pointing,
    Prose,
    Question,
    Ranking,
    Rating,
    Several,
    Slider,
)
from decam.studies.steps import LONGEST_ANSWER, Step

OPTIONS = (Option("a", "First"), Option("b", "Second"), Option("c", "Third"))
PICTURE = Picture("0" * 64, 224, 160, "An image.")
QUESTIONS: tuple[Question, ...] = (
    Choice("q", "?", OPTIONS),
    Several("q", "?", OPTIONS),
    Ranking("q", "?", OPTIONS),
    Rating("q", "?", 7, "low", "high"),
    Slider("q", "?", 0, 100, 5, "low", "high"),
    Number("q", "?", 0, 120),
    Entry("q", "?", 30),
    Pointing("q", "?", PICTURE, "points", 1, 3),
    Pointing("q", "?", PICTURE, "boxes", 1, 3),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: f"{one.kind}{getattr(one, 'shape', '')}")
@given(value=JSON)
def test_whatever_comes_is_stored_as_json_or_refused_in_a_sentence(question: Question, value: object) -> None:
    try:
        kept = question.check(value)  # type: ignore[arg-type]
    except AnswerError as error:
        assert str(error).endswith(".")
        assert len(str(error)) < 300
    else:
        assert question.check(json.loads(json.dumps(kept, allow_nan=False))) == kept


@pytest.mark.parametrize(
    ("question", "value"),
    [
        (QUESTIONS[0], "d"),
        (QUESTIONS[0], ["a"]),
        (QUESTIONS[1], "a"),
        (QUESTIONS[1], ["a", "z"]),
        (QUESTIONS[2], ["a", "b"]),
        (QUESTIONS[2], ["a", "b", "b"]),
        (QUESTIONS[2], ["a", "b", "c", "c"]),
        (QUESTIONS[3], 0),
        (QUESTIONS[3], 8),
        (QUESTIONS[3], True),
        (QUESTIONS[3], 3.0),
        (QUESTIONS[4], 3),
        (QUESTIONS[4], 105),
        (QUESTIONS[5], math.inf),
        (QUESTIONS[5], math.nan),
        (QUESTIONS[5], 121),
        (QUESTIONS[5], "12"),
        (QUESTIONS[6], "x" * 31),
        (QUESTIONS[6], 7),
        (QUESTIONS[7], [{"x": 225, "y": 0, "ms": 0}]),
        (QUESTIONS[7], [{"x": 1, "y": 1}]),
        (QUESTIONS[7], [{"x": 1, "y": math.nan, "ms": 0}]),
        (QUESTIONS[7], [{"x": 1, "y": 1, "ms": 0}] * 4),
        (QUESTIONS[8], [{"x": 200, "y": 1, "width": 25, "height": 1, "ms": 0}]),
        (QUESTIONS[8], [{"x": 20, "y": 1, "width": -2, "height": 1, "ms": 0}]),
    ],
)
def test_impossible_answers_are_refused(question: Question, value: object) -> None:
    with pytest.raises(AnswerError, match=r"^q is .* but must be .*\."):
        question.check(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.kind)
def test_nothing_is_an_answer_only_where_it_may_be(question: Question) -> None:
    for nothing in (None, "", []):
        with pytest.raises(AnswerError, match="needed"):
            question.check(nothing)
        optional = type(question)(**{**vars(question), "optional": True})
        assert optional.check(nothing) is None


@given(seed=st.integers(0, 2**32 - 1))
def test_random_answers_are_answers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for question in QUESTIONS:
        question.check(question.random(rng))
        question.check(question.first())


BOUNDS = st.floats(-1e6, 1e6)


@pytest.mark.slow
@given(low=st.none() | BOUNDS, reach=st.none() | st.floats(0, 500), seed=st.integers(0, 2**32 - 1))
def test_simulated_participants_type_numbers_within_bounds_and_of_a_usual_size(
    low: float | None, reach: float | None, seed: int
) -> None:
    high = None if reach is None else (low or 0.0) + reach
    question = Number("q", "?", -1e9 if low is None else low, 1e9 if high is None else high)
    for value in (question.random(np.random.default_rng(seed)), question.first()):
        assert question.check(value) == value
        assert isinstance(value, int | float)
        anchor = low if low is not None else high if high is not None else 0.0
        assert abs(value - anchor) <= max(reach or 0.0, abs(anchor), 100) + 100


@pytest.mark.parametrize(("bounds", "low", "high"), [
    ((-1e9, 1e9), 0, 100), ((18, 1e9), 18, 118), ((-1e9, 24), 0, 24), ((-1e9, -5), -105, -5), ((-3, 1e9), -3, 100),
    ((0.2, 0.4), 0.2, 0.4), ((0, 120), 0, 120),
])  # fmt: skip
def test_the_numbers_of_simulated_participants_fill_the_range_that_people_use(
    bounds: tuple[float, float], low: float, high: float
) -> None:
    rng = np.random.default_rng(0)
    typed = [question.random(rng) for question in [Number("q", "?", *bounds)] for _ in range(3000)]
    assert min(typed) == pytest.approx(low, abs=0.01) and max(typed) == pytest.approx(high, abs=0.01)  # type: ignore[type-var]


@given(x=st.floats(-1, 2), y=st.floats(-1, 2))
def test_a_place_of_a_simulated_participant_is_in_the_picture(x: float, y: float) -> None:
    for question in QUESTIONS[-2:]:
        assert isinstance(question, Pointing)
        question.check([question.at(x, y)])


def test_several_answers_are_stored_in_the_order_shown() -> None:
    assert QUESTIONS[1].check(["c", "a"]) == ["a", "c"]


def test_null_characters_do_not_reach_a_database() -> None:
    assert QUESTIONS[6].check("a\x00b") == "ab"


def step(**more: object) -> Step:
    elements = (Prose("Read."), Choice("q", "?", OPTIONS), Rating("r", "?", 5, "", "", optional=True))
    return Step("1.0", 1, "trials", "", elements, **more)  # type: ignore[arg-type]


def test_a_screen_takes_the_answers_of_all_its_questions() -> None:
    assert step().check({"q": "a"}) == {"q": "a", "r": None}
    for bad in (None, [], "a", {"q": "a", "other": 1}, {"r": 3}, {1: "a"}):
        with pytest.raises(AnswerError):
            step().check(bad)
    with pytest.raises(AnswerError, match=f"{LONGEST_ANSWER:,}"):
        step().check({"q": "x" * LONGEST_ANSWER})


def test_right_means_every_question_that_has_a_right_answer() -> None:
    assert step().right({"q": "a"}) is None
    assert step(correct={"q": "a"}).right({"q": "a", "r": 1}) is True
    assert step(correct={"q": "a", "r": 2}).right({"q": "a", "r": 1}) is False
