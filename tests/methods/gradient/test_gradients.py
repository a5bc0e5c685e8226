"""The gradient family is Captum's classes called directly, and what the papers' formulas say."""

from __future__ import annotations

from collections.abc import Callable

import captum.attr as captum
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from decam.classifier import IMAGENET_STD, Execution, TorchClassifier, to_tensor
from decam.errors import MethodError
from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.masking import fill
from decam.methods import METHODS
from decam.methods.support.rectifiers import rewired

TARGET = 1


class Block(nn.Module):
    """A rectifier used twice and in place, as in torchvision's residual networks, and one that is a function."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 5, stride=3), nn.Conv2d(8, 8, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(8, 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.relu(self.first(images))
        features = self.relu(self.second(features) + features)
        return self.head(F.relu(features - 0.1).mean((2, 3)))


class Plain(nn.Module):
    """The same network with three rectifiers of its own."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.first, self.second, self.head = block.first, block.second, block.head
        self.one, self.two, self.three = nn.ReLU(), nn.ReLU(), nn.ReLU()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.one(self.first(images))
        features = self.two(self.second(features) + features)
        return self.head(self.three(features - 0.1).mean((2, 3)))


def classifier(module: nn.Module, layer: str = "second") -> TorchClassifier:
    return TorchClassifier(
        "net", module, list("abcd"), input_size=(40, 40), layer=layer, execution=Execution(batch_size=9)
    )


@pytest.fixture(scope="module")
def net() -> TorchClassifier:
    torch.manual_seed(0)
    return classifier(Block())


@pytest.fixture(scope="module")
def plain(net: TorchClassifier) -> nn.Module:
    """A module for Captum that takes pictures in [0, 1] and whose rectifiers it may hook."""

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Plain(net.module).eval()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.inner(net.normalise(images))

    return Scaled()


@pytest.fixture(scope="module")
def view() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (40, 40, 3), dtype=np.uint8)


def explained(net: TorchClassifier, view: np.ndarray, method: str, **settings: int | float | str | bool) -> np.ndarray:
    chosen = METHODS[method].settings.from_mapping(settings)
    return last(explain_view(net, view, method, chosen, TARGET, seed=3)).saliency


def magnitude(attributed: torch.Tensor) -> np.ndarray:
    return attributed[0].abs().amax(0).detach().numpy()


def summed(attributed: torch.Tensor) -> np.ndarray:
    return attributed[0].sum(0).detach().numpy()


Direct = Callable[[nn.Module, torch.Tensor, torch.Tensor], np.ndarray]
DIRECT: dict[str, Direct] = {
    "gradient": lambda net, x, _: magnitude(captum.Saliency(net).attribute(x, TARGET, abs=False)),
    "input-x-gradient": lambda net, x, _: summed(captum.InputXGradient(net).attribute(x, TARGET)),
    "guided-backprop": lambda net, x, _: magnitude(captum.GuidedBackprop(net).attribute(x, TARGET)),
    "deconvolution": lambda net, x, _: magnitude(captum.Deconvolution(net).attribute(x, TARGET)),
    "integrated-gradients": lambda net, x, base: summed(
        captum.IntegratedGradients(net).attribute(x, base, TARGET, n_steps=32)
    ),
    "deeplift": lambda net, x, base: summed(captum.DeepLift(net).attribute(x, base, TARGET)),
    "guided-grad-cam": lambda net, x, _: magnitude(
        captum.GuidedGradCam(net, net.inner.second).attribute(x, TARGET, interpolate_mode="bilinear")
    ),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("method", DIRECT)
def test_a_map_is_captums(method: str, net: TorchClassifier, plain: nn.Module, view: np.ndarray) -> None:
    image = to_tensor(net, view)
    baseline = fill("mean", image, net.mean).unsqueeze(0)
    expected = DIRECT[method](plain, image.unsqueeze(0).requires_grad_(), baseline)
    got = explained(net, view, method)
    np.testing.assert_allclose(got, expected, atol=1e-5 * np.abs(expected).max())
    assert np.abs(expected).max() > 0


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["smoothgrad", "vargrad"])
def test_noise_is_averaged_as_captum_does(kind: str, net: TorchClassifier, plain: nn.Module, view: np.ndarray) -> None:
    """In batches of three: a batch is a third of what is asked without gradients."""
    torch.manual_seed(3)
    attributed = captum.NoiseTunnel(captum.Saliency(plain)).attribute(
        to_tensor(net, view).unsqueeze(0),
        nt_type=kind,
        nt_samples=7,
        nt_samples_batch_size=3,
        stdevs=0.1,
        target=TARGET,
        abs=False,
    )
    expected = magnitude(attributed)
    got = explained(net, view, kind, samples=7, noise=0.1)
    np.testing.assert_allclose(got, expected, atol=1e-5 * expected.max())


def test_gradient_shap_is_captums(net: TorchClassifier, view: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the same draws: places on the paths first, then the noise of one copy after the other."""
    image = to_tensor(net, view)
    generator = torch.Generator().manual_seed(3)
    places = torch.rand(9, generator=generator).numpy()
    noise = 0.2 * torch.stack([torch.randn(image.shape, generator=generator) for _ in range(9)])
    monkeypatch.setattr(captum.NoiseTunnel, "_add_noise_to_input", staticmethod(lambda given, *_: given + noise))
    monkeypatch.setattr(np.random, "uniform", lambda *_: places)
    direct = captum.GradientShap(lambda images: net.logits(net.normalise(images)))
    baseline = fill("black", image, net.mean).unsqueeze(0)
    with torch.random.fork_rng([]):
        expected = direct.attribute(image.unsqueeze(0), baseline, n_samples=9, stdevs=0.2, target=TARGET)
    expected = expected[0].sum(0).numpy()
    got = explained(net, view, "gradient-shap", samples=9, noise=0.2, baseline="black")
    np.testing.assert_allclose(got, expected, atol=1e-5 * np.abs(expected).max())


def test_gradient_shap_of_a_linear_model_is_weight_times_difference(view: np.ndarray) -> None:
    """At every point the gradient is the weights: without noise, one sample is as good as many."""
    linear = classifier(nn.Sequential(nn.Flatten(), nn.Linear(4800, 4, bias=False)), "1")
    image = to_tensor(linear, view)
    weights = linear.module[1].weight[TARGET].view(3, 40, 40) / torch.tensor(IMAGENET_STD).view(3, 1, 1)
    expected = (weights * (image - fill("black", image, linear.mean))).sum(0).numpy()
    got = explained(linear, view, "gradient-shap", samples=5, noise=0.0, baseline="black")
    np.testing.assert_allclose(got, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("method", ["smoothgrad", "vargrad", "gradient-shap"])
def test_noise_does_not_depend_on_the_batch(method: str, net: TorchClassifier, view: np.ndarray) -> None:
    """Copies of 40×39 pixels are no multiple of the 16 numbers that PyTorch draws at a time."""

    def odd(batch: int) -> TorchClassifier:
        execution = Execution(batch_size=batch)
        return TorchClassifier(
            "odd", net.module, list("abcd"), input_size=(40, 39), layer="second", execution=execution
        )

    one, other = (explained(odd(batch), view[:, :39], method, samples=10) for batch in (3, 21))
    np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(one).max())


@pytest.mark.slow
def test_gradient_shap_without_noise_estimates_integrated_gradients(net: TorchClassifier, view: np.ndarray) -> None:
    shap = explained(net, view, "gradient-shap", samples=400, noise=0.0)
    integrated = explained(net, view, "integrated-gradients", steps=100)
    assert np.corrcoef(shap.ravel(), integrated.ravel())[0, 1] > 0.99


def test_deep_lift_adds_up_to_the_difference_of_the_scores(net: TorchClassifier, view: np.ndarray) -> None:
    image = to_tensor(net, view)
    scores = net.logits(net.normalise(torch.stack([image, fill("black", image, net.mean)])))[:, TARGET]
    got = explained(net, view, "deeplift", baseline="black")
    assert float(got.sum()) == pytest.approx(float(scores[0] - scores[1]), rel=1e-3)


def test_a_rewired_network_answers_the_same_with_the_same_weights(net: TorchClassifier) -> None:
    made = rewired(net).module
    assert made is not None
    images = torch.rand(2, 3, 40, 40)
    assert torch.equal(made(images), net.module(images))
    assert {id(part) for part in made.parameters()} == {id(part) for part in net.module.parameters()}
    rectifiers = [part for part in made.modules() if isinstance(part, nn.ReLU)]
    assert len(rectifiers) == 3 and not any(part.inplace for part in rectifiers)


@pytest.mark.parametrize("method", ["guided-backprop", "deconvolution", "guided-grad-cam"])
@pytest.mark.parametrize(
    ("activation", "complaint"),
    [(nn.GELU(), r"is not defined for the activations of net \(gelu\)"), (nn.Identity(), "and net has none")],
)
def test_what_needs_rectifiers_says_so_beforehand(
    method: str, activation: nn.Module, complaint: str, view: np.ndarray
) -> None:
    with pytest.raises(MethodError, match=complaint):
        explained(bending(activation), view, method)


def bending(activation: nn.Module) -> TorchClassifier:
    return classifier(nn.Sequential(nn.Conv2d(3, 4, 9, stride=8), activation, nn.Flatten(), nn.Linear(64, 4)), "1")


@pytest.mark.parametrize("activation", [nn.Tanh(), nn.Sigmoid(), nn.Identity()], ids=["tanh", "sigmoid", "none"])
def test_deep_lift_needs_no_rectifier(activation: nn.Module, view: np.ndarray) -> None:
    asked = bending(activation)
    image = to_tensor(asked, view)
    scores = asked.logits(asked.normalise(torch.stack([image, fill("black", image, asked.mean)])))[:, TARGET]
    got = explained(asked, view, "deeplift", baseline="black")
    assert float(got.sum()) == pytest.approx(float((scores[0] - scores[1]).detach()), rel=1e-3)


def test_a_network_whose_code_cannot_be_traced_is_refused(view: np.ndarray) -> None:
    class Deciding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(3, 4)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            if images.mean() > 0:
                images = images * 2
            return self.head(images.relu().mean((2, 3)))

    with pytest.raises(MethodError, match="the code of net cannot be"):
        explained(classifier(Deciding(), "head"), view, "guided-backprop")
