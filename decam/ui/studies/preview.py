"""What participants see of a block, on their own page in a frame; nothing that is tried there is kept."""

from __future__ import annotations

import streamlit as st

from decam.errors import DecamError
from decam.studies import blocks, previews
from decam.studies.blocks import Place
from decam.studies.responses import StudyRecord
from decam.studies.road import wording_of
from decam.ui import state, text

HEIGHT = 640
MOST = 40
"""Screens of a block that a preview shows."""


def show(record: StudyRecord, place: int) -> None:
    """Draw the screens of a block as a participant gets them."""
    study, block = record.study, record.study.blocks[place]
    lacking = blocks.get(block.kind).lacks(study, block)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.markdown("**What participants see**", width="stretch")
        key = f"study-{record.id}-sequence"
        st.session_state.setdefault(key, 1)
        number = int(
            st.number_input(
                "Participant", 1, study.assignment.sequences, key=key, width=130,
                help="Each participant has a sequence of their own: other images, sides and orders.",
            )
        )  # fmt: skip
    if lacking:
        st.info(text.plain(lacking))
        return
    try:
        wording = wording_of(study)
        steps = blocks.get(block.kind).steps(Place(study, block, place, number - 1, wording))
        ends = place == len(study.blocks) - 1 and len(steps) <= MOST
        token = previews.offer(steps[:MOST], wording, state.studies().folder(record.id), ends=ends)
    except DecamError as error:
        st.info(text.plain(str(error)))
        return
    theme = "dark" if state.dark() else "light"
    st.iframe(f"{base()}/study/preview/{token}?theme={theme}", height=HEIGHT, alt="What participants see")
    more = f" The first {MOST} of {len(steps)} are shown." if len(steps) > MOST else ""
    st.caption(f"{text.several(len(steps), 'screen')}.{more} Nothing that you try here is kept.")


def base() -> str:
    """The path below which the server's routes lie; empty where that is its root."""
    path = str(st.get_option("server.baseUrlPath")).strip("/")
    return f"/{path}" if path else ""
