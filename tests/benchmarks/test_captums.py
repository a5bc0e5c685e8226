"""Captum's methods on a grid, against a function whose Shapley values are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.captums import CELLS, LeastSquares, feature_ablation, grid, kernel_shap

SIZE = (28, 35)
WEIGHTS = torch.linspace(-1, 2, CELLS * CELLS)


def cells_of(images: Tensor) -> Tensor:
    return torch.stack([images[:, 0][:, grid(SIZE)[0, 0] == cell].mean(1) for cell in range(CELLS * CELLS)], dim=1)


def linear(images: Tensor) -> Tensor:
    return cells_of(images) @ WEIGHTS


def test_the_grid_has_cells_of_equal_size_the_same_for_all_channels() -> None:
    cells = grid(SIZE)
    assert cells.shape == (1, 3, *SIZE)
    assert torch.bincount(cells[0, 1].flatten()).tolist() == [SIZE[0] * SIZE[1] // CELLS**2] * CELLS**2
    assert torch.equal(cells[0, 0], cells[0, 2])


@pytest.mark.slow
def test_both_methods_find_the_weights_of_a_linear_function() -> None:
    image, baseline = torch.ones(3, *SIZE), torch.zeros(3, *SIZE)
    expected = WEIGHTS[grid(SIZE)[0, 0]].numpy()
    np.testing.assert_allclose(feature_ablation(linear, image, baseline, batch=8), expected, atol=1e-5)
    np.testing.assert_allclose(kernel_shap(linear, image, baseline, 300, batch=16, seed=0), expected, atol=1e-4)


@pytest.mark.slow
def test_kernel_shap_depends_on_its_seed_alone() -> None:
    def crooked(images: Tensor) -> Tensor:
        return linear(images).sigmoid() * cells_of(images)[:, 3]

    image, baseline = torch.ones(3, *SIZE), torch.zeros(3, *SIZE)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = kernel_shap(crooked, image, baseline, 200, batch=16, seed=4)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    np.testing.assert_array_equal(kernel_shap(crooked, image, baseline, 200, batch=16, seed=4), first)
    assert not np.array_equal(kernel_shap(crooked, image, baseline, 200, batch=16, seed=5), first)


def test_the_regression_weighs_its_points() -> None:
    inputs = torch.tensor([[0.0], [1.0], [1.0]])
    outputs, weights = torch.tensor([1.0, 2.0, 6.0]), torch.tensor([1.0, 3.0, 1.0])
    regression = LeastSquares()
    regression.fit([(inputs[:2], outputs[:2], weights[:2]), (inputs[2:], outputs[2:], weights[2:])])
    np.testing.assert_allclose(regression.representation().numpy(), [[2.0]], rtol=1e-6)
