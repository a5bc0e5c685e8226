"""Each participant of a study: how far, excluded for a reason and taken back in, and deleted when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import streamlit as st

from decam.studies.export.answers import public_id
from decam.studies.responses import Lane, Participant, StudyRecord
from decam.studies.responses.records import as_code
from decam.ui import state, text
from decam.ui.studies import session

CLEARED = (Lane.REHEARSAL, Lane.SIMULATED)
"""Lanes whose participants are no people whose answers count: they can be removed at once."""


def show(record: StudyRecord, lanes: Mapping[Lane, str]) -> None:
    """Draw the participants of a lane, and what can be done with one of them."""
    there = {lane: state.studies().participants(record.id, lane) for lane in lanes}
    offered = [lane for lane, people in there.items() if people]
    if not offered:
        st.caption("Nobody has taken part yet.")
        return
    key = f"study-{record.id}-people-lane"
    if st.session_state.get(key) not in offered:
        st.session_state[key] = offered[0]
    lane = Lane(
        str(st.segmented_control("Which participants", offered, format_func=lanes.__getitem__, key=key, required=True))
    )
    people = there[lane]
    _table(people)
    _excluding(record, people)
    if lane in CLEARED:
        st.button(
            f"Remove all {len(people)}", key=f"study-{record.id}-clear", icon=":material/delete:",
            on_click=session.attempt, args=(lambda: state.studies().clear(record.id, lane), "They are removed."),
        )  # fmt: skip
    else:
        _deleting(record)


def _table(people: Sequence[Participant]) -> None:
    st.dataframe(
        {
            "Participant": [public_id(one) for one in people],
            "Identity": [one.identity for one in people],
            "Sequence": [one.sequence + 1 for one in people],
            "Stands": [text.capital(str(one.outcome)) for one in people],
            "Excluded": [one.excluded for one in people],
            "Began": [text.when(datetime.fromtimestamp(one.started, UTC)) for one in people],
        },
        hide_index=True,
        width="stretch",
        height="content" if len(people) <= 12 else 420,
    )


def _excluding(record: StudyRecord, people: Sequence[Participant]) -> None:
    by_code = {one.code: one for one in people}
    chosen, reason = f"study-{record.id}-who", f"study-{record.id}-why"
    if st.session_state.get(chosen) not in by_code:
        st.session_state[chosen] = next(iter(by_code))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        code = str(
            st.selectbox(
                "Participant", list(by_code), format_func=lambda one: _line(by_code[one]), key=chosen, width=330
            )
        )
        if by_code[code].excluded:
            st.button(
                "Take back in", key=f"study-{record.id}-include", on_click=session.attempt,
                args=(lambda: _include(code),),
            )  # fmt: skip
            return
        st.text_input("Reason for an exclusion", key=reason, max_chars=300, width=330)
        st.button(
            "Exclude", key=f"study-{record.id}-exclude", on_click=session.attempt,
            args=(lambda: _exclude(code, reason), "Excluded."),
            help="A mark with a reason: answers stay in the data, and the sequence is given to somebody else.",
        )  # fmt: skip


def _exclude(code: str, reason: str) -> None:
    state.studies().exclude(code, str(st.session_state.get(reason, "")))
    st.session_state[reason] = ""


def _include(code: str) -> None:
    alone = state.studies().include(code)
    st.session_state[session.DONE] = (
        "Taken back in." if alone else "Taken back in. Somebody else has the same sequence by now; both keep it."
    )


def _line(one: Participant) -> str:
    return " · ".join(part for part in (public_id(one), one.identity, str(one.outcome)) if part)


def _deleting(record: StudyRecord) -> None:
    with st.expander("Delete everything of a participant who asks for it"):
        key = f"study-{record.id}-forget"
        st.text_input("Personal code", key=key, max_chars=100, help="The code that the participant was shown.")
        if st.button("Delete", key=f"{key}-ask", disabled=not str(st.session_state.get(key, "")).strip()):
            st.dialog("Delete this participant for good?", width="small")(_ask)(record, str(st.session_state[key]))


def _ask(record: StudyRecord, code: str) -> None:
    st.markdown("All answers of this participant go. This cannot be undone, and they are in no later export.")
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        no = st.button("Cancel", key=f"study-{record.id}-keep")
        yes = st.button(
            "Delete", key=f"for-good-participant-{record.id}", type="primary", icon=":material/delete_forever:",
            on_click=session.attempt,
            args=(lambda: state.sessions().delete(record.link, as_code(code)), "The participant is deleted."),
        )  # fmt: skip
    if no or yes:
        st.rerun()  # without the question
