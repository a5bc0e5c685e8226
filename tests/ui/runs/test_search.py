"""What the page of a search is sent of a map of chance: neither how sure it is nor where it could have stopped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from decam.experiments.cells import Cell, CellKey
from decam.explanation import Explanation
from decam.methods.de_cam.settings import DeCamSettings
from decam.ui.runs.search import payload
from tests.studies.made import run, view

SIZE = (40, 60)


@pytest.mark.parametrize("silent", [False, True])
def test_a_map_of_chance_is_not_called_sure_and_could_not_have_stopped(silent: bool) -> None:
    place = CellKey(0, 0)
    made = Explanation(
        "de-cam",
        np.random.default_rng(0).random(SIZE).astype(np.float32),
        0,
        "cat",
        0.7,
        DeCamSettings(),
        0,
        1000,
        1.0,
        notes=("A place's rank is known to ±3.4 % of all places on average.",),
        silent=silent,
        rank_errors=np.full((28, 28), 0.03, np.float32),
    )
    snapshot = run(f"silent-{silent}", {"noise.png": view(0, SIZE)}, methods=("de-cam",), targets=[0])
    snapshot = replace(snapshot, grid=replace(snapshot.grid, cells={place: Cell().explained(made)}))
    sent = payload(snapshot, place, "search")
    assert (sent["certainty"] is None) == silent
    assert (sent["stopping"] == "") == silent
