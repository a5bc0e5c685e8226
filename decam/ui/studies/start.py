"""The page without a study: those there are, and how a new one is made."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from decam.errors import DecamError
from decam.studies import making, templates
from decam.studies.responses import Lane, StudyRecord
from decam.studies.responses.backup import LARGEST, restore
from decam.studies.responses.records import LANES
from decam.studies.steps import Outcome
from decam.studies.stimuli import Wanted
from decam.studies.templates import TEMPLATES
from decam.ui import state, text, theme
from decam.ui.shared import deleting
from decam.ui.shared.deleting import Deletable
from decam.ui.studies import picking, session
from decam.ui.studies.sign_in import Access
from decam.ui.studies.stages import STAGES

NEW = "studies-new"
WHOLE = "studies-whole"
ALONG = "its images, its participants and all their answers"
WHAT = (
    "Ask people about maps: which one explains an answer better, what the model will answer, where they would look. "
    "Images and maps come from finished comparisons, participants need only a link, and answers are analysed as they "
    "come in."
)


def show(access: Access) -> None:
    """Draw the list of studies and the form for a new one."""
    theme.title(seen=True)
    st.markdown(WHAT)
    records = _recent(access)
    if records:
        with st.container(key="studies-list", gap="xsmall"):
            for record in records:
                _line(record)
    with st.container(key="studies-make", border=True):
        st.header("New study")
        _make(access)
    with st.expander("Bring a study from elsewhere", icon=":material/upload:"):
        _bring(access)


def _recent(access: Access) -> list[StudyRecord]:
    try:
        return state.studies().recent(access.owner)
    except DecamError as error:
        st.error(text.plain(str(error)))
        return []


def _line(record: StudyRecord) -> None:
    stage = STAGES[record.stage]
    with st.container(horizontal=True, wrap=False, gap="small", vertical_alignment="center"):
        st.button(
            f"**{text.plain(name_of(record))}**  \n:gray[:small[{text.plain(facts(record))}]]",
            key=f"study-{record.id}",
            width="stretch",
            on_click=session.show,
            args=(record.id,),
        )
        st.badge(stage.title, color=stage.colour)
        changed = text.when(datetime.fromtimestamp(record.changed, UTC))
        deleting.button(Deletable("study", record.id, name_of(record), changed, counts(record), ALONG), delete)


def name_of(record: StudyRecord) -> str:
    """What a study is called where it may have no name yet."""
    return record.study.name.strip() or "Study without a name"


def facts(record: StudyRecord) -> str:
    """A study in a line: what it consists of, and who took part."""
    study = record.study
    parts = [text.several(len(study.stimuli), "image"), text.several(len(study.conditions), "condition")]
    return " · ".join([*parts, counts(record)])


def counts(record: StudyRecord) -> str:
    """How many people took part, of those that count in the study's stage."""
    lane = LANES.get(record.stage, Lane.LIVE)
    try:
        people = state.studies().participants(record.id, lane)
    except DecamError as error:
        return str(error)
    finished = sum(one.outcome is Outcome.COMPLETED for one in people)
    noun = "rehearsal" if lane is Lane.REHEARSAL else "participant"
    return f"{text.several(len(people), noun)}, {finished} completed" if people else f"no {noun} yet"


def delete(study_id: str) -> None:
    """Delete a study, and leave it where it is shown."""
    state.studies().delete(study_id)
    if state.run_id() == study_id:
        state.show_run(None)


def _make(access: Access) -> None:
    st.text_input(
        "Name",
        key=f"{NEW}-name",
        persist_state="session",
        placeholder="Which map explains a bird better?",
        max_chars=200,
    )
    by_name = {one.name: one for one in TEMPLATES}
    st.session_state.setdefault(f"{NEW}-design", TEMPLATES[0].name)
    chosen = st.radio(
        "Design",
        list(by_name),
        format_func=lambda name: by_name[name].title,
        captions=[one.summary for one in TEMPLATES],
        key=f"{NEW}-design",
        persist_state="session",
        help="A start: every block, question and setting can be changed afterwards.",
    )
    template = templates.get(str(chosen))
    if template.source:
        st.caption(text.plain(template.source))
    picked = picking.panel(NEW, template.catches)
    if picked is None:
        return
    training = 0
    if template.training:
        most = max(len(picked.subjects) - 1, 0)
        key = f"{NEW}-training"
        st.session_state[key] = min(st.session_state.get(key, len(picked.subjects) // 2), most)
        training = int(
            st.number_input(
                "Images for training",
                0,
                most,
                key=key,
                persist_state="session",
                help="The first ones; the others are for the test.",
            )
        )
    wanted = Wanted(picking.uses(picked, template, training), picked.methods, picked.catches, seed=0)

    def make() -> None:
        name = str(st.session_state.get(f"{NEW}-name", "")) or template.title
        record = making.from_runs(state.studies(), name, picked.runs, wanted, template, access.owner or "")
        session.show(record.id)
        for key in [key for key in st.session_state if str(key).startswith(f"{NEW}-")]:
            del st.session_state[key]  # the next study begins anew

    ready = bool(picked.subjects and (picked.methods or picked.catches))
    session.slow(
        "Make the study", make, "Maps are copied and drawn …", key="studies-begin", icon=":material/add:", ready=ready,
        help="Maps are copied: changing or deleting a run later changes no study.",
    )  # fmt: skip


def _bring(access: Access) -> None:
    turn = st.session_state.setdefault("studies-brought", 0)
    key = f"studies-bring-{turn}"

    def take() -> None:
        file = st.session_state.get(key)
        if file is None:
            return
        st.session_state["studies-brought"] = turn + 1  # another uploader, without the file
        session.attempt(lambda: session.show(_brought(file.getvalue(), access).id))

    if access.owner is None:  # it comes back with its owner, who may be somebody else
        st.toggle(
            "With participants and answers", key=WHOLE,
            help="For the file of Download backup: the study comes back as it was, under the same link.",
        )  # fmt: skip
    st.file_uploader(
        "The ZIP of a study", type=["zip", "json"], key=key, on_change=take, max_upload_size=LARGEST // 2**20
    )
    st.caption("Without them it becomes a new draft with the same images and blocks.")


def _brought(content: bytes, access: Access) -> StudyRecord:
    store = state.studies()
    if access.owner is None and st.session_state.get(WHOLE):
        return restore(store, content)
    return making.from_file(store, content, access.owner or "")
