"""AISE against DIRECT run by hand, and against a place that is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import direct
from torch import Tensor

from decam.methods import METHODS
from decam.methods.perturbation.aise import AiseSettings, window
from tests.tools.visible import explained, seeing

SIZE = (20, 30)


def there(visible: Tensor) -> Tensor:
    """How much of a square right of the centre is visible."""
    return visible[:, 4:9, 20:26].mean((1, 2))


def by_hand(answer, windows: int) -> np.ndarray:
    """The first windows that DIRECT tries for each width, weighed and added up."""
    down, across = np.linspace(0, 1, SIZE[0])[:, None], np.linspace(0, 1, SIZE[1])[None]
    total = np.zeros(SIZE)
    for width in (0.1, 0.175, 0.25):
        tried: list[tuple[float, np.ndarray]] = []

        def cost(place: np.ndarray, width: float = width, tried: list[tuple[float, np.ndarray]] = tried) -> float:
            shown = np.exp(-((down - place[0]) ** 2 + (across - place[1]) ** 2) / (2 * width**2))
            pair = torch.from_numpy(np.stack([shown, 1 - shown])).float()
            kept, removed = answer(pair).tolist()
            tried.append((kept - removed, shown))
            return removed - kept

        direct(cost, [(0, 1), (0, 1)], eps=0.1, maxfun=windows, locally_biased=False)
        lowest = min(score for score, _ in tried[:windows])
        part = sum((score - lowest) * shown for score, shown in tried[:windows])
        total += part / part.max()
    return total


def test_the_map_is_that_of_directs_own_windows() -> None:
    found, events = explained(there, SIZE, "aise", budget=123)
    np.testing.assert_allclose(found.saliency, by_hand(there, 20), rtol=2e-3, atol=2e-3)
    assert found.evaluations == 120
    assert sum(event.saliency is not None for event in events) > 50


def test_the_brightest_pixel_is_where_the_answer_is() -> None:
    found, _ = explained(there, SIZE, "aise", budget=300)
    row, column = np.unravel_index(found.saliency.argmax(), SIZE)
    assert 4 <= row < 9
    assert 20 <= column < 26


@pytest.mark.slow
def test_where_every_window_speaks_against_the_class_the_best_place_is_the_brightest_all_the_same() -> None:
    """Half of the place is enough, so that what a small window hides is never missed."""
    found, _ = explained(lambda visible: (2 * there(visible)).clamp_max(1) * 0.9, SIZE, "aise", budget=300)
    row, column = np.unravel_index(found.saliency.argmax(), SIZE)
    assert 4 <= row < 9
    assert 20 <= column < 26


@pytest.mark.slow
@pytest.mark.parametrize("budget", [30, 6000])
def test_an_answer_that_never_changes_costs_what_the_row_says(budget: int) -> None:
    found, _ = explained(lambda visible: torch.full((len(visible),), 0.4), (6, 6), "aise", budget=budget)
    row = METHODS["aise"]
    assert found.evaluations == row.cost(AiseSettings(budget=budget), seeing(there, SIZE)) == budget
    assert not found.saliency.any()


def test_a_window_is_one_at_its_centre_and_falls_as_a_gaussian() -> None:
    found = window((0.5, 1.0), 0.25, (5, 9))
    assert float(found[2, 8]) == 1
    assert float(found[1, 8]) == pytest.approx(np.exp(-0.5))
    assert float(found[2, 6]) == pytest.approx(np.exp(-0.5))
