"""Ablation-CAM: a layer's activation maps, weighed by how far the score falls without each."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from decam.classifier import Classifier, TorchClassifier
from decam.explanation import Map, Question, Steps
from decam.methods.activation.cam import ACTIVATIONS, CamSettings
from decam.methods.base import Method
from decam.methods.support.arrangement import Arrangement
from decam.methods.support.interruptible import Checkpoint
from decam.methods.support.layers import arrangement, grid_shape, layer_of
from decam.methods.support.white_box import SLOPE, Opened, by_library, first_order, white_box

ASKED = 16  # channels that are switched off at a time, each in a copy of the picture


class Ablated:
    """A hook that switches off one channel of a layer in each image of a batch, from `first` on; none at first."""

    def __init__(self, arrangement: Arrangement) -> None:
        self.arrangement = arrangement
        self.first: int | None = None
        self.kept = torch.empty(0)

    def __call__(self, layer: nn.Module, inputs: object, output: Tensor) -> Tensor | None:
        """The layer's output with channel `first` + i zero in image i."""
        del layer, inputs
        if self.first is None:
            self.kept = self.arrangement.grid(output).detach().clone()
            return None
        changed = output.clone()
        moved = changed.movedim(self.arrangement.axis, 1)
        places = torch.arange(len(output), device=output.device)
        moved[places, self.first + places] = 0
        return changed


def ablation_cam(question: Question, settings: CamSettings, seed: int) -> Steps:
    """ReLU of the activations, each weighed by its share of the score: Desai and Ramaswamy (2020), eq. 1 and 2.

    w_k = (y − y_k) / y, where y_k is the target's logit while channel k of the layer is zero.
    """
    del seed
    classifier = white_box(question)
    layer = layer_of(classifier, settings.layer)
    arranged = arrangement(classifier, layer)

    @torch.no_grad()
    def work(checkpoint: Checkpoint, _: int) -> Tensor:
        model = Opened(question, checkpoint, normalised=True)
        ablated = Ablated(arranged)
        model.get_submodule(model.inside(layer)).register_forward_hook(ablated)
        images = classifier.normalise(question.image.unsqueeze(0))
        with torch.enable_grad():
            logits = model(images.requires_grad_())
            question.ledger.reach = (SLOPE, first_order(question, logits, images))
        images, score = images.detach(), logits[0, question.target].detach()
        if score < 0:
            question.ledger.note(
                "The class's logit is below zero, and Ablation-CAM divides by it: the map shows what speaks against "
                "the class."
            )
        without = []
        for first in range(0, arranged.channels, ASKED):
            ablated.first = first
            count = min(ASKED, arranged.channels - first)
            without.append(model(images.expand(count, -1, -1, -1))[:, question.target])
        weights = (score - torch.cat(without)) / score
        return torch.einsum("k,nkhw->nhw", weights, ablated.kept).relu()

    coarse = yield from by_library(question, arranged.channels + 1, work)
    full = F.interpolate(coarse.unsqueeze(1), classifier.input_size, mode="bilinear", align_corners=False)
    saliency: Map = full[0, 0].cpu().numpy().astype(np.float32)
    return saliency


def _cost(settings: CamSettings, classifier: Classifier) -> int:
    """Every channel once, and the picture itself."""
    opened = cast(TorchClassifier, classifier)
    return grid_shape(opened, layer_of(opened, settings.layer))[0] + 1


ABLATION_CAM = Method(
    name="ablation-cam",
    title="Ablation-CAM",
    family="activation",
    summary="Switches off one activation map after another and weights each by how far the score falls.",
    formula=r"M_c = \mathrm{ReLU}\Big(\sum_k \frac{y^c - y^c_k}{y^c} A_k\Big)",
    reference="Desai & Ramaswamy, Ablation-CAM: Visual Explanations for Deep Convolutional Network via Gradient-free "
    "Localization (2020)",
    url="https://doi.org/10.1109/WACV45572.2020.9093360",
    strengths="No gradients, so no saturation: weights are what the model loses without a channel.",
    misleads="One evaluation a channel; channels that stand in for each other all count for nothing. Weights are "
    "shares of the logit, so for a class whose logit is below zero they point the other way.",
    needs=ACTIVATIONS,
    signed=False,
    settings=CamSettings,
    run=ablation_cam,
    cost=_cost,
)
