"""The class activation maps here are torch-cam's extractors called directly, and CAM is what the head says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchcam import methods as torchcam

from decam.classifier import Execution, TorchClassifier, to_tensor
from decam.errors import MethodError, SettingError
from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.methods import METHODS
from decam.methods.support.layers import grid_shape, levels, pooled_head

TARGET = 2


class Pooled(nn.Module):
    """Convolutions, pooling and one linear layer; `rectify` puts a rectifier between the last block and the pooling."""

    def __init__(self, rectify: bool = False) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2), nn.ReLU(inplace=True), nn.Conv2d(8, 12, 3))
        self.rectify = rectify
        self.head = nn.Linear(12, 5)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.features(images)
        return self.head((features.relu() if self.rectify else features).mean((2, 3)))


class Fully(nn.Module):
    """A convolution as its last layer, pooled afterwards, as in SqueezeNet."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2), nn.ReLU())
        self.head = nn.Conv2d(8, 5, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(images)).relu().mean((2, 3))


def classifier(module: nn.Module, layer: str = "features") -> TorchClassifier:
    return TorchClassifier(
        "net",
        module,
        list("abcde"),
        input_size=(48, 48),
        layer=layer,
        layers=(layer,),
        execution=Execution(batch_size=4),
    )


@pytest.fixture
def net() -> TorchClassifier:
    torch.manual_seed(3)
    return classifier(Pooled(rectify=True))


@pytest.fixture(scope="module")
def view() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (48, 48, 3), dtype=np.uint8)


def explained(net: TorchClassifier, view: np.ndarray, method: str, **settings: int | float | str | bool) -> np.ndarray:
    chosen = METHODS[method].settings.from_mapping(settings)
    return last(explain_view(net, view, method, chosen, TARGET, seed=5)).saliency


DIRECT: dict[str, tuple[type, dict[str, Any], dict[str, Any]]] = {
    "grad-cam": (torchcam.GradCAM, {}, {}),
    "grad-cam++": (torchcam.GradCAMpp, {}, {}),
    "smooth-grad-cam++": (torchcam.SmoothGradCAMpp, {"num_samples": 3, "std": 0.2}, {"samples": 3, "noise": 0.2}),
    "xgrad-cam": (torchcam.XGradCAM, {}, {}),
    "layer-cam": (torchcam.LayerCAM, {}, {}),
    "finer-cam": (torchcam.FinerCAM, {"num_references": 2, "gamma": 0.5}, {"rivals": 2, "strength": 0.5}),
    "score-cam": (torchcam.ScoreCAM, {}, {}),
    "ss-cam": (torchcam.SSCAM, {"num_samples": 2}, {"samples": 2}),
    "is-cam": (torchcam.ISCAM, {"num_samples": 2}, {"samples": 2}),
}


@pytest.mark.parametrize("method", DIRECT)
def test_a_map_is_torch_cams(method: str, net: TorchClassifier, view: np.ndarray) -> None:
    extractor, options, settings = DIRECT[method]
    images = net.normalise(to_tensor(net, view).unsqueeze(0)).requires_grad_()
    torch.manual_seed(5)
    with extractor(net.module, "features", **options) as direct:
        (coarse,) = direct(class_idx=TARGET, scores=net.logits(images), normalized=False)
    expected = F.interpolate(coarse.unsqueeze(1), size=(48, 48), mode="bilinear")[0, 0].detach().numpy()
    got = explained(net, view, method, **settings)
    np.testing.assert_allclose(got, expected, atol=1e-5 * np.abs(expected).max())
    assert expected.max() > expected.min()


def test_every_row_of_the_family_is_compared() -> None:
    family = {name for name, row in METHODS.items() if row.family == "activation"}
    assert family == {*DIRECT, "refine-cam", "cam", "ablation-cam"}


def test_refine_cam_is_torch_cams_on_the_last_layer_of_each_resolution(view: np.ndarray) -> None:
    torch.manual_seed(3)
    module = nn.Sequential(
        *(nn.Conv2d(3, 6, 3, stride=2), nn.ReLU(), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(8, 8, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)),
    )
    layers = ("0", "1", "2", "3", "4", "5")
    net = TorchClassifier("net", module, list("abcde"), input_size=(48, 48), layer="5", layers=layers)
    assert levels(net, "5") == ("3", "5") and levels(net, "4") == ("3", "4")
    images = net.normalise(to_tensor(net, view).unsqueeze(0)).requires_grad_()
    with torchcam.RefineCAM(net.module, ["3", "5"]) as direct:
        (coarse,) = direct(class_idx=TARGET, scores=net.logits(images), normalized=False)
    expected = F.interpolate(coarse.unsqueeze(1), size=(48, 48), mode="bilinear")[0, 0].detach().numpy()
    np.testing.assert_allclose(explained(net, view, "refine-cam"), expected, atol=1e-5 * expected.max())
    assert expected.max() > expected.min()
    with pytest.raises(SettingError, match="Refine-CAM needs layers of two resolutions, and up to '2' there is one"):
        explained(net, view, "refine-cam", layer="2")


def test_refine_cam_refuses_a_network_of_one_resolution(net: TorchClassifier, view: np.ndarray) -> None:
    with pytest.raises(MethodError, match="Refine-CAM needs layers of two resolutions, and those of net have one"):
        explained(net, view, "refine-cam")


def test_the_weights_of_grad_cam_plus_plus_are_cubes_as_its_row_says(net: TorchClassifier, view: np.ndarray) -> None:
    """Not the paper's: should torch-cam divide one day, the row's formula must be changed."""
    images = net.normalise(to_tensor(net, view).unsqueeze(0))
    grid = net.module.features(images).requires_grad_()
    (gradient,) = torch.autograd.grad(net.module.head(grid.relu().mean((2, 3)))[0, TARGET], grid)
    weights = gradient.relu().pow(3).sum((2, 3), keepdim=True)
    coarse = (weights * grid.detach()).sum(1, keepdim=True).relu()
    expected = F.interpolate(coarse, size=(48, 48), mode="bilinear")[0, 0].numpy()
    np.testing.assert_allclose(explained(net, view, "grad-cam++"), expected, atol=1e-5 * expected.max())


def test_cam_is_torch_cams(view: np.ndarray) -> None:
    torch.manual_seed(4)
    net = classifier(Pooled())
    with torchcam.CAM(net.module, "features", "head") as direct:
        net.logits(net.normalise(to_tensor(net, view).unsqueeze(0)))
        (coarse,) = direct(class_idx=TARGET, normalized=False)
    expected = F.interpolate(coarse.unsqueeze(1), size=(48, 48), mode="bilinear")[0, 0].detach().numpy()
    np.testing.assert_allclose(explained(net, view, "cam"), expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("rectify", [False, True])
def test_the_mean_of_cam_is_the_score_without_its_bias(rectify: bool, view: np.ndarray) -> None:
    torch.manual_seed(4)
    net = classifier(Pooled(rectify))
    head = pooled_head(net, "features")
    assert head is not None and (head.name, head.rectified) == ("head", rectify)
    image = net.normalise(to_tensor(net, view).unsqueeze(0))
    grid = net.module.features(image)
    grid = grid.relu() if rectify else grid
    coarse = torch.einsum("k,nkhw->nhw", net.module.head.weight[TARGET], grid)
    assert float(coarse.mean()) == pytest.approx(
        float(net.logits(image)[0, TARGET] - net.module.head.bias[TARGET]), abs=1e-5
    )
    expected = F.interpolate(coarse.unsqueeze(1), size=(48, 48), mode="bilinear")[0, 0].detach().numpy()
    np.testing.assert_allclose(explained(net, view, "cam"), expected, atol=1e-5)


def test_cam_reads_a_convolution_that_is_pooled_afterwards(view: np.ndarray) -> None:
    torch.manual_seed(4)
    net = classifier(Fully())
    grid = net.module.features(net.normalise(to_tensor(net, view).unsqueeze(0)))
    coarse = F.conv2d(grid, net.module.head.weight[TARGET : TARGET + 1])
    expected = F.interpolate(coarse, size=(48, 48), mode="bilinear")[0, 0].detach().numpy()
    np.testing.assert_allclose(explained(net, view, "cam"), expected, atol=1e-5)


def test_cam_refuses_a_network_that_ends_in_another_way(view: np.ndarray) -> None:
    flat = nn.Sequential(nn.Conv2d(3, 4, 9, stride=8), nn.ReLU(), nn.Flatten(), nn.Linear(100, 5))
    with pytest.raises(MethodError, match="CAM needs a linear layer right after pooling, and net ends in another way"):
        explained(classifier(flat, "1"), view, "cam")


def test_cam_refuses_a_layer_that_its_head_does_not_read(net: TorchClassifier, view: np.ndarray) -> None:
    with pytest.raises(SettingError, match=r"which does not follow the layer 'features\.0'"):
        explained(net, view, "cam", layer="features.0")


@pytest.mark.parametrize("method", [*DIRECT, "cam", "ablation-cam"])
def test_no_hooks_are_left_and_another_thread_could_have_asked(
    method: str, net: TorchClassifier, view: np.ndarray
) -> None:
    """The module itself is never hooked, nor is it locked between two forwards."""
    steps = explain_view(net, view, method, METHODS[method].settings(), TARGET, seed=0)
    for _ in steps:
        assert not any(part._forward_hooks or part._forward_pre_hooks for part in net.module.modules())
        with net.lock.alone():
            pass
    assert not any(part._forward_hooks or part._backward_hooks for part in net.module.modules())


def test_grids_are_known_beforehand(net: TorchClassifier) -> None:
    assert grid_shape(net, "features") == (12, 20, 20)
    with pytest.raises(SettingError, match="has no spatial grid"):
        grid_shape(net, "head")


def test_ablation_cam_says_where_its_weights_are_turned_round(view: np.ndarray) -> None:
    torch.manual_seed(3)
    net = classifier(Pooled())
    net.module.head.bias.data[0] = -9
    net.module.head.bias.data[1] = 9
    logits = net.logits(net.normalise(to_tensor(net, view).unsqueeze(0)))[0]
    assert logits.min() < 0 < logits.max()
    for target in (int(logits.argmin()), int(logits.argmax())):
        steps = explain_view(net, view, "ablation-cam", METHODS["ablation-cam"].settings(), target, 0)
        notes = last(steps).notes
        assert any("logit is below zero" in note for note in notes) == bool(logits[target] < 0)


@pytest.mark.parametrize("layer", ["features", "features.0"])
def test_ablation_cam_is_its_formula_one_channel_at_a_time(layer: str, net: TorchClassifier, view: np.ndarray) -> None:
    images = net.normalise(to_tensor(net, view).unsqueeze(0))
    score = float(net.logits(images)[0, TARGET])
    part = net.module.get_submodule(layer)
    with torch.no_grad():
        kept = (net.module.features(images) if layer == "features" else net.module.features[0](images)).clone()
    total = torch.zeros(kept.shape[2:])
    for channel in range(kept.shape[1]):

        def silenced(_: nn.Module, __: object, output: torch.Tensor, channel: int = channel) -> torch.Tensor:
            changed = output.clone()
            changed[:, channel] = 0
            return changed

        handle = part.register_forward_hook(silenced)
        total += (score - float(net.logits(images)[0, TARGET])) / score * kept[0, channel]
        handle.remove()
    expected = F.interpolate(total.relu()[None, None], size=(48, 48), mode="bilinear")[0, 0].numpy()
    got = explained(net, view, "ablation-cam", layer=layer)
    np.testing.assert_allclose(got, expected, atol=1e-5 * max(1.0, float(expected.max())))
