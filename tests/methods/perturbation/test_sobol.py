"""Sobol's total indices against closed forms, and the map against a plain version."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from decam.methods.perturbation.sobol import sobol_design, total_indices
from tests.tools.visible import explained, weighing


def test_indices_are_those_of_sobols_g_function() -> None:
    flatness = torch.tensor([0.0, 0.5, 2.0, 9.0], dtype=torch.float64)
    rows = sobol_design(4096, 2, seed=0)
    answers = (((4 * rows.double() - 2).abs() + flatness) / (1 + flatness)).prod(1)
    parts = 1 / (3 * (1 + flatness) ** 2)
    whole = (1 + parts).prod() - 1
    expected = parts * (1 + parts).prod() / (1 + parts) / whole
    np.testing.assert_allclose(total_indices(rows, answers, signed=False), expected, atol=0.01)


def test_indices_of_a_weighted_sum_are_shares_of_the_squared_weights_and_signed_ones_have_the_weights_signs() -> None:
    weights = torch.tensor([1.0, -2.0, 0.5, -0.1, 0.0, 3.0, 0.2, -0.7, 1.5], dtype=torch.float64)
    rows = sobol_design(512, 3, seed=1)
    answers = rows.double() @ weights
    expected = weights**2 / weights.square().sum()
    np.testing.assert_allclose(total_indices(rows, answers, signed=False), expected, rtol=0.05, atol=1e-4)
    np.testing.assert_allclose(total_indices(rows, answers, signed=True), expected * weights.sign(), rtol=0.05)


def test_a_prefix_of_whole_points_counts_and_a_part_of_a_point_does_not() -> None:
    rows = sobol_design(8, 2, seed=2)
    answers = torch.rand(len(rows), generator=torch.Generator().manual_seed(0))
    some = total_indices(rows[:20], answers[:20], signed=False)
    np.testing.assert_array_equal(total_indices(rows[:23], answers[:23], signed=False), some)
    assert not total_indices(rows[:9], answers[:9], signed=False).any()


def test_answers_that_never_change_have_indices_of_zero() -> None:
    rows = sobol_design(4, 2, seed=0)
    assert not total_indices(rows, torch.full((len(rows),), 0.3), signed=True).any()


@pytest.mark.parametrize(("method", "signed"), [("sobol", False), ("sobol-signed", True)])
def test_the_map_is_jansens_formula_written_out_on_hidden_squares(method: str, signed: bool) -> None:
    weights = torch.randn(12, 15, generator=torch.Generator().manual_seed(4)) / 400

    def answer(visible: torch.Tensor) -> torch.Tensor:
        return (0.5 + weighing(weights)(visible)) ** 2

    found, events = explained(answer, (12, 15), method, budget=250, cells=3)
    rows = sobol_design(25, 3, seed=3)

    def asked(row: torch.Tensor) -> float:
        shares = torch.zeros(1, 12, 15)
        for cell in range(9):
            down, across = divmod(cell, 3)
            shares[:, down * 4 : down * 4 + 4, across * 5 : across * 5 + 5] = row[cell]
        return float(answer(shares))

    answers = [asked(row) for row in rows]
    variance = np.var(answers[::10], ddof=1)
    indices = []
    for cell in range(9):
        pairs = [(answers[10 * j], answers[10 * j + 1 + cell]) for j in range(25)]
        changed = [float(rows[10 * j, cell] - rows[10 * j + 1 + cell, cell]) for j in range(25)]
        index = sum((a - c) ** 2 for a, c in pairs) / (2 * 25 * variance)
        sign = np.sign(sum((a - c) * change for (a, c), change in zip(pairs, changed, strict=True)))
        indices.append(index * (sign if signed else 1))
    grid = torch.tensor(indices, dtype=torch.float32).view(1, 1, 3, 3)
    expected = F.interpolate(grid, (12, 15), mode="bicubic")[0, 0].numpy()
    np.testing.assert_allclose(found.saliency, expected if signed else expected.clip(0), rtol=1e-3, atol=1e-5)
    assert found.evaluations == 250
    assert events[-1].saliency is not None
