"""The button that starts a run or stops the one shown, with what it starts beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from decam.classifier import TorchClassifier
from decam.durations import duration
from decam.errors import DecamError
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.shared import throughput

MOMENT = 0.4  # seconds


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
    work: str,
    ready: bool,
    begin: Callable[[], str],
    stop: Callable[[str], None],
) -> RunSnapshot | None:
    """Draw `beside` next to the button, with the `work` to come below it; the run to show.

    `begin` queues a run and returns its link; a DecamError from it becomes a sentence on the page. `stop` is called
    with the link of the run shown.
    """
    with st.container(key="action", horizontal=True, wrap=False, vertical_alignment="center", gap="medium"):
        beside()
        with st.container(key="go", width=168, gap="xsmall"):
            place = st.empty()
            st.caption(work)
    active = snapshot is not None and snapshot.active
    if not active and place.button(
        start.title,
        key=start.key,
        type="primary",
        icon=start.icon,
        width="stretch",
        disabled=not ready,
        help=start.help,
    ):
        # Shown in the same pass: a second one would cost the visitor a good part of a second.
        snapshot = _begun(begin) or snapshot
    if snapshot is not None and snapshot.active:
        place.button(
            "Stop",
            key="stop",
            icon=":material/stop:",
            width="stretch",
            help="Stops within a second. Finished maps stay.",
            on_click=stop,
            args=(snapshot.id,),
        )
    return snapshot


def work(classifier: TorchClassifier, maps: int, evaluations: int, *, at_most: bool = False) -> str:
    """What a run would make and cost, or cost `at_most`, with the time it would take where that is known."""
    rate = throughput.of(classifier)
    parts = f"{text.several(maps, 'map')} · {'at most ' if at_most else ''}{evaluations:,} evaluations"
    return parts if rate is None or not evaluations else f"{parts} · about {duration(max(1.0, evaluations * rate))}"


def _begun(begin: Callable[[], str]) -> RunSnapshot | None:
    try:
        run = begin()
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
