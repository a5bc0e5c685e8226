"""Lessons on paper: one HTML page that needs nothing beside it, questions first, answers and notes on later pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from decam.classifier import Pixels
from decam.figures import png_uri
from decam.lessons import facts, pictures
from decam.lessons.base import (
    Choose,
    Cover,
    Curves,
    Estimate,
    Lesson,
    Point,
    Prediction,
    Question,
    Reveal,
    Search,
    Step,
    Text,
    Walk,
)
from decam.lessons.prose import html, inline
from decam.metrics import get as get_metric

SHARES = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
STYLE = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


def handout(lessons: Sequence[Lesson]) -> str:
    """The page for these lessons: a sheet of questions for each, then the answers and notes of each."""
    sheets = "".join(_sheet(lesson) for lesson in lessons)
    answers = "".join(_answers(lesson) for lesson in lessons)
    title = lessons[0].title if len(lessons) == 1 else "Lessons on saliency maps"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>{sheets}{answers}</body></html>"
    )


def _sheet(lesson: Lesson) -> str:
    # What is told once something was predicted would give the prediction away.
    told = len(list(takewhile(lambda step: not isinstance(step, Prediction), lesson.steps)))
    shown = (step for place, step in enumerate(lesson.steps) if place < told or type(step) in ASKED)
    parts = (_part(lesson, step, ASKED.get(type(step), _words)(lesson, step)) for step in shown)
    head = f'<h1>{escape(lesson.title)}</h1><p class="aim">Name: ____________________</p>'
    return f'<section class="lesson">{head}{"".join(parts)}</section>'


def _answers(lesson: Lesson) -> str:
    parts = (
        _part(lesson, step, ANSWERED.get(type(step), _nothing)(lesson, step) + _note(lesson, step))
        for step in lesson.steps
    )
    head = (
        f"<h1>Answers and notes: {escape(lesson.title)}</h1>"
        f'<p class="aim">{escape(lesson.aim)} {lesson.minutes} minutes.</p>'
    )
    return f'<section class="lesson">{head}{"".join(parts)}</section>'


def _part(lesson: Lesson, step: Step, content: str) -> str:
    return f'<div class="step"><h3>{inline(step.title, lesson.facts)}</h3>{content}</div>'


def _note(lesson: Lesson, step: Step) -> str:
    return f'<div class="note">{html(step.note, lesson.facts)}</div>'


def _address(drawn: Pixels, number: int) -> str:
    del number
    return png_uri(drawn)


def _words(lesson: Lesson, step: Step) -> str:
    return html(step.text, lesson.facts) + pictures.row(step.pictures, lesson.facts, _address)


def _options(lesson: Lesson, step: Choose | Question) -> str:
    items = "".join(f"<li>{inline(option, lesson.facts)}</li>" for option in step.options)
    return f'{_words(lesson, step)}<ul class="options">{items}</ul>'


def _mark(lesson: Lesson, step: Point) -> str:
    picture = pictures.row((step.target,), lesson.facts, _address)
    return f"{html(step.text.replace('Click', 'Mark'), lesson.facts)}{picture}"


def _scale(lesson: Lesson, step: Estimate) -> str:
    marks = "".join(f"<span>{percent} %</span>" for percent in range(0, 101, 10))
    asks = inline(step.asks, lesson.facts)
    return f'{_words(lesson, step)}<p>{asks}. Mark it on the line:</p><div class="scale">{marks}</div>'


def _on_the_screen(lesson: Lesson, step: Step) -> str:
    return f'{html(step.text, lesson.facts)}<p>What did you see?</p><div class="lines"></div><div class="lines"></div>'


def _nothing(lesson: Lesson, step: Step) -> str:
    del lesson, step
    return ""


def _right(lesson: Lesson, step: Choose) -> str:
    return f"<p>Right: <b>{inline(step.options[step.right], lesson.facts)}</b></p>"


def _true(lesson: Lesson, step: Estimate) -> str:
    return f"<p>It is <b>{lesson.facts[step.answer]()}</b>.</p>"


def _why(lesson: Lesson, step: Question) -> str:
    return f"<p>Right: <b>{inline(step.options[step.right], lesson.facts)}</b></p>{html(step.why, lesson.facts)}"


def _table(lesson: Lesson, step: Curves) -> str:
    metric = get_metric(step.metric)
    head = "".join(f"<th>{facts.percent(share)}</th>" for share in SHARES)
    rows = "".join(_row(step, name) for name in step.methods)
    return (
        f"{html(step.text, lesson.facts)}<table><tr><th>{metric.title}, fill: {step.fill}</th>{head}<th>area</th></tr>"
        f"{rows}</table>"
    )


def _row(step: Curves, name: str) -> str:
    measured = facts.curve_of(step.run, 0, name, step.metric, step.fill)
    values: Iterable[float] = ()
    if measured.curve is not None:
        values = np.interp(SHARES, measured.curve.shares, measured.curve.values).tolist()
    cells = "".join(f"<td>{value:.2f}</td>" for value in values)
    return f"<tr><th>{escape(facts.title(step.run, name)())}</th>{cells}<td>{measured.value:.3f}</td></tr>"


Draw = Callable[[Lesson, Any], str]

ASKED: dict[type[Step], Draw] = {
    Point: _mark,
    Choose: _options,
    Estimate: _scale,
    Cover: _on_the_screen,
    Walk: _on_the_screen,
    Search: _on_the_screen,
    Question: _options,
}
"""What stands on the sheet of questions, by the kind of step; other kinds would give answers away."""

ANSWERED: dict[type[Step], Draw] = {
    Text: _words,
    Choose: _right,
    Estimate: _true,
    Reveal: _words,
    Curves: _table,
    Question: _why,
}
"""What stands on the pages of answers, beside the note of every step."""
