"""The model's answer to a masked image, in words."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import numpy as np
import pytest

from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.experiments.status import Status
from decam.runs.snapshots import RunSnapshot
from decam.ui.runs.masked_answers import in_words
from tests.tools.colours import LABELS, views


def run_of(target: int, against: int | None) -> RunSnapshot:
    plan = comparison.plan(
        "colours",
        "cpu",
        [PictureChoice("a.png")],
        [MethodChoice.default("random")],
        targets=[target],
        against=[against],
    )
    grid = dataclasses.replace(Grid.empty(plan, views(1)), labels=LABELS)
    return RunSnapshot("run", datetime.now(UTC), Status.DONE, grid)


@pytest.mark.parametrize(
    ("against", "values", "words"),
    [
        (None, (0.75, 0.2, 0.05), "red 75 %"),
        (None, (0.25, 0.7, 0.05), "red 25 % · predicted: green 70 %"),
        (1, (0.25, 0.7, 0.05), "red 25 %, green 70 %"),
        (1, (0.1, 0.3, 0.6), "red 10 %, green 30 % · predicted: blue 60 %"),
    ],
)
def test_each_class_that_matters_is_said_once(
    against: int | None, values: tuple[float, float, float], words: str
) -> None:
    assert LABELS[:3] == ("red", "green", "blue")
    assert in_words(np.array(values, np.float32), run_of(0, against), 0, 0) == words
