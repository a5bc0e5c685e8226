"""What a reveal says of the guess before it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from decam.lessons.base import Choose, Estimate, Lesson, Point, Prediction, Reveal
from decam.lessons.pictures import rank_at
from decam.lessons.prose import plain


def sentence(lesson: Lesson, reveal: Reveal, prediction: Prediction, guess: Any) -> str:
    """How a guess went, as HTML; the empty text where nobody guessed."""
    return "" if guess is None else _READ[type(prediction)](lesson, reveal, prediction, guess)


def _pointed(lesson: Lesson, reveal: Reveal, prediction: Point, guess: tuple[float, float]) -> str:
    del lesson, prediction
    shown = next(one for one in reveal.pictures if one.method)
    return f"Your place has a ring. The map ranks {rank_at(shown, guess)} of the image before it."


def _chosen(lesson: Lesson, reveal: Reveal, prediction: Choose, guess: int) -> str:
    del reveal
    yours, right = (escape(plain(prediction.options[one], lesson.facts)) for one in (guess, prediction.right))
    return f"You said: <b>{yours}</b>. " + ("Right." if guess == prediction.right else f"It is: <b>{right}</b>.")


def _estimated(lesson: Lesson, reveal: Reveal, prediction: Estimate, guess: int) -> str:
    del reveal
    return f"You said <b>{guess} %</b>. It is <b>{lesson.facts[prediction.answer]()}</b>."


_READ: dict[type[Prediction], Callable[[Lesson, Reveal, Any, Any], str]] = {
    Point: _pointed,
    Choose: _chosen,
    Estimate: _estimated,
}
