"""What a method may ask of a model: protocol, precision, pictures as tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from decam.classifier.answers import check_probabilities
from decam.errors import ModelError

Need: TypeAlias = Literal["output", "gradients", "activations", "attention"]
Pixels: TypeAlias = NDArray[np.uint8]
View: TypeAlias = Callable[[Image.Image], Image.Image]
Precision: TypeAlias = Literal["float32", "bfloat16", "float16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
LUMA = (0.299, 0.587, 0.114)
"""What red, green and blue add to a grey, as PIL and ITU-R BT.601 mix colours."""


@dataclass(frozen=True)
class Execution:
    """How a model is asked: numeric precision, memory layout, images a batch, batches side by side, and the engine.

    With more than one of `parallel_batches` so many batches are asked at a time, each on one core. `engine` names a row
    of ENGINES, which computes answers; gradients and activations are PyTorch's own, in the same precision and layout.
    """

    precision: Precision = "float32"
    channels_last: bool = False
    batch_size: int = 16
    parallel_batches: int = 1
    note: str = ""
    engine: str = "eager"


_EARLIER_NAMES = {"streams": "parallel_batches", "captured": "engine", "cuda_graph": "engine"}
_EARLIER_ENGINES = {False: "eager", True: "cuda-graph"}


def todays(entries: Mapping[str, object]) -> dict[str, object]:
    """The fields of an Execution as files of earlier versions have them, under today's names and values."""
    found = {_EARLIER_NAMES.get(name, name): value for name, value in entries.items()}
    if isinstance(recorded := found.get("engine"), bool):
        found["engine"] = _EARLIER_ENGINES[recorded]
    return found


@runtime_checkable
class Classifier(Protocol):
    """Images in, class probabilities out.

    `input_size` is (H, W). `mean` is the colour, RGB in [0, 1], that is zero after the model's normalisation.
    `provides` says what a method may ask for. `normalise` turns N×3×H×W in [0, 1] into what `answer` takes (the two are
    apart so that masks can be blended after normalisation, once); it is affine in each pixel, and gives N×1×H×W for a
    model of one channel.
    """

    name: str
    labels: tuple[str, ...]
    input_size: tuple[int, int]
    mean: tuple[float, float, float]
    device: torch.device
    provides: frozenset[Need]
    execution: Execution

    def view(self, image: Image.Image) -> Pixels:
        """The picture as the model sees it: resized, cropped, H×W×3 uint8 RGB."""
        ...

    def normalise(self, images: Tensor) -> Tensor:
        """N×3×H×W in [0, 1] to the model's own scale, on its device."""
        ...

    def answer(self, normalised: Tensor) -> Tensor:
        """Normalised pictures to N×C probabilities, float32, on the model's device; gradients do not flow."""
        ...


def called(classifier: Classifier) -> str:
    """What people call a classifier: its title where it has one, such as SqueezeNet 1.0, else its name."""
    return getattr(classifier, "title", "") or classifier.name


def computing(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Within this context a model on the device computes in that precision where it may, and else in float32."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16 if precision == "bfloat16" else torch.float16)


def probabilities(classifier: Classifier, images: Tensor) -> Tensor:
    """N×3×H×W float32 RGB in [0, 1] to N×C probabilities; raises ModelError where the answers are none.

    A module answers itself: to prepare an engine takes seconds, which a few pictures are not worth.
    """
    answer = getattr(classifier, "answer_itself", classifier.answer)
    answers: Tensor = answer(classifier.normalise(images))
    check_probabilities(answers, classifier.name)
    return answers


def to_tensor(classifier: Classifier, view: Pixels) -> Tensor:
    """A view (H×W×3 uint8) as 3×H×W float32 in [0, 1] on the classifier's device."""
    height, width = classifier.input_size
    if view.shape != (height, width, 3) or view.dtype != np.uint8:
        raise ModelError(
            f"{called(classifier)} takes images of {height}×{width}×3 bytes, not {view.shape} {view.dtype}; "
            "make them with classifier.view(image)."
        )
    return torch.from_numpy(view.copy()).permute(2, 0, 1).to(classifier.device, torch.float32).div_(255)


def fit(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Scale the picture until it covers `size` (H, W), then crop the centre."""
    height, width = size
    scale = max(height / image.height, width / image.width)
    scaled = (max(width, round(image.width * scale)), max(height, round(image.height * scale)))
    resized = image.resize(scaled, Image.Resampling.BILINEAR)
    left, top = (scaled[0] - width) // 2, (scaled[1] - height) // 2
    return resized.crop((left, top, left + width, top + height))
