"""Greedy regions against a search written out on sets of regions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from decam.images.superpixels import superpixels
from decam.methods import METHODS
from decam.methods.perturbation.greedy_regions import GreedySettings, evaluations, regions_for, weighted
from tests.tools.visible import explained, seeing, white

SIZE = (24, 24)


def cut(count: int) -> np.ndarray:
    """The regions of the white picture."""
    return superpixels(white(SIZE), count)


def of_regions(value: Callable[[Tensor], Tensor], count: int) -> Callable[[Tensor], Tensor]:
    """An answer that depends on which of the regions are visible (N×count, zeros and ones)."""
    pixels = [np.argwhere(cut(count) == region)[0] for region in range(count)]
    rows, columns = np.array(pixels).T
    return lambda visible: value(visible[:, rows, columns])


def bent(seed: int, count: int) -> Callable[[Tensor], Tensor]:
    """An answer in which regions help and hinder each other."""
    generator = torch.Generator().manual_seed(seed)
    pairs, each = torch.randn(count, count, generator=generator), torch.randn(count, generator=generator)
    return lambda shown: torch.sigmoid(((shown @ pairs) * shown).sum(1) / count + shown @ each)


def plain(value: Callable[[Tensor], Tensor], count: int, both_ends: bool) -> tuple[list[int], int]:
    """The order of the regions, and how many sets were asked about."""
    asked = 0

    def score(chosen: set[int]) -> float:
        nonlocal asked
        asked += 2
        shown = torch.tensor([[float(region in chosen) for region in range(count)]])
        return float(value(shown) - value(1 - shown))

    first: list[int] = []
    last: list[int] = []
    left = set(range(count))
    while len(left) > 1:
        scores = {region: score({*first, region}) for region in left}
        best = max(left, key=scores.__getitem__)
        first.append(best)
        left.remove(best)
        if both_ends and len(left) > 1:
            lowest = sorted(left, key=scores.__getitem__)[:4]
            worst = min(lowest, key=lambda region: score({*last, region}))
            last.insert(0, worst)
            left.remove(worst)
    return [*first, *left, *last], asked


def order_of(saliency: np.ndarray, count: int) -> list[int]:
    """The regions from the most to the least salient; each must have one value of its own."""
    regions = cut(count)
    levels = [np.unique(saliency[regions == region]) for region in range(count)]
    assert all(len(level) == 1 for level in levels)
    np.testing.assert_allclose(np.sort(np.concatenate(levels)), np.arange(1, count + 1) / count, rtol=1e-6)
    return [int(region) for region in np.argsort(-np.concatenate(levels))]


@pytest.mark.slow
@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2**16), st.booleans(), st.integers(16, 160))
def test_the_order_is_that_of_a_search_on_sets(seed: int, both_ends: bool, budget: int) -> None:
    settings = GreedySettings(budget=budget, both_ends=both_ends)
    count = regions_for(settings, seeing(lambda visible: visible.mean((1, 2)), SIZE))
    value = bent(seed, count)
    found, _ = explained(of_regions(value, count), SIZE, "greedy-regions", budget=budget, both_ends=both_ends)
    order, asked = plain(value, count, both_ends)
    assert order_of(found.saliency, count) == order
    assert found.evaluations == asked <= budget


@pytest.mark.slow
def test_of_a_weighted_sum_the_regions_are_ranked_by_weight_in_every_map_on_the_way() -> None:
    count = regions_for(GreedySettings(budget=200), seeing(lambda visible: visible.mean((1, 2)), SIZE))
    weights = torch.rand(count, generator=torch.Generator().manual_seed(3))
    weights /= weights.sum()
    found, events = explained(of_regions(lambda shown: shown @ weights, count), SIZE, "greedy-regions", budget=200)
    expected = weights.argsort(descending=True).tolist()
    maps = [event.saliency for event in events if event.saliency is not None]
    assert len(maps) > 3
    assert all(order_of(saliency, count) == expected for saliency in (*maps, found.saliency))


@pytest.mark.parametrize("count", [2, 3, 9, 28, 41])
def test_from_one_end_n_regions_cost_all_pairs_and_from_both_ends_fewer(count: int) -> None:
    assert evaluations(count, both_ends=False) == count * (count + 1) - 2
    assert evaluations(count, both_ends=True) <= count * (count + 10) // 2


@pytest.mark.parametrize("both_ends", [False, True])
def test_a_budget_buys_as_many_regions_as_it_pays_for(both_ends: bool) -> None:
    classifier = seeing(lambda visible: visible.mean((1, 2)), SIZE)
    for budget in (16, 250, 1000, 2000):
        chosen = GreedySettings(budget=budget, both_ends=both_ends)
        count = regions_for(chosen, classifier)
        assert METHODS["greedy-regions"].cost(chosen, classifier) <= budget < evaluations(count + 1, both_ends)


def test_a_picture_has_no_more_regions_than_pixels() -> None:
    chosen = GreedySettings(budget=50_000)
    assert regions_for(chosen, seeing(lambda visible: visible.mean((1, 2)), (3, 3))) == 9


def test_the_published_score_adds_how_sure_the_model_is() -> None:
    kept = torch.tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    removed = torch.tensor([[0.1, 0.2, 0.7], [1.0, 0.0, 0.0]])
    entropy = -(0.5 * math.log(0.5) + 2 * 0.25 * math.log(0.25))
    expected = [
        20 * 0.25 + 5 * (1 - 0.2) + 0.01 * (1 - entropy / math.log(3)),
        20 * 1.0 + 5 * (1 - 0.0) + 0.01,
    ]
    np.testing.assert_allclose(weighted(kept, removed, 1), expected, rtol=1e-6)


def test_the_published_score_can_be_searched_with() -> None:
    found, _ = explained(lambda visible: visible[:, :12].mean((1, 2)), SIZE, "greedy-regions", score="weighted")
    assert found.saliency[:8].min() > found.saliency[16:].max()
