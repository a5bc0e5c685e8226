"""A search on the page: how it stands, its maps beside the scores, the guess, and what the model hides."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.experiments.kinds.backdoors import suspicions
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.backdoors import guesses, measures, reveal, scores, suspects
from decam.ui.components.live import status as live_status
from decam.ui.runs import export_panel, gallery, run_view
from decam.ui.runs.gallery import Part

WELCOME = (
    "Somebody trained these models. Some have a **backdoor**: a mark in an image, the trigger, makes the model answer "
    "a class of the attacker's choice. Some learned a **shortcut**, and some hide nothing. On ordinary images "
    "all of them are right nearly always.\n\n"
    "Choose a model by its number and press **Search**: the search looks for the cheapest map of every class. Then "
    "guess which class is attacked, and see."
)


def welcome() -> None:
    """Say what the page is for, before there is a search."""
    with st.container(key="suspect-welcome"):
        st.header("Which class did the attacker choose?")
        st.markdown(WELCOME)


def show(snapshot: RunSnapshot | None) -> None:
    """Draw a search, or nothing where there is none; the gallery follows it by itself."""
    if snapshot is not None:
        run_view.show(snapshot, _draw)


def _draw(snapshot: RunSnapshot) -> None:
    live = state.live(snapshot)
    if live is not None:
        live_status.again_when_measured(snapshot, live, "suspicions")
    found = suspicions(snapshot.grid)
    maps, beside = st.columns([1.7, 1], gap="large")
    with maps:
        gallery.maps(snapshot, _part(snapshot))
    with beside:
        scores.show(found, snapshot.id)
    if not any(cell.explanation is not None for cell in snapshot.cells.values()):
        return
    if suspects.is_numbered(snapshot.plan.model):
        guesses.panel(snapshot.id, snapshot.grid.labels)
        if guesses.revealed(snapshot.id):
            reveal.show(snapshot, found)
    else:
        st.info("Nobody here knows what this model hides: the scores are reasons to look, and no verdict.")
    st.header("Export", anchor=False)
    export_panel.show(snapshot, None)


def _part(snapshot: RunSnapshot) -> Part:
    """Draw the choice of a measure and a seed, where there are several: the maps of one stand side by side."""
    plan = snapshot.plan
    titles = plan.titles()
    seeds = list(dict.fromkeys(question.seed for question in plan.questions))
    with st.container(horizontal=True, gap="medium", key="suspect-part"):
        method = _one_of("Measure", list(range(len(titles))), measures.apart(titles), "suspect-measure")
        seed = _one_of("Seed", seeds, [str(seed) for seed in seeds], "suspect-seed")
    return Part(f"{method}-{seed}", lambda key: key.method == method and plan.questions[key.question].seed == seed)


def _one_of(label: str, values: Sequence[int], titles: Sequence[str], key: str) -> int:
    if st.session_state.get(key) not in values:
        st.session_state[key] = values[0]
    if len(values) == 1:
        return values[0]
    named = dict(zip(values, titles, strict=True))
    chosen = st.pills(
        label,
        values,
        format_func=lambda value: text.plain(named[value]),
        key=key,
        wrap=True,
        required=True,
        persist_state="session",
    )
    return values[0] if chosen is None else chosen
