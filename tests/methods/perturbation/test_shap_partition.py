"""SHAP partition against exact Owen values by all orders that keep the parts together, and against closed forms."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from decam.methods import METHODS
from decam.methods.perturbation.shap_partition import Part
from tests.tools.visible import explained, seeing, weighing

ROW = METHODS["shap-partition"]


def orders(height: int, width: int, top: int = 0, left: int = 0) -> Iterator[list[tuple[int, int]]]:
    """All orders of a rectangle's pixels in which every half of every part comes as one block."""
    if height * width == 1:
        yield [(top, left)]
        return
    if height >= width:
        cut = height // 2
        halves = (cut, width, top, left), (height - cut, width, top + cut, left)
    else:
        cut = width // 2
        halves = (height, cut, top, left), (height, width - cut, top, left + cut)
    for first, second in itertools.product(list(orders(*halves[0])), list(orders(*halves[1]))):
        yield first + second
        yield second + first


def owen(answer: Callable[[Tensor], Tensor], size: tuple[int, int]) -> np.ndarray:
    """The mean over all such orders of what each pixel adds to those before it."""
    total, seen = np.zeros(size), list(orders(*size))
    for order in seen:
        visible = torch.zeros(1, *size)
        before = float(answer(visible))
        for pixel in order:
            visible[0][pixel] = 1
            after = float(answer(visible))
            total[pixel] += after - before
            before = after
    return total / len(seen)


def bent(seed: int, size: tuple[int, int]) -> Callable[[Tensor], Tensor]:
    """An answer in [0, 1] with interactions of all pixels."""
    drawn = torch.randn(3, *size, generator=torch.Generator().manual_seed(seed))
    return lambda visible: torch.sigmoid(
        torch.tanh(weighing(drawn[0])(visible)) * weighing(drawn[1])(visible) + weighing(drawn[2])(visible)
    )


@pytest.mark.slow
@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**16), st.sampled_from([(2, 2), (2, 3), (3, 2), (2, 4)]))
def test_a_tree_split_to_its_end_gives_the_exact_owen_values(seed: int, size: tuple[int, int]) -> None:
    answer = bent(seed, size)
    found, _ = explained(answer, size, "shap-partition", budget=2000)
    np.testing.assert_allclose(found.saliency, owen(answer, size), atol=2e-6)
    assert found.evaluations == ROW.cost(found.settings, seeing(answer, size)) < 2000


@pytest.mark.parametrize("budget", [16, 35, 250])
def test_at_any_budget_the_values_add_up_to_the_answers_difference(budget: int) -> None:
    size = (16, 24)
    answer = bent(1, size)
    found, events = explained(answer, size, "shap-partition", budget=budget)
    difference = float(answer(torch.ones(1, *size)) - answer(torch.zeros(1, *size)))
    assert found.evaluations == budget // 2 * 2
    for saliency in (found.saliency, *(event.saliency for event in events if event.saliency is not None)):
        assert float(saliency.sum()) == pytest.approx(difference, abs=1e-4)


def test_a_weighted_sum_gets_each_parts_mean_weight() -> None:
    size = (8, 8)
    weights = torch.zeros(size)
    weights[:4, :4] = torch.rand(4, 4, generator=torch.Generator().manual_seed(2)) / 16
    weights[6, 5] = -0.3
    found, _ = explained(lambda visible: 0.3 + weighing(weights)(visible), size, "shap-partition", budget=1000)
    np.testing.assert_allclose(found.saliency[6, 5], -0.3, atol=1e-5)
    for rows, columns in itertools.product((slice(0, 4), slice(4, 8)), repeat=2):
        np.testing.assert_allclose(found.saliency[rows, columns].sum(), weights[rows, columns].sum(), atol=1e-5)


def test_the_part_that_changes_most_is_split_first() -> None:
    weights = torch.zeros(8, 8)
    weights[3, 5] = 0.8
    found, _ = explained(weighing(weights), (8, 8), "shap-partition", budget=200)
    np.testing.assert_allclose(found.saliency, weights, atol=1e-6)  # all splits of what does not change come last


def test_halves_are_those_of_the_longer_side() -> None:
    assert Part(0, 5, 0, 4).halves() == (Part(0, 2, 0, 4), Part(2, 5, 0, 4))
    assert Part(1, 3, 0, 4).halves() == (Part(1, 3, 0, 2), Part(1, 3, 2, 4))
