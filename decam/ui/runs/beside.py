"""Another run below the one that is shown, with what differs between them in words; the address names both."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from decam.errors import DecamError
from decam.experiments.kinds import KINDS
from decam.methods import described
from decam.runs.snapshots import RunSnapshot, RunSummary
from decam.ui import state, text
from decam.ui.shared import differences

OFFERED = 200
LONGEST = 48
"""Characters of a name in the list, so that the time behind it is seen too."""
SAME = "Both runs asked the same."


def show(snapshot: RunSnapshot, draw: Callable[[RunSnapshot], object], method: str = "") -> None:
    """Draw the choice of another run of the same kind, and that run by `draw` once it is chosen.

    With a `method`, runs with this method alone are offered.
    """
    chosen = f"beside-{snapshot.id}"
    other = state.linked(state.BESIDE, chosen)
    if other is None or other == snapshot.id:
        _choice(snapshot, chosen, method)
        return
    with st.container(key="beside", gap="small"):
        try:
            below = state.runs().snapshot(other)
        except DecamError as error:
            _head("This run is gone", chosen)
            st.error(text.plain(str(error)))
            return
        _head(f"{below.title}, {text.when(below.created)}", chosen)
        if below.plan.kind != snapshot.plan.kind:
            nouns = [KINDS[one.plan.kind].noun for one in (below, snapshot)]
            st.info(f"This run is a {nouns[0]}. Only a {nouns[1]} can stand below a {nouns[1]}: close this one.")
            return
        st.markdown(" ".join(differences.between(snapshot, below)) or SAME)
        if below.remark:
            st.caption(text.plain(" ".join(below.remark.split())))
        draw(below)


def _head(title: str, chosen: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(text.plain(title), anchor=False, width="content")
        st.button(
            "Close", key="beside-close", icon=":material/close:", type="tertiary", on_click=_close, args=(chosen,)
        )


def _close(chosen: str) -> None:
    state.link(state.BESIDE, chosen, None)


def _choice(snapshot: RunSnapshot, chosen: str, method: str) -> None:
    """The runs that can be chosen are looked for when somebody opens the choice."""
    opened = f"beside-open-{snapshot.id}"
    place = st.popover(
        "Beside another run",
        icon=":material/splitscreen_bottom:",
        type="tertiary",
        help="Show another run below this one, and what differs between them.",
        key=opened,
        on_change="rerun",
    )
    if not place.open:
        return
    with place:
        listed = state.runs().recent(state.listed_owner(), OFFERED, snapshot.plan.kind)
        by_id = {one.id: one for one in listed if one.id != snapshot.id and (not method or method in one.methods)}
        if not by_id:
            asked = f" with {described(method).title}" if method else ""
            st.caption(f"There is no other {KINDS[snapshot.plan.kind].noun}{asked} yet.")
            return
        picked = f"beside-pick-{snapshot.id}"
        st.selectbox(
            "Another run",
            list(by_id),
            index=None,
            format_func=lambda run: _title(by_id[run]),
            key=picked,
            placeholder="Type a name, or choose",
            on_change=_take,
            args=(picked, chosen, opened),
        )


def _take(picked: str, chosen: str, opened: str) -> None:
    state.link(state.BESIDE, chosen, st.session_state[picked])
    st.session_state[opened] = False


def _title(summary: RunSummary) -> str:
    methods = text.several(len(summary.methods), "method")
    return f"{text.shortened(summary.title, LONGEST)} · {methods} · {text.when(summary.created)}"
