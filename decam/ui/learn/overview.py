"""All lessons, a path through them for a class, and the terms that they use."""

from __future__ import annotations

import streamlit as st

from decam.lessons import LESSONS, PATH, Lesson
from decam.lessons.glossary import TERMS
from decam.ui import text
from decam.ui.learn import session

INTRODUCTION = (
    "What does a model look at, and how would you know? Each lesson takes a few minutes. You predict first, "
    "then you see. All runs are ready, and nothing needs the internet."
)


def index(shown: Lesson | None) -> None:
    """Draw the lessons as a list, and the way back to the overview."""
    st.markdown("**Lessons**")
    with st.container(key="lesson-index", gap="xsmall"):
        for lesson in LESSONS.values():
            st.button(
                lesson.title,
                key=f"to-{lesson.name}",
                type="secondary" if lesson is shown else "tertiary",
                width="stretch",
                on_click=session.open_lesson,
                args=(lesson.name,),
            )
        if shown is not None:
            st.button("All lessons", key="to-overview", icon=":material/apps:", type="tertiary", on_click=session.leave)


def show() -> None:
    """Draw the overview."""
    st.markdown(INTRODUCTION)
    with st.container(key="lesson-cards"):
        for number, lesson in enumerate(LESSONS.values(), start=1):
            _card(number, lesson)
    _path()
    _terms()


def _card(number: int, lesson: Lesson) -> None:
    with st.container(border=True, height="stretch", key=f"lesson-card-{lesson.name}"):
        st.header(f"{number}. {lesson.title}", anchor=False)
        st.markdown(lesson.aim)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Start",
                key=f"start-{lesson.name}",
                type="primary",
                help=f"Begin “{lesson.title}”.",
                on_click=session.open_lesson,
                args=(lesson.name,),
            )
            st.caption(f"{lesson.minutes} minutes · {text.several(len(lesson.steps), 'step')}")


def _path() -> None:
    st.header(f"A class of {sum(stop.minutes for stop in PATH)} minutes", anchor=False)
    st.caption("The other lessons are for a second class, or for home.")
    rows, begin = [], 0
    for stop in PATH:
        title = f"<b>{text.escaped(LESSONS[stop.lesson].title)}</b> " if stop.lesson else ""
        rows.append(f"<tr><th>{begin}–{begin + stop.minutes}</th><td>{title}{text.escaped(stop.text)}</td></tr>")
        begin += stop.minutes
    head = "<tr><th>Minutes</th><th>What the class does</th></tr>"
    st.html(f'<table class="dc-path"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>')


def _terms() -> None:
    with st.expander(f"All {len(TERMS)} terms"):
        rows = (f"<dt>{text.escaped(term)}</dt><dd>{text.escaped(meaning)}</dd>" for term, meaning in TERMS.items())
        st.html(f'<dl class="dc-terms">{"".join(rows)}</dl>')
