"""What a run is called and what its owner says of it, above its maps, and who may change it."""

from __future__ import annotations

import streamlit as st

from decam import paths
from decam.errors import DecamError
from decam.runs.describing import LONGEST_NAME, LONGEST_REMARK
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text

OWN = "Only this browser can change this run. Others who have its link can look at everything."
FOREIGN = (
    "This run belongs to somebody else. You can look at everything, but only its owner can stop, continue, rename or "
    "delete it, or add to it."
)
UNSHARED = "Everybody who can open this server can change its runs. Start it with DECAM_SHARED=1 for a class."


def show(snapshot: RunSnapshot) -> None:
    """Draw the name with the way to change it, the note, and one sentence on who may change the run."""
    own = state.may_change(snapshot)
    with st.container(key="description", gap=None):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{text.plain(snapshot.title)}**", width="content")
            if own:
                _editor(snapshot)
        if snapshot.remark:
            lines = "<br>".join(text.escaped(line) for line in snapshot.remark.splitlines())
            st.html(f'<p class="dc-remark">{lines}</p>')
        if not own:
            st.caption(FOREIGN)
        elif paths.shared():
            st.caption(OWN)


def _editor(snapshot: RunSnapshot) -> None:
    """Draw the form, which begins with what is kept whenever it is opened."""
    opened = f"describe-{snapshot.id}"
    place = st.popover("Name and note", icon=":material/edit:", type="tertiary", key=opened, on_change="rerun")
    if not place.open:
        return
    with place:
        with st.form(f"describing-{snapshot.id}", border=False):
            st.text_input(
                "Name", snapshot.name, key=f"name-{snapshot.id}", max_chars=LONGEST_NAME, placeholder=snapshot.title
            )
            st.text_area(
                "Note",
                snapshot.remark,
                key=f"remark-{snapshot.id}",
                max_chars=LONGEST_REMARK,
                help="Plain text, for whoever opens the run or its export.",
            )
            st.form_submit_button(
                "Save", type="primary", key=f"save-{snapshot.id}", on_click=_save, args=(snapshot.id, opened)
            )
        if not paths.shared():
            st.caption(UNSHARED)


def _save(run: str, opened: str) -> None:
    """Keep what was typed; where that cannot be, the page says why, and what was typed stays."""
    name, remark = (str(st.session_state[f"{field}-{run}"]) for field in ("name", "remark"))
    try:
        state.runs().describe(run, name, remark, state.owner())
    except DecamError as error:
        st.session_state["problem"] = str(error)
    else:
        st.session_state[opened] = False
