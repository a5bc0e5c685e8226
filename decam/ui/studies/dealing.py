"""Who sees what: the assignment, and how balanced its sequences are."""

from __future__ import annotations

import streamlit as st

from decam.errors import DecamError
from decam.studies import assignment, blocks, editing, tasks
from decam.studies.assignment import Assignment, Balance
from decam.studies.design import Study
from decam.studies.responses import StudyRecord
from decam.ui import text
from decam.ui.studies import forms

MOST = 200
"""Sequences that the table of balance counts at once."""


def show(record: StudyRecord) -> None:
    """Draw the settings of the assignment, and a table of its balance for each block that repeats a task."""
    with st.container(key="study-assignment", border=True):
        st.header("Who sees what")
        with forms.grid("assignment"):
            forms.draw(record, "assignment", editing.field_of("assignment"))
    repeated = [place for place, block in enumerate(record.study.blocks) if block.task is not None]
    if not repeated:
        st.caption("With a block of trials, a table here counts how balanced the sequences are.")
    for place in repeated:
        _balance(record.study, place)


def _balance(study: Study, place: int) -> None:
    """Draw the table of the block at a place, which deals for itself."""
    kind, choice = blocks.get(study.blocks[place].kind), study.blocks[place].task
    if choice is None:
        return
    task = tasks.get(choice.name)
    stimuli, conditions = len(study.stimuli_for(kind.use)), len(study.conditions)
    st.markdown(f"**Balance: {text.plain(f'block {place + 1}, {task.title} ({kind.use})')}**")
    settings = blocks.dealing(study, kind.use)
    if not stimuli:
        st.caption("No image is kept for it yet.")
        return
    try:
        rows = _counted(settings, stimuli, conditions, task.group, place)
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
    st.caption("Where least and most are equal or differ by one, the sequences are as balanced as they can be.")


@st.cache_data(show_spinner=False, max_entries=64)
def _counted(settings: Assignment, stimuli: int, conditions: int, group: int, stream: int) -> tuple[Balance, ...]:
    dealt = [
        assignment.sequence(settings, number, stimuli, conditions, group, stream)
        for number in range(min(settings.sequences, MOST))
    ]
    return assignment.balance(dealt, stimuli, conditions)
