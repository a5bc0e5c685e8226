"""How a visitor deletes something: a button that names it, and a question that can delete nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from decam.errors import DecamError
from decam.ui import text

DELETED = "deleted"


@dataclass(frozen=True)
class Deletable:
    """What may be deleted: a run or a study, its link, what tells it from others, and what goes along with it.

    `undo` says whether and how long that can be undone.
    """

    kind: str
    link: str
    name: str
    when: str
    facts: str
    along: str = "its maps and its link"
    undo: str = "This cannot be undone."


def button(item: Deletable, delete: Callable[[str], None]) -> None:
    """Draw the button that asks whether `item` goes; `delete` is called with its link once, after a yes.

    A DecamError from `delete` becomes a sentence on the page.
    """
    if st.session_state.get(DELETED) == item.link:  # it is listed, so somebody has brought it back
        st.session_state[DELETED] = None
    label = f"Delete {item.kind} {text.plain(item.name)}, {item.when}"
    if st.button(
        label,
        key=f"delete-{item.kind}-{item.link}",
        icon=":material/delete:",
        type="tertiary",
        help=f"{label} and its files.",
    ):
        question = f"Delete “{text.plain(item.name)}”, {item.when}, {item.facts}?"
        st.dialog(question, width="small")(_ask)(item, delete)


def _ask(item: Deletable, delete: Callable[[str], None]) -> None:
    st.markdown(f"This also deletes {item.along}. {item.undo}")
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        # The link is part of both keys: a click that comes late finds its own button or none.
        no = st.button("Cancel", key=f"cancel-{item.link}")
        yes = st.button(
            "Delete",
            key=f"for-good-{item.link}",
            type="primary",
            icon=":material/delete_forever:",
            on_click=_once,
            args=(item.link, delete),
        )
    if no or yes:
        st.rerun()  # without the question


def _once(link: str, delete: Callable[[str], None]) -> None:
    """Delete; the second half of a double click finds nothing left to do."""
    if st.session_state.get(DELETED) == link:
        return
    try:
        delete(link)
    except DecamError as error:
        st.session_state["problem"] = str(error)
    else:
        st.session_state[DELETED] = link
