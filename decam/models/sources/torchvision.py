"""Torchvision's ImageNet classifiers: weights from disk, the model's own view of a picture, layers for Grad-CAM."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import nn

from decam.classifier import TorchClassifier, View
from decam.classifier.inspection import Inspection
from decam.classifier.layers import candidates
from decam.errors import ModelError
from decam.hardware.device import is_memory
from decam.models.networks import attends
from decam.models.sources.base import Architecture, Entry, Source, file_digest, published

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum
    from torchvision.transforms._presets import ImageClassification


@dataclass(frozen=True)
class Facts:
    """What the catalogue says of a model, as torchvision publishes it; a test compares all of it.

    Written down here since importing torchvision takes seconds, which only its own models are worth. `operations` are
    multiply-adds for one image in thousand millions, `mebibytes` the size of the file, `top1` a share in per cent.
    `file` and `recipe` are the ends of the addresses of the weights and of a page on how the model was trained.
    """

    title: str
    parameters: int
    operations: float
    top1: float
    mebibytes: float
    file: str
    recipe: str

    @property
    def url(self) -> str:
        """Where the weights are."""
        return f"https://download.pytorch.org/models/{self.file}"

    @property
    def reference(self) -> str:
        """The page on how the model was trained."""
        return f"https://github.com/pytorch/vision/{self.recipe}"


CLASSES = 1000
_TRAINING = "tree/main/references/classification"
FACTS: dict[str, Facts] = {
    "squeezenet1_0": Facts(
        "SqueezeNet 1.0",
        1_248_424,
        0.819,
        58.092,
        4.778,
        "squeezenet1_0-b66bff10.pth",
        "pull/49#issuecomment-277560717",
    ),
    "mobilenet_v3_large": Facts(
        "MobileNet V3 large",
        5_483_032,
        0.217,
        75.274,
        21.107,
        "mobilenet_v3_large-5c1a4163.pth",
        "issues/3995#new-recipe-with-reg-tuning",
    ),
    "resnet18": Facts("ResNet-18", 11_689_512, 1.814, 69.758, 44.661, "resnet18-f37072fd.pth", f"{_TRAINING}#resnet"),
    "resnet50": Facts(
        "ResNet-50", 25_557_032, 4.089, 80.858, 97.79, "resnet50-11ad3fa6.pth", "issues/3995#issuecomment-1013906621"
    ),
    "efficientnet_b0": Facts(
        "EfficientNet-B0",
        5_288_548,
        0.386,
        77.692,
        20.451,
        "efficientnet_b0_rwightman-7f5810bc.pth",
        f"{_TRAINING}#efficientnet-v1",
    ),
    "densenet121": Facts("DenseNet-121", 7_978_856, 2.834, 74.434, 30.845, "densenet121-a639ec97.pth", "pull/116"),
    "vgg16": Facts("VGG-16", 138_357_544, 15.47, 71.592, 527.796, "vgg16-397923af.pth", f"{_TRAINING}#alexnet-and-vgg"),
    "convnext_tiny": Facts(
        "ConvNeXt tiny", 28_589_128, 4.456, 82.52, 109.119, "convnext_tiny-983f1562.pth", f"{_TRAINING}#convnext"
    ),
    "vit_b_16": Facts(
        "ViT-B/16", 86_567_656, 17.564, 81.072, 330.285, "vit_b_16-c867db91.pth", f"{_TRAINING}#vit_b_16"
    ),
    "swin_t": Facts("Swin-T", 28_288_354, 4.491, 81.474, 108.19, "swin_t-704ceda3.pth", f"{_TRAINING}#swintransformer"),
}

# Elsewhere the last candidate is right: the last features before they are pooled over the picture.
_LAYERS = {
    "squeezenet1_0": "features.12",  # behind it is the classifier, which here is a convolution
    "vgg16": "features.29",  # behind it is a pooling that only makes the map coarser
}


def entry(name: str) -> Entry | None:
    """The entry of one of torchvision's models, with its facts; None for another name."""
    facts = FACTS.get(name)
    if facts is None:
        return None
    return Entry(
        name=name,
        title=facts.title,
        origin=SOURCE,
        domain="photographs",
        parameters=facts.parameters,
        operations=facts.operations,
        top1=facts.top1,
        size=math.ceil(facts.mebibytes * 2**20),
        url=facts.url,
        reference=facts.reference,
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
        module = _network(entry.name).eval()
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
        layers = candidates(_network(name).eval())
    return _classifier(name, name, _network(name), layers, _labels(name), torch.device(device))


def _network(architecture: str, classes: int = CLASSES) -> nn.Module:
    """Torchvision's network of that name, untrained."""
    from torchvision.models import get_model  # here, for it takes seconds

    made: nn.Module = get_model(architecture, num_classes=classes)
    return made


def _weights(architecture: str) -> WeightsEnum:
    """Torchvision's own description of a model's best weights."""
    from torchvision.models import get_model_weights

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
        from torchvision.transforms import functional as F

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
        title=FACTS[name].title,
        classes=CLASSES,
        labels=lambda: _labels(name),
        make=lambda classes: _network(name, classes),
        wrap=partial(_wrap, name),
        sizable=True,
        current=_current,
    )


SOURCE = Source(
    name="torchvision",
    title="Torchvision",
    offered=tuple(FACTS),
    entry=entry,
    weights_path=weights_path,
    load=load,
    untrained=untrained,
    digest=digest,
    architectures=tuple(_architecture(name) for name in FACTS),
)
