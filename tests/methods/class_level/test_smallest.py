"""The cheapest patterns of linear models, in which one class is made easy by one pixel or one wave."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from decam.classifier import FunctionClassifier, TorchClassifier, wrap
from decam.errors import MethodError
from decam.experiments.explain import explain_classes
from decam.explanation import ClassMap, ClassQuestion, last
from decam.methods import CLASS_METHODS
from decam.methods.class_level.smallest import SMALLEST, SmallestSettings, price, smallest
from decam.methods.class_level.smallest_black_box import (
    SMALLEST_BLACK_BOX,
    SmallestBlackBoxSettings,
    smallest_black_box,
)

SIDE, CLASSES, ODD = 16, 6, 3


class Linear(nn.Module):
    """Logits W·(x − 0.5) of six classes."""

    def __init__(self, odd: Tensor | None) -> None:
        super().__init__()
        weights = torch.randn(CLASSES, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(5))
        weights = weights / weights.flatten(1).norm(dim=1).view(-1, 1, 1, 1) * 8
        if odd is not None:
            weights[ODD] = odd
        self.weights = nn.Parameter(weights)

    def forward(self, pictures: Tensor) -> Tensor:
        """N×3×H×W to N×6."""
        return (pictures - 0.5).flatten(1) @ self.weights.flatten(1).T


def pixel() -> Tensor:
    """Weights of one pixel alone, ten times as long as those of other classes."""
    found = torch.zeros(3, SIDE, SIDE)
    found[:, 5, 9] = 80 / math.sqrt(3)
    return found


def wave() -> Tensor:
    """Weights of one wave alone, as long as those of other classes."""
    found = torch.cos(2 * torch.pi * 3 * torch.arange(SIDE) / SIDE).expand(3, SIDE, SIDE)
    return found / found.norm() * 8


def classifier(odd: Tensor | None = None) -> TorchClassifier:
    found = wrap(Linear(odd), labels=list("abcdef"), input_size=SIDE, mean=0.0, std=1.0, answers="logits")
    assert isinstance(found, TorchClassifier)
    return found


def costs(model: TorchClassifier, **settings: int | float | str) -> tuple[list[float], list[ClassMap]]:
    questions = [ClassQuestion(model, (target,)) for target in range(CLASSES)]
    chosen = SmallestSettings.from_mapping({"samples": "gaussian", "iterations": 80, **settings})
    found = {place: event for place, event in smallest(questions, chosen) if isinstance(event, ClassMap)}
    return [found[place].cost for place in range(CLASSES)], [found[place] for place in range(CLASSES)]


@pytest.mark.slow
@pytest.mark.parametrize(("odd", "basis"), [(pixel(), "blocks"), (wave(), "waves")])
def test_the_class_that_one_pixel_or_one_wave_makes_easy_is_the_cheapest(odd: Tensor, basis: str) -> None:
    found, _ = costs(classifier(odd), basis=basis)
    others = sorted(cost for target, cost in enumerate(found) if target != ODD)
    assert found[ODD] < 0.6 * others[0]


@pytest.mark.slow
def test_the_pattern_of_the_pixel_is_that_pixel_and_just_has_the_goal() -> None:
    _, maps = costs(classifier(pixel()), basis="blocks")
    energy = np.square(maps[ODD].pattern).sum(0)
    assert np.unravel_index(energy.argmax(), energy.shape) == (5, 9)
    assert 0.8 <= maps[ODD].fidelity < 0.97
    assert maps[ODD].norm == pytest.approx(float(np.linalg.norm(maps[ODD].pattern)), rel=1e-5)


def test_classes_that_are_alike_cost_about_the_same() -> None:
    found, _ = costs(classifier(), basis="pixels")
    assert max(found) < 1.7 * min(found)


def test_a_map_depends_on_its_question_alone() -> None:
    model, settings = classifier(), SmallestSettings(samples="gaussian", iterations=10)
    alone = last(_returning(model, [2], settings))
    beside = last(_returning(model, [0, 2, 4], settings))
    np.testing.assert_allclose(alone[2].pattern, beside[2].pattern, atol=1e-5)
    assert alone[2].cost == pytest.approx(beside[2].cost, rel=1e-4)


def _returning(model: TorchClassifier, targets: list[int], settings: SmallestSettings):  # type: ignore[no-untyped-def]
    found = {}
    for place, event in smallest([ClassQuestion(model, (target,)) for target in targets], settings):
        if isinstance(event, ClassMap):
            found[targets[place]] = event
        yield place
    return found


def test_the_price_of_a_jump_is_its_cost_and_what_is_never_won_costs_the_most() -> None:
    costs = [1.0, 2.0, 4.0, 8.0]
    assert price(costs, [0.0, 0.0, 0.0, 0.0], 32.0) == pytest.approx(32.0)
    assert price(costs, [1.0, 1.0, 1.0, 1.0], 32.0) == pytest.approx(1.0)
    fine = np.geomspace(0.5, 32, 2000).tolist()
    jump = [float(cost >= 3) for cost in fine]
    assert price(fine, jump, 32.0) == pytest.approx(3.0, rel=0.01)
    assert price([1.0, 2.0], [0.0, 1.0], 8.0) == pytest.approx(math.sqrt(2))
    assert price([0.0, 0.0], [1.0, 1.0], 8.0) == 8.0  # a pattern of nothing has no cost of its own


@pytest.mark.parametrize("row", [SMALLEST, SMALLEST_BLACK_BOX])
def test_a_search_asks_no_more_than_it_says(row) -> None:  # type: ignore[no-untyped-def]
    model = classifier()
    settings = row.settings.from_mapping({"samples": "gaussian"})
    question = ClassQuestion(model, (1,))
    (found,) = last(explain_classes([question], row.name, settings))
    assert 0 < found.evaluations <= row.cost(settings, model)
    assert found.cost > 0


def test_a_black_box_is_offered_the_search_that_asks_for_answers_only() -> None:
    model = FunctionClassifier(lambda pictures: torch.full((len(pictures), 2), 0.5), ["a", "b"], (SIDE, SIDE))
    with pytest.raises(MethodError, match="Choose Black-box cheapest pattern"):
        last(explain_classes([ClassQuestion(model, (0,))], "smallest", SmallestSettings()))
    assert CLASS_METHODS[SMALLEST.instead] is SMALLEST_BLACK_BOX


@pytest.mark.slow
def test_the_black_box_search_finds_the_class_that_is_made_easy_by_a_low_wave() -> None:
    low = torch.cos(torch.pi * (torch.arange(SIDE) + 0.5) / SIDE).expand(3, SIDE, SIDE)
    model = classifier(low / low.norm() * 24)
    found = []
    for target in range(CLASSES):
        settings = SmallestBlackBoxSettings(samples="gaussian", budget=600)
        (one,) = last(explain_classes([ClassQuestion(model, (target,))], SMALLEST_BLACK_BOX.name, settings))
        found.append(one.cost)
    assert np.argmin(found) == ODD


def test_a_pattern_that_falls_short_says_so() -> None:
    question = ClassQuestion(classifier(), (0,))
    last(explain_classes([question], "smallest", SmallestSettings(samples="gaussian", iterations=1, basis="colour")))
    assert any("below the goal of 0.80" in note for note in question.ledger.notes)


@pytest.mark.slow
def test_a_black_box_search_goes_on_until_a_goal_above_its_own_is_reached() -> None:
    low = torch.cos(torch.pi * (torch.arange(SIDE) + 0.5) / SIDE).expand(3, SIDE, SIDE)
    model, asked = classifier(low / low.norm() * 8), []
    for goal in (0.8, 0.95, 0.99):
        settings = SmallestBlackBoxSettings(samples="gaussian", budget=4000, goal=goal, norm=0.11)
        (one,) = last(explain_classes([ClassQuestion(model, (ODD,))], SMALLEST_BLACK_BOX.name, settings))
        assert one.fidelity >= goal
        asked.append(one.evaluations)
    assert asked[0] == asked[1] < asked[2]


def test_a_black_box_search_that_falls_short_advises_what_it_has() -> None:
    deaf = FunctionClassifier(lambda pictures: torch.full((len(pictures), 2), 0.5), ["a", "b"], (SIDE, SIDE))
    question = ClassQuestion(deaf, (0,))
    last(smallest_black_box(question, SmallestBlackBoxSettings(samples="gaussian", budget=200)))
    (note,) = [note for note in question.ledger.notes if "below the goal" in note]
    names = {described.name for described in SmallestBlackBoxSettings.parameters()}
    assert "budget" in note and "norm" in note and {"budget", "norm"} <= names
    assert "iterations" not in note
