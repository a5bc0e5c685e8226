"""What a module answers is read right, or refused in a sentence when the module is wrapped."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import decam
from decam.classifier import probabilities
from decam.errors import ModelError
from tests.classifier.wrap.networks import QUICK, net, wrapped

Named = namedtuple("Named", ["logits", "aux"])


@dataclass
class Output:
    loss: None
    logits: Tensor


@pytest.mark.parametrize(
    ("then", "output"),
    [
        (lambda y: y, None),
        (lambda y: (y, y * 0), None),
        (lambda y: [y], None),
        (lambda y: (y * 0, y), 1),
        (lambda y: (y * 0, y), -1),
        (lambda y: {"logits": y, "hidden": y * 0}, None),
        (lambda y: OrderedDict(loss=y.sum(), logits=y), None),
        (lambda y: {"classes": y}, None),
        (lambda y: {"aux": y * 0, "classes": y}, "classes"),
        (lambda y: {"aux": y * 0, "classes": y}, 1),
        (lambda y: Named(y, y * 0), None),
        (lambda y: Named(y * 0, y), "aux"),
        (lambda y: Output(None, y), None),
        (lambda y: y[:, :, None, None], None),
        (lambda y: y.squeeze(), None),
    ],
)
def test_scores_are_found_in_what_a_module_answers(then, output, images: Tensor, view: np.ndarray) -> None:
    module = net(then=then)
    classifier = wrapped(module, output=output)
    expected = module.scores(images).softmax(1).detach()
    torch.testing.assert_close(probabilities(classifier, images), expected)
    torch.testing.assert_close(probabilities(classifier, images[:1]), expected[:1])
    for method in ("grad-cam", "gradient", "rise"):
        plain = decam.explain(wrapped(net()), view, method, **QUICK.get(method, {})).saliency
        np.testing.assert_allclose(
            decam.explain(classifier, view, method, **QUICK.get(method, {})).saliency, plain, atol=1e-5
        )


@pytest.mark.parametrize(
    ("make", "more", "sentence"),
    [
        (lambda: net(then=lambda y: {"out": y, "aux": y}), {}, "a dict with the keys 'out', 'aux', and no output was"),
        (lambda: net(then=lambda y: {"out": y}), {"output": "logits"}, "the output 'logits' is nothing"),
        (lambda: net(then=lambda y: (y,)), {"output": 3}, "a tuple of 1, and the output 3 is nothing"),
        (lambda: net(), {"output": 0}, "answers one tensor, so there is no output 0 in it"),
        (lambda: net(then=lambda _: None), {}, "answers nothing, and no output was named"),
        (lambda: net(then=lambda _: "cat"), {}, "answers a str"),
        (lambda: net(then=lambda y: y[..., None, None].expand(-1, -1, 8, 8)), {}, "a score a place, as segmentation"),
        (lambda: net(then=lambda y: y[:, None].expand(-1, 7, -1)), {}, "more than one vector an image"),
        (lambda: net(then=lambda y: y.argmax(1)), {}, "torch.int64 values, such as class numbers"),
        (lambda: net(then=lambda y: y[:2]), {}, "answered 2 rows to 4 images"),
        (lambda: net(then=lambda y: y.sum()), {}, "answered 1 rows to 4 images"),
        (lambda: net(then=lambda y: y * float("nan")), {}, "answers NaN or infinite values to every image"),
        (lambda: net(4), {}, "answers 4 values an image, but 3 labels were given"),
        (lambda: net(2), {"labels": ["ill"]}, "answers 2 values an image, but 1 label was given"),
        (lambda: net(1), {}, "answers 1 value an image, but 3 labels were given"),
        (lambda: net(then=lambda y: 9 * y), {"answers": "probabilities"}, "values from .* and probabilities lie"),
        (lambda: net(channels=5), {}, "failed on a batch of 4 with 32×32 pixels in 3 channels .*to have 5 channels"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), {}, "32×32 pixels .*Give the input_size that it was"),
        (lambda: nn.Sequential(nn.LazyConv2d(3, 3), nn.Flatten()), {}, "has lazy layers without weights"),
        (lambda: net().to("meta"), {}, "are on the meta device"),
        (lambda: net(), {"std": (0.2, 0.0, 0.2)}, "each must be above 0"),
        (lambda: net(), {"std": (0.2, -1.0, 0.2)}, "each must be above 0"),
        (lambda: net(), {"std": (0.2, 0.2)}, "std is .* but must be three numbers"),
        (lambda: net(), {"mean": ("a", 0, 0)}, "must be three numbers"),
        (lambda: net(), {"layer": "third"}, "has no layer 'third'; it has: first, first.0, first.1, second, .*, head"),
        (lambda: net(), {"layer": nn.ReLU()}, "The layer given is a ReLU that is no part of Net"),
        (lambda: net(), {"layers": ["first", 2]}, "The layer is 2, but must be"),
    ],
)
def test_a_module_that_cannot_be_asked_is_refused_when_it_is_wrapped(make, more, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        wrapped(make(), **more)


def test_what_is_neither_a_module_nor_a_function_is_refused() -> None:
    with pytest.raises(ModelError, match="takes a torch module or a function, not a dict"):
        decam.wrap({"weights": 1}, labels=["a"])  # type: ignore[arg-type]
