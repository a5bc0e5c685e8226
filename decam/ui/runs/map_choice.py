"""The choice of one map of a run, which a click in the grid makes too."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.experiments.cells import CellKey
from decam.runs.snapshots import RunSnapshot


def clicked(snapshot: RunSnapshot, selected: CellKey | None, name: str) -> CellKey | None:
    """The map selected in the grid, once after each click, for the choice `name`, which may be changed after it."""
    seen = f"{name}-seen-{snapshot.id}"
    if selected is None or st.session_state.get(seen) == selected:
        return None
    st.session_state[seen] = selected
    return selected


def choose(
    snapshot: RunSnapshot,
    places: Sequence[CellKey],
    selected: CellKey | None,
    name: str,
    label: str,
    help: str,
    first: CellKey | None = None,
) -> CellKey:
    """The map chosen here or, after a click in the grid, the one clicked or its neighbour; at first `first`.

    `places` are the maps offered, at least one, and `name` is that of the widget among all of the page.
    """
    key, click = f"{name}-{snapshot.id}", clicked(snapshot, selected, name)
    if click is not None:
        beside = [place for place in places if place.question == click.question]
        if beside:
            st.session_state[key] = click if click in beside else beside[0]
    if st.session_state.get(key) not in places:
        st.session_state[key] = first or places[0]
    if len(places) == 1:
        return places[0]

    def named(place: CellKey) -> str:
        return f"{place.question + 1}. {snapshot.plan.picture_of(place.question).name} · {titles[place.method]}"

    titles = snapshot.plan.titles()

    return st.selectbox(label, places, format_func=named, key=key, persist_state="session", help=help)
