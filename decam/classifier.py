"""The side that answers: what a method may ask of a model, and PyTorch modules and plain functions that answer it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from decam.captured import Captured, recordable
from decam.device import full_float32
from decam.errors import ModelError
from decam.locks import SharedLock

Need: TypeAlias = Literal["output", "gradients", "activations", "attention"]
Pixels: TypeAlias = NDArray[np.uint8]
View: TypeAlias = Callable[[Image.Image], Image.Image]
Precision: TypeAlias = Literal["float32", "bfloat16", "float16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Speed:
    """How a model is asked: numeric precision, memory layout, images a batch, and batches side by side.

    More than one of `streams` means that so many batches are asked at a time, each on one core. `captured` is for CUDA:
    batches are answered by a recorded graph of the forward pass.
    """

    precision: Precision = "float32"
    channels_last: bool = False
    batch_size: int = 16
    streams: int = 1
    note: str = ""
    captured: bool = False


@runtime_checkable
class Classifier(Protocol):
    """Images in, class probabilities out.

    `input_size` is (H, W). `mean` is the colour, RGB in [0, 1], that is zero after the model's normalisation.
    `gives` says what a method may ask for. `normalise` turns N×3×H×W in [0, 1] into what `answer` takes (the two are
    apart so that masks can be blended after normalisation, once); it is affine in each pixel.
    """

    name: str
    labels: tuple[str, ...]
    input_size: tuple[int, int]
    mean: tuple[float, float, float]
    device: torch.device
    gives: frozenset[Need]
    speed: Speed

    def view(self, image: Image.Image) -> Pixels:
        """The picture as the model sees it: resized, cropped, H×W×3 uint8 RGB."""
        ...

    def normalise(self, images: Tensor) -> Tensor:
        """N×3×H×W in [0, 1] to the model's own scale, on its device."""
        ...

    def answer(self, normalised: Tensor) -> Tensor:
        """Normalised N×3×H×W to N×C probabilities, float32, on the model's device; gradients do not flow."""
        ...


def computing(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Within this context a model on the device computes in that precision where it may, and else in float32."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16 if precision == "bfloat16" else torch.float16)


def probabilities(classifier: Classifier, images: Tensor) -> Tensor:
    """N×3×H×W float32 RGB in [0, 1] to N×C probabilities."""
    return classifier.answer(classifier.normalise(images))


def _strides(part: Tensor, layout: torch.memory_format) -> tuple[int, ...]:
    return torch.empty_like(part, memory_format=layout, device="meta").stride()


def to_tensor(classifier: Classifier, view: Pixels) -> Tensor:
    """A view (H×W×3 uint8) as 3×H×W float32 in [0, 1] on the classifier's device."""
    height, width = classifier.input_size
    if view.shape != (height, width, 3) or view.dtype != np.uint8:
        raise ModelError(
            f"{classifier.name} takes pictures of {height}×{width}×3 bytes, not {view.shape} {view.dtype}; "
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


class TorchClassifier:
    """A `torch.nn.Module` that ends in logits, with its normalisation, its labels and its layers.

    `attention` says that the module weighs places by an attention of its own, which methods may ask for.
    """

    def __init__(
        self,
        name: str,
        module: nn.Module,
        labels: Sequence[str],
        *,
        input_size: tuple[int, int] = (224, 224),
        mean: tuple[float, float, float] = IMAGENET_MEAN,
        std: tuple[float, float, float] = IMAGENET_STD,
        view: View | None = None,
        layer: str = "",
        layers: Sequence[str] = (),
        device: torch.device | str = "cpu",
        speed: Speed | None = None,
        attention: bool = False,
    ) -> None:
        self.name = name
        given: frozenset[Need] = frozenset({"output", "gradients", "activations"})
        self.gives: frozenset[Need] = given | {"attention"} if attention else given
        self.labels = tuple(labels)
        self.input_size = input_size
        self.mean = mean
        self.std = std
        self.layer = layer
        self.layers = tuple(layers)
        self.device = torch.device(device)
        self.lock = SharedLock()
        self._view = view
        self._scale = [torch.tensor(values, device=self.device).view(1, 3, 1, 1) for values in (mean, std)]
        if self.device.type == "cuda":
            full_float32()
        self.module = module.eval().requires_grad_(False).to(self.device)
        self._captured: Captured | None = None
        self._capturing = threading.Lock()
        self.speed = Speed()
        self.use(speed or Speed())

    def use(self, speed: Speed) -> None:
        """Ask the model in this way from now on."""
        layout = torch.channels_last if speed.channels_last else torch.contiguous_format
        with self.lock.alone():
            for part in (*self.module.parameters(), *self.module.buffers()):
                # What lies right already is left alone: another classifier may share it and be at work.
                if part.ndim == 4 and part.stride() != _strides(part, layout):
                    # Module.to() keeps the strides of 1×1 kernels, which fit both layouts, and kernels are chosen by
                    # strides: answers would differ in their last bits with what was used before.
                    part.data = torch.empty_like(part.data, memory_format=layout).copy_(part.data)
            self._captured = None
            self.speed = speed

    def around(self, module: nn.Module) -> TorchClassifier:
        """The same classifier around another module of the same kind."""
        return TorchClassifier(
            self.name,
            module,
            self.labels,
            input_size=self.input_size,
            mean=self.mean,
            std=self.std,
            view=self._view,
            layer=self.layer,
            layers=self.layers,
            device=self.device,
            speed=self.speed,
            attention="attention" in self.gives,
        )

    def view(self, image: Image.Image) -> Pixels:
        """The picture as the model sees it: resized, cropped, H×W×3 uint8 RGB."""
        seen = self._view(image) if self._view else fit(image, self.input_size)
        return np.asarray(seen.convert("RGB"), dtype=np.uint8)

    def normalise(self, images: Tensor) -> Tensor:
        """N×3×H×W in [0, 1] to zero mean and unit variance over the training set."""
        mean, std = self._scale
        return (images.to(self.device) - mean) / std

    def logits(self, normalised: Tensor) -> Tensor:
        """Normalised N×3×H×W to N×C logits; gradients flow."""
        result: Tensor = self.module(normalised)
        return result

    @torch.inference_mode()
    def answer(self, normalised: Tensor) -> Tensor:
        """Normalised N×3×H×W to N×C probabilities, float32; several threads may ask at a time."""
        with self.lock.shared(), computing(self.device, self.speed.precision):
            logits = self._forward(normalised)
        return torch.softmax(logits.float(), dim=1)

    def _forward(self, normalised: Tensor) -> Tensor:
        """Logits by the recorded graph where that is asked for and can answer, else by the module itself."""
        speed = self.speed
        if speed.captured and len(normalised) <= speed.batch_size and recordable(self.module, normalised):
            with self._capturing:
                if self._captured is None:
                    example = normalised.new_zeros(speed.batch_size, *normalised.shape[1:])
                    self._captured = Captured(self.module, example)
            return self._captured(normalised)
        answered: Tensor = self.module(normalised)
        return answered


class FunctionClassifier:
    """Any function from N×3×H×W float32 in [0, 1] to N×C probabilities: a black box."""

    gives: frozenset[Need] = frozenset({"output"})

    def __init__(
        self,
        function: Callable[[Tensor], Tensor],
        labels: Sequence[str],
        input_size: tuple[int, int] = (224, 224),
        *,
        name: str = "function",
        mean: tuple[float, float, float] = IMAGENET_MEAN,
        batch_size: int = 16,
    ) -> None:
        self.name = name
        self.labels = tuple(labels)
        self.input_size = input_size
        self.mean = mean
        self.device = torch.device("cpu")
        self.speed = Speed(batch_size=batch_size)
        self._function = function

    def view(self, image: Image.Image) -> Pixels:
        """The picture scaled and cropped to the input size, H×W×3 uint8 RGB."""
        return np.asarray(fit(image, self.input_size).convert("RGB"), dtype=np.uint8)

    def normalise(self, images: Tensor) -> Tensor:
        """Nothing to do: the function takes images in [0, 1]."""
        return images

    def answer(self, normalised: Tensor) -> Tensor:
        """N×3×H×W in [0, 1] to N×C probabilities; raises ModelError where the function answers something else."""
        with torch.no_grad():
            answers = self._function(normalised.contiguous())
        expected = (len(normalised), len(self.labels))
        if not isinstance(answers, Tensor) or tuple(answers.shape) != expected:
            got = tuple(answers.shape) if isinstance(answers, Tensor) else type(answers).__name__
            raise ModelError(f"The function must answer a tensor of {expected} probabilities, not {got}.")
        if not torch.isfinite(answers).all():
            raise ModelError("The function answered values that are not finite; probabilities were expected.")
        return answers.detach().to(torch.float32)


def wrap(
    function: Callable[[Tensor], Tensor],
    *,
    labels: Sequence[str],
    input_size: tuple[int, int] = (224, 224),
    mean: tuple[float, float, float] = IMAGENET_MEAN,
    batch_size: int = 16,
    name: str = "function",
) -> FunctionClassifier:
    """A classifier from any callable: torch N×3×H×W float32 in [0, 1] to N×C probabilities.

    `mean` is the colour (RGB in [0, 1]) that the fill of that name uses; raises ModelError for an empty list of
    labels or a size under 2 pixels.
    """
    if not labels or min(input_size) < 2:
        raise ModelError("wrap() needs at least one label and an input size of at least 2×2 pixels.")
    return FunctionClassifier(function, labels, input_size, name=name, mean=mean, batch_size=batch_size)
