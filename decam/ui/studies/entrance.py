"""How people come in and go out: the platform they come from, limits, and what they are sent away with."""

from __future__ import annotations

import streamlit as st

from decam.studies import editing, platforms
from decam.studies.design import Entrance, Study
from decam.studies.platforms import PLATFORMS, Platform
from decam.studies.responses import StudyRecord
from decam.ui.studies import forms, session

GROUPS = (
    ("Who somebody is", ("identity", "others", "identity_needed")),
    ("Where people go at the end", ("completed", "no_consent", "attention_failed")),
    ("How many, and how long", ("most", "until", "left_after")),
    ("Window and device", ("least_width", "least_height", "touch", "full_screen", "user_agent")),
)
PART = editing.field_of("entrance")


def show(record: StudyRecord) -> None:
    """Draw the platforms and all settings of the entrance."""
    with st.container(border=True, key="study-platforms"):
        st.header("Where people come from")
        st.caption("A platform adds to the link who somebody is. Choose yours, and the study reads it.")
        with st.container(horizontal=True, gap="small"):
            for platform in PLATFORMS:
                _platform(record, platform)
    known = {one.name for one in Entrance.parameters()}
    grouped = [(title, [name for name in names if name in known]) for title, names in GROUPS]
    others = sorted(known - {name for _, names in GROUPS for name in names})
    with st.container(key="study-entrance"):
        for title, names in (*grouped, ("More", others)):
            if names:
                with st.container(border=True):
                    st.subheader(title)
                    forms.draw(record, "entrance", PART, names)


def _platform(record: StudyRecord, platform: Platform) -> None:
    reads = platforms.fits(record.study.entrance, platform)

    def adapt(study: Study) -> Study:
        return PART.write(study, platforms.adapted(study.entrance, platform))

    st.button(
        platform.title,
        key=f"study-{record.id}-from-{platform.name}",
        type="primary" if reads else "secondary",
        help=platform.help,
        disabled=not session.editable(record),
        on_click=session.change,
        args=(record.id, adapt),
    )
