"""What happens between a researcher and a study: arriving with its address, and each change, saved as it is made."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from decam.errors import DecamError
from decam.studies.design import Stage
from decam.studies.editing import Change, Putting
from decam.studies.responses import NoSuchStudyError, StudyRecord
from decam.ui import state, text
from decam.ui.studies.sign_in import Access

DONE = "studies-done"


def opened(access: Access) -> StudyRecord | None:
    """The study of the address; None, with the reason and a way on, where there is none to show."""
    study_id = state.run_id()
    if study_id is None:
        return None
    try:
        record = state.studies().get(study_id)
        if access.owner is not None and record.owner != access.owner:
            raise NoSuchStudyError(study_id)
    except DecamError as error:
        st.error(text.plain(str(error)))
        st.button("All studies", on_click=leave, key="studies-leave", type="primary")
        return None
    return record


def leave() -> None:
    """Show the list of studies."""
    state.show_run(None)


def show(study_id: str) -> None:
    """Show this study."""
    state.show_run(study_id)


def editable(record: StudyRecord) -> bool:
    """True where the study can be changed."""
    return record.stage is Stage.DRAFT


def change(study_id: str, how: Change) -> None:
    """Change a study as it is now and save it; what cannot be becomes a sentence on the page. For callbacks."""

    def save() -> None:
        record = state.studies().get(study_id)
        study = how(record.study)
        if study != record.study:
            state.studies().save(study_id, study, record.digest)

    attempt(save)


def attempt(work: Callable[[], object], done: str = "") -> None:
    """Do something in a callback: what goes wrong, or that it is done, is said on the page."""
    try:
        work()
    except DecamError as error:
        st.session_state["problem"] = str(error)
    else:
        if done:
            st.session_state[DONE] = done


def slow(
    title: str, work: Callable[[], object], waiting: str, *, key: str, icon: str, help: str, ready: bool, done: str = ""
) -> None:
    """Draw a button for work of some seconds, which says so meanwhile; afterwards the page is drawn anew."""
    if st.button(title, key=key, icon=icon, help=help, type="primary", disabled=not ready):
        with st.spinner(waiting):
            attempt(work, done)
        st.rerun()


def say_done() -> None:
    """Say once what a callback has done."""
    sentence = st.session_state.pop(DONE, None)
    if sentence:
        st.toast(text.plain(sentence), icon=":material/check:")


def typed(study_id: str, key: str, how: Putting) -> Callable[[], None]:
    """A callback that puts the value of a widget into a study."""
    return partial(_typed, study_id, key, how)


def _typed(study_id: str, key: str, how: Putting) -> None:
    value = st.session_state[key]
    change(study_id, lambda study: how(study, value))


def fill(key: str, value: object) -> str:
    """Let a widget show what the study says, whatever it showed before; its key.

    The study is the only truth: a widget that is drawn anew, or whose study was changed in another tab, follows it.
    """
    st.session_state[key] = value
    return key
