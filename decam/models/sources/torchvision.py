"""Torchvision's ImageNet classifiers: weights from disk, the model's own view of a picture, layers for Grad-CAM."""

from __future__ import annotations

import re

import torch
from PIL import Image
from torch import nn
from torchvision.models import get_model
from torchvision.transforms import functional as F
from torchvision.transforms._presets import ImageClassification

from decam.classifier import TorchClassifier, View
from decam.classifier.inspection import Inspection
from decam.classifier.layers import candidates
from decam.errors import ModelError
from decam.models import catalogue
from decam.models.catalogue import Entry
from decam.models.networks import attends

# Elsewhere the last candidate is right: the last features before they are pooled over the picture.
_LAYERS = {
    "squeezenet1_0": "features.12",  # behind it is the classifier, which here is a convolution
    "vgg16": "features.29",  # behind it is a pooling that only makes the map coarser
}


def load(entry: Entry, device: torch.device) -> TorchClassifier:
    """The classifier of an entry whose weights are on disk; raises ModelError for absent or damaged ones."""
    with torch.device("meta"):  # neither memory nor time for weights that are replaced at once
        module = get_model(entry.name).eval()
    layers = candidates(module)
    _fill(module, entry)
    return _classifier(entry, module, layers, device)


def untrained(name: str, device: torch.device | str = "cpu") -> TorchClassifier:
    """The same network with random weights: for timing and for tests, where its answers mean nothing."""
    entry = catalogue.get(name)
    with torch.device("meta"):
        layers = candidates(get_model(name).eval())
    return _classifier(entry, get_model(name), layers, torch.device(device))


def _classifier(entry: Entry, module: nn.Module, layers: tuple[str, ...], device: torch.device) -> TorchClassifier:
    weights = catalogue.weights(entry.name)
    preset: ImageClassification = weights.transforms()
    side = preset.crop_size[0]
    return TorchClassifier(
        entry.name,
        module,
        weights.meta["categories"],
        input_size=(side, side),
        mean=tuple(preset.mean),
        std=tuple(preset.std),
        view=view(preset),
        layer=_LAYERS.get(entry.name, layers[-1]),
        layers=layers,
        device=device,
        attention=attends(module),
        inspection=Inspection(),
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
        module.load_state_dict({_OLD_NAME.sub(r"\1\2", name): value for name, value in state.items()}, assign=True)
    except Exception as error:  # unpickling damaged bytes can raise anything
        raise ModelError(
            f"The weights of {entry.title} in {path} are damaged; delete that file and download it again."
        ) from error


# Weights of densenet121 are older than the rule that names of modules hold no dots.
_OLD_NAME = re.compile(r"^(.*denselayer\d+\.(?:norm|conv))\.([12]\.)")
