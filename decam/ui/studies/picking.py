"""Which finished runs, pictures, methods and built-in conditions a study is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from decam.errors import DecamError
from decam.experiments.kinds.comparison import COMPARISON
from decam.experiments.status import Status
from decam.runs.snapshots import RunSnapshot, RunSummary
from decam.studies.stimuli import Offer, Subject, offered
from decam.studies.templates import Template
from decam.ui import nav, state, text
from decam.ui.shared import thumbnails
from decam.ui.shared.thumbnails import Tile

LISTED = 60
SIDE = 192


@dataclass(frozen=True)
class Picked:
    """Runs, and what is taken from them: subjects' keys, methods' keys, names of built-in conditions."""

    runs: tuple[RunSnapshot, ...]
    subjects: tuple[Subject, ...]
    methods: tuple[str, ...]
    catches: tuple[str, ...]


def panel(name: str, suggested: Sequence[str] = ()) -> Picked | None:
    """Draw the choice and return it; None, with the reason, while there is nothing to choose from.

    `suggested` are the built-in conditions that are on at first.
    """
    runs = _runs(name)
    if not runs:
        return None
    offer = offered(runs)
    if not offer.subjects:
        st.info("These runs have no finished map of an image yet; wait for them, or choose others.")
        return None
    subjects = _pictures(name, offer)
    methods = _methods(name, offer)
    catches = _catches(name, offer, suggested)
    return Picked(runs, subjects, methods, catches)


def uses(picked: Picked, template: Template | None, training: int) -> dict[str, str]:
    """What each picture is for: the first ones for training where the design trains."""
    count = training if template is not None and template.training else 0
    return {one.key: "training" if place < count else "trials" for place, one in enumerate(picked.subjects)}


def _runs(name: str) -> tuple[RunSnapshot, ...]:
    listed = [one for one in state.runs().recent(state.listed_owner(), LISTED, COMPARISON) if not one.status.active]
    if not listed:
        st.info("A study is made from finished comparisons. Make one first: choose images and methods, then Explain.")
        st.page_link(nav.page("compare"), label="To the Compare page", icon=":material/arrow_forward:")
        return ()
    by_id = {one.id: one for one in listed}
    key = f"{name}-runs"
    shown = st.session_state.get("shown_run")
    if key not in st.session_state:
        st.session_state[key] = [shown] if shown in by_id else [listed[0].id]
    st.session_state[key] = [one for one in st.session_state[key] if one in by_id]
    chosen = st.multiselect(
        "Finished comparisons",
        list(by_id),
        format_func=lambda run: _line(by_id[run]),
        key=key,
        persist_state="session",
        wrap=True,
        placeholder="Choose one or several",
        help="Images that several runs ask the same model about become one stimulus, with the maps of all of them.",
    )
    snapshots = []
    for run in chosen:
        try:
            snapshots.append(state.runs().snapshot(run))
        except DecamError as error:
            st.error(text.plain(str(error)))
    return tuple(snapshots)


def _line(summary: RunSummary) -> str:
    stands = "" if summary.status is Status.DONE else f" · {summary.status}"
    return f"{summary.title} · {text.several(len(summary.methods), 'method')} · {text.when(summary.created)}{stands}"


def _pictures(name: str, offer: Offer) -> tuple[Subject, ...]:
    key = f"{name}-left-out"
    left_out: set[str] = st.session_state.setdefault(key, set())
    chosen = [one for one in offer.subjects if one.key not in left_out]
    st.markdown(f"**Images** :gray[{len(chosen)} of {len(offer.subjects)}; click one to leave it out or take it back]")

    def toggle(subject: str) -> None:
        st.session_state[key] = st.session_state[key] ^ {subject}

    tiles = [Tile(one.key, f"{one.name}: {', '.join(one.labels)}", one.model, _uri(one)) for one in offer.subjects]
    thumbnails.tiles(name, tiles, {one.key for one in chosen}, toggle)
    return tuple(chosen)


def _uri(subject: Subject) -> str:
    return thumbnails.view_uri(subject.view, SIDE)


def _methods(name: str, offer: Offer) -> tuple[str, ...]:
    titles = {one.key: one.title for one in offer.methods}
    if not titles:
        st.caption("These runs have no methods but controls.")
        return ()
    key, told = f"{name}-methods", f"{name}-methods-offered"
    offered_before, chosen = st.session_state.get(told, ()), st.session_state.get(key, ())
    # What another run brings is on at first; what was switched off stays off.
    st.session_state[key] = [one for one in titles if one in chosen or one not in offered_before]
    st.session_state[told] = tuple(titles)
    return tuple(
        st.pills(
            "Methods", list(titles), selection_mode="multi", format_func=lambda one: text.plain(titles[one]), key=key,
            persist_state="session", wrap=True,
            help="Each becomes a condition. Participants never read its name.",
        )
    )  # fmt: skip


def _catches(name: str, offer: Offer, suggested: Sequence[str]) -> tuple[str, ...]:
    rows = {one.name: one for one in offer.catches}
    key, told = f"{name}-catches", f"{name}-suggested"
    if st.session_state.get(told) != tuple(suggested):
        st.session_state[told] = tuple(suggested)
        st.session_state[key] = list(suggested)
    st.session_state[key] = [one for one in st.session_state.get(key, []) if one in rows]
    chosen = st.pills(
        "Built-in conditions", list(rows), selection_mode="multi", format_func=lambda one: rows[one].title, key=key,
        persist_state="session", wrap=True,
        help="Maps that know nothing of the model. Whoever prefers them does not look, or looks for something else.",
    )  # fmt: skip
    return tuple(chosen)
