"""Extremal perturbation: its masks written out slowly, its areas, and a place that is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from decam.classifier import Execution, TorchClassifier
from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.methods import METHODS
from decam.methods.gradient.extremal_perturbation import AREAS, ExtremalSettings, SmoothMask, area_misfit

SIZE = (64, 64)
PLACE = (slice(8, 24), slice(24, 40))  # in the middle, for every second step sees the picture mirrored


class There(nn.Module):
    """Four logits, of which the second is how bright a place is, and a weight that a gradient could reach."""

    def __init__(self, place: tuple[slice, slice]) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(5.0))
        self._place = place

    def forward(self, images: Tensor) -> Tensor:
        bright = images[:, :, *self._place].mean((1, 2, 3)) * self.gain
        return torch.stack([bright * 0, bright, bright * 0, bright * 0], dim=1)


def classifier(module: nn.Module) -> TorchClassifier:
    return TorchClassifier("there", module, list("abcd"), input_size=SIZE, execution=Execution(batch_size=9))


def white() -> np.ndarray:
    return np.full((*SIZE, 3), 255, dtype=np.uint8)


def test_a_mask_is_the_smooth_maximum_of_the_weighed_cells_near_each_point() -> None:
    smooth = SmoothMask((64, 96))
    assert smooth.grid == (32, 48)
    grid = torch.rand(1, 1, 32, 48, generator=torch.Generator().manual_seed(0))
    found = smooth.coarse(grid)[0]
    assert found.shape == (32, 48)
    for row, column in ((0, 0), (15, 25), (31, 47), (10, 3)):
        values = []
        for i in range(row - 4, row + 5):
            for j in range(column - 4, column + 5):
                inside = 0 <= i < 32 and 0 <= j < 48
                apart = math.hypot(row - i, column - j) / 3
                values.append(math.exp(-2 * max(apart - 0.5, 0) ** 2) * (float(grid[0, 0, i, j]) if inside else 0))
        weights = [math.exp(20 * value) for value in values]
        expected = sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)
        assert float(found[row, column]) == pytest.approx(expected, rel=1e-4)
    assert smooth.large(smooth.coarse(grid)).shape == (1, 1, 64, 96)


def test_the_areas_misfit_is_zero_for_a_mask_of_that_area_and_else_the_share_that_is_wrong() -> None:
    masks = torch.zeros(3, 10, 10)
    masks[0, :2] = 1
    masks[1, :5] = 1
    masks[2] = 0.5
    found = area_misfit(masks, torch.tensor([0.2, 0.2, 0.2]))
    np.testing.assert_allclose(found, [0, 0.3, 0.25], atol=1e-6)


@pytest.mark.slow
def test_the_masks_keep_what_the_class_depends_on() -> None:
    module = There(PLACE)
    settings = ExtremalSettings(steps=300, fill="black")
    found = last(explain_view(classifier(module), white(), "extremal-perturbation", settings, 1, seed=0))
    mask = np.zeros(SIZE, bool)
    mask[PLACE] = True
    row, column = np.unravel_index(found.saliency.argmax(), SIZE)
    assert mask[row, column]
    assert found.saliency[mask].mean() > 4 * found.saliency[~mask].mean()
    assert float(found.saliency.mean()) < 2 * np.mean(AREAS), "it was 1 all over at the start"
    assert found.evaluations == METHODS["extremal-perturbation"].cost(settings, classifier(module)) == 1200
    assert module.gain.grad is None, "the network's own gradients are left alone"


def test_a_batch_that_holds_fewer_masks_gives_the_same_map() -> None:
    settings = ExtremalSettings(steps=4, fill="black")

    def of(batch_size: int) -> np.ndarray:
        small = TorchClassifier(
            "there", There(PLACE), list("abcd"), input_size=SIZE, execution=Execution(batch_size=batch_size)
        )
        return last(explain_view(small, white(), "extremal-perturbation", settings, 1, seed=0)).saliency

    np.testing.assert_allclose(of(3), of(64), atol=1e-5)
