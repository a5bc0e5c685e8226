"""One logit, a softmax or sigmoids inside: answers become the probabilities that they say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import decam
from decam.classifier import probabilities
from decam.errors import MethodError, ModelError
from decam.methods import METHODS
from tests.classifier.wrap.networks import ANY, QUICK, SIZE, Net, net, wrapped


def one_logit(module: Net, images: Tensor) -> tuple[Tensor, Tensor]:
    """The sigmoid of the logit, and the gradient of its half in the picture's colours, by hand."""
    leaf = images.clone().requires_grad_()
    logit = module.scores(leaf)[:, 0]
    (gradient,) = torch.autograd.grad(logit.sum(), leaf)
    return torch.sigmoid(logit).detach(), gradient / 2


@pytest.mark.parametrize(
    ("then", "atol"),
    [(lambda y: y, 1e-6), (lambda y: y[:, 0], 1e-6), (lambda y: y.squeeze(), 1e-6), (torch.sigmoid, 1e-3)],
)
@pytest.mark.parametrize("labels", [["ill"], ["not ill", "ill"]])
def test_one_answer_speaks_for_the_second_of_two_classes(then, atol, labels, images: Tensor, view) -> None:
    module = net(1, then=then)
    classifier = wrapped(module, labels)
    assert classifier.labels == ("not ill", "ill")
    p, _ = one_logit(module, images)
    torch.testing.assert_close(probabilities(classifier, images), torch.stack([1 - p, p], 1), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(
        classifier.logits(classifier.normalise(images)).softmax(1), torch.stack([1 - p, p], 1), atol=1e-6, rtol=1e-5
    )
    picture = torch.from_numpy(view).permute(2, 0, 1)[None] / 255
    _, gradient = one_logit(module, picture.float())
    expected = gradient[0].abs().amax(0)
    for target in (0, 1, "ill"):
        found = decam.explain(classifier, view, "gradient", target=target).saliency
        np.testing.assert_allclose(found, expected, atol=atol * float(expected.max()))


def test_two_networks_of_one_logit_have_two_maps(view: np.ndarray) -> None:
    maps = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        maps.append(decam.explain(wrapped(Net(1), ["ill"]), view, "rise", target="ill", budget=100).saliency)
    assert np.ptp(maps[0]) > 0 and np.ptp(maps[1]) > 0 and np.abs(maps[0] - maps[1]).max() > 1e-3


@pytest.mark.parametrize("kind", ["one logit", "grey", "softmax", "dictionary"])
@pytest.mark.parametrize("method", ANY)
@pytest.mark.slow
def test_every_method_explains_every_kind_of_module(kind: str, method: str, view: np.ndarray) -> None:
    module, labels = {
        "one logit": (net(1), ["ill"]),
        "grey": (net(channels=1), ["a", "b", "c"]),
        "softmax": (net(then=lambda y: y.softmax(1)), ["a", "b", "c"]),
        "dictionary": (net(then=lambda y: {"logits": y}), ["a", "b", "c"]),
    }[kind]
    classifier = wrapped(module, labels)
    try:
        found = decam.explain(classifier, view, method, target=1, **QUICK.get(method, {}))
    except MethodError as error:
        assert method == "cam" and kind == "one logit", error
        return
    assert found.saliency.shape == SIZE and np.isfinite(found.saliency).all()
    assert found.evaluations == METHODS[method].cost(
        METHODS[method].settings.from_mapping(QUICK.get(method, {})), classifier
    )


def test_a_softmax_inside_is_not_applied_twice(images: Tensor, view: np.ndarray) -> None:
    module, plain = net(then=lambda y: y.softmax(1)), wrapped(net())
    classifier = wrapped(module)
    torch.testing.assert_close(probabilities(classifier, images), module(images).detach())
    assert (
        "add up to 1, so they are read as probabilities" in decam.explain(classifier, view, "rise", budget=32).notes[0]
    )
    leaf = (torch.from_numpy(view).permute(2, 0, 1)[None] / 255).float().requires_grad_()
    module.scores(leaf).log_softmax(1)[0, 2].backward()
    found = decam.explain(classifier, view, "gradient", target=2).saliency
    np.testing.assert_allclose(found, leaf.grad[0].abs().amax(0), rtol=1e-3, atol=1e-6)
    said = wrapped(net(then=lambda y: y.softmax(1)), answers="logits")
    torch.testing.assert_close(probabilities(said, images), module(images).softmax(1).detach())
    assert plain.notes == ()


def test_log_probabilities_are_logits_already(images: Tensor) -> None:
    torch.testing.assert_close(
        probabilities(wrapped(net(then=lambda y: y.log_softmax(1))), images), probabilities(wrapped(net()), images)
    )


def test_several_sigmoids_are_independent_probabilities(images: Tensor) -> None:
    module = net(then=torch.sigmoid)
    classifier = wrapped(module)
    torch.testing.assert_close(probabilities(classifier, images), module(images).detach())
    assert "ends in a sigmoid" in classifier.notes[0]
    torch.testing.assert_close(classifier.logits(images), module.scores(images).detach(), atol=2e-2, rtol=2e-2)


def test_small_logits_are_not_taken_for_probabilities_but_remarked(images: Tensor) -> None:
    module = net(then=lambda y: 0.5 + 0.01 * torch.tanh(y))
    classifier = wrapped(module)
    torch.testing.assert_close(probabilities(classifier, images), module(images).softmax(1).detach())
    assert "are read as logits all the same" in classifier.notes[0]
    said = wrapped(module, answers="probabilities")
    torch.testing.assert_close(probabilities(said, images), module(images).detach())


def test_a_module_that_stops_answering_probabilities_is_found_out(view: np.ndarray) -> None:
    def then(y: Tensor) -> Tensor:
        return y.softmax(1) * (1 if len(y) == 4 else 30)

    with pytest.raises(
        ModelError, match=r"answered an image with values from .* and probabilities lie between 0 and 1"
    ):
        decam.explain(wrapped(net(then=then)), view, "rise", budget=32)
