"""What searches for maps of classes spend: never more than their budget, and never more than their cost says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from decam.classifier import FunctionClassifier, TorchClassifier, wrap
from decam.explanation import ClassMap, ClassQuestion, Unit
from decam.methods import CLASS_METHODS

SIDE = 16
FRESH = 5
MEASURED = 3 * FRESH  # with the map, without it, and the control


def deaf() -> FunctionClassifier:
    """A model whose answers nothing changes, so that every search goes on to its budget's end."""
    return FunctionClassifier(lambda pictures: torch.full((len(pictures), 2), 0.5), ["a", "b"], (SIDE, SIDE))


class Wavy(nn.Module):
    """Two classes whose odds rise and fall so fast with a picture that many a step lowers them."""

    def __init__(self) -> None:
        super().__init__()
        self.early = nn.Conv2d(3, 2, 3, padding=1)
        torch.manual_seed(1)
        nn.init.normal_(self.early.weight)

    def forward(self, pictures: Tensor) -> Tensor:
        """N×3×H×W to N×2."""
        odds = torch.sin(60 * self.early(pictures).mean((2, 3))[:, 0])
        return torch.stack([odds, -odds], 1)


def wavy() -> TorchClassifier:
    found = wrap(Wavy(), labels=["a", "b"], input_size=SIDE, mean=0.0, std=1.0, answers="logits", layers=["early"])
    assert isinstance(found, TorchClassifier)
    return found


def spent(
    name: str, model: FunctionClassifier | TorchClassifier, target: tuple[int, ...] | Unit, **given: object
) -> int:
    """What one map costs; it is no more than the method says."""
    row, question = CLASS_METHODS[name], ClassQuestion(model, target)
    settings = row.settings.from_mapping({"samples": "gaussian", "fresh": FRESH, **given})
    assert any(isinstance(event, ClassMap) for _, event in row.run([question], settings))
    assert question.ledger.evaluations <= row.cost(settings, model)
    return question.ledger.evaluations


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("input-agnostic-evolution", {"batch": 6, "population": 24}),
        ("input-agnostic-evolution", {"batch": 256, "population": 6}),
        ("input-agnostic-evolution", {"batch": 40, "population": 500}),
        ("input-agnostic-black-box", {"pairs": 96}),
        ("input-agnostic-black-box", {"pairs": 4096}),
    ],
)
def test_a_budget_below_one_round_is_kept_by_asking_less_and_that_is_said(name: str, given: dict[str, int]) -> None:
    row = CLASS_METHODS[name]
    for budget in (100, 131):
        settings = row.settings.from_mapping(
            {"samples": "gaussian", "fresh": FRESH, "budget": budget, "refinements": 0, **given}
        )
        question = ClassQuestion(deaf(), (0,))
        list(row.run([question], settings))
        assert budget / 2 < question.ledger.evaluations - MEASURED <= budget
        assert any(f"The budget of {budget} pays for" in note for note in question.ledger.notes)


@pytest.mark.parametrize("batch", [6, 256])
def test_the_cheapest_pattern_from_answers_alone_keeps_a_small_budget(batch: int) -> None:
    spent("smallest-black-box", deaf(), (0,), budget=100, batch=batch)


@pytest.mark.parametrize(("budget", "batch"), [(10, 256), (50, 8), (100, 8), (107, 10), (600, 8)])
@pytest.mark.parametrize("sign_check", [True, False])
def test_steps_that_are_turned_stay_within_the_budget(budget: int, batch: int, sign_check: bool) -> None:
    found = spent(
        "input-agnostic", wavy(), (0,), budget=budget, batch=batch, sign_check=sign_check, goal=1.0, step=0.5, norm=0.5
    )
    assert found - MEASURED <= budget


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("input-agnostic", {"budget": 40, "batch": 4, "goal": 1.0}),
        ("input-agnostic-evolution", {"budget": 120, "batch": 2, "population": 6, "goal": 1.0}),
        ("input-agnostic-black-box", {"budget": 120, "pairs": 6, "goal": 1.0}),
        ("smallest-black-box", {"budget": 144, "goal": 1.0}),
        ("activation-maximisation", {"iterations": 10}),
        ("phase", {"iterations": 10, "crops": 2}),
    ],
)
def test_what_a_unit_needs_for_its_threshold_is_in_the_cost(name: str, given: dict[str, float]) -> None:
    spent(name, wavy(), Unit("early", 1), **given)
