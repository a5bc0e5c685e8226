"""Input-agnostic maps of models whose best direction is known, their counts, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from decam.classifier import Execution, FunctionClassifier, TorchClassifier
from decam.errors import MethodError, SettingError
from decam.explanation import Ledger, last
from decam.methods.class_level.base import ClassQuestion, Unit
from decam.methods.class_level.input_agnostic import (
    INPUT_AGNOSTIC,
    InputAgnosticSettings,
    input_agnostic,
    together,
)
from decam.methods.class_level.samples import gaussian

SIDE = 16


class Linear(nn.Module):
    """Logits W·x of three classes, over all colours of a picture."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        weights = torch.randn(classes, 3 * SIDE * SIDE, generator=generator) * 0.3
        self.weights = nn.Parameter(weights)

    def forward(self, pictures: Tensor) -> Tensor:
        """N×3×H×W to N×3."""
        return pictures.flatten(1) @ self.weights.T


class Convolutional(nn.Module):
    """A convolution with places, pooled, and a linear head: three classes."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.early = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(4, 3)
        with torch.no_grad():
            for part in self.parameters():
                part.copy_(torch.randn(part.shape, generator=generator))

    def forward(self, pictures: Tensor) -> Tensor:
        """N×3×H×W to N×3."""
        return self.head(torch.relu(self.early(pictures)).mean((2, 3)))


def classifier(module: nn.Module | None = None, layers: tuple[str, ...] = ()) -> TorchClassifier:
    """A classifier of three classes at 16×16 pixels, without normalisation, in batches of 4."""
    return TorchClassifier(
        "known",
        module or Linear(),
        list("abc"),
        input_size=(SIDE, SIDE),
        mean=0.5,
        std=1.0,
        layers=layers,
        layer=layers[-1] if layers else "",
        execution=Execution(batch_size=4),
    )


class Counted:
    """A black box that answers as a linear model does, and counts the pictures it sees."""

    def __init__(self) -> None:
        self.seen = 0
        self.module = Linear()

    def __call__(self, pictures: Tensor) -> Tensor:
        """N×3×H×W to N×3 probabilities."""
        self.seen += len(pictures)
        return torch.softmax(self.module(pictures - 0.5), 1)


def black(counted: Counted) -> FunctionClassifier:
    """The black box as a classifier."""
    return FunctionClassifier(counted, list("abc"), (SIDE, SIDE), name="box", batch_size=4)


PLAIN = InputAgnosticSettings(
    iterations=30,
    samples="gaussian",
    batch=4,
    cutoff=0.0,
    spectrum=0.0,
    colour=1.0,
    window=0.0,
    refinements=0,
    radius=0.1,
    goal=1.0,
    fresh=16,
)


def test_the_map_of_a_linear_model_lies_along_its_weights() -> None:
    known = classifier()
    found = last(input_agnostic(ClassQuestion(known, (0,)), PLAIN, 0))
    weights = known.module.get_parameter("weights").detach()
    shown = torch.from_numpy(found.map).flatten()
    # Far from the boundary the gradient is w_0 − Σ p_k w_k: between the differences to the two other classes.
    best = torch.stack([weights[0] - weights[1], weights[0] - weights[2]])
    against = torch.cosine_similarity(shown, best.mean(0), dim=0)
    assert against > 0.9
    assert found.fidelity > 0.9
    assert found.norm == pytest.approx(0.1 * (3 * SIDE * SIDE) ** 0.5, rel=1e-4)


def test_of_two_classes_it_is_the_difference_of_their_weights() -> None:
    module = Linear()
    with torch.no_grad():
        module.weights[2] = 0
        module.weights[1] = -module.weights[0]
    settings = replace(PLAIN, objective="logit")
    found = last(input_agnostic(ClassQuestion(classifier(module), (0,)), settings, 0))
    shown = torch.from_numpy(found.map).flatten()
    assert torch.cosine_similarity(shown, module.weights[0].detach(), dim=0) > 0.99


def test_a_seed_decides_the_map() -> None:
    known = classifier()
    first, again, other = (last(input_agnostic(ClassQuestion(known, (1,)), PLAIN, seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.map, again.map)
    assert first.fidelity == again.fidelity
    assert not np.array_equal(first.map, other.map)


@pytest.mark.parametrize("refinements", [0, 2])
def test_every_picture_that_the_model_sees_is_counted(refinements: int) -> None:
    module = Convolutional()
    known = classifier(module, ("early",))
    known.inspection  # noqa: B018  # asked about four pictures, once for a model
    seen: list[int] = []

    def count(module: nn.Module, given: tuple[Tensor, ...], _: object) -> None:
        if isinstance(module, Convolutional):
            seen.append(len(given[0]))

    hook = torch.nn.modules.module.register_module_forward_hook(count)
    try:
        question = ClassQuestion(known, (1,))
        last(input_agnostic(question, replace(PLAIN, iterations=5, refinements=refinements), 0))
    finally:
        hook.remove()
    assert question.ledger.evaluations == sum(seen) > 0


def test_fidelity_is_what_asking_the_model_anew_says() -> None:
    known = classifier()
    found = last(input_agnostic(ClassQuestion(known, (2,)), replace(PLAIN, fresh=400), 0))
    drawn = gaussian(2000, (SIDE, SIDE), torch.Generator().manual_seed(99))
    weights = known.module.get_parameter("weights").detach()

    def mean(pictures: torch.Tensor) -> float:
        return float(torch.softmax((pictures.clamp(0, 1) - 0.5).flatten(1) @ weights.T, 1)[:, 2].mean())

    noise = torch.randn(found.map.shape, generator=torch.Generator().manual_seed(1))
    assert found.fidelity == pytest.approx(mean(drawn + torch.from_numpy(found.map)), abs=0.05)
    assert found.baseline == pytest.approx(mean(drawn), abs=0.06)
    assert mean(drawn + noise / noise.norm() * found.norm) < 0.9 * found.fidelity
    assert found.saliency == pytest.approx(np.sqrt((found.map**2).sum(0)))


def test_maps_that_are_made_together_reach_their_classes() -> None:
    known, ledger = classifier(), Ledger()
    questions = tuple(ClassQuestion(known, (label,), ledger) for label in range(3))
    found = last(together(questions, replace(PLAIN, goal=0.95), 0))
    assert [one.target for one in found] == [(0,), (1,), (2,)]
    assert all(one.fidelity > 0.85 for one in found)


def test_several_classes_are_raised_at_once() -> None:
    known = classifier()
    found = last(input_agnostic(ClassQuestion(known, (0, 2)), PLAIN, 0))
    drawn = gaussian(200, (SIDE, SIDE), torch.Generator().manual_seed(9)) + torch.from_numpy(found.map)
    answers = known.answer(known.normalise(drawn.clamp(0, 1))).mean(0)
    assert found.fidelity > 0.9
    assert min(answers[0], answers[2]) > answers[1]


def test_a_unit_is_raised_beyond_its_own_activations() -> None:
    question = ClassQuestion(classifier(Convolutional(), ("early",)), Unit("early", 2))
    found = last(input_agnostic(question, PLAIN, 0))
    assert found.fidelity > 0.9 > found.baseline


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ((3,), "Class 3 does not exist: known knows 0 to 2."),
        ((-1,), "Class -1 does not exist"),
        ((), "No class was named"),
        ((1, 1), "A class is named twice"),
        (Unit("early", -1), "must be 0 or more"),
    ],
)
def test_targets_that_cannot_be_are_refused(target: tuple[int, ...] | Unit, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        ClassQuestion(classifier(), target)


def test_units_that_do_not_exist_are_refused() -> None:
    known = classifier(Convolutional(), ("early",))
    with pytest.raises(SettingError, match="has 4 channels, and channel 9 was asked for"):
        last(input_agnostic(ClassQuestion(known, Unit("early", 9)), PLAIN, 0))
    with pytest.raises(SettingError, match="has no layer 'late'"):
        last(input_agnostic(ClassQuestion(known, Unit("late", 0)), PLAIN, 0))


def test_a_model_without_gradients_is_sent_to_the_black_box_variant() -> None:
    box = black(Counted())
    words = INPUT_AGNOSTIC.obstacle(box)
    assert "needs the model's gradients, which box does not give" in words
    assert "black-box input-agnostic map asks for its output alone" in words
    assert INPUT_AGNOSTIC.obstacle(classifier()) == ""
    with pytest.raises(MethodError, match="ask for the black-box variant"):
        last(input_agnostic(ClassQuestion(box, (0,)), PLAIN, 0))


def test_a_budget_that_is_too_small_is_said_and_its_map_given() -> None:
    found = last(input_agnostic(ClassQuestion(classifier(), (0,)), replace(PLAIN, iterations=1, step=0.01), 0))
    assert not found.converged
    assert found.map.any()
    assert any("The budget ended at a fidelity of" in note for note in found.notes)


def test_a_radius_that_saturates_is_said() -> None:
    found = last(input_agnostic(ClassQuestion(classifier(), (0,)), replace(PLAIN, radius=1.0, step=0.5), 0))
    assert any("so the radius saturates the pictures" in note for note in found.notes)


def test_questions_of_two_ledgers_are_not_asked_together() -> None:
    known = classifier()
    with pytest.raises(SettingError, match="must share one classifier and one ledger"):
        last(together((ClassQuestion(known, (0,)), ClassQuestion(known, (1,))), PLAIN, 0))


def test_it_stops_where_its_generator_is_closed() -> None:
    question = ClassQuestion(classifier(), (0,))
    steps = input_agnostic(question, PLAIN, 0)
    next(steps)
    asked = question.ledger.evaluations
    steps.close()
    assert question.ledger.evaluations == asked == PLAIN.batch
