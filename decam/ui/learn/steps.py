"""How each kind of step is drawn: one function for each row of the kinds, and nothing here knows a lesson."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from decam.classifier import Pixels
from decam.experiments.status import Status
from decam.figures import curves_figure, png_bytes
from decam.lessons import Lesson, facts, pictures, runs
from decam.lessons.base import (
    Choose,
    Cover,
    Curves,
    Estimate,
    Point,
    Question,
    Reveal,
    Search,
    Step,
    Text,
    Walk,
)
from decam.lessons.guesses import sentence
from decam.lessons.prose import html, plain
from decam.metrics import get as get_metric
from decam.runs.snapshots import RunSnapshot
from decam.ui import state
from decam.ui.components.charts import figures as charts
from decam.ui.components.grid.grid import address
from decam.ui.components.learn import point
from decam.ui.learn import covering, session
from decam.ui.runs import search
from decam.ui.shared import landscape

WIDE = 3
"""Pictures from which they stand below the text, where they have the page's width."""


def draw(lesson: Lesson, place: int) -> None:
    """Draw a step of a lesson by its kind."""
    step = lesson.steps[place]
    DRAWN[type(step)](lesson, place, step)


def _text(
    lesson: Lesson,
    place: int,
    step: Step,
    below: Callable[[], object] | None = None,
    *,
    first: str = "",
    mark: pictures.Mark | None = None,
) -> None:
    """The text of a step and its pictures beside it, or under it where they are many.

    `first` is HTML that stands before the text, `below` draws what belongs under it, and `mark` is ringed.
    """
    name = f"{lesson.name}-{place}"
    beside = 0 < len(step.pictures) < WIDE
    with st.container(key=f"lesson-{'beside' if beside else 'above'}-{name}"):
        with st.container(key=f"lesson-words-{name}"):
            st.html(f'{first}<div class="dc-lesson-text">{html(step.text, lesson.facts, name)}</div>')
            if below is not None:
                below()
        if step.pictures:
            _pictures(lesson, place, step, mark)


def _pictures(lesson: Lesson, place: int, step: Step, mark: pictures.Mark | None) -> None:
    name = f"{lesson.name}-{place}"

    def place_of(drawn: Pixels, number: int) -> str:
        return address(png_bytes(drawn), f"{name}-{number}")

    st.html(pictures.row(step.pictures, lesson.facts, place_of, mark, name))


def _plain_text(lesson: Lesson, place: int, step: Text) -> None:
    _text(lesson, place, step)


def _point(lesson: Lesson, place: int, step: Point) -> None:
    name = f"{lesson.name}-{place}"
    with st.container(key=f"lesson-beside-{name}"):
        with st.container(key=f"lesson-words-{name}"):
            st.html(f'<div class="dc-lesson-text">{html(step.text, lesson.facts, name)}</div>')
            st.caption("With the keyboard: arrow keys move the ring, Enter takes its place.")
        point.draw(
            f"lesson-point-{name}",
            pictures.pixels(step.target),
            pictures.described_as(step.target, lesson.facts),
            session.guess(lesson, step.key),
            lambda clicked: session.keep_guess(lesson, step.key, clicked),
        )


def _choose(lesson: Lesson, place: int, step: Choose) -> None:
    def options() -> None:
        _options(lesson, f"lesson-{lesson.name}-{place}", step.key, step.options)

    _text(lesson, place, step, options)


def _options(lesson: Lesson, key: str, of: str, options: tuple[str, ...]) -> int | None:
    """Draw the options as a choice of one, remember it, and return it."""
    named = [plain(option, lesson.facts) for option in options]
    chosen: int | None = st.radio(
        "Your answer",
        range(len(options)),
        format_func=named.__getitem__,
        index=session.guess(lesson, of),
        key=key,
        label_visibility="collapsed",
        on_change=lambda: session.keep_guess(lesson, of, st.session_state[key]),
    )
    return chosen


def _estimate(lesson: Lesson, place: int, step: Estimate) -> None:
    def slider() -> None:
        before = session.guess(lesson, step.key)
        key = f"lesson-{lesson.name}-{place}"
        # Where the slider stands at first is nobody's guess: only moving it is one.
        st.slider(
            plain(step.asks, lesson.facts),
            0,
            100,
            50 if before is None else before,
            key=key,
            format="%d %%",
            on_change=lambda: session.keep_guess(lesson, step.key, st.session_state[key]),
        )

    _text(lesson, place, step, slider)


def _reveal(lesson: Lesson, place: int, step: Reveal) -> None:
    prediction, guess = lesson.prediction(step.of), session.guess(lesson, step.of)
    said = sentence(lesson, step, prediction, guess)
    mark = guess if isinstance(prediction, Point) else None
    _text(lesson, place, step, first=f'<p class="dc-guess">{said}</p>' if said else "", mark=mark)


def _question(lesson: Lesson, place: int, step: Question) -> None:
    def answer() -> None:
        chosen = _options(lesson, f"lesson-{lesson.name}-{place}", f"question-{place}", step.options)
        if chosen is None:
            return
        why = html(step.why, lesson.facts, f"why-{lesson.name}-{place}")
        if chosen == step.right:
            st.html(f'<div class="dc-answer dc-right" role="status"><b>Yes.</b> {why}</div>')
        else:
            st.html(
                '<div class="dc-answer" role="status"><b>Not quite.</b> <p>Think again, and choose another.</p></div>'
            )

    _text(lesson, place, step, answer)


def _curves(lesson: Lesson, place: int, step: Curves) -> None:
    _text(lesson, place, step)
    metric = get_metric(step.metric)
    grid = runs.load(step.run)
    measured = {
        facts.title(step.run, name)(): facts.curve_of(step.run, 0, name, step.metric, step.fill)
        for name in step.methods
    }
    titles = grid.plan.titles()
    if metric.axes is None:
        raise TypeError(f"{metric.name} keeps no curve, and a step of a lesson shows curves.")
    figure = curves_figure(
        f"{metric.title}, fill: {step.fill}",
        {title: one.curve for title, one in measured.items() if one.curve is not None},
        {title: one.value for title, one in measured.items()},
        metric.axes,
        labels=grid.labels,
        places={title: titles.index(title) for title in measured},
        dark=state.dark(),
        height=360,
    )
    alt = f"{metric.title} curves: " + ", ".join(f"{title} {one.value:.2f}" for title, one in measured.items())
    charts.show(figure, f"lesson-curves-{lesson.name}-{place}", alt)


def _walk(lesson: Lesson, place: int, step: Walk) -> None:
    _text(lesson, place, step)
    with st.container(key=f"lesson-land-{lesson.name}-{place}"):
        landscape.draw(landscape.Choice(step.landscape, step.settings, step.seed), f"lesson-walk-{place}")


def _search(lesson: Lesson, place: int, step: Search) -> None:
    _text(lesson, place, step)
    grid = runs.load(step.run)
    snapshot = RunSnapshot(f"lesson-{step.run}", datetime.now(UTC), Status.DONE, grid)
    search.show(snapshot, facts.place_of(grid, step.question, step.method))


def _cover(lesson: Lesson, place: int, step: Cover) -> None:
    _text(lesson, place, step)
    covering.show(f"lesson-cover-{lesson.name}-{place}", step)


DRAWN: dict[type[Step], Callable[[Lesson, int, Any], None]] = {
    Text: _plain_text,
    Point: _point,
    Choose: _choose,
    Estimate: _estimate,
    Reveal: _reveal,
    Cover: _cover,
    Walk: _walk,
    Search: _search,
    Curves: _curves,
    Question: _question,
}
