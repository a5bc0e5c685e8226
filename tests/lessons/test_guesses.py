"""What a reveal says of a guess."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.lessons import LESSONS
from decam.lessons.base import Estimate, Point, Reveal
from decam.lessons.facts import explanation, percent
from decam.lessons.guesses import sentence
from decam.lessons.pictures import Shown, rank_at, top

SPACE = "\N{NO-BREAK SPACE}"


def reveal(lesson: str, of: str) -> Reveal:
    return next(step for step in LESSONS[lesson].steps if isinstance(step, Reveal) and step.of == of)


def said(lesson: str, of: str, guess: object) -> str:
    return sentence(LESSONS[lesson], reveal(lesson, of), LESSONS[lesson].prediction(of), guess)


def test_nobody_who_did_not_guess_is_told_a_guess() -> None:
    assert said("saliency-map", "place", None) == ""


def test_a_choice_is_right_or_the_right_one_is_named() -> None:
    assert said("saliency-map", "hidden", 2) == "You said: <b>It no longer answers star</b>. Right."
    assert said("saliency-map", "hidden", 0).endswith("It is: <b>It no longer answers star</b>.")


def test_an_estimate_stands_beside_the_true_share() -> None:
    assert isinstance(LESSONS["covering"].prediction("needed"), Estimate)
    assert said("covering", "needed", 40) == f"You said <b>40 %</b>. It is <b>10{SPACE}%</b>."


@pytest.mark.slow
@given(st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_a_place_has_before_it_what_the_map_ranks_higher(place: tuple[float, float]) -> None:
    assert isinstance(LESSONS["saliency-map"].prediction("place"), Point)
    values = explanation("star", 0, "de-cam").saliency
    here = values[min(int(place[1] * 128), 127), min(int(place[0] * 128), 127)]
    higher = sum(int((row > here).sum()) for row in values)
    assert rank_at(Shown(run="star", method="de-cam", look="overlay"), place) == percent(higher / 128**2)
    assert percent(higher / 128**2) in said("saliency-map", "place", place)


@pytest.mark.parametrize("share", [0.0, 0.04, 0.2, 1.0])
def test_the_top_of_a_map_is_its_highest_pixels(share: float) -> None:
    values = explanation("star", 0, "de-cam").saliency
    mask = top(values, share)
    assert mask.sum() == round(share * values.size)
    if 0 < share < 1:
        assert values[mask].min() >= values[~mask].max()
    assert mask.dtype == np.bool_
