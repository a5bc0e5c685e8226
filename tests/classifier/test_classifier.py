"""Views, layouts and answers of classifiers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from decam.classifier import (
    Classifier,
    Execution,
    FunctionClassifier,
    Precision,
    TorchClassifier,
    fit,
    probabilities,
    to_tensor,
)
from decam.errors import ModelError


def network(execution: Execution | None = None) -> TorchClassifier:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))
    return TorchClassifier("net", module, list("abcde"), input_size=(20, 24), execution=execution)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(2, 40), st.integers(2, 40))
def test_fitting_covers_the_size_asked_for(width: int, height: int, rows: int, columns: int) -> None:
    assert fit(Image.new("RGB", (width, height)), (rows, columns)).size == (columns, rows)


def test_fitting_crops_the_centre() -> None:
    picture = Image.new("RGB", (300, 100), "white")
    picture.paste("red", (100, 0, 200, 100))
    seen = np.asarray(fit(picture, (50, 50)))
    assert seen[10:40, 5:45].reshape(-1, 3).tolist() == [[255, 0, 0]] * 1200


def test_both_kinds_answer_the_protocol() -> None:
    function = FunctionClassifier(lambda images: images.mean((2, 3)), ["r", "g", "b"], (8, 8))
    assert isinstance(network(), Classifier)
    assert isinstance(function, Classifier)


@pytest.mark.parametrize("channels_last", [False, True])
def test_the_layout_changes_nothing_but_speed(channels_last: bool) -> None:
    images = torch.rand(3, 3, 20, 24, generator=torch.Generator().manual_seed(1))
    got = probabilities(network(Execution(channels_last=channels_last)), images)
    torch.testing.assert_close(got, probabilities(network(), images), atol=1e-6, rtol=0)
    torch.testing.assert_close(got.sum(1), torch.ones(3))


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_stays_close_and_answers_in_single(precision: Precision) -> None:
    images = torch.rand(3, 3, 20, 24, generator=torch.Generator().manual_seed(1))
    got = probabilities(network(Execution(precision=precision)), images)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, probabilities(network(), images), atol=0.02, rtol=0)


def test_answers_are_softmaxed_logits_of_normalised_images() -> None:
    net = network()
    images = torch.rand(2, 3, 20, 24)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    expected = torch.stack([net.module(((image - mean) / std).unsqueeze(0))[0] for image in images]).softmax(1)
    torch.testing.assert_close(probabilities(net, images), expected)


def test_a_view_becomes_a_tensor_between_zero_and_one() -> None:
    view = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    tensor = to_tensor(network(), view)
    np.testing.assert_allclose(tensor.permute(1, 2, 0).numpy() * 255, view, atol=1e-4)


def test_a_view_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ModelError, match="net takes images of 20×24×3 bytes"):
        to_tensor(network(), np.zeros((24, 20, 3), np.uint8))
