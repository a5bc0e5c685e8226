"""The runs that were made before, with a way back to each and a way to forget it."""

from __future__ import annotations

import base64

import streamlit as st

from decam.methods import METHODS
from decam.runs.snapshots import RunSummary
from decam.ui import state, text
from decam.ui.shared import deleting
from decam.ui.shared.deleting import Deletable

LIMIT = 12


def panel(shown: str | None) -> None:
    """Draw the newest runs, newest first."""
    runs = state.runs()
    summaries = runs.recent(state.listed_owner(), LIMIT)
    if runs.trouble:
        st.warning(text.plain(runs.trouble))
    if not summaries:
        return
    st.markdown("**Recent runs**")
    st.html(f"<style>{''.join(_picture(summary) for summary in summaries)}</style>")
    with st.container(key="recent", gap="xsmall"):
        for summary in summaries:
            _line(summary, summary.id == shown)


def _line(summary: RunSummary, shown: bool) -> None:
    with st.container(horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center"):
        st.button(
            f"{text.plain(_name(summary))}  \n:gray[:small[{_facts(summary)}]]",
            key=f"run-{summary.id}",
            type="secondary" if shown else "tertiary",
            width="stretch",
            help=_help(summary),
            on_click=_open,
            args=(summary.id,),
        )
        methods = text.several(len(summary.methods), "method")
        when = text.when(summary.created)
        deleting.button(Deletable("run", summary.id, _name(summary), when, methods), _delete)


def _name(summary: RunSummary) -> str:
    first = summary.pictures[0]
    return first if len(summary.pictures) == 1 else f"{first} +{len(summary.pictures) - 1}"


def _facts(summary: RunSummary) -> str:
    facts = [text.when(summary.created), text.several(len(summary.methods), "method")]
    if summary.status != "done":
        facts.insert(0, summary.status)
    return " · ".join(facts)


def _help(summary: RunSummary) -> str:
    methods = ", ".join(METHODS[name].title if name in METHODS else name for name in summary.methods)
    return f"{summary.model}: {methods}"


def _picture(summary: RunSummary) -> str:
    data = base64.b64encode(summary.thumbnail).decode("ascii")
    return f".st-key-run-{summary.id} button {{ background-image: url(data:image/png;base64,{data}); }}"


def _open(run: str) -> None:
    state.show_run(run)


def _delete(run: str) -> None:
    state.runs().delete(run)
    if state.run_id() == run:
        state.show_run(None)
