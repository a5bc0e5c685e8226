"""Maps are those of the layer's own output, whatever the network does to that tensor afterwards."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from scipy.stats import spearmanr
from torch import Tensor, nn

from decam.classifier import TorchClassifier, to_tensor
from decam.errors import SettingError
from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.methods import METHODS
from decam.methods.support.layers import pooled_head
from decam.models.sources import torchvision as torchvision_source

TARGET = 2


class Cut(nn.Module):
    """A network in two pieces, as a reader would write them; `after` never works in place."""

    layer = ""

    def before(self, images: Tensor) -> Tensor:
        raise NotImplementedError

    def after(self, activation: Tensor) -> Tensor:
        raise NotImplementedError


class Vgg(Cut):
    """A convolution and an in-place rectifier that is a module."""

    layer = "features.2"

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 8, 5, stride=2), nn.ReLU(inplace=True), nn.Conv2d(8, 12, 3), nn.ReLU(inplace=True)),
        )
        self.classifier = nn.Linear(48, 5)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(F.adaptive_avg_pool2d(self.features(images), 2).flatten(1))

    def before(self, images: Tensor) -> Tensor:
        return self.features[2](self.features[0](images).relu())

    def after(self, activation: Tensor) -> Tensor:
        return self.classifier(F.adaptive_avg_pool2d(activation.relu(), 2).flatten(1))


class Dense(Cut):
    """Ends in an in-place rectifier that is a function, as torchvision's DenseNet does."""

    layer = "features"

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 10, 5, stride=3), nn.BatchNorm2d(10))
        self.classifier = nn.Linear(10, 5)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(F.relu(self.features(images), inplace=True).mean((2, 3)))

    def before(self, images: Tensor) -> Tensor:
        return self.features(images)

    def after(self, activation: Tensor) -> Tensor:
        return self.classifier(activation.relu().mean((2, 3)))


class Residual(Cut):
    """Adds to a convolution's output in place, rectifies and halves it in place."""

    layer = "second"

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 5, stride=2), nn.Conv2d(8, 8, 3, padding=1)
        self.classifier = nn.Linear(32, 5)

    def forward(self, images: Tensor) -> Tensor:
        kept = self.first(images)
        found = self.second(kept)
        found += 2 * kept
        found.mul_(0.5).relu_()
        return self.classifier(F.adaptive_avg_pool2d(found, 2).flatten(1))

    def before(self, images: Tensor) -> Tensor:
        self.kept = self.first(images)
        return self.second(self.kept)

    def after(self, activation: Tensor) -> Tensor:
        found = (activation + 2 * self.kept).relu() / 2
        return self.classifier(F.adaptive_avg_pool2d(found, 2).flatten(1))


class Tokens(Cut):
    """Tokens with a class token, to which something is added in place."""

    layer = "block"

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.block, self.classifier = nn.Conv2d(3, 12, 6, 6), nn.Linear(12, 12), nn.Linear(12, 5)

    def tokens(self, images: Tensor) -> Tensor:
        places = self.patch(images).flatten(2).transpose(1, 2)
        return torch.cat([places.mean(1, keepdim=True), places], 1)

    def answer(self, tokens: Tensor) -> Tensor:
        return self.classifier((tokens * tokens.softmax(1)).sum(1))

    def forward(self, images: Tensor) -> Tensor:
        found = self.block(self.tokens(images))
        found[:, 1:] += 0.5
        found.relu_()
        return self.answer(found)

    def before(self, images: Tensor) -> Tensor:
        self.all = self.block(self.tokens(images))
        return self.all[:, 1:].transpose(1, 2).reshape(len(images), 12, images.shape[2] // 6, images.shape[3] // 6)

    def after(self, activation: Tensor) -> Tensor:
        places = activation.flatten(2).transpose(1, 2) + 0.5
        return self.answer(torch.cat([self.all[:, :1], places], 1).relu())


CUTS = (Vgg, Dense, Residual, Tokens)
FORMULAS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "grad-cam": lambda a, g: (g.mean((2, 3), keepdim=True) * a).sum(1).relu(),
    "grad-cam++": lambda a, g: (g.relu().pow(3).sum((2, 3), keepdim=True) * a).sum(1).relu(),
    "xgrad-cam": lambda a, g: (
        ((g * a).sum((2, 3), keepdim=True) / (a.sum((2, 3), keepdim=True) + 1e-8) * a).sum(1).relu()
    ),
    "layer-cam": lambda a, g: (g.relu() * a).sum(1).relu(),
}


def classifier(kind: type[Cut], size: tuple[int, int] = (48, 60)) -> TorchClassifier:
    torch.manual_seed(5)
    module = kind()
    return TorchClassifier("net", module, list("abcde"), input_size=size, layer=kind.layer, layers=(kind.layer,))


def noise(net: TorchClassifier) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (*net.input_size, 3), dtype=np.uint8)


def explained(net: TorchClassifier, view: np.ndarray, method: str, target: int = TARGET, layer: str = "") -> np.ndarray:
    chosen = METHODS[method].settings.from_mapping({"layer": layer})
    return last(explain_view(net, view, method, chosen, target, seed=5)).saliency


def by_hand(
    formula: Callable[[Tensor, Tensor], Tensor],
    activation: Tensor,
    after: Callable[[Tensor], Tensor],
    size: tuple[int, int],
    target: int = TARGET,
) -> np.ndarray:
    """The formula of a copied activation and of the logit's gradient with respect to it, enlarged."""
    own = activation.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(after(own.clone())[0, target], own)
    coarse = formula(own.detach(), gradient)
    return F.interpolate(coarse.unsqueeze(1), size, mode="bilinear")[0, 0].numpy()


def normalised(net: TorchClassifier, view: np.ndarray) -> Tensor:
    return net.normalise(to_tensor(net, view).unsqueeze(0))


@pytest.mark.parametrize("kind", CUTS)
@pytest.mark.parametrize("method", FORMULAS)
def test_a_map_is_its_formula_of_the_output_before_it_is_overwritten(method: str, kind: type[Cut]) -> None:
    net = classifier(kind)
    view, module = noise(net), net.module
    assert isinstance(module, Cut)
    images = normalised(net, view)
    activation = module.before(images).detach().clone()
    torch.testing.assert_close(module.after(activation), net.logits(images))
    assert activation.min() < 0  # what the rectifier would overwrite
    expected = by_hand(FORMULAS[method], activation, module.after, net.input_size)
    assert expected.max() > expected.min()
    np.testing.assert_allclose(explained(net, view, method), expected, atol=1e-5 * expected.max())


@pytest.mark.parametrize("kind", CUTS[:3])  # the code of the last cannot be traced, as guided backpropagation needs
def test_guided_grad_cam_is_guided_backpropagation_times_the_map(kind: type[Cut]) -> None:
    net = classifier(kind)
    view, module = noise(net), net.module
    assert isinstance(module, Cut)
    coarse = by_hand(FORMULAS["grad-cam"], module.before(normalised(net, view)), module.after, net.input_size)
    guided = last(explain_view(net, view, "guided-backprop", METHODS["guided-backprop"].settings(), TARGET, 0)).saliency
    expected = guided * coarse
    np.testing.assert_allclose(explained(net, view, "guided-grad-cam"), expected, atol=1e-5 * expected.max())


@pytest.mark.parametrize("kind", CUTS)
@torch.no_grad()
def test_score_cam_hides_the_picture_behind_the_output_before_it_is_overwritten(kind: type[Cut]) -> None:
    net = classifier(kind)
    view, module = noise(net), net.module
    assert isinstance(module, Cut)
    images = normalised(net, view)
    activation = module.before(images).clone()
    low, high = activation.amin((2, 3), keepdim=True), activation.amax((2, 3), keepdim=True)
    masks = F.interpolate((activation - low) / (high - low + 1e-8), net.input_size, mode="bilinear")
    scores = torch.stack([net.logits(images * mask)[0, TARGET] for mask in masks[0]])
    weights = (scores - net.logits(images)[0, TARGET]).softmax(0)
    coarse = torch.einsum("k,nkhw->nhw", weights, activation).relu()
    expected = F.interpolate(coarse.unsqueeze(1), net.input_size, mode="bilinear")[0, 0].numpy()
    np.testing.assert_allclose(explained(net, view, "score-cam"), expected, atol=1e-5 * expected.max())


@pytest.mark.parametrize("kind", CUTS[:3])
@torch.no_grad()
def test_ablation_cam_switches_off_the_output_before_it_is_overwritten(kind: type[Cut]) -> None:
    net = classifier(kind)
    view, module = noise(net), net.module
    assert isinstance(module, Cut)
    activation = module.before(normalised(net, view)).clone()
    score = module.after(activation)[0, TARGET]
    total = torch.zeros(activation.shape[2:])
    for channel in range(activation.shape[1]):
        without = activation.clone()
        without[:, channel] = 0
        total += (score - module.after(without)[0, TARGET]) / score * activation[0, channel]
    expected = F.interpolate(total.relu()[None, None], net.input_size, mode="bilinear")[0, 0].numpy()
    np.testing.assert_allclose(explained(net, view, "ablation-cam"), expected, atol=1e-5 * max(1, expected.max()))


@torch.no_grad()
def test_cam_weighs_what_the_head_reads() -> None:
    net = classifier(Dense)
    view, module = noise(net), net.module
    assert isinstance(module, Dense)
    head = pooled_head(net, "features")
    assert head is not None and head.rectified
    rectified = module.before(normalised(net, view)).relu()
    coarse = torch.einsum("k,nkhw->nhw", module.classifier.weight[TARGET], rectified)
    expected = F.interpolate(coarse.unsqueeze(1), net.input_size, mode="bilinear")[0, 0].numpy()
    np.testing.assert_allclose(explained(net, view, "cam"), expected, atol=1e-5)


def test_refine_cam_multiplies_the_maps_of_outputs_before_they_are_overwritten() -> None:
    torch.manual_seed(5)
    parts = [
        *(nn.Conv2d(3, 6, 3, stride=2), nn.ReLU(inplace=True), nn.Conv2d(6, 8, 3, stride=2), nn.ReLU(inplace=True)),
        *(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 5)),
    ]
    net = TorchClassifier(
        "net", nn.Sequential(*parts), list("abcde"), input_size=(48, 60), layer="2", layers=("0", "2")
    )
    view = noise(net)
    fine = parts[0](normalised(net, view)).detach().clone().requires_grad_()
    coarse = parts[2](fine.relu())
    own = coarse.clone()
    logit = nn.Sequential(*parts[4:])(own.relu())[0, TARGET]
    maps = []
    for activation, gradient in zip((fine, coarse), torch.autograd.grad(logit, (fine, coarse)), strict=True):
        found = FORMULAS["grad-cam++"](activation.detach(), gradient)
        found = (found - found.min()) / (found.max() - found.min() + 1e-8)
        found = (found - found.min()) / (found.max() - found.min() + 1e-8)
        maps.append(F.interpolate(found.unsqueeze(1), fine.shape[2:], mode="bilinear"))
    expected = F.interpolate(maps[0] * maps[1], net.input_size, mode="bilinear")[0, 0].numpy()
    got = explained(net, view, "refine-cam")
    np.testing.assert_allclose(got, expected, atol=1e-4 * expected.max())


@pytest.mark.parametrize("layer", ["features.0", "features.3", "features.5"])
@pytest.mark.parametrize("method", FORMULAS)
@pytest.mark.slow
def test_squeezenets_maps_are_those_of_the_layer_itself(
    method: str, layer: str, squeezenet: TorchClassifier, imagenet_pictures: tuple
) -> None:
    picture = imagenet_pictures[0]
    view = squeezenet.view(Image.open(picture))
    target = int(picture.name.split("_")[0])
    module, place = squeezenet.module, int(layer.split(".")[1])
    images = normalised(squeezenet, view)
    before, after = module.features[: place + 1], module.features[place + 1 :]
    expected = by_hand(
        FORMULAS[method],
        before(images),
        lambda a: module.classifier(after(a)).flatten(1),
        squeezenet.input_size,
        target,
    )
    got = explained(squeezenet, view, method, target, layer)
    np.testing.assert_allclose(got, expected, atol=1e-4 * expected.max())
    assert spearmanr(got.ravel(), expected.ravel()).statistic > 0.99


@pytest.mark.parametrize("method", FORMULAS)
@pytest.mark.slow
def test_densenets_maps_are_those_of_its_last_norm(method: str) -> None:
    torch.manual_seed(0)
    whole = torchvision_source.untrained("densenet121")
    net = TorchClassifier("densenet121", whole.module, whole.labels, input_size=(96, 96), layer=whole.layer)
    module, view = net.module, noise(net)
    expected = by_hand(
        FORMULAS[method],
        module.features(normalised(net, view)),
        lambda a: module.classifier(a.relu().mean((2, 3))),
        net.input_size,
    )
    np.testing.assert_allclose(explained(net, view, method), expected, atol=1e-4 * expected.max())


def test_a_layer_that_the_score_does_not_depend_on_is_refused_with_a_sentence() -> None:
    class Beside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Conv2d(3, 5, 4, 4), nn.Conv2d(3, 5, 4, 4)

        def forward(self, images: Tensor) -> Tensor:
            self.unused(images)
            return self.used(images).mean((2, 3))

    torch.manual_seed(0)
    net = TorchClassifier(
        "net", Beside(), list("abcde"), input_size=(48, 48), layer="unused", layers=("used", "unused")
    )
    with pytest.raises(SettingError, match="does not depend on what the layer 'unused' returns"):
        explained(net, noise(net), "grad-cam")
