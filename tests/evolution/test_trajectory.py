"""A walk over a landscape is the optimiser's own, written down."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from decam.errors import SettingError
from decam.evolution.differential_evolution import DifferentialEvolution, EvolutionSettings
from decam.evolution.operators import Box
from decam.evolution.problems import LANDSCAPES
from decam.evolution.trajectory import heights, trajectory

SETTINGS = EvolutionSettings(budget=400, population=20, control="fixed", strategy="rand/1")


@pytest.mark.parametrize("name", LANDSCAPES)
def test_a_walk_is_a_search_generation_by_generation(name: str) -> None:
    landscape = LANDSCAPES[name]
    steps = trajectory(landscape, SETTINGS, seed=4)
    evolution = DifferentialEvolution(Box.of(landscape.low, landscape.high, 2), SETTINGS, seed=4)
    for step in steps:
        evolution.tell(-landscape(evolution.ask()))
        assert step.evaluations == evolution.evaluations
        assert step.lowest == -float(evolution.fitness.max())
        np.testing.assert_array_equal(step.trace.population[:, 0], evolution.population.numpy().astype(np.float16))
    assert evolution.stopped == "budget"
    assert np.isnan(steps[0].weight) and steps[1].weight == 0.5
    assert np.isnan(steps[0].accepted) and 0 <= steps[1].accepted <= 20


def test_heights_are_read_with_the_second_coordinate_upwards() -> None:
    seen = heights(LANDSCAPES["himmelblau"], 4)
    corner = LANDSCAPES["himmelblau"](torch.tensor([[-3.75, 3.75]], dtype=torch.float64))
    assert seen.shape == (4, 4)
    assert float(seen[0, 0]) == float(corner)


def test_a_walk_that_would_never_end_is_refused() -> None:
    endless = EvolutionSettings(budget=0, population=20, control="shade")
    with pytest.raises(SettingError, match="ends with its budget or its tolerance, and both are 0: give one"):
        trajectory(LANDSCAPES["sphere"], endless)
    settling = EvolutionSettings(budget=0, population=20, control="shade", absolute_tolerance=0.1)
    assert trajectory(LANDSCAPES["sphere"], settling)[-1].lowest < 0.1
