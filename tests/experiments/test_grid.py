"""The grid counts every image that went through the model, the predictions among them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from decam.classifier import wrap
from decam.experiments.cells import CellKey
from decam.experiments.events import Predicted, Progressed
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.experiments.status import CellState
from decam.explanation import Progress, last
from decam.methods import METHODS

SIZE = (20, 20)


def begun() -> Grid:
    few = METHODS["rise"].settings.from_mapping({"budget": 40})
    pictures = [PictureChoice("a.png"), PictureChoice("b.png")]
    methods = [MethodChoice("rise", few), MethodChoice.default("centre")]
    views = np.random.default_rng(0).integers(0, 256, (2, *SIZE, 3), dtype=np.uint8)
    return Grid.empty(comparison.plan("counted", "cpu", pictures, methods), list(views))


def test_a_prediction_counts_as_one_evaluation() -> None:
    grid = begun()
    assert grid.evaluations == 0
    for question, expected in ((1, 1), (0, 2), (0, 2)):
        grid = grid.after(Predicted(question, np.array([0.2, 0.8], np.float32)))
        assert grid.evaluations == expected
    progress = Progress(1, 4, evaluations=10)
    grid = grid.after(Progressed(CellKey(0, 0), CellState.RUNNING, progress, 0.1))
    assert grid.evaluations == 12


def test_the_evaluations_of_a_finished_grid_are_the_images_that_the_model_saw() -> None:
    seen: list[int] = []

    def function(images: Tensor) -> Tensor:
        seen.append(len(images))
        share = images.mean((1, 2, 3))
        return torch.stack([share, 1 - share], 1)

    classifier = wrap(function, labels=["bright", "dark"], input_size=SIZE, batch_size=16)
    seen.clear()  # what it was asked when it was wrapped
    grid = last(execute(begun(), lambda _: classifier))
    assert grid.complete and grid.evaluations == sum(seen)
