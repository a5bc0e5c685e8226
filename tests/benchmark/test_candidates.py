"""What a method may cost: the settings at which it spends a budget."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.benchmark.candidates import within_budget
from decam.classifier import Classifier, wrap
from decam.methods import METHODS
from decam.settings import Settings, parameter

BLACK_BOXES = [method for method in METHODS.values() if method.needs == {"output"}]
CLASSIFIER = wrap(lambda images: images.mean((1, 2, 3)), labels=["light"], input_size=(48, 48))


@dataclass(frozen=True)
class Spent(Settings):
    budget: int = parameter(40, "Evaluations.", low=10, high=50)
    rounds: int = parameter(3, "Rounds, which cost much.", low=1, high=1000)


@dataclass(frozen=True)
class Squares(Settings):
    cells: int = parameter(3, "Cells a side.", low=2, high=9)
    gap: float = parameter(0.5, "Distance.", low=0.1, high=0.9, step=0.1)


def cost(settings: Squares, classifier: Classifier) -> int:
    del classifier
    return settings.cells**2 * round(10 / settings.gap)


@pytest.mark.slow
@pytest.mark.parametrize("method", BLACK_BOXES, ids=lambda method: method.name)
@given(budget=st.integers(20, 3000))
def test_no_method_spends_more_than_the_budget(method, budget: int) -> None:  # type: ignore[no-untyped-def]
    settings = within_budget(method, budget, CLASSIFIER)
    assert settings is None or method.cost(settings, CLASSIFIER) <= budget


@pytest.mark.parametrize("name", ["rise", "lime", "kernel-shap", "de-cam"])
def test_methods_that_draw_masks_spend_all_of_it(name: str) -> None:
    for budget in (250, 1000, 2000):
        settings = within_budget(METHODS[name], budget, CLASSIFIER)
        assert settings is not None and METHODS[name].cost(settings, CLASSIFIER) == budget


def test_a_setting_named_budget_is_the_budget_whatever_else_costs() -> None:
    row = replace(METHODS["rise"], settings=Spent, cost=lambda settings, _: settings.budget)
    assert within_budget(row, 33, CLASSIFIER) == Spent(budget=33)
    assert within_budget(row, 5000, CLASSIFIER) == Spent(budget=50)
    assert within_budget(row, 9, CLASSIFIER) is None


@given(st.integers(1, 10_000))
def test_without_one_the_dearest_number_is_set_as_high_as_a_search_of_all_its_values_finds(budget: int) -> None:
    row = replace(METHODS["rise"], settings=Squares, cost=cost)
    tried = [Squares(cells=cells) for cells in range(2, 10)]
    expected = max((one for one in tried if cost(one, CLASSIFIER) <= budget), key=lambda one: one.cells, default=None)
    assert within_budget(row, budget, CLASSIFIER) == expected


def test_what_is_given_stays() -> None:
    row = replace(METHODS["rise"], settings=Squares, cost=cost)
    found = within_budget(row, 200, CLASSIFIER, {"cells": 2})
    assert found == Squares(cells=2, gap=0.2)
    control = within_budget(METHODS["de-cam"], 500, CLASSIFIER, {"variant": "random search"})
    assert control is not None and control.to_mapping()["variant"] == "random search"
