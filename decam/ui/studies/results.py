"""Who took part and what they answered: one table of sections, drawn one below the other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import streamlit as st

from decam.errors import DecamError
from decam.export.names import slug
from decam.studies import archive
from decam.studies.responses import Lane, StudyRecord
from decam.studies.simulated import PERSONAS, simulate
from decam.studies.steps import Outcome
from decam.ui import state, text

TITLES: Mapping[Lane, str] = {
    Lane.LIVE: "Live",
    Lane.PILOT: "Pilot",
    Lane.REHEARSAL: "Rehearsal",
    Lane.SIMULATED: "Simulated",
}
MOST = 500


@dataclass(frozen=True)
class Section:
    """A row of the table: what stands above it, and what draws it."""

    title: str
    draw: Callable[[StudyRecord], None]


def show(record: StudyRecord) -> None:
    """Draw all sections."""
    for section in SECTIONS:
        with st.container(border=True):
            st.subheader(section.title)
            try:
                section.draw(record)
            except DecamError as error:
                st.error(text.plain(str(error)))


def _people(record: StudyRecord) -> None:
    counted = {lane: _outcomes(record, lane) for lane in TITLES}
    if not any(counted.values()):
        st.caption("Nobody has taken part yet. Simulated participants show today what the results will look like.")
        return
    there = {lane: counts for lane, counts in counted.items() if counts}
    table: dict[str, list[str] | list[int]] = {"": [TITLES[lane] for lane in there]}
    table["Began"] = [sum(counts.values()) for counts in there.values()]
    for outcome in Outcome:
        table[text.capital(str(outcome))] = [counts[outcome] for counts in there.values()]
    st.dataframe(table, hide_index=True, width="stretch", height="content")


def _outcomes(record: StudyRecord, lane: Lane) -> Counter[Outcome]:
    return Counter(one.outcome for one in state.studies().participants(record.id, lane))


def _simulated(record: StudyRecord) -> None:
    pass


SECTIONS: tuple[Section, ...] = (
    Section("Who took part", _people),
    Section("Simulated participants", _simulated),
)
_ = (json, asdict, slug, archive, PERSONAS, simulate, MOST)
