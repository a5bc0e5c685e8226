"""The models that come with the project: a table of networks, their weights, and where Grad-CAM looks in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from decam.classifier import TorchClassifier
from decam.classifier.inspection import Inspection
from decam.classifier.layers import candidates
from decam.errors import ModelError
from decam.models import hidden
from decam.models.networks import abn, attends, bcnn, embedded, prototypes, small_vit
from decam.models.networks.blocks import INPUT_SIZE, LABELS, MEAN, STD
from decam.models.sources.base import Architecture, Entry, Source
from decam.models.weight_files import Weights


@dataclass(frozen=True)
class Bundled:
    """One model: its name for people, its weights, the last layer worth looking at, and the paper it follows.

    `listed` says whether the catalogue offers it: the model of shuffled labels is there for a sanity check alone, and
    the hidden ones (decam/models/hidden.py) for who looks for what they hide. `parameters` is how many weights the
    network has: written down, as making a network to count them takes PyTorch seconds of imports.
    """

    title: str
    weights: Weights[Any, Any]
    parameters: int
    layer: str
    reference: str = ""
    listed: bool = True


_PLAIN = 258_778  # weights of the embedded network, which others share

BUNDLED: dict[str, Bundled] = {
    "embedded": Bundled("Shapes demo", embedded.STORED, _PLAIN, "blocks.3"),
    "abn": Bundled(
        "Attention branch network", abn.STORED, 300_847, "trunk.blocks.3", "https://arxiv.org/abs/1812.10025"
    ),
    "bcnn": Bundled("B-CNN", bcnn.STORED, 260_378, "trunk.blocks.3", "https://arxiv.org/abs/2106.02566"),
    "prototypes": Bundled(
        "Prototype network", prototypes.STORED, 263_596, "trunk.blocks.3", "https://arxiv.org/abs/1806.10574"
    ),
    "small-vit": Bundled(
        "Small ViT",
        small_vit.STORED,
        408_698,
        "encoder.layers.encoder_layer_3.ln_1",
        "https://arxiv.org/abs/2010.11929",
    ),
    "shuffled": Bundled("Shuffled labels", embedded.SHUFFLED, _PLAIN, "blocks.3", listed=False),
    **{
        name: Bundled(hidden.title(name), hidden.STORED[name], _PLAIN, "blocks.3", listed=False)
        for name in hidden.names()
    },
}


_SHUFFLED = {"embedded": "shuffled"}
"""For a model the same network trained on shuffled labels."""


def entry(name: str) -> Entry | None:
    """The entry of a bundled model, listed or not; None for another name."""
    own = BUNDLED.get(name)
    if own is None:
        return None
    try:
        accuracy = own.weights.card().accuracy * 100
    except ModelError:
        accuracy = None  # loading the model says what is wrong with its weights; the list must stand without them
    return Entry(
        name=name,
        title=own.title,
        origin=SOURCE,
        domain="scenes",
        parameters=own.parameters,
        top1=accuracy,
        reference=own.reference,
        shuffled=_SHUFFLED.get(name, ""),
    )


def weights_path(entry: Entry) -> Path:
    """The file of weights in the package."""
    return BUNDLED[entry.name].weights.path


def load(entry: Entry, device: torch.device) -> TorchClassifier:
    """The classifier of an entry; raises ModelError where its weights are missing or damaged."""
    own = BUNDLED[entry.name]
    return _classifier(entry.name, own.weights.load(), LABELS, device, own.layer)


@cache
def untrained(name: str) -> TorchClassifier:
    """The same classifier with the weights it would begin to learn from: what it gives and attends to, at no cost."""
    own = BUNDLED[name]
    return _classifier(name, own.weights.make(), LABELS, torch.device("cpu"), own.layer)


def _classifier(
    name: str, module: nn.Module, labels: Sequence[str], device: torch.device, layer: str
) -> TorchClassifier:
    return TorchClassifier(
        name,
        module,
        labels,
        input_size=INPUT_SIZE,
        mean=MEAN,
        std=STD,
        layer=layer,
        layers=candidates(module, INPUT_SIZE),
        device=device,
        attention=attends(module),
        inspection=Inspection(),
    )


def _architectures() -> tuple[Architecture, ...]:
    """The bundled networks, each once however many weights there are for it."""
    first: dict[object, Bundled] = {}
    for own in BUNDLED.values():
        first.setdefault(own.weights.make, own)
    return tuple(map(_architecture, first.values()))


def _architecture(own: Bundled) -> Architecture:
    return Architecture(
        title=own.title,
        classes=len(LABELS),
        labels=lambda: LABELS,
        make=lambda _: own.weights.make(),
        wrap=lambda name, module, labels, device: _classifier(name, module, labels, device, own.layer),
    )


SOURCE = Source(
    name="bundled",
    title="Bundled",
    offered=tuple(name for name, own in BUNDLED.items() if own.listed),
    entry=entry,
    weights_path=weights_path,
    load=load,
    untrained=untrained,
    architectures=_architectures(),
)
