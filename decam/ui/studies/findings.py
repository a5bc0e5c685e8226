"""The analysis of a study, while answers come in: one section at a time, its charts, its tables, its files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias

import streamlit as st

from decam.export.names import slug
from decam.lru import Lru
from decam.studies.reading import file_name, material_of
from decam.studies.responses import Lane, StudyRecord
from decam.studies.results import SECTIONS, Counted, Figure, Findings, Material, Section, Table, counted, table_csv
from decam.ui import state, text
from decam.ui.components.charts import figures as charts
from decam.ui.shared import awaited
from decam.ui.shared.latest import Seen

SECONDS = 10
"""How often the page looks for new answers."""

Version: TypeAlias = tuple[object, ...]
"""What answers, flags and names depend on."""

Subject: TypeAlias = tuple[object, ...]
"""What is counted again whenever answers come in: the study, its lane, how answers are read, and the section."""

LINE = "analysis"
"""Where sections wait for their turn in the queue: apart from the devices, which runs keep for minutes."""

WAIT = 0.5
"""Seconds in which most sections are counted, so that the page need not say that they are."""

_READ = 4
_material: Lru[Version, Material] = Lru(_READ)


def show(record: StudyRecord, lanes: Sequence[tuple[Lane, str]]) -> None:
    """Draw the results of one of the lanes that have answers; `lanes` names them all."""
    there = [(lane, title) for lane, title in lanes if state.studies().participants(record.id, lane)]
    if not there:
        st.caption("There is nothing to analyse yet.")
        return
    titles = dict(there)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        lane = st.segmented_control(
            "Whose answers", list(titles), format_func=titles.__getitem__, default=there[0][0], required=True,
            key=f"study-{record.id}-lane",
        )  # fmt: skip
        kept = st.toggle(
            "Leave out flagged people", key=f"study-{record.id}-kept",
            help="Flags come from the rules that were fixed beforehand. Nobody's answers are removed.",
        )  # fmt: skip
        blinded = st.toggle(
            "Blinded", key=f"study-{record.id}-blinded", help="Methods are called by their letters, as in the data.",
        )  # fmt: skip
    _live(record, Lane(lane or there[0][0]), kept=kept, blinded=blinded)


@st.fragment(run_every=SECONDS)
def _live(record: StudyRecord, lane: Lane, *, kept: bool, blinded: bool) -> None:
    """One section, read again when answers have come in."""
    read = _read(record, lane, kept, blinded)
    offered = {section.name: section for section in SECTIONS if section.there(read)}
    opening = next((name for name, section in offered.items() if section.first), next(iter(offered)))
    chosen = st.pills(
        "Section", list(offered), format_func=lambda name: offered[name].title, required=True,
        default=opening, key=f"study-{record.id}-{lane}-section",
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    section = offered[chosen or opening]
    st.caption(section.summary)
    subject = (record.id, lane, kept, blinded, section.name)
    seen = _counted(subject, section, read, WAIT)
    if seen.newest.error:
        _failed(subject, section, read, seen.newest.error)
    if seen.shown is not None:
        if seen.newest.result is None:
            st.caption(_before(seen))
        draw(seen.shown.findings, f"study-{record.id}-{section.name}", slug(record.study.name, 30))
    if seen.newest.awaited:
        awaited.wait(section.title, seen.newest, lambda: _counted(subject, section, read).newest)


def draw(findings: Findings, key: str, name: str) -> None:
    """Sentences, then charts with their files, then tables with theirs; `name` begins the names of files."""
    for sentence in findings.sentences:
        st.markdown(text.plain(sentence))
    if findings.figures:
        with st.container(key=f"charts-{key}"):
            for figure in findings.figures:
                _figure(figure, f"{key}-{figure.name}", f"{name}-{figure.name}")
    for number, table in enumerate(findings.tables):
        _table(table, f"{key}-table-{number}", f"{name}-{file_name(table.title)}")


def _figure(figure: Figure, key: str, name: str) -> None:
    with st.container(gap="xsmall"):
        st.markdown(f"**{text.plain(figure.title)}**")
        charts.offer(lambda *, dark: figure.draw(dark), key, figure.title, name=name)


def _table(table: Table, key: str, name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{text.plain(table.title)}**")
        st.download_button(
            "CSV", table_csv(table), f"{name}.csv", "text/csv", key=f"{key}-csv", icon=":material/download:",
            type="tertiary", on_click="ignore", help=f"The table “{table.title}” as CSV.",
        )  # fmt: skip
    head = _distinct(table.head)
    columns = {title: [row[place] for row in table.rows] for place, title in enumerate(head)}
    st.dataframe(columns, hide_index=True, width="stretch", height="content" if len(table.rows) <= 20 else 420, key=key)


def _distinct(head: Sequence[str]) -> list[str]:
    """Names of columns that a table can hold: one that comes again gets spaces that nobody sees."""
    return [name + " " * head[:place].count(name) for place, name in enumerate(head)]


def _read(record: StudyRecord, lane: Lane, kept: bool, blinded: bool) -> Material:
    """What the sections read; answers are fetched only where somebody has moved since the last look.

    Whoever answers moves a position or an attempt, in the same transaction.
    """
    people = state.studies().participants(record.id, lane)
    moved = tuple((one.code, one.position, one.attempt, one.seen, one.outcome, one.excluded) for one in people)
    version: Version = (record.id, record.digest, lane, kept, blinded, moved)
    read = _material.get(version)
    if read is None:
        read = material_of(state.studies(), record.id, lane, kept_only=kept, blinded=blinded)
        _material.put(version, read)
    return read


def _counted(subject: Subject, section: Section, read: Material, wait: float = 0.0) -> Seen[Counted]:
    """What a section says, counted off the page and once for the same study, answers, flags and names."""
    return state.analyses().ask(subject, read.digest, state.owner(), LINE, lambda: counted(section, read), wait)


def _before(seen: Seen[Counted]) -> str:
    """Whose answers are shown while newer ones are not."""
    until = None if seen.shown is None else seen.shown.until
    which = "An earlier count" if until is None else f"Answers up to {text.when(datetime.fromtimestamp(until, UTC))}"
    return f"{which}; newer ones {'could not be' if seen.newest.error else 'are being'} counted."


def _failed(subject: Subject, section: Section, read: Material, error: str) -> None:
    st.error(text.plain(error))
    st.button(
        "Try again", key=f"study-{read.record.id}-{section.name}-again", icon=":material/refresh:",
        help="Count it anew.", on_click=state.analyses().again, args=(subject, read.digest),
    )  # fmt: skip
