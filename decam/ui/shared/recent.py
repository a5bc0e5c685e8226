"""The runs that were made before, with a way back to each and a way to forget it."""

from __future__ import annotations

import base64

import streamlit as st

from decam.experiments.kinds import KINDS
from decam.experiments.kinds.comparison import COMPARISON
from decam.experiments.status import Status
from decam.export.standing import STATUS
from decam.methods import described, is_method
from decam.models import catalogue
from decam.runs.snapshots import RunSummary
from decam.ui import state, text
from decam.ui.shared import deleting
from decam.ui.shared.deleting import Deletable

LIMIT = 12


def panel(shown: str | None, kind: str = COMPARISON) -> None:
    """Draw the newest runs of one kind, newest first; `shown` is the one on the page."""
    runs = state.runs()
    summaries = runs.recent(state.listed_owner(), LIMIT, kind)
    if runs.trouble:
        st.warning(text.plain(runs.trouble))
    if not summaries:
        return
    st.markdown(f"**{KINDS[kind].title}**")
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
        noun = KINDS[summary.kind].noun
        deleting.button(Deletable(noun, summary.id, _name(summary), when, methods), _delete)


def _name(summary: RunSummary) -> str:
    if not summary.pictures:
        return _model(summary)
    first = summary.pictures[0]
    return first if len(summary.pictures) == 1 else f"{first} +{len(summary.pictures) - 1}"


def _facts(summary: RunSummary) -> str:
    facts = [text.when(summary.created), *summary.facts]
    if summary.status is not Status.DONE:
        facts.insert(0, STATUS[summary.status].title.lower())
    return " · ".join(facts)


def _help(summary: RunSummary) -> str:
    methods = ", ".join(described(name).title if is_method(name) else name for name in summary.methods)
    return f"{_model(summary)}: {methods}"


def _model(summary: RunSummary) -> str:
    entry = catalogue.find(summary.model)
    return entry.title if entry else summary.model


def _picture(summary: RunSummary) -> str:
    data = base64.b64encode(summary.thumbnail).decode("ascii")
    return f".st-key-run-{summary.id} button {{ background-image: url(data:image/png;base64,{data}); }}"


def _open(run: str) -> None:
    state.show_run(run)


def _delete(run: str) -> None:
    state.runs().delete(run)
    if state.run_id() == run:
        state.show_run(None)
