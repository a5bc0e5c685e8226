"""Questions of the researcher's own: a row of fields for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from decam.studies import editing
from decam.studies.blocks.forms import FORMS, form_of, right_ones
from decam.studies.design import Item, Study
from decam.studies.elements import UNBOUNDED
from decam.studies.responses import StudyRecord
from decam.ui import text
from decam.ui.studies import session


def show(record: StudyRecord, place: int, *, answers: bool) -> None:
    """Draw the questions of a block; with `answers`, each can have a right one."""
    asked = record.study.blocks[place].items
    for number, item in enumerate(asked):
        title = text.plain(text.shortened(item.text, 60)) or "A question without a text"
        with st.expander(
            f"{number + 1} · {title}", expanded=not item.text, key=f"study-{record.id}-{place}-item-{number}"
        ):
            _item(record, place, number, item, answers)
    if session.editable(record):
        st.button(
            "Add a question", icon=":material/add:", key=f"study-{record.id}-{place}-item-more",
            on_click=session.change,
            args=(record.id, lambda study: editing.with_item(study, place, len(study.blocks[place].items))),
        )  # fmt: skip


def _item(record: StudyRecord, place: int, number: int, item: Item, answers: bool) -> None:
    locked = not session.editable(record)

    def saved(name: str, read: Callable[[Any], Any] = lambda value: value) -> dict[str, Any]:
        """The key of a field, and what saves it."""
        key = f"study-{record.id}-{place}-item-{number}-{name}"

        def put(study: Study, value: Any) -> Study:
            return editing.with_item(study, place, number, **{name: read(value)})

        return {"key": key, "on_change": session.typed(record.id, key, put), "disabled": locked}

    def filled(value: object, widget: dict[str, Any]) -> dict[str, Any]:
        session.fill(widget["key"], value)
        return widget

    st.text_area("Question", height=80, max_chars=2000, **filled(item.text, saved("text")))
    st.selectbox(
        "How it is answered",
        list(FORMS),
        format_func=lambda name: FORMS[name].title,
        **filled(item.form, saved("form")),
    )
    form = form_of(item)
    if form.options:
        st.text_area(
            f"{form.options}, one a line",
            height=120,
            max_chars=4000,
            help=f"Without any: {form.usual}." if form.usual else None,
            **filled("\n".join(item.options), saved("options", _lines)),
        )
    if form.bounded:
        for name, title in (("least", "Smallest number"), ("most", "Largest number")):
            st.number_input(
                title, -UNBOUNDED, UNBOUNDED, None, 1.0, "%g", placeholder="No bound",
                **filled(getattr(item, name), saved(name)),
            )  # fmt: skip
    if answers and form.right is not None:
        _right(item, filled(item.correct if item.correct in right_ones(item) else -1, saved("correct")))
    st.toggle("May be left out", **filled(item.optional, saved("optional")))
    if form.scale:
        st.text_input(
            "Scale it belongs to",
            max_chars=100,
            help="Items with the same name give one score, from 0 to 100.",
            **filled(item.group, saved("group")),
        )
        st.toggle("Counts the other way round", **filled(item.reverse, saved("reverse")))
    if not locked:
        st.button(
            "Remove the question", icon=":material/delete:", key=f"study-{record.id}-{place}-item-{number}-out",
            on_click=session.change, args=(record.id, lambda study: editing.without_item(study, place, number)),
        )  # fmt: skip


def _right(item: Item, widget: dict[str, Any]) -> None:
    names = right_ones(item)
    st.selectbox("Right answer", [-1, *names], format_func=lambda one: names.get(one, "None"), **widget)


def _lines(value: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in value.splitlines() if line.strip())
