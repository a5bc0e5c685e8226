"""A run on the DE-CAM page: one of its searches, below its maps where there are several."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from decam.errors import DecamError
from decam.experiments.cells import CellKey
from decam.methods.de_cam.method import DE_CAM
from decam.runs.snapshots import RunSnapshot
from decam.ui import state, text
from decam.ui.components.live import status as live_status
from decam.ui.runs import beside, map_choice, measure_more, run_grid, run_view, search
from decam.ui.search import anytime, by_hand, rivals
from decam.ui.shared import run_pages


def show(snapshot: RunSnapshot) -> None:
    """Draw the run, or say that it has no search, and another run beside it where one was chosen."""
    place = _shown(snapshot)
    if place is None:
        return
    _search(snapshot, place)
    beside.show(snapshot, _below, DE_CAM.name)
    st.fragment(_part)(snapshot.id, snapshot.plan.kind, place, by_hand.show)
    st.fragment(_beside)(snapshot.id, snapshot.plan.kind, place)


def _below(snapshot: RunSnapshot) -> None:
    """Draw the search of a run that stands beside the one of the page."""
    place = _shown(snapshot)
    if place is not None:
        _search(snapshot, place)


def _search(snapshot: RunSnapshot, place: CellKey) -> None:
    """Draw a search, and again while it is on its way: the grid above follows the run, but gets no populations."""
    look = state.live(snapshot) is not None and snapshot.cells[place].explanation is None
    followed = st.fragment(_part, run_every=run_view.POLL if look else None)
    followed(snapshot.id, snapshot.plan.kind, place, search.show, look)


def _shown(snapshot: RunSnapshot) -> CellKey | None:
    """Draw a run's maps and the choice of a search, where it has several; the search, or None, which is said."""
    places = [place for place in sorted(snapshot.cells) if snapshot.plan.methods[place.method].name == DE_CAM.name]
    if not places:
        titles = ", ".join(dict.fromkeys(snapshot.plan.titles()))
        st.info(text.plain(f"This run has no DE-CAM search, only {titles}. The Compare page shows it."))
        return None
    selected = run_grid.show(snapshot) if len(snapshot.cells) > 1 else None
    return _choice(snapshot, places, selected)


def _part(
    run: str, kind: str, place: CellKey, draw: Callable[[RunSnapshot, CellKey], None], look: bool = False
) -> None:
    """Draw a part of the page from the run as it is now; with `look`, the page once more when the map is finished."""
    snapshot = run_pages.snapshot_of(run, kind)
    if snapshot is None:
        return
    try:
        draw(snapshot, place)
    except DecamError as error:
        st.error(text.plain(str(error)))
    if look and snapshot.cells[place].explanation is not None:
        st.rerun()


def _beside(run: str, kind: str, place: CellKey) -> None:
    """What stands beside the search: its rivals on request, and how good all maps were while they were made."""
    measure_more.take_up()
    snapshot = run_pages.snapshot_of(run, kind)
    if snapshot is None:
        return
    live = state.live(snapshot)
    if live is not None:
        live_status.again_when_measured(snapshot, live, "beside")
    for show_part in (rivals.show, anytime.show):
        try:
            show_part(snapshot, place)
        except DecamError as error:
            st.error(text.plain(str(error)))


def _choice(snapshot: RunSnapshot, places: Sequence[CellKey], selected: CellKey | None) -> CellKey:
    """The search shown: the one chosen here or, after a click in the grid, the one clicked."""
    key, click = f"search-shown-{snapshot.id}", map_choice.clicked(snapshot, selected, "search-shown")
    if click in places:
        st.session_state[key] = places.index(click)
    chosen = st.session_state.get(key)
    if not isinstance(chosen, int) or chosen >= len(places):
        st.session_state[key] = 0
    if len(places) == 1:
        return places[0]
    titles = snapshot.plan.titles()
    several = len({place.question for place in places}) > 1

    def named(index: int) -> str:
        place = places[index]
        title = titles[place.method].removeprefix(f"{DE_CAM.title} · ")
        picture = snapshot.plan.picture_of(place.question).name
        return text.plain(f"{picture} · {title}" if several else text.capital(title))

    index = st.segmented_control(
        "Show search of",
        range(len(places)),
        format_func=named,
        key=key,
        required=True,
        persist_state="session",
        help="Choose the search that the rest of the page shows. A click in the grid does the same.",
    )
    return places[index or 0]
