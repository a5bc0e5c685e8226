"""The button that starts a run or stops the one shown, with what it starts beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from decam.classifier import TorchClassifier
from decam.errors import DecamError
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.shared import wish as wishes
from decam.ui.shared.wish import Wish

MOMENT = 0.4  # seconds
NOTHING = "0 maps"


@dataclass(frozen=True)
class Start:
    """The button that starts a run: its title, the key of its widget, its icon and its tooltip."""

    title: str
    key: str
    icon: str
    help: str


def bar(
    start: Start,
    snapshot: RunSnapshot | None,
    *,
    beside: Callable[[], None],
    classifier: TorchClassifier,
    wanted: Callable[[], Wish | None],
    stop: Callable[[str], None],
) -> RunSnapshot | None:
    """Draw `beside` next to the button, with the work to come below it; the run to show.

    `wanted` gives the run that the button starts, None where there is nothing to ask. A DecamError from it or from the
    start becomes a sentence on the page. `stop` is called with the link of the run shown. How that run differs from
    the one wanted is remembered for where its maps are drawn.
    """
    wish = _made(wanted, classifier)
    if not _may_stop(snapshot) and wish is not None and st.session_state.get(start.key):
        # Shown in the same pass: a second one would cost the visitor a good part of a second.
        snapshot = _begun(wish) or snapshot
    with st.container(key="action", horizontal=True, wrap=False, vertical_alignment="center", gap="medium"):
        beside()
        with st.container(key="go", width=216, gap="xsmall"):
            if snapshot is not None and _may_stop(snapshot):
                st.button(
                    "Stop",
                    key="stop",
                    icon=":material/stop:",
                    width="stretch",
                    help="Stops within a second. Finished maps stay.",
                    on_click=stop,
                    args=(snapshot.id,),
                )
            else:
                st.button(
                    start.title,
                    key=start.key,
                    type="primary",
                    icon=start.icon,
                    width="stretch",
                    disabled=wish is None,
                    help=start.help,
                )
            st.caption(NOTHING if wish is None else wishes.work(classifier, wish))
    wishes.compare(wish, classifier, start.title, snapshot)
    return snapshot


def _may_stop(snapshot: RunSnapshot | None) -> bool:
    return snapshot is not None and snapshot.active and state.may_change(snapshot)


def _made(wanted: Callable[[], Wish | None], classifier: TorchClassifier) -> Wish | None:
    """The run wanted; None, with the reason on the page, where there can be none."""
    try:
        wish = wanted()
        if wish is not None:
            wish.complete(classifier)
    except DecamError as error:
        st.error(text.plain(str(error)))
        return None
    return wish


def _begun(wish: Wish) -> RunSnapshot | None:
    try:
        run = wish.start()
    except DecamError as error:
        st.error(text.plain(str(error)))
        return None
    state.show_run(run, made_here=True)
    return _first_map(run)


def _first_map(run: str) -> RunSnapshot:
    """Give cheap methods a moment, so that the first drawing shows a map and not the second, a poll later."""
    deadline = time.monotonic() + MOMENT
    while True:
        snapshot = state.runs().snapshot(run)
        finished = any(cell.explanation is not None for cell in snapshot.cells.values())
        if finished or snapshot.ahead or not snapshot.active or time.monotonic() > deadline:
            return snapshot
        time.sleep(0.02)
