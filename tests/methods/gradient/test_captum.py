"""Captum's methods here are Captum's methods called directly."""

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, Occlusion
from torch import nn

from decam.classifier import Execution, TorchClassifier, probabilities, to_tensor
from decam.errors import SettingError
from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.masking import fill
from decam.methods import METHODS

TARGET = 3


class Tokens(nn.Module):
    """A small vision transformer: patches, a class token and one attention layer."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, stride=8)
        self.token = nn.Parameter(torch.randn(1, 1, 16))
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.0)
        self.norm = nn.LayerNorm(16)
        self.last = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.0)
        self.head = nn.Linear(16, 5)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(images), -1, -1), tokens], dim=1)
        return self.head(self.last(self.norm(self.layer(tokens)))[:, 0])


class ChannelsLast(nn.Module):
    """A network with a grid of tokens in the middle, channels last as in Swin."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, stride=8)
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 5)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        grid = torch.tanh(self.norm(self.patches(images).permute(0, 2, 3, 1)))
        return self.head(grid.square().mean((1, 2)))


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 20 * 20, 5)
    )


def classifier(module: nn.Module, layer: str) -> TorchClassifier:
    return TorchClassifier(
        "net",
        module,
        list("abcde"),
        input_size=(48, 48),
        layer=layer,
        layers=(layer,),
        execution=Execution(batch_size=6),
    )


@pytest.fixture(scope="module")
def cnn() -> TorchClassifier:
    torch.manual_seed(1)
    return classifier(convolutional(), "3")


@pytest.fixture(scope="module")
def view() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)


def explained(net: TorchClassifier, view: np.ndarray, method: str, **settings: int | float | str | bool) -> np.ndarray:
    chosen = METHODS[method].settings.from_mapping(settings)
    return last(explain_view(net, view, method, chosen, TARGET, seed=0)).saliency


@pytest.mark.parametrize("layer", ["", "1"])
def test_grad_cam_is_captums(cnn: TorchClassifier, view: np.ndarray, layer: str) -> None:
    image = to_tensor(cnn, view).unsqueeze(0)
    direct = LayerGradCam(cnn.logits, cnn.module[int(layer or 3)])
    coarse = direct.attribute(cnn.normalise(image), target=TARGET, relu_attributions=True)
    expected = LayerAttribution.interpolate(coarse, (48, 48), "bilinear")[0, 0].detach().numpy()
    np.testing.assert_allclose(explained(cnn, view, "grad-cam", layer=layer), expected, atol=1e-6)
    assert expected.max() > 0


@pytest.mark.parametrize(("module", "layer"), [(Tokens, "norm"), (ChannelsLast, "norm")])
def test_grad_cam_on_token_grids_follows_its_formula(module: type[nn.Module], layer: str, view: np.ndarray) -> None:
    torch.manual_seed(2)
    net = classifier(module(), layer)
    kept: list[torch.Tensor] = []
    handle = net.module.get_submodule(layer).register_forward_hook(lambda _m, _i, out: kept.append(out))
    images = net.normalise(to_tensor(net, view).unsqueeze(0)).requires_grad_()
    score = net.logits(images)[0, TARGET]
    handle.remove()
    (gradient,) = torch.autograd.grad(score, kept[-1])
    activation = kept[-1].detach()
    if activation.ndim == 3:
        activation, gradient = activation[:, 1:].reshape(1, 6, 6, 16), gradient[:, 1:].reshape(1, 6, 6, 16)
    weights = gradient.mean((1, 2), keepdim=True)
    coarse = (weights * activation).sum(3).relu()
    expected = LayerAttribution.interpolate(coarse.unsqueeze(1), (48, 48), "bilinear")[0, 0].numpy()
    np.testing.assert_allclose(explained(net, view, "grad-cam"), expected, atol=1e-6)
    assert expected.max() > 0


def test_grad_cam_leaves_no_hooks_behind(cnn: TorchClassifier, view: np.ndarray) -> None:
    explained(cnn, view, "grad-cam")
    assert all(not module._forward_hooks and not module._backward_hooks for module in cnn.module.modules())


def test_grad_cam_names_a_layer_that_does_not_exist(cnn: TorchClassifier, view: np.ndarray) -> None:
    with pytest.raises(SettingError, match="net has no layer 'features'"):
        explained(cnn, view, "grad-cam", layer="features")


def test_grad_cam_refuses_a_layer_without_a_grid(cnn: TorchClassifier, view: np.ndarray) -> None:
    with pytest.raises(SettingError, match="no spatial grid"):
        explained(cnn, view, "grad-cam", layer="5")


@pytest.mark.parametrize("absolute", [False, True])
def test_integrated_gradients_are_captums(cnn: TorchClassifier, view: np.ndarray, absolute: bool) -> None:
    image = to_tensor(cnn, view)
    baseline = fill("black", image, cnn.mean).unsqueeze(0)
    direct = IntegratedGradients(lambda images: cnn.logits(cnn.normalise(images)))
    attributed = direct.attribute(image.unsqueeze(0), baselines=baseline, target=TARGET, n_steps=20)
    expected = (attributed.abs() if absolute else attributed)[0].sum(0).numpy()
    got = explained(cnn, view, "integrated-gradients", steps=20, baseline="black", absolute=absolute)
    np.testing.assert_allclose(got, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
def test_integrated_gradients_add_up_to_the_difference_of_the_scores(cnn: TorchClassifier, view: np.ndarray) -> None:
    image = to_tensor(cnn, view)
    scores = cnn.logits(cnn.normalise(torch.stack([image, fill("mean", image, cnn.mean)])))[:, TARGET]
    got = explained(cnn, view, "integrated-gradients", steps=200)
    assert float(got.sum()) == pytest.approx(float(scores[0] - scores[1]), rel=0.02)


@pytest.mark.slow
def test_occlusion_is_captums(cnn: TorchClassifier, view: np.ndarray) -> None:
    image = to_tensor(cnn, view)
    direct = Occlusion(lambda images: probabilities(cnn, images)[:, TARGET])
    expected = direct.attribute(
        image.unsqueeze(0),
        sliding_window_shapes=(3, 10, 10),
        strides=(3, 4, 4),
        baselines=fill("mean", image, cnn.mean).unsqueeze(0),
    )
    np.testing.assert_allclose(explained(cnn, view, "occlusion"), expected[0].mean(0).numpy(), atol=1e-6)
