"""Class activation maps: what a layer's activations and gradients say about a class."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam
from torch import Tensor, nn

from decam.classifier import Classifier, TorchClassifier
from decam.errors import MethodError, SettingError
from decam.explanation import Map, Question, Steps
from decam.methods.base import Method
from decam.settings import Settings, parameter


@dataclass(frozen=True)
class GradCamSettings(Settings):
    """Which layer is looked at."""

    layer: str = parameter(
        "",
        "Layer whose activations are weighed: the last spatial one by itself; earlier ones are finer, less specific.",
        source="layers",
    )


class TokenGrid(nn.Module):
    """Leads a layer's output through a channels-first grid, N×C×H×W, on which `probe` can be hooked.

    Takes token sequences (N×T×C: tokens of a square grid, after any class token) and channels-last grids (N×H×W×C
    with H = W). Other outputs are channels-first already and pass through `probe` as they are.
    """

    def __init__(self) -> None:
        super().__init__()
        self.probe = nn.Identity()

    def forward(self, output: Tensor) -> Tensor:
        """The output unchanged."""
        if output.ndim == 4 and output.shape[1] == output.shape[2] != output.shape[3]:
            return self._probed(output.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        if output.ndim == 3:
            count, tokens, channels = output.shape
            side = math.isqrt(tokens)
            extra = tokens - side * side
            grid = output[:, extra:].transpose(1, 2).reshape(count, channels, side, side)
            return torch.cat([output[:, :extra], self._probed(grid).flatten(2).transpose(1, 2)], dim=1)
        return self._probed(output)

    def _probed(self, grid: Tensor) -> Tensor:
        result: Tensor = self.probe(grid)
        return result


@contextmanager
def grid_of(layer: nn.Module) -> Iterator[nn.Module]:
    """A module whose output is the layer's as a channels-first grid, while the context is open."""
    grid = TokenGrid()
    handle = layer.register_forward_hook(lambda _module, _inputs, output: grid(output))
    try:
        yield grid.probe
    finally:
        handle.remove()


def grad_cam(question: Question, settings: GradCamSettings, seed: int) -> Steps:
    """Captum's LayerGradCam on the target's logit: activations weighed by their mean gradient, negatives cut.

    Selvaraju et al. (2017), eq. 1 and 2; the map is interpolated bilinearly to H×W.
    """
    del seed
    classifier = question.classifier
    if not isinstance(classifier, TorchClassifier):
        raise MethodError(f"Grad-CAM needs a PyTorch model, and {classifier.name} is none.")
    layer = _layer(classifier, settings.layer or classifier.layer)
    yield from ()
    with classifier.lock.alone(), grid_of(layer) as probe:
        images = classifier.normalise(question.image.unsqueeze(0))
        explainer = LayerGradCam(classifier.logits, probe)
        coarse = explainer.attribute(images, target=question.target, relu_attributions=True)
    question.ledger.evaluations += 1
    if coarse.ndim != 4:
        raise SettingError(
            f"The layer {settings.layer!r} of {classifier.name} has no spatial grid and so no map; choose another."
        )
    full = LayerAttribution.interpolate(coarse, classifier.input_size, "bilinear")
    saliency: Map = full[0, 0].detach().cpu().numpy().astype(np.float32)
    return saliency


def _layer(classifier: TorchClassifier, name: str) -> nn.Module:
    found: nn.Module | None = dict(classifier.module.named_modules()).get(name)
    if not name or found is None:
        raise SettingError(
            f"{classifier.name} has no layer {name!r}; it has, among others: {', '.join(classifier.layers[-6:])}."
        )
    return found


def _one(settings: GradCamSettings, classifier: Classifier) -> int:
    del settings, classifier
    return 1


GRAD_CAM = Method(
    name="grad-cam",
    title="Grad-CAM",
    family="activation",
    summary="Weighs the last layer's activation maps by how much the class depends on them.",
    reference="Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks (2017)",
    url="https://arxiv.org/abs/1610.02391",
    needs=frozenset({"gradients", "activations"}),
    signed=False,
    settings=GradCamSettings,
    run=grad_cam,
    cost=_one,
    default=True,
)
