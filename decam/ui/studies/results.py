"""Who took part and what they answered: one table of sections, drawn one below the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from decam.errors import DecamError
from decam.export.names import slug
from decam.studies.responses import Lane, StudyRecord
from decam.studies.responses.backup import everything
from decam.studies.simulated import PERSONAS, simulate, usual_strengths
from decam.studies.steps import Outcome
from decam.ui import state, text
from decam.ui.studies import findings, people

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
            st.header(section.title)
            try:
                section.draw(record)
            except DecamError as error:
                st.error(text.plain(str(error)))


def _people(record: StudyRecord) -> None:
    counted = {lane: _outcomes(record, lane) for lane in TITLES}
    there = {lane: counts for lane, counts in counted.items() if counts}
    if not there:
        st.caption("Nobody has taken part yet. Simulated participants show today what the results will look like.")
        return
    table: dict[str, list[str] | list[int]] = {"Whose answers": [TITLES[lane] for lane in there]}
    table["Began"] = [sum(counts.values()) for counts in there.values()]
    for outcome in Outcome:
        table[text.capital(str(outcome))] = [counts[outcome] for counts in there.values()]
    st.dataframe(table, hide_index=True, width="stretch", height="content")


def _outcomes(record: StudyRecord, lane: Lane) -> Counter[Outcome]:
    return Counter(one.outcome for one in state.studies().participants(record.id, lane))


def _simulated(record: StudyRecord) -> None:
    missing = state.studies().lacks(record)
    st.caption("They go through the whole study as people do, so that you see its analysis before there are data.")
    personas = {one.name: one.title for one in PERSONAS}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        persona = st.selectbox(
            "Persona", list(personas), format_func=personas.__getitem__, key=f"study-{record.id}-persona", width=330
        )
        count = st.number_input("How many", 1, MOST, 20, key=f"study-{record.id}-simulated", width=130)
        noise = st.number_input(
            "Share of random answers", 0.0, 1.0, 0.1, 0.05, key=f"study-{record.id}-noise", width=190
        )
    strengths = _strengths(record) if persona == PERSONAS[0].name else {}
    there = len(state.studies().participants(record.id, Lane.SIMULATED))
    begun = st.button(
        "Let them take part", key=f"study-{record.id}-simulate", icon=":material/smart_toy:",
        disabled=bool(missing), help=missing[0] if missing else "Their answers stay apart from those of people.",
    )  # fmt: skip
    if begun:
        bar = st.progress(0.0, "Simulated participants begin")
        for one in simulate(state.sessions(), record, str(persona), int(count), there, strengths, float(noise)):
            bar.progress(one.done / one.count, f"{one.done} of {one.count} took part")
        st.rerun()


def _strengths(record: StudyRecord) -> dict[str, float]:
    """How good each condition is to the simulated participants, by its key."""
    with st.expander("How good each condition is to them"):
        st.caption("On the scale of the Bradley–Terry model: one point more is preferred in 73 % of pairs.")
        usual = usual_strengths(record.study)
        with st.container(key="fields-strengths"):
            return {
                one.key: float(
                    st.number_input(
                        text.plain(one.title), -5.0, 5.0, usual[one.key], 0.5,
                        key=f"study-{record.id}-strength-{one.key}",
                    )
                )
                for one in record.study.conditions
            }  # fmt: skip


def _download(record: StudyRecord) -> None:
    st.caption(
        "The design with its images, every version that people took part in, all participants and all answers. The "
        "file can be restored on the page **All studies**, here or on another server."
    )
    st.download_button(
        "Download backup", lambda: everything(state.studies(), record.id),
        f"study-{slug(record.study.name, 40)}-backup.zip", "application/zip", type="primary",
        key=f"study-{record.id}-backup", icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _analysis(record: StudyRecord) -> None:
    findings.show(record, tuple(TITLES.items()))


def _each(record: StudyRecord) -> None:
    people.show(record, TITLES)


SECTIONS: tuple[Section, ...] = (
    Section("Who took part", _people),
    Section("Analysis", _analysis),
    Section("Participants", _each),
    Section("Simulated participants", _simulated),
    Section("Everything in one file", _download),
)
