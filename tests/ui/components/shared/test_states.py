"""A state of a map has the same title in the browser as in Python."""

from __future__ import annotations

import pytest

from decam.experiments.status import CellState
from decam.export.standing import CELLS
from tests.tools import node

pytestmark = node.needed


@pytest.mark.slow
def test_the_browsers_titles_are_those_of_the_table() -> None:
    titles = node.evaluate("STATES", "shared/states.js", "STATES", None)
    assert titles == {state.value: CELLS[state].title for state in map(CellState, titles)}
    # What runs or is done shows figures instead.
    assert set(CellState) - set(titles) == {CellState.RUNNING, CellState.DONE}
