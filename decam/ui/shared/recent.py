"""The runs that were made before, with a way to each, a search, and a way to delete one and to undo that."""

from __future__ import annotations

import streamlit as st

from decam.errors import DecamError
from decam.experiments.kinds import KINDS
from decam.experiments.kinds.comparison import COMPARISON
from decam.experiments.status import Status
from decam.export.standing import STATUS
from decam.figures import data_uri
from decam.methods import described, is_method
from decam.models import catalogue
from decam.runs.service import UNDO_SECONDS
from decam.runs.snapshots import RunSummary
from decam.ui import state, text
from decam.ui.shared import deleting
from decam.ui.shared.deleting import Deletable

FIRST = 12
SEARCHED = 4
"""As many runs as one finds without a search."""
UNDONE = 3
SHORT = 60
MINUTES = round(UNDO_SECONDS / 60)
UNDO = f"You can undo this for {MINUTES} minutes."
SEARCH = "recent-search"
MANY = "recent-many"
SHOWN = "deleted-while-shown"


def panel(shown: str | None, kind: str = COMPARISON) -> None:
    """Draw the newest runs of one kind, newest first; `shown` is the one on the page."""
    runs = state.runs()
    search, many = str(st.session_state.get(SEARCH, "")).strip(), int(st.session_state.get(MANY, FIRST))
    summaries = runs.recent(state.listed_owner(), many + 1, kind, search)
    gone = runs.deleted(state.listed_owner(), UNDONE, kind)
    if runs.trouble:
        st.warning(text.plain(runs.trouble))
    if not summaries and not gone and not search:
        return
    st.markdown(f"**{KINDS[kind].title}**")
    for summary in gone:
        _gone(summary)
    if search or len(summaries) >= SEARCHED:
        st.text_input(
            "Search runs",
            key=SEARCH,
            placeholder="Name, note, model, method or image",
            icon=":material/search:",
            label_visibility="collapsed",
            on_change=_from_the_first,
        )
    if search and not summaries:
        st.caption(f"No {KINDS[kind].noun} has all of these words: {text.plain(search)}.")
    listed = summaries[:many]
    st.html(f"<style>{''.join(_picture(summary) for summary in listed)}</style>")
    with st.container(key="recent", gap="xsmall"):
        for summary in listed:
            _line(summary, summary.id == shown)
    if len(summaries) > many:
        st.button("Show more", key="more-runs", type="tertiary", icon=":material/expand_more:", on_click=_more)


def _line(summary: RunSummary, shown: bool) -> None:
    with st.container(horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center"):
        remark = summary.remark.partition("\n")[0]
        said = f"  \n:gray[:small[{text.plain(text.shortened(remark, SHORT))}]]" if remark else ""
        st.button(
            f"{text.plain(summary.title)}  \n:gray[:small[{_facts(summary)}]]{said}",
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
        deleting.button(Deletable(noun, summary.id, summary.title, when, methods, undo=UNDO), _delete)


def _gone(summary: RunSummary) -> None:
    """Draw the way back to a run that was deleted a moment ago."""
    with st.container(horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center"):
        st.caption(f"“{text.plain(summary.title)}” is deleted.", width="stretch")
        st.button(
            "Undo",
            key=f"undo-{summary.id}",
            type="tertiary",
            icon=":material/undo:",
            help=f"Bring back {text.plain(summary.title)} as it was. It is removed for good {MINUTES} minutes after it "
            "was deleted.",
            on_click=_restore,
            args=(summary.id,),
        )


def _facts(summary: RunSummary) -> str:
    facts = [text.when(summary.created), *summary.facts]
    if summary.status is not Status.DONE:
        facts.insert(0, STATUS[summary.status].title.lower())
    return " · ".join(facts)


def _help(summary: RunSummary) -> str:
    methods = ", ".join(described(name).title if is_method(name) else name for name in summary.methods)
    pictures = ", ".join(summary.pictures) if summary.name else ""  # otherwise the title names them
    shown = f"{text.plain(text.shortened(pictures, SHORT))}. " if pictures else ""
    return f"{shown}{catalogue.title_of(summary.model)}: {methods}"


def _picture(summary: RunSummary) -> str:
    address = data_uri(summary.thumbnail)
    return f".st-key-run-{summary.id} button {{ background-image: url({address}); }}"


def _more() -> None:
    """Twice as many as now: a few clicks reach any run."""
    st.session_state[MANY] = 2 * int(st.session_state.get(MANY, FIRST))


def _from_the_first() -> None:
    st.session_state[MANY] = FIRST


def _open(run: str) -> None:
    state.show_run(run)


def _delete(run: str) -> None:
    state.runs().delete(run, state.owner())
    st.session_state[SHOWN] = run if state.run_id() == run else None
    if state.run_id() == run:
        state.show_run(None)


def _restore(run: str) -> None:
    """Bring a run back, onto the page too where it was shown and nothing else is; else the page says why not."""
    try:
        state.runs().restore(run, state.owner())
    except DecamError as error:
        st.session_state["problem"] = str(error)
        return
    if st.session_state.get(SHOWN) == run and state.run_id() is None:
        state.show_run(run)
