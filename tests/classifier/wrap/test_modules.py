"""Modules as users bring them: one channel, compiled, scripted, without gradients, with layers of their own."""

from __future__ import annotations

import re
from itertools import cycle
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import decam
from decam.classifier import FunctionClassifier, TorchClassifier, probabilities
from decam.classifier.sharing import working_copy
from decam.errors import DecamError, MethodError, ModelError, SettingError
from tests.classifier.wrap.networks import SIZE, Net, net, wrapped


def test_one_channel_is_fed_with_grey_and_gradients_reach_the_colours(view: np.ndarray, images: Tensor) -> None:
    module = net(channels=1)
    classifier = wrapped(module, mean=[0.4], std=[0.2])
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)

    def by_hand(pictures: Tensor) -> Tensor:
        return module(((pictures * weights).sum(1, keepdim=True) - 0.4) / 0.2)

    torch.testing.assert_close(probabilities(classifier, images), by_hand(images).softmax(1).detach())
    leaf = (torch.from_numpy(view).permute(2, 0, 1)[None] / 255).float().requires_grad_()
    by_hand(leaf)[0, 1].backward()
    found = decam.explain(classifier, view, "gradient", target=1).saliency
    np.testing.assert_allclose(found, leaf.grad[0].abs().amax(0), rtol=1e-4, atol=1e-6)
    assert "turned to grey" in classifier.notes[0]
    assert classifier.normalise(torch.full((1, 3, 2, 2), 0.4)).abs().max() < 1e-6
    torch.testing.assert_close(
        classifier.with_module(classifier.module).normalise(images), classifier.normalise(images)
    )


def test_one_channel_is_found_by_trying() -> None:
    assert wrapped(net(channels=1)).inspection.channels == 1
    assert wrapped(net()).inspection.channels == 3


@pytest.mark.slow
@pytest.mark.parametrize("outer", [torch.compile, nn.DataParallel])
def test_what_a_network_came_wrapped_in_is_looked_through(outer, images: Tensor, view: np.ndarray) -> None:
    module = net()
    inside = outer(module)
    layer = next(name for name, part in inside.named_modules() if part is module.second)
    classifier = wrapped(inside, layer=layer)
    assert classifier.layer == "second" and classifier.name == "Net"
    torch.testing.assert_close(probabilities(classifier, images), module(images).softmax(1).detach())
    assert decam.explain(classifier, view, "grad-cam").saliency.shape == SIZE


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["scripted", "traced"])
def test_a_scripted_module_gives_gradients_and_no_activations(kind: str, view: np.ndarray, images: Tensor) -> None:
    plain = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    module = torch.jit.script(plain) if kind == "scripted" else torch.jit.trace(plain.eval(), images)
    module.train()
    classifier = wrapped(module)
    assert module.training and all(part.requires_grad for part in module.parameters())
    torch.testing.assert_close(probabilities(classifier, images), plain.eval()(images).softmax(1).detach())
    found = decam.explain(classifier, view, "gradient", target=1).saliency
    np.testing.assert_allclose(found, decam.explain(wrapped(plain), view, "gradient", target=1).saliency, atol=1e-6)
    with pytest.raises(
        MethodError, match=r"Grad-CAM needs the model's activations, .*: a scripted module does not show"
    ):
        decam.explain(classifier, view, "grad-cam")


@pytest.mark.parametrize(
    ("refusal", "expected", "sentence"),
    [
        (NotImplementedError("not supported yet"), ModelError, r"into evaluation mode \(NotImplementedError: not supp"),
        (RuntimeError("a mistake of its own"), RuntimeError, "^a mistake of its own$"),
    ],
)
def test_a_module_that_refuses_evaluation_mode_is_a_sentence_and_its_own_mistakes_are_seen(
    refusal: Exception, expected: type[Exception], sentence: str
) -> None:
    class Refusing(Net):
        def eval(self) -> Any:
            raise refusal

    with pytest.raises(expected, match=sentence):
        working_copy(Refusing(), torch.device("cpu"))


@pytest.mark.parametrize("make", [wrapped, lambda m: TorchClassifier("net", m, ["a", "b", "c"], input_size=SIZE)])
def test_a_module_without_gradients_says_so(make, view: np.ndarray) -> None:
    class Closed(Net):
        def forward(self, images: Tensor) -> Any:
            with torch.no_grad():
                return super().forward(images)

    classifier = make(Closed())
    assert decam.explain(classifier, view, "rise", budget=32).saliency.any()
    with pytest.raises(MethodError, match=r"needs the model's gradients, .*: no gradient of its answers reaches"):
        decam.explain(classifier, view, "gradient")


def test_layers_are_found_or_given_as_modules(view: np.ndarray) -> None:
    module = net()
    classifier = wrapped(module)
    assert classifier.layers == ("first.0", "first.1", "second.0", "second.1") and classifier.layer == "second.1"
    given = wrapped(module, layer=module.first, layers=[module.first, module.second])
    assert (given.layer, given.layers) == ("first", ("first", "second"))
    leaf = (torch.from_numpy(view).permute(2, 0, 1)[None] / 255).float()
    grid = module.second(module.first(leaf)).detach().requires_grad_()
    (20 * module.head(grid.mean((2, 3))))[0, 1].backward()
    coarse = (grid.grad.mean((2, 3), keepdim=True) * grid).sum(1, keepdim=True).relu()
    expected = F.interpolate(coarse, SIZE, mode="bilinear")[0, 0].detach().numpy()
    np.testing.assert_allclose(decam.explain(classifier, view, "grad-cam", target=1).saliency, expected, atol=1e-5)


def test_a_layer_is_found_inside_of_blocks_too() -> None:
    class Around(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = net()

        def forward(self, images: Tensor) -> Tensor:
            return self.backbone(images)

    assert wrapped(Around()).layer == "backbone.second.1"


@pytest.mark.parametrize(
    ("layer", "sentence"), [("unused", "takes no part in its answers"), ("third", "Net has no layer 'third'; it has")]
)
def test_a_layer_that_shows_nothing_is_a_sentence(layer: str, sentence: str, view: np.ndarray) -> None:
    with pytest.raises(SettingError, match=sentence):
        decam.explain(wrapped(net()), view, "grad-cam", layer=layer)


def test_labels_may_repeat_and_be_numbers() -> None:
    assert wrapped(net(), ["crane", "crane", "hen"]).labels == ("crane", "crane", "hen")
    assert wrapped(net(), np.arange(3)).labels == ("0", "1", "2")
    assert wrapped(net(), range(3), input_size=32).input_size == (32, 32)


def test_what_is_wrong_is_found_at_the_first_question_of_a_classifier_made_by_hand(view: np.ndarray) -> None:
    for module, labels, sentence in (
        (net(10), 9, "answers 10 values an image, but 9 labels were given"),
        (net(10), 12, "answers 10 values an image, but 12 labels were given"),
        (net(then=lambda y: y * float("nan")), 3, "NaN"),
    ):
        classifier = TorchClassifier("own", module, [str(i) for i in range(labels)], input_size=SIZE, layer="second")
        for method in ("grad-cam", "rise"):
            with pytest.raises(ModelError, match=sentence):
                decam.explain(classifier, view, method)


def test_unusual_targets_and_seeds_are_read_or_refused(view: np.ndarray) -> None:
    classifier = decam.wrap(lambda x: torch.full((len(x), 2), 0.5), labels=[0, 1], input_size=SIZE)
    assert isinstance(classifier, FunctionClassifier)
    for target, label in (("1", "1"), (np.int64(1), "1"), (torch.tensor(1), "1"), (None, "0")):
        found = decam.explain(classifier, view, "rise", budget=16, target=target, seed=np.int64(3))
        assert (found.label, type(found.target), type(found.seed)) == (label, int, int)
    for target in ([0, 1], 1.9, 1.0, True, np.bool_(True), np.array([0, 1]), torch.tensor([0, 1])):
        with pytest.raises(SettingError, match=f"The target is {re.escape(repr(target))}, but must be one class"):
            decam.explain(classifier, view, "rise", target=target)
    for seed in (1.5, None, True, "1", [1]):
        with pytest.raises(SettingError, match=f"The seed is {re.escape(repr(seed))}, but must be a whole number"):
            decam.explain(classifier, view, "rise", seed=seed)
        if seed is not None:
            with pytest.raises(SettingError, match="must be a whole number"):
                decam.measure(classifier, view, np.zeros(SIZE), seed=seed)
    with pytest.raises(DecamError, match="must be a whole number"):
        decam.sanity_check(classifier, view, seed=1.5)


class Closure(nn.Module):
    """A module that its copy's closure still leads to, in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.dropout = net(), nn.Dropout(0.5)
        self.head = lambda images: self.inner(self.dropout(images))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(images)


class Always(nn.Module):
    """A dropout that no mode switches off."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = net()

    def forward(self, images: Tensor) -> Tensor:
        return self.inner(nn.functional.dropout(images))


@pytest.mark.parametrize("make", [Closure, Always])
def test_a_module_that_answers_otherwise_each_time_is_remarked(make: type[nn.Module], view: np.ndarray) -> None:
    classifier = wrapped(make().train())
    (note,) = classifier.notes
    assert note.startswith(f"{make.__name__} answers the same images differently each time")
    assert note in decam.explain(classifier, view, "gradient").notes
    assert wrapped(make().train(), answers="logits").notes == (note,)


def test_rounding_and_small_scores_are_told_from_chance() -> None:
    turns = cycle((0.0, 1.0))

    def scale(answers: Tensor) -> Tensor:
        return 1e-3 * answers * (1 + 1e-6 * next(turns))

    assert "differently" not in " ".join(wrapped(net(then=scale)).notes)
    turns = cycle((0.0, 1e4))
    assert "differently" in " ".join(wrapped(net(then=scale)).notes)
