"""Where a finished search could have stopped, by the maps that its frames kept."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.experiments.cells import CellKey
from decam.experiments.history import Frame
from decam.methods.de_cam.settings import DeCamSettings
from decam.methods.de_cam.stopping import Stopping, stopping
from decam.runs.snapshots import RunSnapshot


def of(snapshot: RunSnapshot, place: CellKey) -> Stopping | None:
    """What the rule says of a finished DE-CAM search that spent its budget; None for any other map, and one of chance.

    A search that the rule itself was to end says in its notes whether it did.
    """
    settings, cell = snapshot.plan.methods[place.method].settings, snapshot.cells[place]
    if not isinstance(settings, DeCamSettings) or settings.ends_early:
        return None
    if cell.explanation is None or cell.explanation.silent:
        return None
    return _judged(snapshot.id, place.question, place.method, settings, cell.frames)


@st.cache_data(show_spinner=False, max_entries=64)
def _judged(run: str, question: int, method: int, _settings: DeCamSettings, _frames: Sequence[Frame]) -> Stopping:
    del run, question, method  # they name the entry in the cache
    generations = [frame for frame in _frames if frame.curves] or _frames
    looks = [(frame.evaluations, saliency) for frame in generations if (saliency := frame.values()) is not None]
    judged = stopping(_settings, looks)
    if len(looks) == len(generations):
        return judged
    some = f" Only {len(looks)} of its {len(generations)} generations kept their maps, so this may be late."
    return Stopping(judged.evaluations, judged.sentence + some)
