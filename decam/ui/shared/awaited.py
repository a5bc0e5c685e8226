"""Work that is awaited: how it stands, in one line with a bar, until it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from decam.export.standing import Standing, awaiting
from decam.ui import state, text
from decam.ui.components.live import status as live_status
from decam.ui.shared import shared_jobs

POLL = 1.0
"""Seconds from one look to the next, for pages that look again and again."""


def line(title: str, stands: Standing) -> None:
    """Say that the work `title` waits behind others, or how far it has come."""
    facts = " · ".join(text.plain(fact) for fact in (title, *stands.facts))
    st.markdown(f"**:material/{stands.icon}: {stands.title}** :gray[· {facts}]")
    st.html(bar(stands.share, True))


def wait(title: str, stands: shared_jobs.Standing[Any], ask: Callable[[], shared_jobs.Standing[Any]]) -> None:
    """Say how work stands that has neither a result nor an error yet; whatever calls this is drawn again once it has.

    `ask` gives its standing anew.
    """
    live = state.live_work(stands.name)
    if live is None:
        st.fragment(_look, run_every=POLL)(title, ask)
        return
    live_status.show_work(stands.name, awaiting(stands.ahead, stands.progress), live, title)


def _look(title: str, ask: Callable[[], shared_jobs.Standing[Any]]) -> None:
    stands = ask()
    if not stands.awaited:
        st.rerun()
    line(title, awaiting(stands.ahead, stands.progress))


def bar(share: float, active: bool) -> str:
    """A thin bar whose room is kept when the work has ended, so that what is below it does not move."""
    percent = round(100 * share)
    role = f'role="progressbar" aria-label="Progress" aria-valuenow="{percent}"' if active else 'aria-hidden="true"'
    return f'<div class="dc-progress" {role}><i style="width:{percent if active else 0}%"></i></div>'
