"""Functions answer probabilities, or logits where that is declared; anything else is refused with its range."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import decam
from decam.classifier import probabilities
from decam.errors import ModelError
from tests.classifier.wrap.networks import QUICK, SIZE, net


def share(images: Tensor) -> Tensor:
    return images[:, 0, 8:20, 8:20].mean((1, 2)).clamp(0, 1)


@pytest.mark.parametrize("method", ["rise", "de-cam", "occlusion"])
@pytest.mark.parametrize(
    ("function", "found"),
    [
        (lambda x: torch.stack([-8 * share(x), 8 * share(x) - 4], 1), r"from -[\d.]+ to "),
        (lambda x: 100 * torch.stack([1 - share(x), share(x)], 1), r"from [\d.]+ to [\d.]+, and"),
        (lambda x: torch.stack([1 - share(x), share(x)], 1) - 0.3 * (share(x) < 0.75)[:, None], "from -0.[0-9]+ to"),
    ],
)
def test_a_function_that_answers_no_probabilities_is_refused_with_the_range(function, found, method, view) -> None:
    picture = view.copy()
    picture[8:20, 8:20, 0] = 200
    classifier = decam.wrap(function, labels=["no", "yes"], input_size=SIZE)
    with pytest.raises(ModelError, match=f"function answered an image with values {found}.*lie between 0 and 1"):
        decam.explain(classifier, picture, method, target=1, **QUICK.get(method, {}))
    with pytest.raises(ModelError, match="lie between 0 and 1"):
        decam.measure(classifier, picture, np.random.default_rng(0).random(SIZE), target=1)


@pytest.mark.parametrize(
    ("function", "output", "what"),
    [
        (lambda x: np.full((len(x), 2), 0.5), None, "a ndarray"),
        (lambda x: [[0.5, 0.5]] * len(x), None, "a list of 1"),
        (lambda x: [np.full(2, 0.5) for _ in x], None, "a list of 1"),
        (lambda x: [0.5] * len(x), None, "a list of 1"),
        (lambda x: {"logits": np.full((len(x), 2), 0.5)}, None, "a dict with the keys 'logits'"),
        (lambda x: (x, np.full((len(x), 2), 0.5)), 1, "a tuple of 2"),
    ],
)
def test_scores_that_are_no_tensor_are_refused_with_how_to_make_one(function, output, what: str) -> None:
    classifier = decam.wrap(function, labels=["no", "yes"], input_size=SIZE, output=output)
    with pytest.raises(ModelError, match=rf"answers {what}, .*torch\.as_tensor\(scores\)") as caught:
        classifier.answer(torch.rand(1, 3, *SIZE))
    assert "output=" not in str(caught.value)


def test_a_function_may_answer_logits_that_it_declares(images: Tensor) -> None:
    module = net()
    declared = decam.wrap(lambda x: module(x), labels=["a", "b", "c"], input_size=SIZE, answers="logits")
    torch.testing.assert_close(probabilities(declared, images), module(images).softmax(1).detach())
    one = net(1)
    declared = decam.wrap(lambda x: one(x)[:, 0], labels=["ill"], input_size=SIZE, answers="logits")
    torch.testing.assert_close(probabilities(declared, images)[:, 1], one(images).sigmoid()[:, 0].detach())


@pytest.mark.parametrize("function", [share, lambda x: share(x)[:, None]])
def test_one_probability_of_a_function_is_that_of_the_second_class(function, images: Tensor) -> None:
    for labels in (["red"], ["not red", "red"], np.array(["not red", "red"])):
        classifier = decam.wrap(function, labels=labels, input_size=32)
        assert classifier.labels == ("not red", "red")
        torch.testing.assert_close(
            probabilities(classifier, images), torch.stack([1 - share(images), share(images)], 1)
        )


def test_a_functions_probabilities_need_not_add_up_to_one(view: np.ndarray) -> None:
    classifier = decam.wrap(lambda x: torch.stack([share(x), share(x)], 1), labels=["a", "b"], input_size=SIZE)
    found = decam.explain(classifier, view, "rise", budget=32)
    assert found.probability == pytest.approx(view[8:20, 8:20, 0].mean() / 255, abs=1e-6)


def test_rounding_beyond_the_bounds_is_forgiven_and_cut_off() -> None:
    classifier = decam.wrap(lambda x: torch.full((len(x), 2), 1.0001), labels=["a", "b"], input_size=SIZE)
    assert probabilities(classifier, torch.zeros(1, 3, *SIZE)).max() == 1


def test_a_function_that_changes_its_pictures_changes_nobody_elses(view: np.ndarray) -> None:
    def careless(x: Tensor) -> Tensor:
        p = share(x)
        x.zero_()
        return p

    careful, found = (
        decam.explain(decam.wrap(f, labels=["red"], input_size=SIZE), view, "occlusion", target=1).saliency
        for f in (share, careless)
    )
    np.testing.assert_array_equal(found, careful)
