"""The analysis of a study, while answers come in: one section at a time, its charts, its tables, its files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import streamlit as st

from decam.export.names import slug
from decam.lru import Lru
from decam.studies.reading import file_name, material_of
from decam.studies.responses import Lane, StudyRecord
from decam.studies.results import SECTIONS, Figure, Findings, Material, Section, Table, table_csv
from decam.ui import state, text
from decam.ui.components.charts import figures as charts
from decam.ui.components.charts.saver import saver

SECONDS = 10
"""How often the page looks for new answers."""

FIRST = "preference"
Version: TypeAlias = tuple[object, ...]
"""What answers, flags and names depend on."""

_READ, _KEPT = 4, 24
_material: Lru[Version, Material] = Lru(_READ)
_found: Lru[tuple[object, ...], Findings] = Lru(_KEPT)


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
    version, read = _read(record, lane, kept, blinded)
    offered = {section.name: section for section in SECTIONS if section.there(read)}
    chosen = st.pills(
        "Section", list(offered), format_func=lambda name: offered[name].title, required=True,
        default=FIRST if FIRST in offered else next(iter(offered)), key=f"study-{record.id}-{lane}-section",
        label_visibility="collapsed",
    )  # fmt: skip
    section = offered[chosen or next(iter(offered))]
    st.caption(section.summary)
    with st.spinner("Analysing"):
        findings = _findings(section, version, read)
    draw(findings, f"study-{record.id}-{section.name}", slug(record.study.name, 30))


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
        charts.show(figure.draw(state.dark()), key, figure.title)
        saver(key, name, figure.title)


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


def _read(record: StudyRecord, lane: Lane, kept: bool, blinded: bool) -> tuple[Version, Material]:
    """What the sections read, and its version; answers are fetched only where somebody has moved since the last look.

    Whoever answers moves a position or an attempt, in the same transaction.
    """
    people = state.studies().participants(record.id, lane)
    moved = tuple((one.code, one.position, one.attempt, one.seen, one.outcome, one.excluded) for one in people)
    version: Version = (record.id, record.digest, lane, kept, blinded, moved)
    read = _material.get(version)
    if read is None:
        read = material_of(state.studies(), record.id, lane, kept_only=kept, blinded=blinded)
        _material.put(version, read)
    return version, read


def _findings(section: Section, version: Version, read: Material) -> Findings:
    """What a section says; worked out once for the same answers, flags and names."""
    found = _found.get((section.name, *version))
    if found is None:
        found = section.read(read) or Findings(("There are too few answers for this yet.",))
        _found.put((section.name, *version), found)
    return found
