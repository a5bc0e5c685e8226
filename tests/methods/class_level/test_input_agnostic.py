"""Input-agnostic maps of models whose best direction is known, their counts, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from decam.classifier import Execution, FunctionClassifier, TorchClassifier
from decam.errors import MethodError, SettingError
from decam.explanation import ClassMap, ClassQuestion, Progress, Unit
from decam.methods import CLASS_METHODS
from decam.methods.class_level.asking import Road
from decam.methods.class_level.common import FreshSamples, measured
from decam.methods.class_level.input_agnostic import (
    INPUT_AGNOSTIC,
    InputAgnosticSettings,
    input_agnostic,
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


def answered(questions: list[ClassQuestion], settings: InputAgnosticSettings) -> list[ClassMap]:
    """The maps of several questions asked together, in their order."""
    found = {place: event for place, event in input_agnostic(questions, settings) if isinstance(event, ClassMap)}
    return [found[place] for place in range(len(questions))]


def one(question: ClassQuestion, settings: InputAgnosticSettings) -> ClassMap:
    """The map of one question."""
    (found,) = answered([question], settings)
    return found


PLAIN = InputAgnosticSettings(
    budget=360,
    samples="gaussian",
    batch=4,
    cutoff=0.0,
    spectrum=0.0,
    colour=1.0,
    window=0.0,
    shift=0.0,
    turn=0.0,
    zoom=0.0,
    sign_check=True,
    refinements=0,
    norm=0.1,
    goal=1.0,
    fresh=16,
)


def test_the_map_of_a_linear_model_lies_along_its_weights() -> None:
    known = classifier()
    found = one(ClassQuestion(known, (0,)), PLAIN)
    weights = known.module.get_parameter("weights").detach()
    shown = torch.from_numpy(found.pattern).flatten()
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
    found = one(ClassQuestion(classifier(module), (0,)), settings)
    shown = torch.from_numpy(found.pattern).flatten()
    assert torch.cosine_similarity(shown, module.weights[0].detach(), dim=0) > 0.99


@pytest.mark.slow
def test_a_seed_decides_the_map() -> None:
    known = classifier()
    first, again, other = (one(ClassQuestion(known, (1,), seed), PLAIN) for seed in (1, 1, 2))
    assert np.array_equal(first.pattern, again.pattern)
    assert first.fidelity == again.fidelity
    assert not np.array_equal(first.pattern, other.pattern)


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
        one(question, replace(PLAIN, budget=40, refinements=refinements))
    finally:
        hook.remove()
    assert question.ledger.evaluations == sum(seen) > 0


def test_fidelity_is_what_asking_the_model_anew_says() -> None:
    known = classifier()
    found = one(ClassQuestion(known, (2,)), replace(PLAIN, fresh=400))
    drawn = gaussian(2000, (SIDE, SIDE), torch.Generator().manual_seed(99))
    weights = known.module.get_parameter("weights").detach()

    def mean(pictures: torch.Tensor) -> float:
        return float(torch.softmax((pictures.clamp(0, 1) - 0.5).flatten(1) @ weights.T, 1)[:, 2].mean())

    noise = torch.randn(found.pattern.shape, generator=torch.Generator().manual_seed(1))
    assert found.fidelity == pytest.approx(mean(drawn + torch.from_numpy(found.pattern)), abs=0.05)
    assert found.baseline == pytest.approx(mean(drawn), abs=0.06)
    assert mean(drawn + noise / noise.norm() * found.norm) < 0.9 * found.fidelity


def test_what_a_map_is_worth_is_what_a_plain_loop_over_the_fresh_samples_says() -> None:
    known = classifier()
    fresh = FreshSamples.drawn(gaussian, (SIDE, SIDE), 4, 6)
    pattern = torch.randn(3, SIDE, SIDE, generator=torch.Generator().manual_seed(2)) * 0.1
    found = measured(Road.of([ClassQuestion(known, (2,))]), 0, pattern, torch.tensor(float("nan")), fresh)
    weights = known.module.get_parameter("weights").detach().numpy().astype(np.float64)
    norm = np.sqrt(np.square(pattern.numpy().astype(np.float64)).sum())

    def plain(added: np.ndarray) -> float:
        shares = []
        for sample in fresh.samples.numpy():
            odds = np.exp(weights @ (np.clip(sample + added, 0, 1) - 0.5).ravel())
            shares.append(odds[2] / odds.sum())
        return float(np.mean(shares))

    assert found.fidelity == pytest.approx(plain(pattern.numpy()), abs=1e-4)
    assert found.baseline == pytest.approx(plain(np.zeros((3, SIDE, SIDE))), abs=1e-4)
    assert found.control == pytest.approx(plain(fresh.noise.numpy() * norm), abs=1e-4)
    assert found.norm == pytest.approx(norm, rel=1e-5)
    assert len({round(value, 3) for value in (found.fidelity, found.baseline, found.control)}) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {},
        *(
            pytest.param(changes, marks=pytest.mark.slow)
            for changes in ({"shift": 0.2, "turn": 20.0}, {"refinements": 2}, {"goal": 0.8}, {"sign_check": False})
        ),
    ],
)
def test_a_map_made_beside_others_is_the_map_made_alone(changes: dict[str, float]) -> None:
    known, settings = classifier(Convolutional(), ("early",)), replace(PLAIN, norm=0.3, **changes)
    targets = [((0,), 1), ((1,), 2), ((2,), 1), ((0, 1), 1)]
    together = answered([ClassQuestion(known, target, seed) for target, seed in targets], settings)
    for (target, seed), found in zip(targets, together, strict=True):
        alone = one(ClassQuestion(known, target, seed), settings)
        np.testing.assert_allclose(found.pattern, alone.pattern, atol=1e-5)
        assert found.fidelity == pytest.approx(alone.fidelity, abs=1e-4)


@pytest.mark.slow
def test_without_the_check_of_signs_the_whole_budget_goes_into_steps() -> None:
    budget, batch = PLAIN.budget, PLAIN.batch
    steps = {}
    for check in (True, False):
        short = replace(PLAIN, sign_check=check, step=0.001)
        events = list(input_agnostic([ClassQuestion(classifier(), (0,))], short))
        steps[check] = sum(isinstance(event, Progress) for _, event in events)
    assert budget // (3 * batch) - 1 <= steps[True] <= budget // (2 * batch)
    assert steps[False] == budget // batch
    assert steps[True] < steps[False]


def test_events_of_questions_asked_together_take_turns() -> None:
    questions = [ClassQuestion(classifier(), (label,)) for label in range(3)]
    events = list(input_agnostic(questions, PLAIN))
    assert [place for place, _ in events[:6]] == [0, 1, 2, 0, 1, 2]
    first = next(event for place, event in events if place == 1)
    assert isinstance(first, Progress)
    assert first.pattern is not None
    assert first.pattern.shape == (3, SIDE, SIDE)
    assert first.curves.keys() == {"fidelity", "norm"}


def test_several_classes_are_raised_at_once() -> None:
    known = classifier()
    found = one(ClassQuestion(known, (0, 2)), PLAIN)
    drawn = gaussian(200, (SIDE, SIDE), torch.Generator().manual_seed(9)) + torch.from_numpy(found.pattern)
    answers = known.answer(known.normalise(drawn.clamp(0, 1))).mean(0)
    assert found.fidelity > 0.9
    assert min(answers[0], answers[2]) > answers[1]


def test_a_unit_is_raised_beyond_its_own_activations() -> None:
    question = ClassQuestion(classifier(Convolutional(), ("early",)), Unit("early", 2))
    found = one(question, PLAIN)
    assert found.fidelity > 0.9 > found.baseline


def test_units_that_do_not_exist_are_refused() -> None:
    known = classifier(Convolutional(), ("early",))
    with pytest.raises(SettingError, match="has 4 channels, and channel 9 was asked for"):
        one(ClassQuestion(known, Unit("early", 9)), PLAIN)
    with pytest.raises(SettingError, match="has no layer 'late'"):
        one(ClassQuestion(known, Unit("late", 0)), PLAIN)


def test_a_model_without_gradients_is_sent_to_the_black_box_variant() -> None:
    box = black(Counted())
    words = INPUT_AGNOSTIC.obstacle(box)
    assert "needs the model's gradients, which box does not give" in words
    assert INPUT_AGNOSTIC.instead in CLASS_METHODS
    assert INPUT_AGNOSTIC.obstacle(classifier()) == ""
    with pytest.raises(MethodError, match="ask for the black-box variant"):
        one(ClassQuestion(box, (0,)), PLAIN)


def test_a_budget_that_is_too_small_is_said_and_its_map_given() -> None:
    question = ClassQuestion(classifier(), (0,))
    found = one(question, replace(PLAIN, budget=10, step=0.01))
    assert found.pattern.any()
    assert any("The budget ended at a fidelity of" in note for note in question.ledger.notes)


def test_a_norm_that_saturates_is_said() -> None:
    question = ClassQuestion(classifier(), (0,))
    one(question, replace(PLAIN, norm=1.0, step=0.5))
    assert any("so its norm saturates the images" in note for note in question.ledger.notes)


def test_it_stops_where_its_generator_is_closed() -> None:
    question = ClassQuestion(classifier(), (0,))
    steps = input_agnostic([question], PLAIN)
    next(steps)
    asked = question.ledger.evaluations
    steps.close()
    assert question.ledger.evaluations == asked
    assert 2 * PLAIN.batch <= asked <= 3 * PLAIN.batch
