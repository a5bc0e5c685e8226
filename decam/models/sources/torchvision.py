"""Torchvision's ImageNet classifiers: weights from disk, the model's own view of a picture, layers for Grad-CAM."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from torch import nn
from torchvision.models import WeightsEnum, get_model, get_model_weights
from torchvision.transforms import functional as F
from torchvision.transforms._presets import ImageClassification

from decam.classifier import TorchClassifier, View
from decam.classifier.inspection import Inspection
from decam.classifier.layers import candidates
from decam.errors import ModelError
from decam.hardware.device import is_memory
from decam.models.networks import attends
from decam.models.sources.base import Architecture, Entry, Source, file_digest, published

TITLES = {
    "squeezenet1_0": "SqueezeNet 1.0",
    "mobilenet_v3_large": "MobileNet V3 large",
    "resnet18": "ResNet-18",
    "resnet50": "ResNet-50",
    "efficientnet_b0": "EfficientNet-B0",
    "densenet121": "DenseNet-121",
    "vgg16": "VGG-16",
    "convnext_tiny": "ConvNeXt tiny",
    "vit_b_16": "ViT-B/16",
    "swin_t": "Swin-T",
}

# Elsewhere the last candidate is right: the last features before they are pooled over the picture.
_LAYERS = {
    "squeezenet1_0": "features.12",  # behind it is the classifier, which here is a convolution
    "vgg16": "features.29",  # behind it is a pooling that only makes the map coarser
}


def entry(name: str) -> Entry | None:
    """The entry of one of torchvision's models, with torchvision's own facts; None for another name."""
    if name not in TITLES:
        return None
    described = _weights(name)
    meta = described.meta
    return Entry(
        name=name,
        title=TITLES[name],
        origin=SOURCE,
        domain="photographs",
        parameters=meta["num_params"],
        operations=meta["_ops"],
        top1=meta["_metrics"]["ImageNet-1K"]["acc@1"],
        size=math.ceil(meta["_file_size"] * 2**20),  # torchvision counts in MiB
        url=described.url,
        reference=meta["recipe"],
    )


def weights_path(entry: Entry) -> Path:
    """Torchvision's own place, which TORCH_HOME moves."""
    return Path(torch.hub.get_dir()) / "checkpoints" / entry.url.rsplit("/", 1)[-1]


def digest(entry: Entry) -> str:
    """The SHA-256 of the file in hexadecimal where it is not the one that torchvision publishes; else empty."""
    path = weights_path(entry)
    found = file_digest(path)
    return "" if found.startswith(published(path.name)) else found


def load(entry: Entry, device: torch.device) -> TorchClassifier:
    """The classifier of an entry whose weights are on disk; raises ModelError for absent or damaged ones."""
    with torch.device("meta"):  # neither memory nor time for weights that are replaced at once
        module = get_model(entry.name).eval()
    layers = candidates(module)
    _fill(module, entry)
    return _classifier(entry.name, entry.name, module, layers, _labels(entry.name), device, _other_weights(entry))


def _other_weights(entry: Entry) -> str:
    """What a reader must know where the file is not the one that torchvision publishes; else empty."""
    found, file = digest(entry), weights_path(entry).name
    return found and (
        f"The weights of {entry.title} here are not the file that torchvision publishes: the SHA-256 of {file} begins "
        f"with {found[:8]}. Unless they were put there on purpose, delete that file and download it again."
    )


def untrained(name: str, device: torch.device | str = "cpu") -> TorchClassifier:
    """The same network with random weights: for timing and for tests, where its answers mean nothing."""
    with torch.device("meta"):
        layers = candidates(get_model(name).eval())
    return _classifier(name, name, get_model(name), layers, _labels(name), torch.device(device))


def _weights(architecture: str) -> WeightsEnum:
    """Torchvision's own description of a model's best weights."""
    return get_model_weights(architecture).DEFAULT


def _labels(architecture: str) -> tuple[str, ...]:
    return tuple(_weights(architecture).meta["categories"])


def _classifier(
    architecture: str,
    name: str,
    module: nn.Module,
    layers: tuple[str, ...],
    labels: Sequence[str],
    device: torch.device,
    note: str = "",
) -> TorchClassifier:
    preset: ImageClassification = _weights(architecture).transforms()
    side = preset.crop_size[0]
    return TorchClassifier(
        name,
        module,
        labels,
        input_size=(side, side),
        mean=tuple(preset.mean),
        std=tuple(preset.std),
        view=view(preset),
        layer=_LAYERS.get(architecture, layers[-1]),
        layers=layers,
        device=device,
        attention=attends(module),
        inspection=Inspection(note=note) if len(labels) > 1 else None,  # one score may be a logit or a probability
    )


def view(preset: ImageClassification) -> View:
    """What torchvision's preset does to a picture before it becomes a tensor: resize, then crop the centre."""

    def see(image: Image.Image) -> Image.Image:
        resized = F.resize(image, preset.resize_size, preset.interpolation, antialias=preset.antialias)
        cropped: Image.Image = F.center_crop(resized, preset.crop_size)
        return cropped

    return see


def _fill(module: nn.Module, entry: Entry) -> None:
    """Put the weights on disk into the module."""
    path = entry.weights_path()
    try:
        path.open("rb").close()
    except OSError as error:
        raise ModelError(f"The weights of {entry.title} cannot be read from {path}: {error.strerror}.") from error
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        module.load_state_dict({_current(name): value for name, value in state.items()}, assign=True)
    except Exception as error:  # unpickling damaged bytes can raise anything
        if is_memory(error):  # says nothing of the file
            raise
        raise ModelError(
            f"The weights of {entry.title} in {path} are damaged; delete that file and download it again."
        ) from error


# Weights of densenet121 are older than the rule that names of modules hold no dots.
_OLD_NAME = re.compile(r"^(.*denselayer\d+\.(?:norm|conv))\.([12]\.)")


def _current(name: str) -> str:
    """A tensor's name now."""
    return _OLD_NAME.sub(r"\1\2", name)


def _wrap(
    architecture: str, name: str, module: nn.Module, labels: Sequence[str], device: torch.device
) -> TorchClassifier:
    return _classifier(architecture, name, module, candidates(module), labels, device)


def _architecture(name: str) -> Architecture:
    return Architecture(
        title=TITLES[name],
        labels=_labels(name),
        make=lambda classes: get_model(name, num_classes=classes),
        wrap=partial(_wrap, name),
        sizable=True,
        current=_current,
    )


SOURCE = Source(
    name="torchvision",
    title="Torchvision",
    offered=tuple(TITLES),
    entry=entry,
    weights_path=weights_path,
    load=load,
    untrained=untrained,
    digest=digest,
    architectures=tuple(_architecture(name) for name in TITLES),
)
