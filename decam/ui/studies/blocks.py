"""The blocks of a study in their order: added, moved, removed, and each with its fields and its preview."""

from __future__ import annotations

from functools import partial

import streamlit as st

from decam.studies import blocks as kinds
from decam.studies import editing, tasks
from decam.studies.blocks import BLOCKS
from decam.studies.design import Block, Study
from decam.studies.responses import StudyRecord
from decam.studies.tasks import TASKS
from decam.ui import text
from decam.ui.studies import forms, items, preview, session


def show(record: StudyRecord) -> None:
    """Draw the list, the fields of the block that is chosen, and what participants see of it."""
    with st.container(key="study-blocks"):
        with st.container(key="study-block-list", gap="xsmall"):
            place = _list(record)
            _more(record)
        if place is None:
            return
        with st.container(key="study-block-form"):
            _form(record, place)
        with st.container(key="study-block-preview"):
            preview.show(record, place)


def _chosen(record: StudyRecord) -> str:
    return f"study-{record.id}-block"


def _list(record: StudyRecord) -> int | None:
    """Draw a line for each block; the place of the one that is chosen."""
    study = record.study
    if not study.blocks:
        st.caption("There is no block yet.")
        return None
    key = _chosen(record)
    chosen = min(int(st.session_state.get(key, 0)), len(study.blocks) - 1)
    for place, block in enumerate(study.blocks):
        kind = kinds.get(block.kind)
        task = f" · {tasks.get(block.task.name).title}" if block.task is not None else ""
        lacking = kind.lacks(study, block)
        st.button(
            f"{place + 1} · {text.plain(kind.title + task)}",
            key=f"study-{record.id}-block-{place}",
            type="primary" if place == chosen else "tertiary",
            icon=":material/error:" if lacking else None,
            width="stretch",
            on_click=_choose,
            args=(key, place),
        )
    return chosen


def _choose(key: str, place: int) -> None:
    st.session_state[key] = place


def _more(record: StudyRecord) -> None:
    if not session.editable(record):
        return
    with st.popover("Add a block", icon=":material/add:", width="stretch", key=f"study-{record.id}-add"):
        for kind in BLOCKS:
            st.button(
                kind.title, key=f"study-{record.id}-add-{kind.name}", help=kind.summary, type="tertiary",
                on_click=_add, args=(record, kind.name),
            )  # fmt: skip


def _add(record: StudyRecord, kind: str) -> None:
    session.change(record.id, partial(_with_new, kind))
    st.session_state[_chosen(record)] = editing.place_of_new(record.study, kind)


def _with_new(kind: str, study: Study) -> Study:
    return editing.with_new_block(study, kind)


def _form(record: StudyRecord, place: int) -> None:
    block = record.study.blocks[place]
    kind = kinds.get(block.kind)
    st.header(kind.title)
    st.caption(kind.summary)
    if session.editable(record):
        _order(record, place)
    if kind.use:
        _task(record, place, block)
    if block.settings.parameters():
        if kind.aside:
            st.markdown(f"**{kind.aside}**")
        forms.draw(record, f"block-{place}-{block.kind}", editing.block_settings(place))
    if kind.items:
        st.markdown(f"**{text.capital(kind.items)}**")
        items.show(record, place, answers=kind.answers)


def _order(record: StudyRecord, place: int) -> None:
    last = len(record.study.blocks) - 1
    with st.container(horizontal=True, gap="xsmall"):
        for title, icon, by, stuck in (
            ("Up", "arrow_upward", -1, place == 0),
            ("Down", "arrow_downward", 1, place == last),
        ):
            st.button(
                title, icon=f":material/{icon}:", key=f"study-{record.id}-{title.lower()}", disabled=stuck,
                on_click=_move, args=(record, place, by),
            )  # fmt: skip
        st.button(
            "Remove", icon=":material/delete:", key=f"study-{record.id}-out", on_click=session.change,
            args=(record.id, lambda study: editing.without_block(study, place)),
        )  # fmt: skip


def _move(record: StudyRecord, place: int, by: int) -> None:
    session.change(record.id, lambda study: editing.moved(study, place, by))
    st.session_state[_chosen(record)] = place + by


def _task(record: StudyRecord, place: int, block: Block) -> None:
    rows = {one.name: one for one in TASKS}
    key = f"study-{record.id}-block-{place}-task"
    name = block.task.name if block.task is not None else TASKS[0].name
    st.selectbox(
        "Task",
        list(rows),
        format_func=lambda one: rows[one].title,
        key=session.fill(key, name),
        help="What is asked about each image. Another task begins with its usual settings.",
        on_change=session.typed(record.id, key, lambda study, chosen: editing.with_task(study, place, chosen)),
        disabled=not session.editable(record),
    )
    st.caption(f"{rows[name].summary} {rows[name].sight}")
    if block.task is not None:
        forms.draw(record, f"block-{place}-{name}", editing.task_settings(place))
