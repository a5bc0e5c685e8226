"""Every kind of plan puts a finished grid into plain sentences, and says nothing of an empty one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from decam.errors import SettingError
from decam.experiments.grid import Grid
from decam.experiments.kinds import KINDS, reading
from tests.tools.readable import FINISHED


def test_every_kind_is_tried() -> None:
    assert set(FINISHED) == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_reads_a_finished_grid_in_plain_sentences(name: str) -> None:
    found = reading(FINISHED[name]())
    assert found
    for one in found:
        assert one.sentence[0].isupper() or one.sentence[0].isdigit(), one.sentence
        assert one.sentence.endswith(".") and "nan" not in one.sentence.split()
        assert not set("<>*`|{}_").intersection(one.sentence), "a sentence is text: no markup and no names of code"


@pytest.mark.parametrize("name", KINDS)
def test_no_kind_says_anything_of_an_empty_grid(name: str) -> None:
    grid = FINISHED[name]()
    assert reading(Grid.empty(grid.plan, grid.views, labels=grid.labels)) == ()


def test_a_kind_of_another_version_is_told_in_a_sentence() -> None:
    grid = FINISHED["comparison"]()
    with pytest.raises(SettingError, match="no kind of plan 'dance'"):
        reading(replace(grid, plan=replace(grid.plan, kind="dance")))
