"""Class activation maps: a layer's activations, weighed by what each means for a class; torch-cam computes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
import torch.nn.functional as F
from torch import Tensor
from torchcam.methods import (
    CAM,
    FinerCAM,
    GradCAM,
    GradCAMpp,
    LayerCAM,
    RefineCAM,
    SmoothGradCAMpp,
    XGradCAM,
)

from decam.classifier import Classifier, Need, TorchClassifier
from decam.classifier.base import called
from decam.errors import SettingError
from decam.explanation import Map, Question, Steps
from decam.methods.base import Method
from decam.methods.support.interruptible import Checkpoint
from decam.methods.support.layers import arrangement, layer_of, levels, pooled_head
from decam.methods.support.seeded_globals import Noise
from decam.methods.support.white_box import SLOPE, Opened, by_library, first_order, white_box
from decam.settings import Settings, parameter

# Of the opened model, its layer's name there, and the settings; torch-cam's extractors share a base class in private.
Make: TypeAlias = Callable[[Opened, str, Any], Any]

GRADIENTS: frozenset[Need] = frozenset({"gradients", "activations"})
ACTIVATIONS: frozenset[Need] = frozenset({"output", "activations"})


@dataclass(frozen=True)
class CamSettings(Settings):
    """Which layer is looked at."""

    layer: str = parameter(
        "",
        "Layer whose activations are weighted: by default the last spatial one; earlier ones are finer, but less "
        "specific.",
        source="layers",
    )


@dataclass(frozen=True)
class SmoothCamSettings(CamSettings):
    """Which layer is looked at, and how noise is averaged out."""

    samples: int = parameter(8, "Noisy copies of the image, one evaluation each.", low=1, high=200)
    noise: float = parameter(
        0.3,
        "Standard deviation of the noise, relative to that of the images in training.",
        low=0.01,
        high=2.0,
        step=0.05,
    )


@dataclass(frozen=True)
class FinerCamSettings(CamSettings):
    """Which layer is looked at, and what the class is told from."""

    rivals: int = parameter(3, "Classes with the nearest scores, from which this one is told apart.", low=1, high=20)
    strength: float = parameter(
        0.6, "How much of the rivals' mean score is taken off; 0 is Grad-CAM.", low=0.0, high=2.0, step=0.1
    )


@dataclass(frozen=True)
class RefineCamSettings(CamSettings):
    """Which layer comes last, and how many finer ones refine it."""

    levels: int = parameter(
        3,
        "Layers of different resolutions whose maps are multiplied: the chosen one and those before it.",
        low=2,
        high=6,
    )


def explained(
    make: Make, cost: Callable[[Any, Classifier], int], *, by_weights: bool = False
) -> Callable[[Question, Any, int], Steps]:
    """A method that torch-cam computes: its raw grid for the target's logit, interpolated bilinearly to H×W.

    One that reads the weights of a class (`by_weights`) knows of no contrast; its map of one is the difference of two.
    """

    def run(question: Question, settings: CamSettings, seed: int) -> Steps:
        del seed
        classifier = white_box(question)
        layer = layer_of(classifier, settings.layer)
        arrangement(classifier, layer)  # a layer without a grid is refused before anything is asked

        def attribute(checkpoint: Checkpoint, _: int) -> Tensor:
            model = Opened(question, checkpoint, normalised=True)
            with make(model, layer, settings) as extractor:
                images = classifier.normalise(question.image.unsqueeze(0)).requires_grad_()
                logits = model(images)
                reach = first_order(question, logits, images)
                found = weighed(extractor, layer, question.target, logits)
                if by_weights and classifier.contrast is not None:
                    found = found - weighed(extractor, layer, classifier.contrast[1], logits)
            question.ledger.reach = (SLOPE, max(reach, model.spread))
            return found

        coarse = yield from by_library(question, cost(settings, classifier), attribute)
        full = F.interpolate(coarse.unsqueeze(1), classifier.input_size, mode="bilinear", align_corners=False)
        saliency: Map = full[0, 0].cpu().numpy().astype(np.float32)
        return saliency

    return run


def noisy(make: Make, cost: Callable[[Any, Classifier], int]) -> Callable[[Question, Any, int], Steps]:
    """As `explained`, for an extractor of torch-cam that adds noise: the noise is drawn from the seed."""

    def run(question: Question, settings: CamSettings, seed: int) -> Steps:
        def made(model: Opened, layer: str, settings: CamSettings) -> Any:
            extractor = make(model, layer, settings)
            extractor._distrib = Noise(extractor.std, seed)  # torch-cam's own draws from the process's generator
            return extractor

        return (yield from explained(made, cost)(question, settings, seed))

    return run


def weighed(extractor: Any, layer: str, target: int, logits: Tensor) -> Tensor:
    """What a torch-cam extractor makes of the layer's grid, 1×h×w; raises SettingError where no gradient reaches it."""
    try:
        (found,) = extractor(class_idx=target, scores=logits, normalized=False)
    except RuntimeError as error:
        if "not connected" not in str(error):
            raise
        raise SettingError(
            f"The class score does not depend on what the layer {layer!r} returns, so no gradient reaches it; choose "
            "another layer."
        ) from error
    return cast(Tensor, found.detach())


def grid_of(model: Opened, layer: str) -> str:
    """The module in an opened model whose output is the grid of a layer of the classifier."""
    return model.grid_of(layer, arrangement(model.classifier, layer))


def _weighed(extractor: Callable[..., Any]) -> Make:
    """One of torch-cam's classes that wants nothing but the layer."""

    def make(model: Opened, layer: str, settings: CamSettings) -> Any:
        del settings
        return extractor(model, grid_of(model, layer))

    return make


def _cam(model: Opened, layer: str, settings: CamSettings) -> Any:
    del settings
    head = pooled_head(model.classifier, layer)
    if head is None:
        raise SettingError(f"CAM needs a linear layer right after pooling, which does not follow the layer {layer!r}.")
    rectify = F.relu if head.rectified else None
    return CAM(model, grid_of(model, layer), model.inside(head.name), reshape_transform=rectify)


def _smooth(model: Opened, layer: str, settings: SmoothCamSettings) -> Any:
    return SmoothGradCAMpp(model, grid_of(model, layer), settings.samples, settings.noise)


def _finer(model: Opened, layer: str, settings: FinerCamSettings) -> Any:
    return FinerCAM(model, grid_of(model, layer), gamma=settings.strength, num_references=settings.rivals)


def _refined(model: Opened, layer: str, settings: RefineCamSettings) -> Any:
    chosen = levels(model.classifier, layer)[-settings.levels :]
    if len(chosen) < 2:
        raise SettingError(f"Refine-CAM needs layers of two resolutions, and up to {layer!r} there is one.")
    return RefineCAM(model, [grid_of(model, name) for name in chosen])


def _one(settings: CamSettings, classifier: Classifier) -> int:
    del settings, classifier
    return 1


def _smooth_cost(settings: SmoothCamSettings, classifier: Classifier) -> int:
    del classifier
    return settings.samples + 1


def _without_head(classifier: Classifier) -> str:
    """Why the model's last layer cannot be read as a map, if that is so."""
    if isinstance(classifier, TorchClassifier) and pooled_head(classifier, layer_of(classifier, "")) is None:
        return f"CAM needs a linear layer right after pooling, and {called(classifier)} ends in another way."
    return ""


def _one_resolution(classifier: Classifier) -> str:
    """Why there is nothing to refine, if that is so."""
    if isinstance(classifier, TorchClassifier) and len(levels(classifier, layer_of(classifier, ""))) < 2:
        return f"Refine-CAM needs layers of two resolutions, and those of {called(classifier)} have one."
    return ""


CLASS_ACTIVATION = Method(
    name="cam",
    title="CAM",
    family="activation",
    summary="Weights the last activation maps by the linear layer that reads them.",
    formula=r"M_c(x, y) = \sum_k w_k^c \, A_k(x, y)",
    reference="Zhou et al., Learning Deep Features for Discriminative Localization (2016)",
    url="https://arxiv.org/abs/1512.04150",
    strengths="Exact: the map's mean is the class score up to the bias.",
    misleads="As coarse as the last layer, and only for networks that end in pooling and one linear layer; where a "
    "rectifier stands between the two, as in SqueezeNet 1.0, the mean is not the score.",
    needs=ACTIVATIONS,
    signed=True,
    settings=CamSettings,
    run=explained(_cam, _one, by_weights=True),
    cost=_one,
    requires=_without_head,
)

GRAD_CAM = Method(
    name="grad-cam",
    title="Grad-CAM",
    family="activation",
    summary="Weights the last layer's activation maps by how much the class score depends on them.",
    formula=r"M_c = \mathrm{ReLU}\Big(\sum_k \alpha_k^c A_k\Big), \quad "
    r"\alpha_k^c = \frac{1}{Z} \sum_{x, y} \frac{\partial y^c}{\partial A_k(x, y)}",
    reference="Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks (2017)",
    url="https://arxiv.org/abs/1610.02391",
    strengths="One pass, any convolutional network; passes the sanity checks that many gradient maps fail.",
    misleads="Averaged gradients can point where the activation is high and the class does not depend on it.",
    needs=GRADIENTS,
    signed=False,
    settings=CamSettings,
    run=explained(_weighed(GradCAM), _one),
    cost=_one,
    default=True,
)

GRAD_CAM_PP = Method(
    name="grad-cam++",
    title="Grad-CAM++",
    family="activation",
    summary="Grad-CAM whose weights count positive gradients alone, large ones most.",
    formula=r"M_c = \mathrm{ReLU}\Big(\sum_k \alpha_k^c A_k\Big), \quad "
    r"\alpha_k^c = \sum_{x, y} \mathrm{ReLU}\Big(\frac{\partial y^c}{\partial A_k(x, y)}\Big)^3",
    reference="Chattopadhay et al., Grad-CAM++: Generalized Gradient-based Visual Explanations (2018)",
    url="https://arxiv.org/abs/1710.11063",
    strengths="Covers several objects of a class where Grad-CAM may find one.",
    misleads="Without negative gradients it depends less on the class: other objects light up too. This is torch-cam's "
    "form, which leaves out the paper's division by 2g² + ΣAg³.",
    needs=GRADIENTS,
    signed=False,
    settings=CamSettings,
    run=explained(_weighed(GradCAMpp), _one),
    cost=_one,
)

SMOOTH_GRAD_CAM_PP = Method(
    name="smooth-grad-cam++",
    title="Smooth Grad-CAM++",
    family="activation",
    summary="Grad-CAM++ with powers of its gradients averaged over noisy copies of the image.",
    formula=r"\begin{gathered} M_c = \mathrm{ReLU}\Big(\sum_k \alpha_k^c A_k(x + \epsilon_n)\Big), \quad "
    r"g_{k,i} = \frac{\partial y^c(x + \epsilon_i)}{\partial A_k} \\ \alpha_k^c = \sum_{u, v} \frac{\overline{g_k^2}}"
    r"{2 \overline{g_k^2} + \sum_{u, v} \overline{g_k^3} A_k} \, \mathrm{ReLU}(g_{k,n}) \end{gathered}",
    reference="Omeiza et al., Smooth Grad-CAM++: An Enhanced Inference Level Visualization Technique (2019)",
    url="https://arxiv.org/abs/1908.01224",
    strengths="Steadier than Grad-CAM++ where gradients are noisy.",
    misleads="Inherits Grad-CAM++'s weak dependence on the class; noise takes the image out of the training data. "
    "In torch-cam's form the last noisy copy alone gives the rectified gradient and the activations.",
    needs=GRADIENTS,
    signed=False,
    settings=SmoothCamSettings,
    run=noisy(_smooth, _smooth_cost),
    cost=_smooth_cost,
)

XGRAD_CAM = Method(
    name="xgrad-cam",
    title="XGrad-CAM",
    family="activation",
    summary="Grad-CAM whose weights are averaged where the activation is, so that the map adds up to the score.",
    formula=r"M_c = \mathrm{ReLU}\Big(\sum_k \alpha_k^c A_k\Big), \quad \alpha_k^c = \sum_{u, v} "
    r"\frac{A_k(u, v)}{\sum A_k} \frac{\partial y^c}{\partial A_k(u, v)}",
    reference="Fu et al., Axiom-based Grad-CAM: Towards Accurate Visualization and Explanation of CNNs (2020)",
    url="https://arxiv.org/abs/2008.02312",
    strengths="Derived from axioms: sensitivity and conservation hold better than for Grad-CAM.",
    misleads="Divides by a channel's sum, which is near zero for layers without a rectifier.",
    needs=GRADIENTS,
    signed=False,
    settings=CamSettings,
    run=explained(_weighed(XGradCAM), _one),
    cost=_one,
)

LAYER_CAM = Method(
    name="layer-cam",
    title="Layer-CAM",
    family="activation",
    summary="Weights each position of each activation map by its positive gradient.",
    formula=r"M_c = \mathrm{ReLU}\Big(\sum_k \mathrm{ReLU}\Big(\frac{\partial y^c}{\partial A_k}\Big) \odot A_k\Big)",
    reference="Jiang et al., LayerCAM: Exploring Hierarchical Class Activation Maps for Localization (2021)",
    url="https://doi.org/10.1109/TIP.2021.3089943",
    strengths="Stays sharp in early layers, where Grad-CAM falls apart.",
    misleads="In early layers it shows edges, whatever the class.",
    needs=GRADIENTS,
    signed=False,
    settings=CamSettings,
    run=explained(_weighed(LayerCAM), _one),
    cost=_one,
)

FINER_CAM = Method(
    name="finer-cam",
    title="Finer-CAM",
    family="activation",
    summary="Grad-CAM of the score's lead over the most similar classes: what sets this class apart from them.",
    formula=r"\text{Grad-CAM of } y^c - \frac{\gamma}{T} \sum_{t=1}^T y^{d_t}",
    reference="Zhang et al., Finer-CAM: Spotting the Difference Reveals Finer Details for Visual Explanation (2025)",
    url="https://arxiv.org/abs/2501.11309",
    strengths="Finds the detail that decides between two breeds, which Grad-CAM drowns in the whole animal.",
    misleads="What all the similar classes share is left out, though the model needs it.",
    needs=GRADIENTS,
    signed=False,
    settings=FinerCamSettings,
    run=explained(_finer, _one),
    cost=_one,
    one_class="Finer-CAM chooses the classes that it tells the target from; Grad-CAM tells it from the one you name.",
)

REFINE_CAM = Method(
    name="refine-cam",
    title="Refine-CAM",
    family="activation",
    summary="Multiplies the maps of several layers, so that the fine ones sharpen the coarse one.",
    formula=r"M_c = \prod_l \mathrm{up}\big(\hat{M}_c^{(l)}\big), \quad \hat{M} = "
    r"\frac{M - \min M}{\max M - \min M}",
    reference="How to Evaluate and Refine your CAM (2026), as torch-cam has it",
    url="https://arxiv.org/abs/2605.14641",
    strengths="Finer than the last layer, in one pass; each layer's map is that of Grad-CAM++.",
    misleads="A place that one layer leaves out is lost whatever the others say; early layers add the image's edges.",
    needs=GRADIENTS,
    signed=False,
    settings=RefineCamSettings,
    run=explained(_refined, _one),
    cost=_one,
    requires=_one_resolution,
)
