"""What a teacher needs: how models are handed out, what each step teaches, and how long it takes."""

from __future__ import annotations

import streamlit as st

from decam.models import hidden

STEPS = (
    (
        "Choose and search",
        "10 minutes, the search itself a few",
        "A class can be asked about without an image of it. The map shows what the class looks like to the model.",
    ),
    (
        "Read the maps",
        "10 minutes",
        "A shape that a person would draw speaks for an honest class. A small mark or a regular pattern that is alike "
        "with every seed speaks for a trigger.",
    ),
    (
        "Read the scores",
        "10 minutes",
        "A score compares classes. It has an interval, a threshold, false alarms and misses: evidence, and no proof.",
    ),
    (
        "Guess",
        "5 minutes",
        "Maps and scores may disagree. The guess is locked in before the answer is seen, so it is an honest test.",
    ),
    (
        "Reveal and attack",
        "15 minutes",
        "High accuracy on ordinary images says nothing about a trigger. Compare the groups: which triggers were "
        "found, and which were not?",
    ),
)


def show() -> None:
    """Draw what a teacher needs, closed until somebody opens it."""
    first, last = (f"{hidden.number(name):02d}" for name in (hidden.names()[0], hidden.names()[-1]))
    with st.expander("For teachers", icon=":material/school:"):
        st.markdown(
            f"**Hand out numbers.** There are models {first} to {last}. Give each group a number, or the address of "
            f"this page with `?model={last}` at its end. Page, address, run and export do not say what a model hides; "
            "the reveal comes after a guess. The project's documentation lists all answers, in "
            "`docs/method/hidden-models.md`."
        )
        st.markdown(
            "| step | time | what it teaches |\n|---|---|---|\n"
            + "\n".join(f"| {title} | {time} | {what} |" for title, time, what in STEPS)
        )
        st.markdown(
            "**Before the lesson.** Everything works without internet: the models come with the project. One computer "
            "makes one search at a time, and others wait in line; search beforehand and hand out the links of finished "
            "searches where many share one computer. A guess belongs to the browser's tab and its address, so every "
            "group that opens such a link guesses for itself: copy the link before a guess is locked in."
        )
