"""What participants read: the language, a file of its texts, and single texts of one's own."""

from __future__ import annotations

import dataclasses

import streamlit as st

from decam.studies.design import Study
from decam.studies.responses import StudyRecord
from decam.studies.road import wording_of
from decam.studies.templates import reworded
from decam.studies.wording import SHIPPED, Wording, shipped, wording_from_json, wording_json
from decam.ui import text
from decam.ui.studies import session

NAMES = {"en": "English", "de": "German"}
LONG = 80


def show(record: StudyRecord) -> None:
    """Draw the choice of a language, the way of a file, and the texts."""
    wording = wording_of(record.study)
    with st.container(border=True, key="study-language"):
        st.header("Language")
        _language(record)
        _file(record, wording)
    with st.container(border=True, key="study-texts"):
        st.header("Single texts")
        _texts(record, wording)


def with_wording(study: Study, wording: Wording) -> Study:
    """The study in the language of a wording; only texts that differ from the shipped ones are kept in it.

    What its design wrote into it and nobody changed is put into the same language.
    """
    usual = shipped(wording.language).texts
    own = {key: value for key, value in wording.texts.items() if usual.get(key) != value}
    worded = reworded(study, wording_of(study), wording)
    return dataclasses.replace(worded, language=wording.language, direction=wording.direction, wording=own)


def _language(record: StudyRecord) -> None:
    key = f"study-{record.id}-language"
    current = record.study.language
    languages = list(dict.fromkeys([*SHIPPED, current]))
    st.selectbox(
        "Texts of the page",
        languages,
        format_func=lambda one: NAMES.get(one, one),
        key=session.fill(key, current),
        width=260,
        help="Buttons, headings, usual texts and a design's own questions. What you wrote stays as you wrote it.",
        disabled=not session.editable(record),
        on_change=session.typed(record.id, key, lambda study, one: with_wording(study, _whole(study, one))),
    )


def _whole(study: Study, language: str) -> Wording:
    """The texts of another language; one that came as a file keeps its own."""
    return wording_of(study) if language == study.language else shipped(language)


def _file(record: StudyRecord, wording: Wording) -> None:
    st.markdown(
        "**Another language**  \nDownload the English texts, translate the values, and give the file back here."
    )
    with st.container(horizontal=True, gap="small"):
        for name, one in (("English texts", shipped("en")), ("Texts of this study", wording)):
            st.download_button(
                name, wording_json(one), f"wording-{one.language}.json", "application/json",
                key=f"study-{record.id}-get-{name}", icon=":material/download:", on_click="ignore",
            )  # fmt: skip
    if not session.editable(record):
        return
    turn = st.session_state.setdefault("studies-worded", 0)
    key = f"study-{record.id}-wording-{turn}"

    def take() -> None:
        file = st.session_state.get(key)
        if file is None:
            return
        st.session_state["studies-worded"] = turn + 1  # another uploader, without the file
        session.change(record.id, lambda study: with_wording(study, wording_from_json(file.getvalue())))

    st.file_uploader("A file of texts", type=["json"], key=key, on_change=take, max_upload_size=2)


def _texts(record: StudyRecord, wording: Wording) -> None:
    own = record.study.wording
    if own:
        st.caption(f"{text.several(len(own), 'text')} of this study's own; all others are the usual ones.")
    key = f"study-{record.id}-text"
    names = sorted(wording.texts)
    if st.session_state.get(key) not in names:
        st.session_state[key] = names[0]
    name = str(
        st.selectbox(
            "Text",
            names,
            key=key,
            format_func=lambda one: f"{'● ' if one in own else ''}{one}: {text.shortened(wording.texts[one], LONG)}",
        )
    )
    field = f"study-{record.id}-text-{name}"
    st.text_area(
        "What participants read",
        key=session.fill(field, wording.texts[name]),
        height=120,
        help="What stands in braces is filled in; keep it.",
        disabled=not session.editable(record),
        on_change=session.typed(record.id, field, lambda study, value: with_text(study, name, str(value))),
    )
    if name in own and session.editable(record):
        st.button(
            "Back to the usual text", key=f"study-{record.id}-usual", on_click=session.change,
            args=(record.id, lambda study: with_text(study, name, shipped(study.language).texts[name])),
        )  # fmt: skip


def with_text(study: Study, name: str, value: str) -> Study:
    """The study with one text replaced; raises WordingError where a text lost one of its values."""
    current = wording_of(study)
    changed = Wording(current.language, current.direction, {name: value})
    # Through the file's own checks: a text that lost what is filled in would be shown with nothing there.
    checked = wording_from_json(wording_json(changed))
    return with_wording(study, dataclasses.replace(current, texts={**current.texts, name: checked.texts[name]}))
