"""Families hold every method once; presets keep their word on any classifier, whatever it gives."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from decam.classifier import Classifier, Need, TorchClassifier
from decam.methods import METHODS
from decam.methods.presets import _BLACK_BOX, _CLASSICS, _FACES, _QUICK, PRESETS, QUICK, equal_rivals
from decam.methods.taxonomy import FAMILIES, grouped

NEEDS: tuple[Need, ...] = ("activations", "attention", "gradients", "output")


def classifier(gives: frozenset[Need]) -> TorchClassifier:
    """A small network that hands out no more than this."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)
    )
    made = TorchClassifier("small", module, list("abc"), input_size=(16, 16), layer="1", layers=("1",))
    made.provides = gives
    return made


def test_every_method_belongs_to_one_family_and_families_stand_together_in_the_table() -> None:
    assert [row.name for _, rows in grouped(METHODS.values()) for row in rows] == list(METHODS)


def test_families_say_what_they_are_in_one_sentence() -> None:
    assert all(family.summary.endswith(".") and family.title for family in FAMILIES.values())


def test_a_method_of_an_unknown_family_is_noticed() -> None:
    with pytest.raises(KeyError, match="astrology"):
        grouped([replace(METHODS["rise"], family="astrology")])


def test_a_family_without_methods_is_left_out() -> None:
    assert [family.name for family, _ in grouped([METHODS["rise"]])] == ["perturbation"]


def test_every_name_in_a_preset_is_a_method_and_no_family_has_two_faces() -> None:
    assert {*_QUICK, *_CLASSICS, *_BLACK_BOX, *_FACES} <= set(METHODS)
    assert max(Counter(METHODS[name].family for name in _FACES).values()) == 1


@given(st.sets(st.sampled_from(NEEDS)))
@pytest.mark.slow
def test_a_preset_names_only_methods_that_can_run_once_each_in_the_order_of_the_table(gives: set[Need]) -> None:
    model: Classifier = classifier(frozenset(gives))
    for preset in PRESETS.values():
        members = preset.members(model)
        assert list(members) == [name for name in METHODS if name in members]
        assert all(METHODS[name].obstacle(model) == "" for name in members), preset.name


@given(st.sets(st.sampled_from(NEEDS)))
@pytest.mark.slow
def test_one_of_each_family_has_one_of_every_family_that_can_run_at_all(gives: set[Need]) -> None:
    model = classifier(frozenset(gives))
    able = {row.family for row in METHODS.values() if not row.obstacle(model)}
    assert sorted(METHODS[name].family for name in PRESETS["families"].members(model)) == sorted(able)


def test_quick_is_several_methods_and_each_is_cheap(embedded: TorchClassifier) -> None:
    members = PRESETS["quick"].members(embedded)
    assert 3 <= len(members) <= 6
    assert all(METHODS[name].cost(METHODS[name].settings(), embedded) <= QUICK for name in members)


def test_black_box_is_a_few_and_the_rivals_are_the_rest_of_those_that_ask_for_answers_alone(
    embedded: TorchClassifier,
) -> None:
    few, rivals = PRESETS["black-box"], PRESETS["rivals"]
    for preset in (few, rivals):
        assert preset.members(embedded) == preset.members(classifier(frozenset({"output"})))
    asking = {name for name, row in METHODS.items() if row.needs == {"output"}}
    assert {*few.members(embedded), *rivals.members(embedded)} == asking
    assert {*few.members(embedded)} & {*rivals.members(embedded)} == {"de-cam"}, "which both compare with the others"
    assert {"de-cam", "rise", "lime"} <= {*few.members(embedded)} and len(few.members(embedded)) <= 6
    assert {"sobol", "hsic", "shap-partition", "cma-es"} <= {*rivals.members(embedded)}


def test_a_black_box_still_has_something_quick_and_one_of_each_family_that_asks() -> None:
    black = classifier(frozenset({"output"}))
    assert PRESETS["quick"].members(black)
    assert PRESETS["families"].members(black) == ("de-cam", "lime", "random")


def test_rivals_at_equal_budgets_are_black_boxes_that_spend_it_or_the_nearest_they_take() -> None:
    asked = classifier(frozenset(NEEDS))
    found = equal_rivals(asked, 8000)
    assert {"rise", "greedy-regions", "cma-es", "hsic", "shap-partition"} <= set(found)
    assert "de-cam" not in found and "feature-ablation" not in found
    for name, settings in found.items():
        budget = next(one for one in METHODS[name].parameters_for(asked) if one.name == "budget")
        assert settings.to_mapping()["budget"] == min(8000, budget.high)
        assert METHODS[name].needs == {"output"}
    assert equal_rivals(asked, 8000)["aise"].to_mapping()["budget"] == 6000
    assert equal_rivals(asked, 3)["cma-es"].to_mapping()["budget"] == 200
    assert equal_rivals(classifier(frozenset()), 1000) == {}
