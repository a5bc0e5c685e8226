"""Attention models' own maps: what a network that attends says about where it looked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchcam.methods import LeGrad

from decam.classifier import Classifier, Need, TorchClassifier
from decam.classifier.base import called
from decam.explanation import Map, Question, Steps
from decam.methods.attention.prototype_matches import this_looks_like_that
from decam.methods.base import Method
from decam.methods.support.attention_hooks import FUSIONS, attentions, encoder_blocks, grid, output_of, rollout
from decam.methods.support.interruptible import Checkpoint
from decam.methods.support.white_box import SLOPE, Opened, by_library, first_order, white_box
from decam.models.networks import is_swin_transformer, is_vision_transformer
from decam.models.networks.abn import AttentionBranchNetwork
from decam.models.networks.bcnn import PARTS, BilinearNetwork
from decam.models.networks.prototypes import EACH, PrototypeNetwork
from decam.settings import Settings, parameter

# Of the opened model, one normalised picture, the target class and the settings: a grid h×w.
Look: TypeAlias = Callable[[Opened, Tensor, int, Any], Tensor]

ATTENTION: frozenset[Need] = frozenset({"attention"})
GRADIENTS: frozenset[Need] = frozenset({"attention", "gradients"})


@dataclass(frozen=True)
class NoSettings(Settings):
    """The network alone decides."""


@dataclass(frozen=True)
class PartSettings(Settings):
    """Which of the network's attention maps is shown."""

    part: int = parameter(0, "0 adds all parts up; 1 is the most active one, and so on.", low=0, high=PARTS)


@dataclass(frozen=True)
class RolloutSettings(Settings):
    """How a block's heads become one."""

    heads: str = parameter("mean", "How the heads of a block are fused; max and min sharpen the map.", choices=FUSIONS)


@dataclass(frozen=True)
class LeGradSettings(Settings):
    """How many blocks are looked at."""

    blocks: int = parameter(
        4, "Blocks counted from the last one back, as many as there are; earlier ones see texture.", low=1, high=24
    )


def _read(look: Look) -> Callable[[Question, Any, int], Steps]:
    """A method that asks once and interpolates the grid found bilinearly to H×W."""

    def run(question: Question, settings: Settings, seed: int) -> Steps:
        del seed
        classifier = white_box(question)

        def attribute(checkpoint: Checkpoint, _: int) -> Tensor:
            model = Opened(question, checkpoint, normalised=True)
            images = classifier.normalise(question.image.unsqueeze(0)).requires_grad_()

            def ask_slope(_: nn.Module, __: object, logits: Tensor) -> None:
                question.ledger.reach = (SLOPE, first_order(question, logits, images))

            model.register_forward_hook(ask_slope)  # at once: LeGrad lets go of the graph
            return look(model, images, question.target, settings).detach()

        coarse = yield from by_library(question, 1, attribute)
        full = F.interpolate(coarse[None, None], classifier.input_size, mode="bilinear", align_corners=False)
        saliency: Map = full[0, 0].cpu().numpy().astype(np.float32)
        return saliency

    return run


def _branch(model: Opened, images: Tensor, target: int, settings: NoSettings) -> Tensor:
    del target, settings
    return output_of(model, "attention", images)[0]


def _parts(model: Opened, images: Tensor, target: int, settings: PartSettings) -> Tensor:
    del target
    maps = output_of(model, "attention", images)
    return maps[settings.part - 1] if settings.part else maps.sum(0)


def _prototypes(model: Opened, images: Tensor, target: int, settings: NoSettings) -> Tensor:
    del settings
    network = cast(PrototypeNetwork, model.model)
    own = slice(target * EACH, (target + 1) * EACH)
    similar = output_of(model, "similarity", images)[own].clamp(min=0)
    weights = network.head.weight[target, own].clamp(min=0)
    return torch.einsum("p,phw->hw", weights, similar)


def _rollout(model: Opened, images: Tensor, target: int, settings: RolloutSettings) -> Tensor:
    del target
    return grid(model, rollout(attentions(model, images), settings.heads))


def _class_token(model: Opened, images: Tensor, target: int, settings: RolloutSettings) -> Tensor:
    del target, settings
    return grid(model, attentions(model, images)[-1, :, 0].mean(0))


def _legrad(model: Opened, images: Tensor, target: int, settings: LeGradSettings) -> Tensor:
    network = model.model
    assert is_vision_transformer(network)

    def score(tokens: Tensor) -> Tensor:
        scores = network.heads(network.encoder.ln(tokens.mean(1)))
        return model.classifier.read(scores, len(scores))

    names: list[nn.Module | str] = [model.inside(name) for name in encoder_blocks(network)[-settings.blocks :]]
    tokens = network.encoder.pos_embedding.shape[1]  # as one row: which of them are places is known elsewhere
    with LeGrad(model, names, score_projection=score, prefix_tokens=0, grid_shape=(1, tokens)) as extractor:
        logits = model(images.requires_grad_())
        (found,) = extractor(class_idx=target, scores=logits, normalized=False)
    return grid(model, found[0, 0].detach())


def _alike(title: str) -> str:
    """Why a map that no class changes cannot tell two classes apart."""
    return f"{title} gives one map for all classes, so it cannot tell one class from another; ask a gradient method."


def _one(settings: Settings, classifier: Classifier) -> int:
    del settings, classifier
    return 1


def _is(kind: type[nn.Module]) -> Callable[[nn.Module], bool]:
    return lambda module: isinstance(module, kind)


def _only(fits: Callable[[nn.Module], bool], title: str, wanted: str) -> Callable[[Classifier], str]:
    """Why a model that attends in another way than networks that fit cannot be read by a method of that title."""

    def obstacle(classifier: Classifier) -> str:
        if not isinstance(classifier, TorchClassifier) or fits(classifier.module):
            return ""
        if fits is is_vision_transformer and is_swin_transformer(classifier.module):
            return (
                f"{title} needs attention over the whole image, and {called(classifier)} attends within windows; "
                "Grad-CAM and Layer-CAM read its last grid instead."
            )
        return f"{title} needs {wanted}, and {called(classifier)} attends in another way."

    return obstacle


_TRANSFORMER = "a vision transformer such as Small ViT or ViT-B/16"

ATTENTION_BRANCH = Method(
    name="attention-branch",
    title="Attention branch",
    family="attention",
    summary="Shows the map by which an attention branch network multiplies its features before it answers.",
    formula=r"M(x) = \sigma\big(w * A(g(x))\big), \quad \text{answer from } (1 + M(x)) \odot g(x)",
    reference="Fukui et al., Attention Branch Network: Learning of Attention Mechanism for Visual Explanation (2019)",
    url="https://arxiv.org/abs/1812.10025",
    strengths="The network really computes with it: nothing is estimated afterwards.",
    misleads="One map for all classes, and features pass where it is 0 as well: what is dark may still decide.",
    needs=ATTENTION,
    signed=False,
    settings=NoSettings,
    run=_read(_branch),
    cost=_one,
    requires=_only(_is(AttentionBranchNetwork), "Attention branch", "a network with an attention branch"),
    one_class=_alike("Attention branch"),
)

BILINEAR = Method(
    name="bilinear-attention",
    title="Bilinear attention",
    family="attention",
    summary="Shows where features are strong and alike: the maps by which a bilinear network pools its features.",
    formula=r"A_k(u) = \frac{\lVert f_u \rVert}{\max_v \lVert f_v \rVert} \, "
    r"e^{\beta (\cos(f_u, f_{v_k}) - 1)}, \quad z_k = \frac{\sum_u A_k(u) f_u}{\sum_u A_k(u)}",
    reference="Gomez et al., BR-NPA: A Non-Parametric High-Resolution Attention Model to Improve the "
    "Interpretability of Attention (2022), after Lin et al., Bilinear CNN Models (2015)",
    url="https://arxiv.org/abs/2106.02566",
    strengths="No weights of its own that could learn to look elsewhere: it is the features' strength.",
    misleads="One set of maps for all classes; strong features of another object or of the ground light up too.",
    needs=ATTENTION,
    signed=False,
    settings=PartSettings,
    run=_read(_parts),
    cost=_one,
    requires=_only(_is(BilinearNetwork), "Bilinear attention", "a network with bilinear pooling such as B-CNN"),
    one_class=_alike("Bilinear attention"),
)

PROTOTYPES = Method(
    name="prototypes",
    title="Prototype likeness",
    family="attention",
    summary="Shows how much each place looks like the patches of training images that stand for the class.",
    formula=r"M_c(u) = \sum_{p \in c} w_{c,p} \, \max\big(0, \cos(f_u, p)\big)",
    reference="Chen et al., This Looks Like That: Deep Learning for Interpretable Image Recognition (2019)",
    url="https://arxiv.org/abs/1806.10574",
    strengths="Gives a map for each class, and each bright place comes with the training patch it resembles.",
    misleads="A place sees far beyond its cell, so what looks alike to the network need not look alike to you.",
    needs=ATTENTION,
    signed=False,
    settings=NoSettings,
    run=_read(_prototypes),
    cost=_one,
    requires=_only(_is(PrototypeNetwork), "Prototype likeness", "a network of prototypes"),
    one_class="Prototype likeness shows the prototypes of one class; ask a gradient method why it is not another.",
    evidence=this_looks_like_that,
)

ROLLOUT = Method(
    name="attention-rollout",
    title="Attention rollout",
    family="attention",
    summary="Follows a transformer's attention through all its blocks, from the class token back to the patches.",
    formula=r"R = \prod_{l=L}^{1} \tfrac{1}{2}\big(\bar{A}_l + I\big), \quad M(u) = R_{\mathrm{class}, u}",
    reference="Abnar and Zuidema, Quantifying Attention Flow in Transformers (2020)",
    url="https://arxiv.org/abs/2005.00928",
    strengths="One pass, no gradients, and no block is left out.",
    misleads="The same for all classes; it sees which tokens are mixed, not what the mixture is used for.",
    needs=ATTENTION,
    signed=False,
    settings=RolloutSettings,
    run=_read(_rollout),
    cost=_one,
    one_class=_alike("Attention rollout"),
    requires=_only(is_vision_transformer, "Attention rollout", _TRANSFORMER),
)

CLASS_TOKEN = Method(
    name="class-token",
    title="Class token attention",
    family="attention",
    summary="Shows what the class token attends to in a transformer's last block, as the mean of its heads.",
    formula=r"M(u) = \frac{1}{H} \sum_{h=1}^{H} A_{L,h}(\mathrm{class}, u)",
    reference="Caron et al., Emerging Properties in Self-Supervised Vision Transformers (2021)",
    url="https://arxiv.org/abs/2104.14294",
    strengths="Read directly from the network, and sharp where heads agree.",
    misleads="The same for all classes; by the last block a token holds much of what its neighbours held.",
    needs=ATTENTION,
    signed=False,
    settings=NoSettings,
    run=_read(_class_token),
    cost=_one,
    one_class=_alike("Class token attention"),
    requires=_only(is_vision_transformer, "Class token attention", _TRANSFORMER),
)

LEGRAD = Method(
    name="legrad",
    title="LeGrad",
    family="attention",
    summary="Adds up, block by block, where more attention would raise the class's score.",
    formula=r"M_c(u) = \frac{1}{L} \sum_l \frac{1}{HT} \sum_{h, t} "
    r"\mathrm{ReLU}\Big(\frac{\partial s_c^l}{\partial A_{l,h}(t, u)}\Big)",
    reference="Bousselham et al., LeGrad: An Explainability Method for Vision Transformers via Feature Formation "
    "Sensitivity (2024)",
    url="https://arxiv.org/abs/2404.03214",
    strengths="Depends on the class, unlike attention itself, at the price of one backward pass.",
    misleads="Attention that lowers the score is cut off; early blocks are read with a head made for the last, and the "
    "mean of all tokens where the model reads its class token.",
    needs=GRADIENTS,
    signed=False,
    settings=LeGradSettings,
    run=_read(_legrad),
    cost=_one,
    requires=_only(is_vision_transformer, "LeGrad", _TRANSFORMER),
)
