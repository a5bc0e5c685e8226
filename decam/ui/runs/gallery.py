"""The class maps of a run as a gallery, and how to read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from decam.experiments.cells import CellKey
from decam.experiments.kinds.class_maps import targets_of
from decam.explanation import Target, Unit
from decam.runs.snapshots import RunSnapshot
from decam.ui import state
from decam.ui.components import component_key
from decam.ui.components.gallery.gallery import gallery
from decam.ui.components.grid.grid import Place
from decam.ui.runs import gallery_cards
from decam.ui.shared import wish

A_PAGE = 48
"""The most cards that are drawn at once."""

WHAT = (
    "A class map is the small change that makes a model see one class in **any** image, found without an image of "
    "that class. It is added to the pixels: grey is no change, bright adds light, dark takes light away. Shapes that "
    "come back with every seed are what the model looks for."
)
READ = (
    "The number under a map is its **fidelity**: the mean probability of the class over fresh images that carry the "
    "map. Near 1, the map alone is enough for the model. A map says something only where its fidelity lies above that "
    "of a random map of the same size, the dotted line. Where it does not, the map shows nothing that the model looks "
    "for."
)


@dataclass(frozen=True)
class Part:
    """Some of a run's maps: what tells the part from others, and whether it has the map of a cell."""

    name: str
    has: Callable[[CellKey], bool]


def maps(snapshot: RunSnapshot, part: Part | None = None) -> Place | None:
    """Draw the gallery of a run, or a part of its maps, and how to read it; the map that is chosen."""
    targets = _part(snapshot.id, targets_of(snapshot.plan))
    name = component_key(f"gallery-{snapshot.id}")
    chosen = gallery(
        gallery_cards.of(snapshot, targets) if part is None else gallery_cards.of(snapshot, targets, part.has),
        _size(snapshot),
        key=name if part is None else f"{name}-{part.name}",
        activation=any(isinstance(target, Unit) for target in targets),
        selected=_first_finished(snapshot) if part is None else None,
        live=state.live(snapshot),
        outdated=[(str(key.question), str(key.method)) for key in sorted(wish.behind(snapshot))],
    )
    with st.expander("How to read these maps"):
        st.markdown(WHAT)
        st.markdown(READ)
    return chosen


def _first_finished(snapshot: RunSnapshot) -> Place | None:
    finished = (key for key, cell in sorted(snapshot.cells.items()) if cell.explanation is not None)
    return next(((str(key.question), str(key.method)) for key in finished), None)


def _part(run: str, targets: Sequence[Target]) -> Sequence[Target]:
    """The targets that are drawn; where they are many, the visitor turns the pages."""
    if len(targets) <= A_PAGE:
        return targets
    starts = range(0, len(targets), A_PAGE)
    key = f"maps-part-{run}"
    if st.session_state.get(key) not in starts:
        st.session_state[key] = 0
    start = st.selectbox(
        "Classes shown",
        starts,
        format_func=lambda first: f"{first + 1} to {min(first + A_PAGE, len(targets))} of {len(targets):,}",
        key=key,
        persist_state="session",
        width=240,
    )
    return targets[start : start + A_PAGE]


def _size(snapshot: RunSnapshot) -> tuple[int, int]:
    """Height and width of the maps, square until the first has come."""
    for cell in snapshot.cells.values():
        if cell.pattern is not None:
            _, height, width = cell.pattern.shape
            return height, width
    return 224, 224
