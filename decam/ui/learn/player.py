"""One lesson on the page: a step at a time, the way on and back, and the note for whoever speaks."""

from __future__ import annotations

import streamlit as st

from decam.lessons import Lesson
from decam.lessons.base import Choose, Estimate, Point, Step
from decam.lessons.prose import html, plain
from decam.ui.learn import session, steps, teacher


def show(lesson: Lesson, place: int) -> None:
    """Draw the step of a lesson at a place, counted from 0."""
    step = lesson.steps[place]
    with st.container(key="lesson"):
        _head(lesson, place)
        st.header(plain(step.title, lesson.facts), anchor=False)
        body = st.container(key="lesson-body")
        # The way on comes before what may take a moment, such as a model that is loaded.
        _ways(lesson, place, step)
        # A new key for each step, so that nothing of the last one stays while this one is drawn.
        with body, st.container(key=f"lesson-step-{lesson.name}-{place}"):
            steps.draw(lesson, place)
            if teacher.notes_are_shown():
                note = html(step.note, lesson.facts, f"note-{lesson.name}-{place}")
                st.html(f'<aside class="dc-note" aria-label="Speaker note"><b>Note</b>{note}</aside>')


def _head(lesson: Lesson, place: int) -> None:
    share = (place + 1) / len(lesson.steps)
    st.html(
        f'<div class="dc-lesson-head"><span>{lesson.title}</span><span>Step {place + 1} of {len(lesson.steps)}</span>'
        f'<div class="dc-progress" aria-hidden="true"><i style="width: {share:.1%}"></i></div></div>'
    )


def _ways(lesson: Lesson, place: int, step: Step) -> None:
    last = place == len(lesson.steps) - 1
    with st.container(key="lesson-ways", horizontal=True, gap="small"):
        st.button(
            "Back",
            key="lesson-back",
            icon=":material/arrow_back:",
            disabled=place == 0,
            shortcut="PageUp",
            on_click=session.go,
            args=(place - 1,),
        )
        st.button(
            "All lessons" if last else _onward(lesson, step),
            key="lesson-next",
            type="primary",
            icon=":material/apps:" if last else ":material/arrow_forward:",
            icon_position="right",
            shortcut="PageDown",
            on_click=session.leave if last else session.go,
            args=() if last else (place + 1,),
        )


def _onward(lesson: Lesson, step: Step) -> str:
    """What the button on says: a prediction that nobody made can be passed over, and the button says so."""
    if not isinstance(step, Point | Choose | Estimate):
        return "Next"
    return "Reveal" if session.guess(lesson, step.key) is not None else "Reveal without a guess"
