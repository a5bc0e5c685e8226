"""The models that come with the project: a table of networks, their weights, and where Grad-CAM looks in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from decam.classifier import TorchClassifier
from decam.classifier.inspection import Inspection
from decam.classifier.layers import candidates
from decam.models import hidden
from decam.models.networks import abn, attends, bcnn, embedded, prototypes, small_vit
from decam.models.networks.blocks import INPUT_SIZE, LABELS, MEAN, STD
from decam.models.weight_files import Weights


@dataclass(frozen=True)
class Bundled:
    """One model: its name for people, its weights, the last layer worth looking at, and the paper it follows.

    `listed` says whether the catalogue offers it: the model of shuffled labels is there for a sanity check alone, and
    the hidden ones (decam/models/hidden.py) for who looks for what they hide.
    """

    title: str
    weights: Weights[Any, Any]
    layer: str
    reference: str = ""
    listed: bool = True


BUNDLED: dict[str, Bundled] = {
    "embedded": Bundled("Embedded", embedded.STORED, "blocks.3"),
    "abn": Bundled("Attention branch network", abn.STORED, "trunk.blocks.3", "https://arxiv.org/abs/1812.10025"),
    "bcnn": Bundled("B-CNN", bcnn.STORED, "trunk.blocks.3", "https://arxiv.org/abs/2106.02566"),
    "prototypes": Bundled("Prototype network", prototypes.STORED, "trunk.blocks.3", "https://arxiv.org/abs/1806.10574"),
    "small-vit": Bundled(
        "Small ViT", small_vit.STORED, "encoder.layers.encoder_layer_3.ln_1", "https://arxiv.org/abs/2010.11929"
    ),
    "shuffled": Bundled("Shuffled labels", embedded.SHUFFLED, "blocks.3", listed=False),
    **{name: Bundled(hidden.title(name), hidden.STORED[name], "blocks.3", listed=False) for name in hidden.names()},
}


_SHUFFLED = {"embedded": "shuffled"}


def label_shuffled_version(name: str) -> str | None:
    """The same network trained on shuffled labels, by name; None where there is none or its weights are missing."""
    shuffled = _SHUFFLED.get(name)
    return shuffled if shuffled and BUNDLED[shuffled].weights.path.is_file() else None


def load(name: str, device: torch.device) -> TorchClassifier:
    """The classifier of that name; raises ModelError where its weights are missing or damaged."""
    own = BUNDLED[name]
    module = own.weights.load()
    return TorchClassifier(
        name,
        module,
        LABELS,
        input_size=INPUT_SIZE,
        mean=MEAN,
        std=STD,
        layer=own.layer,
        layers=candidates(module, INPUT_SIZE),
        device=device,
        attention=attends(module),
        inspection=Inspection(),
    )


@cache
def untrained(name: str) -> TorchClassifier:
    """The same classifier with the weights it would begin to learn from: what it gives and attends to, at no cost."""
    own = BUNDLED[name]
    module = own.weights.make()
    return TorchClassifier(
        name,
        module,
        LABELS,
        input_size=INPUT_SIZE,
        mean=MEAN,
        std=STD,
        layer=own.layer,
        attention=attends(module),
        inspection=Inspection(),
    )


@cache
def parameters(name: str) -> int:
    """How many weights a network has, whether or not its file is here."""
    with torch.device("meta"):
        return sum(weights.numel() for weights in BUNDLED[name].weights.make().parameters())
