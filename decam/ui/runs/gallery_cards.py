"""A run of class maps as the gallery shows it: a card a class or unit, in it a map for each model, seed and method."""

from __future__ import annotations

from collections.abc import Callable, Collection

import streamlit as st

from decam.experiments.cells import Cell, CellKey
from decam.experiments.history import Frame
from decam.experiments.kinds.class_maps import map_title, targets_of
from decam.explanation import Target
from decam.export.wire import GridCell, grid_cells
from decam.runs.snapshots import RunSnapshot
from decam.ui.components.gallery.gallery import Film, GalleryCard, GalleryPicture, film, points


def of(
    snapshot: RunSnapshot,
    targets: Collection[Target] | None = None,
    only: Callable[[CellKey], bool] = lambda _: True,
) -> list[GalleryCard]:
    """The cards of these targets, of all where they are None, in the plan's order, with the maps that `only` keeps."""
    cells = grid_cells(snapshot)
    made = []
    for place, target in enumerate(targets_of(snapshot.plan)):
        if targets is not None and target not in targets:
            continue
        asked = [i for i, one in enumerate(snapshot.plan.questions) if target == one.about]
        keys = [CellKey(question, method) for question in asked for method in range(len(snapshot.plan.methods))]
        keys = [key for key in keys if only(key)]
        pictures = tuple(_picture(snapshot, key, cells[key], alone=len(keys) == 1) for key in keys)
        made.append(GalleryCard(str(place), snapshot.grid.subject_of(asked[0]), pictures))
    return made


def _picture(snapshot: RunSnapshot, key: CellKey, shown: GridCell, alone: bool) -> GalleryPicture:
    cell = snapshot.cells[key]
    if cell.explanation is not None:
        curve, way = _kept(f"{snapshot.id}.{key.question}.{key.method}", cell)
    else:
        curve, way = _way(cell.settled().frames)
    return GalleryPicture(shown, "" if alone else map_title(snapshot.plan, key), curve, way)


@st.cache_data(show_spinner=False, max_entries=2048)
def _kept(place: str, _cell: Cell) -> tuple[list[tuple[int, float]], Film | None]:
    """The way to a finished map; `place` tells it from all others for good."""
    del place
    return _way(_cell.frames)


def _way(frames: tuple[Frame, ...]) -> tuple[list[tuple[int, float]], Film | None]:
    return points(frames), film(frames)
