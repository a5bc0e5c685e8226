"""Controls: closed forms of what they draw, and the same method on a network that has forgotten everything."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from decam.classifier import Pixels, TorchClassifier, probabilities, to_tensor
from decam.errors import MethodError, SettingError
from decam.experiments.explain import explain_view
from decam.explanation import Explanation, last
from decam.images.scenes.scene import scene
from decam.methods import METHODS
from decam.methods.controls.maps import CentreSettings, EdgeSettings, centre_map, edge_map
from decam.models import load_classifier
from decam.models.randomise import layers, randomised

SEED = 6_000_300


@pytest.fixture(scope="module")
def net() -> TorchClassifier:
    return load_classifier("embedded", device="cpu", exact=True)


@pytest.fixture(scope="module")
def view() -> Pixels:
    return scene(SEED).image


def control(net: TorchClassifier, view: Pixels, name: str, seed: int = 0, **values: object) -> Explanation:
    return last(explain_view(net, view, name, METHODS[name].settings.from_mapping(values), None, seed))


def test_random_values_are_uniform_and_depend_on_the_seed_alone(net: TorchClassifier, view: Pixels) -> None:
    one = control(net, view, "random", 1, cells=128).saliency
    assert 0 <= one.min() < 0.01 and 0.99 < one.max() <= 1
    assert one.mean() == pytest.approx(0.5, abs=0.01) and one.var() == pytest.approx(1 / 12, abs=0.005)
    np.testing.assert_array_equal(one, control(net, 255 - view, "random", 1, cells=128).saliency)
    assert abs(np.corrcoef(one.ravel(), control(net, view, "random", 2, cells=128).saliency.ravel())[0, 1]) < 0.05


@pytest.mark.parametrize("size", [(128, 128), (96, 160)])
def test_the_centre_falls_as_a_gaussian_does(size: tuple[int, int]) -> None:
    found = centre_map(size, CentreSettings(width=0.25))
    np.testing.assert_allclose(found, found[::-1, ::-1], rtol=1e-6)
    height, width = size
    down, across = 0.5 / height, 0.5 / width  # from the centre to the middle of the nearest pixel
    assert found[height // 2, width // 2] == pytest.approx(math.exp(-(down**2 + across**2) / (2 * 0.25**2)), rel=1e-6)
    corner = (0.5 - down) ** 2 + (0.5 - across) ** 2
    assert found[0, 0] == pytest.approx(math.exp(-corner / (2 * 0.25**2)), rel=1e-5)


def test_edges_are_sobels_gradient_of_the_brightness() -> None:
    image = torch.rand((3, 20, 30), generator=torch.Generator().manual_seed(3))
    grey = image.mean(0)[None, None]
    across = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]) / 4
    parts = [F.conv2d(grey, kernel[None, None])[0, 0] for kernel in (across, across.T)]
    wanted = torch.stack(parts).square().mean(0).sqrt().numpy()
    np.testing.assert_allclose(edge_map(image, EdgeSettings(blur=0.0))[1:-1, 1:-1], wanted, atol=1e-6)


def test_a_picture_of_one_colour_has_no_edges() -> None:
    assert edge_map(torch.full((3, 16, 16), 0.4), EdgeSettings()).max() == pytest.approx(0, abs=1e-6)


def forgetful(net: TorchClassifier, seed: int) -> TorchClassifier:
    return net.with_module(randomised(net.module, layers(net.module), seed))


def answer(net: TorchClassifier, image: Tensor) -> int:
    return int(probabilities(net, image[None])[0].argmax())


@pytest.mark.parametrize("method", ["grad-cam", "gradient", "occlusion"])
@pytest.mark.slow
def test_random_weights_is_the_method_on_a_network_that_forgot_about_its_own_answer(
    net: TorchClassifier, view: Pixels, method: str
) -> None:
    other = forgetful(net, 5)
    target = answer(other, to_tensor(net, view))
    wanted = last(explain_view(other, view, method, METHODS[method].settings(), target, 5))
    found = control(net, view, "untrained", 5, of=method)
    expected = np.abs(wanted.saliency) if METHODS[method].signed else wanted.saliency
    np.testing.assert_allclose(found.saliency, expected, atol=1e-6)
    assert found.evaluations == wanted.evaluations + 1


@pytest.mark.slow
@pytest.mark.parametrize("model", ["embedded", "abn", "bcnn"])
def test_random_weights_says_something_about_every_picture(model: str, view: Pixels) -> None:
    asked = load_classifier(model, device="cpu", exact=True)
    for seed in range(6):
        found = control(asked, view, "untrained", seed)
        assert found.saliency.max() > found.saliency.min(), seed


def test_random_weights_offers_every_method_that_is_no_control() -> None:
    (of,) = METHODS["untrained"].settings.parameters()
    assert of.choices == tuple(row.name for row in METHODS.values() if row.family != "control")
    assert of.default == "grad-cam" and METHODS["untrained"].settings().of == "grad-cam"
    for refused in ("untrained", "random", "telepathy"):
        with pytest.raises(SettingError, match=f"of is '{refused}', but must be one of: de-cam, rise"):
            METHODS["untrained"].settings.from_mapping({"of": refused})


@pytest.mark.slow
def test_random_weights_of_a_signed_method_is_the_size_of_its_map(net: TorchClassifier, view: Pixels) -> None:
    other = forgetful(net, 2)
    settings = METHODS["integrated-gradients"].settings()
    wanted = last(explain_view(other, view, "integrated-gradients", settings, answer(other, to_tensor(net, view)), 2))
    assert wanted.saliency.min() < 0
    found = control(net, view, "untrained", 2, of="integrated-gradients").saliency
    np.testing.assert_allclose(found, np.abs(wanted.saliency), atol=1e-7)


def test_random_weights_says_why_a_method_cannot_explain_a_network(net: TorchClassifier, view: Pixels) -> None:
    with pytest.raises(MethodError, match="Attention rollout"):
        control(net, view, "untrained", of="attention-rollout")
