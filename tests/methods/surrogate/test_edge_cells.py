"""Regressions on DE-CAM's cells: against exact Shapley values, a ridge written out, and the masks of the encoding."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from decam.methods.de_cam.encoding import Encoding
from decam.methods.de_cam.seeding import STRENGTHS
from decam.methods.surrogate.edge_cells import even_design, ridge_weights, shapley_values
from decam.methods.surrogate.superpixels import shapley_design
from tests.tools.visible import explained, weighing

SIZE = (12, 12)


def bent(shown: Tensor) -> Tensor:
    """An answer to which cells are visible (N×4), with interactions."""
    first, second, third, fourth = shown.double().T
    return 0.1 + 0.3 * first * second + 0.2 * third - 0.1 * second * fourth + 0.05 * first


@pytest.mark.slow
def test_shapley_values_are_the_exact_ones_where_all_sets_are_asked() -> None:
    rows = shapley_design(5000, 4, torch.Generator().manual_seed(0))
    found = shapley_values(rows, bent(rows))
    exact = []
    for cell in range(4):
        others = [other for other in range(4) if other != cell]
        value = 0.0
        for size in range(4):
            for chosen in itertools.combinations(others, size):
                shown = torch.zeros(2, 4)
                shown[:, list(chosen)] = 1
                shown[1, cell] = 1
                before, after = bent(shown)
                value += math.factorial(size) * math.factorial(3 - size) / 24 * float(after - before)
        exact.append(value)
    np.testing.assert_allclose(found, exact, atol=0.01)
    assert float(found.sum()) == pytest.approx(float(bent(torch.ones(1, 4)) - bent(torch.zeros(1, 4))), abs=1e-4)


def test_a_shapley_design_begins_with_all_cells_and_none() -> None:
    rows = shapley_design(50, 9, torch.Generator().manual_seed(0))
    assert rows.shape == (50, 9)
    assert rows[0].all()
    assert not rows[1].any()


def test_the_ridge_is_the_best_by_generalised_cross_validation_of_ridges_written_out() -> None:
    generator = torch.Generator().manual_seed(1)
    rows = even_design(60, 9, generator)
    truth = torch.randn(9, generator=generator).double()
    answers = rows.double() @ truth + 0.7 * torch.randn(60, generator=generator).double()
    seen = (rows.double() - rows.double().mean(0)).numpy()
    wanted = (answers - answers.mean()).numpy()
    tried = []
    for strength in STRENGTHS.tolist():
        hat = seen @ np.linalg.solve(seen.T @ seen + strength * np.eye(9), seen.T)
        misfit = np.square(wanted - hat @ wanted).sum()
        tried.append((misfit / (60 - 1 - np.trace(hat)) ** 2, strength))
    strength = min(tried)[1]
    expected = np.linalg.solve(seen.T @ seen + strength * np.eye(9), seen.T @ wanted)
    np.testing.assert_allclose(ridge_weights(rows, answers), expected, rtol=1e-4)


@pytest.mark.parametrize("method", ["cell-kernel-shap", "cell-ridge"])
def test_a_sum_over_cells_gets_its_own_weights_enlarged(method: str) -> None:
    weights = torch.zeros(*SIZE)
    weights[1, 1], weights[1, 10], weights[10, 1], weights[10, 10] = 0.2, -0.1, 0.05, 0.15
    answer = weighing(weights)  # corners lie within one cell's plateau of an interpolated grid
    found, events = explained(
        lambda visible: 0.3 + answer(visible), SIZE, method, budget=200, cells=2, follow_edges=False
    )
    grid = torch.tensor([[0.2, -0.1], [0.05, 0.15]]).view(1, 1, 2, 2)
    expected = F.interpolate(grid, SIZE, mode="bilinear")[0, 0].numpy()
    np.testing.assert_allclose(found.saliency, expected, atol=0.01)
    assert found.evaluations == 200
    assert sum(event.saliency is not None for event in events) > 1


def test_masks_are_the_cells_fitted_to_the_pictures_edges() -> None:
    seen: list[Tensor] = []

    def answer(visible: Tensor) -> Tensor:
        seen.append(visible.clone())
        return visible.mean((1, 2))

    explained(answer, SIZE, "cell-ridge", budget=16, cells=3)
    rows = even_design(16, 9, torch.Generator().manual_seed(3))
    expected = Encoding(3, torch.ones(3, *SIZE), follow_edges=True).maps(rows.float()).clamp(0, 1)
    np.testing.assert_allclose(torch.cat(seen)[-16:], expected, atol=1e-5)
