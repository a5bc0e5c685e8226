"""The page on studies: from finished maps to people who only follow a link, and to what they answered."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from decam.studies.design import Study
from decam.studies.responses import StudyRecord
from decam.ui import state, text, theme
from decam.ui.shared.session import begin
from decam.ui.studies import (
    blocks,
    dealing,
    entrance,
    maps,
    planning,
    results,
    running,
    session,
    sign_in,
    start,
    words,
)
from decam.ui.studies.sign_in import Access
from decam.ui.studies.stages import STAGES

LISTED = 20


@dataclass(frozen=True)
class Part:
    """A part of a study's page: its title, and what draws it."""

    title: str
    draw: Callable[[StudyRecord], None]


def _parts(access: Access) -> tuple[Part, ...]:
    return (
        Part("Images", maps.show),
        Part("Blocks", blocks.show),
        Part("Assignment", dealing.show),
        Part("People", entrance.show),
        Part("Wording", words.show),
        Part("Plan", planning.show),
        Part("Take part", partial(running.show, access=access)),
        Part("Results", results.show),
    )


def show() -> None:
    """Draw the page."""
    begin("studies")
    theme.apply("studies/studies.css")
    session.say_done()
    with st.sidebar:
        theme.brand()
    access = sign_in.allowed()
    if access is None:
        return
    record = session.opened(access)
    with st.sidebar:
        _sidebar(access, record)
    if record is None:
        start.show(access)
        return
    theme.title(start.name_of(record))
    _head(record)
    running.lacking(record)
    parts = {part.title: part for part in _parts(access)}
    key = f"study-{record.id}-part"
    st.session_state.setdefault(key, next(iter(parts)))
    chosen = st.segmented_control(
        "Part of the study", list(parts), key=key, required=True, label_visibility="collapsed", persist_state="session"
    )
    parts[str(chosen)].draw(record)


def _head(record: StudyRecord) -> None:
    standing = STAGES[record.stage]
    key = f"study-{record.id}-name"
    with st.container(key="study-head", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Name of the study",
            key=session.fill(key, record.study.name),
            max_chars=200,
            disabled=not session.editable(record),
            on_change=session.typed(record.id, key, _renamed),
        )
        st.markdown(f":{standing.colour}-badge[{standing.title}] :gray[{text.plain(start.facts(record))}]")
    if not session.editable(record):
        st.info(f"**{standing.title}.** {standing.meaning}", icon=":material/lock:")


def _renamed(study: Study, name: str) -> Study:
    return dataclasses.replace(study, name=name)


def _sidebar(access: Access, record: StudyRecord | None) -> None:
    if access.name:
        st.caption(text.plain(access.name))
    if record is not None:
        st.button("All studies", icon=":material/arrow_back:", on_click=session.leave, key="studies-all")
        with st.container(key="studies-others", gap="xsmall"):
            for other in state.studies().recent(access.owner)[:LISTED]:
                st.button(
                    f"{text.plain(start.name_of(other))}  \n:gray[:small[{STAGES[other.stage].title}]]",
                    key=f"other-{other.id}",
                    type="secondary" if other.id == record.id else "tertiary",
                    width="stretch",
                    on_click=session.show,
                    args=(other.id,),
                )
    if sign_in.ways_in().any:
        st.button("Sign out", icon=":material/logout:", type="tertiary", on_click=sign_in.leave, key="studies-sign-out")
