"""Who sees what: the assignment, and how balanced its sequences are."""

from __future__ import annotations

import streamlit as st

from decam.errors import DecamError
from decam.studies import assignment, editing, tasks
from decam.studies.assignment import Assignment, Balance
from decam.studies.design import Study
from decam.studies.responses import StudyRecord
from decam.ui import text
from decam.ui.studies import forms

MOST = 200
"""Sequences that the table of balance counts at once."""


def show(record: StudyRecord) -> None:
    """Draw the settings of the assignment, and a table of its balance for each task."""
    with st.container(key="study-assignment", border=True):
        st.subheader("Who sees what")
        with forms.grid("assignment"):
            forms.draw(record, "assignment", editing.field_of("assignment"))
    asked = _dealt(record.study)
    if not asked:
        st.caption("With a block of trials, a table here counts how balanced the sequences are.")
    for title, use, group in asked:
        _balance(record.study, title, use, group)


def _dealt(study: Study) -> list[tuple[str, str, int]]:
    """Each way of dealing that the blocks use: a title, the use of the stimuli, and how many conditions a trial has."""
    found: dict[tuple[str, int], list[str]] = {}
    for block in study.blocks:
        if block.task is not None:
            task = tasks.get(block.task.name)
            use = "training" if block.kind == "training" else "trials"
            titles = found.setdefault((use, task.group), [])
            if task.title not in titles:
                titles.append(task.title)
    return [(f"{', '.join(titles)} ({use})", use, group) for (use, group), titles in found.items()]


def _balance(study: Study, title: str, use: str, group: int) -> None:
    stimuli, conditions = len(study.stimuli_for(use)), len(study.conditions)
    st.markdown(f"**Balance: {text.plain(title)}**")
    settings = study.assignment
    if not stimuli:
        st.caption("No picture is kept for it yet.")
        return
    try:
        rows = _counted(settings, stimuli, conditions, group)
    except DecamError as error:
        st.info(text.plain(str(error)))
        return
    st.dataframe(
        {
            "What is counted": [row.title for row in rows],
            "How many": [row.count for row in rows],
            "Least often": [row.low for row in rows],
            "Most often": [row.high for row in rows],
        },
        hide_index=True,
        width="stretch",
        height="content",
    )
    if settings.sequences > MOST:
        st.caption(f"Counted over the first {MOST} of {settings.sequences:,} sequences.")
    st.caption("Where least and most are equal, or differ by one, nothing comes oftener than it must.")


@st.cache_data(show_spinner=False, max_entries=64)
def _counted(settings: Assignment, stimuli: int, conditions: int, group: int) -> tuple[Balance, ...]:
    dealt = [
        assignment.sequence(settings, number, stimuli, conditions, group)
        for number in range(min(settings.sequences, MOST))
    ]
    return assignment.balance(dealt, stimuli, conditions)
