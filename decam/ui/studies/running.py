"""From draft to data: the stages, the participants' link, and the study as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import streamlit as st

from decam.export.names import slug
from decam.studies import archive, making, platforms
from decam.studies.document import study_to_json
from decam.studies.platforms import PLATFORMS, Platform
from decam.studies.responses import StudyRecord
from decam.ui import state, text
from decam.ui.shared import deleting
from decam.ui.shared.deleting import Deletable
from decam.ui.studies import preview, session, start
from decam.ui.studies.sign_in import Access
from decam.ui.studies.stages import STAGES, Way

FEW = 2
"""So many missing things are said in one line."""


def show(record: StudyRecord, access: Access) -> None:
    """Draw the stages, the link and what can be done with the study as a whole."""
    with st.container(key="study-running"):
        with st.container():
            with st.container(border=True):
                _stage(record)
            with st.container(border=True):
                _whole(record, access)
        with st.container(border=True):
            _link(record)


def lacking(record: StudyRecord) -> None:
    """Draw what a draft still lacks, a line for each thing."""
    if not session.editable(record):
        return
    missing = state.studies().lacks(record)
    if not missing:
        st.caption(":material/check_circle: Nothing is missing; the pilot can start under **Take part**.")
        return
    if len(missing) <= FEW:
        st.warning("**Still missing:** " + " ".join(text.plain(sentence) for sentence in missing))
        return
    with st.expander(f"Still missing: {text.several(len(missing), 'thing')}", icon=":material/error:"):
        st.markdown("\n".join(f"- {text.plain(sentence)}" for sentence in missing))


def _stage(record: StudyRecord) -> None:
    standing = STAGES[record.stage]
    st.header(f"Stage: {standing.title.lower()}")
    if session.editable(record):  # else it stands above the parts already
        st.markdown(standing.meaning)
    missing = state.studies().lacks(record) if session.editable(record) else []
    with st.container(horizontal=True, gap="small"):
        for number, way in enumerate(standing.ways):
            main = number == len(standing.ways) - 1
            pressed = st.button(
                way.title, icon=way.icon, help=way.help, key=f"study-{record.id}-to-{way.to}",
                type="primary" if main else "secondary", disabled=bool(missing),
                on_click=None if way.question else _go, args=() if way.question else (record.id, way),
            )  # fmt: skip
            if pressed and way.question:
                st.dialog(f"{way.title}?", width="small")(_ask)(record.id, way)
    for sentence in missing:
        st.markdown(f":material/error: {text.plain(sentence)}")


def _ask(study_id: str, way: Way) -> None:
    st.markdown(way.question)
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        no = st.button("Cancel", key=f"study-{study_id}-stay")
        yes = st.button(
            way.title, key=f"study-{study_id}-really-{way.to}", type="primary", on_click=_go, args=(study_id, way)
        )
    if no or yes:
        st.rerun()  # without the question


def _go(study_id: str, way: Way) -> None:
    session.attempt(lambda: state.studies().set_stage(study_id, way.to))


def address(record: StudyRecord) -> str:
    """The participants' link, as whole an address as the visitor's browser lets the server know."""
    parts = urlsplit(st.context.url or "")
    host = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return f"{host}{preview.base()}/study/{record.link}"


def _link(record: StudyRecord) -> None:
    st.header("The participants' link")
    link = address(record)
    st.link_button(
        "Open it as a participant", link, icon=":material/open_in_new:",
        help="In a draft you rehearse: answers are kept apart and count nowhere.",
    )  # fmt: skip
    for platform in PLATFORMS:
        _for(record, platform, link)
    host = urlsplit(link).hostname
    if host in (None, "localhost", "127.0.0.1", "::1"):
        st.caption(
            "This address works on this machine alone. Serve the dashboard under a name that participants can reach, "
            "and open this page there to copy the link."
        )


def _for(record: StudyRecord, platform: Platform, link: str) -> None:
    st.markdown(f"**{platform.title}**")
    st.code(platforms.link(link, platform), language=None, wrap_lines=True)
    reads = platforms.fits(record.study.entrance, platform) or not platform.identity
    st.caption(platform.help if reads else f"{platform.help} Choose {platform.title} under **People** first.")


def _whole(record: StudyRecord, access: Access) -> None:
    st.header("The study as a file")
    st.caption(f"Its digest is {record.digest[:16]}…: every answer carries it, so that what was asked stays known.")
    name = slug(record.study.name, 40)
    folder = state.studies().folder(record.id)
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Export with images (ZIP)", lambda: archive.packed(record.study, folder), f"study-{name}-export.zip",
            "application/zip", key=f"study-{record.id}-zip", icon=":material/download:", on_click="ignore",
            help="Everything but participants and answers; another server can import it.",
        )  # fmt: skip
        st.download_button(
            "study.json", study_to_json(record.study), f"study-{name}.json", "application/json",
            key=f"study-{record.id}-json", icon=":material/download:", on_click="ignore",
            help="The design as text: conditions, blocks, wording, assignment and entrance.",
        )  # fmt: skip
        st.button(
            "Copy as a new study", icon=":material/content_copy:", key=f"study-{record.id}-copy",
            help="A draft with the same images and blocks, without participants.",
            on_click=_copy, args=(record, access.owner or ""),
        )  # fmt: skip
        changed = text.when(datetime.fromtimestamp(record.changed, UTC))
        item = Deletable("study", record.id, start.name_of(record), changed, start.counts(record), start.ALONG)
        deleting.button(item, start.delete)


def _copy(record: StudyRecord, owner: str) -> None:
    session.attempt(lambda: session.show(making.copy(state.studies(), record, owner).id), "This is the copy.")
