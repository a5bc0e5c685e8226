"""Class activation maps weighed by what the model answers to masked pictures; torch-cam computes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from torchcam.methods import ISCAM, SSCAM, ScoreCAM

from decam.classifier import Classifier, TorchClassifier
from decam.methods.activation.cam import ACTIVATIONS, CamSettings, explained, grid_of, noisy
from decam.methods.base import Method
from decam.methods.support.layers import grid_shape, layer_of
from decam.methods.support.white_box import Opened
from decam.settings import parameter

SCORED = 16  # masked pictures that are asked at a time


@dataclass(frozen=True)
class SampledCamSettings(CamSettings):
    """Which layer is looked at, and how often each of its channels is asked about."""

    samples: int = parameter(
        3, "Times that every channel is asked about; the cost is this multiple of the channels.", low=1, high=50
    )


def _score(model: Opened, layer: str, settings: CamSettings) -> Any:
    del settings
    return ScoreCAM(model, grid_of(model, layer), SCORED)


def _smoothed_score(model: Opened, layer: str, settings: SampledCamSettings) -> Any:
    return SSCAM(model, grid_of(model, layer), SCORED, settings.samples)


def _integrated_score(model: Opened, layer: str, settings: SampledCamSettings) -> Any:
    return ISCAM(model, grid_of(model, layer), SCORED, settings.samples)


def _channels(settings: CamSettings, classifier: Classifier) -> int:
    opened = cast(TorchClassifier, classifier)
    return grid_shape(opened, layer_of(opened, settings.layer))[0]


def _score_cost(settings: CamSettings, classifier: Classifier) -> int:
    """Every channel once; the picture itself twice, for its activations and for its score."""
    return _channels(settings, classifier) + 2


def _sampled_cost(settings: SampledCamSettings, classifier: Classifier) -> int:
    return settings.samples * _channels(settings, classifier) + 2


SCORE_CAM = Method(
    name="score-cam",
    title="Score-CAM",
    family="activation",
    summary="Shows the model the image through each activation map, and weights the map by the score it gets.",
    formula=r"\begin{gathered} M_c = \mathrm{ReLU}\Big(\sum_k \alpha_k^c A_k\Big) \\ "
    r"\alpha^c = \mathrm{softmax}_k \big(y^c(x \odot \hat{A}_k) - y^c(x)\big) \end{gathered}",
    reference="Wang et al., Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks (2020)",
    url="https://arxiv.org/abs/1910.01279",
    strengths="No gradients, so no saturation: weights are what the model answered.",
    misleads="One evaluation per channel; the softmax often lets one or two channels decide the whole map.",
    needs=ACTIVATIONS,
    signed=False,
    settings=CamSettings,
    run=explained(_score, _score_cost),
    cost=_score_cost,
)

SS_CAM = Method(
    name="ss-cam",
    title="SS-CAM",
    family="activation",
    summary="Score-CAM with each channel's score averaged over noisy masks.",
    formula=r"\begin{gathered} M_c = \mathrm{ReLU}\Big(\sum_k \alpha_k^c A_k\Big) \\ \alpha^c = \mathrm{softmax}_k "
    r"\Big(\frac{1}{n} \sum_{i=1}^n y^c\big(x \odot (\hat{A}_k + \epsilon_i)\big) - y^c(x)\Big) \end{gathered}",
    reference="Wang et al., SS-CAM: Smoothed Score-CAM for Sharper Visual Feature Localization (2020)",
    url="https://arxiv.org/abs/2006.14255",
    strengths="Scores depend less on any single mask.",
    misleads=(
        "Costs several times as much as Score-CAM (3 samples here, 35 in torch-cam); its noise (σ = 2) hides most of "
        "what the mask shows."
    ),
    needs=ACTIVATIONS,
    signed=False,
    settings=SampledCamSettings,
    run=noisy(_smoothed_score, _sampled_cost),
    cost=_sampled_cost,
)

IS_CAM = Method(
    name="is-cam",
    title="IS-CAM",
    family="activation",
    summary="Score-CAM with each channel's score averaged while its mask is turned up step by step.",
    formula=r"\begin{gathered} M_c = \mathrm{ReLU}\Big(\sum_k \alpha_k^c A_k\Big) \\ \alpha^c = \mathrm{softmax}_k "
    r"\Big(\frac{1}{n} \sum_{i=1}^n y^c\Big(\sum_{j=1}^i \tfrac{j}{n} \, x \odot \hat{A}_k\Big) - y^c(x)\Big) "
    r"\end{gathered}",
    reference="Naidu et al., IS-CAM: Integrated Score-CAM for Axiomatic-based Explanations (2020)",
    url="https://arxiv.org/abs/2010.03023",
    strengths="Less noise than Score-CAM where scores saturate.",
    misleads=(
        "Costs several times as much as Score-CAM for similar maps (3 steps here, 10 in torch-cam); its steps add up, "
        "so that the last ones are brighter than the image."
    ),
    needs=ACTIVATIONS,
    signed=False,
    settings=SampledCamSettings,
    run=explained(_integrated_score, _sampled_cost),
    cost=_sampled_cost,
)
