"""The side that answers: what a method may ask of a model, and PyTorch modules and plain functions that answer it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from decam.classifier.answers import Answers, OutputFormat, check_answers, check_probabilities, selected, shaped
from decam.classifier.arguments import batch_size_of, classes_of, labels_of, layer_name, normalisation_of, size_of
from decam.classifier.inspection import Inspection, inspect
from decam.classifier.sharing import check_loaded, evaluating, keeping_buffers, unwrapped, working_copy
from decam.errors import DecamError, ModelError
from decam.hardware.cuda_graph import CudaGraph, recordable
from decam.hardware.device import full_float32, is_memory
from decam.hardware.locks import SharedLock

Need: TypeAlias = Literal["output", "gradients", "activations", "attention"]
Pixels: TypeAlias = NDArray[np.uint8]
View: TypeAlias = Callable[[Image.Image], Image.Image]
Precision: TypeAlias = Literal["float32", "bfloat16", "float16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_ADVICE = (
    "Give the input_size that it was made for, and a mean and std of one number each in a list for a model of one "
    "channel."
)
_GREY = (0.299, 0.587, 0.114)  # as PIL and ITU-R BT.601 mix colours


@dataclass(frozen=True)
class Execution:
    """How a model is asked: numeric precision, memory layout, images a batch, and batches side by side.

    With more than one of `parallel_batches` so many batches are asked at a time, each on one core. With `cuda_graph`,
    on CUDA, batches are answered by a recorded graph of the forward pass.
    """

    precision: Precision = "float32"
    channels_last: bool = False
    batch_size: int = 16
    parallel_batches: int = 1
    note: str = ""
    cuda_graph: bool = False


EARLIER_NAMES = {"streams": "parallel_batches", "captured": "cuda_graph"}
"""Fields of Execution as files of earlier versions name them."""


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


def computing(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Within this context a model on the device computes in that precision where it may, and else in float32."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16 if precision == "bfloat16" else torch.float16)


def probabilities(classifier: Classifier, images: Tensor) -> Tensor:
    """N×3×H×W float32 RGB in [0, 1] to N×C probabilities; raises ModelError where the answers are none."""
    answers = classifier.answer(classifier.normalise(images))
    check_probabilities(answers, classifier.name)
    return answers


@contextmanager
def _in_words(name: str, shape: Sequence[int], advice: str) -> Iterator[None]:
    """Whatever the code of a model raises about pictures of a shape (N, C, H, W) becomes a ModelError.

    What says that memory ran out passes: whoever asks makes room and tries again.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, DecamError) or is_memory(error):
            raise
        count, channels, height, width = shape
        reason = str(error).partition("\n")[0].rstrip(".")
        raise ModelError(
            f"{name} failed on a batch of {count} with {height}×{width} pixels in {channels} channels "
            f"({type(error).__name__}: {reason}). {advice}"
        ) from error


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
    """A `torch.nn.Module`, with its normalisation, its labels and its layers.

    The module is left as it was found. What is asked, hooked and laid out anew is `module`, a copy in evaluation mode.
    It shares the weights where these are float32 on `device`: a later step of training is seen. Where they are not, or
    once `use` asks for another memory layout, all weights are the copy's own (`shares_weights` is False), in float32.
    A module that cannot be copied is asked itself, in evaluation mode for as long as that takes, and gives its output
    alone.

    `output` and `answers` are those of `wrap`. What the scores are, and how many channels the module takes, is found at
    the first question by asking about four pictures, or given as `inspection`. One label alone means two classes, of
    which it names the second. `layer` and `layers` are names, or the modules themselves. `attention` says that the
    module weighs places by an attention of its own, which methods may ask for. Raises ModelError for arguments that
    cannot be right, and at the first question where answers and labels do not fit.
    """

    def __init__(
        self,
        name: str,
        module: nn.Module,
        labels: Iterable[object],
        *,
        input_size: tuple[int, int] | int = (224, 224),
        mean: Sequence[float] | float = IMAGENET_MEAN,
        std: Sequence[float] | float = IMAGENET_STD,
        view: View | None = None,
        layer: str | nn.Module = "",
        layers: Sequence[str | nn.Module] = (),
        device: torch.device | str = "cpu",
        execution: Execution | None = None,
        attention: bool = False,
        output: str | int | None = None,
        answers: Answers = "auto",
        inspection: Inspection | None = None,
    ) -> None:
        self.name = name
        given = labels_of(labels)
        self.labels = classes_of(given)
        self.input_size = size_of(input_size)
        self.mean, self.std, self._channels = normalisation_of(mean, std)
        self.device = torch.device(device)
        self.lock = SharedLock()
        self._given, self._view = len(given), view
        self._output, self._answers = output, check_answers(answers)
        self._inspection, self._inspecting = inspection, threading.RLock()
        self._scales = {count: self._scale(count) for count in (1, 3)}
        if self.device.type == "cuda":
            full_float32()
        network = unwrapped(module)
        check_loaded(network, name)
        self.layer = layer_name(layer, (module, network), name)
        self.layers = tuple(layer_name(one, (module, network), name) for one in layers)
        self._uncopied, self.module, self.shares_weights = "", network, True
        try:
            self.module, self.shares_weights = working_copy(network, self.device)
        except ModelError as error:
            self._uncopied = self._alone(error)
        self.provides = self._open(attention)
        self._cuda_graph: CudaGraph | None = None
        self._capturing = threading.Lock()
        self.execution = Execution()
        self.configure(execution or Execution())

    def _alone(self, error: ModelError) -> str:
        """Why only the output can be asked for, without a copy; raises ModelError where not even that is possible."""
        parts = [*self.module.parameters(), *self.module.buffers()]
        if any(part.device.type != self.device.type or part.dtype in (torch.float16, torch.float64) for part in parts):
            raise ModelError(
                f"{error} {self.name} must be in float32 on {self.device} to be asked itself: change that."
            ) from error
        return f"methods that look inside work on a copy, and there is none. {error}".rstrip(".")

    def _open(self, attention: bool) -> frozenset[Need]:
        """What the module can be asked for, as far as its kind says."""
        if self._uncopied:
            return frozenset({"output"})
        given: set[Need] = {"output", "gradients"}
        if not isinstance(self.module, torch.jit.ScriptModule):
            given |= {"activations", "attention"} if attention else {"activations"}
        return frozenset(given)

    def _scale(self, channels: int) -> tuple[Tensor, Tensor]:
        """Mean and deviation, broadcast over pictures of so many channels."""
        both = [torch.tensor(values, device=self.device).view(1, 3, 1, 1) for values in (self.mean, self.std)]
        if channels == 1:
            both = [self._grey(values) for values in both]
        return both[0], both[1]

    def _grey(self, images: Tensor) -> Tensor:
        weights = torch.tensor(_GREY, device=images.device).view(1, 3, 1, 1)
        return (images * weights).sum(1, keepdim=True)

    @property
    def inspection(self) -> Inspection:
        """What the module takes and answers; the first time it is asked about four pictures."""
        with self._inspecting:
            if self._inspection is None:
                lock = self.lock.alone() if self._uncopied else self.lock.shared()
                with lock, keeping_buffers(self.module):
                    found = inspect(self._tried, self.name, self.input_size, self._channels, self._answers)
                if not found.gradients:
                    self.provides -= {"gradients"}
                self._inspection = found
            return self._inspection

    @property
    def closed(self) -> str:
        """Why the model does not give all that a method may ask for; the empty string where it does."""
        if self._uncopied:
            return self._uncopied
        if not self.inspection.gradients:
            return "no gradient of its answers reaches the picture"
        if isinstance(self.module, torch.jit.ScriptModule):
            return "a scripted module does not show what its layers give"
        return ""

    def find_layers(self) -> None:
        """Look for the layers that have places, where none were named; the last of them is `layer` unless that is."""
        from decam.classifier.layers import candidates  # models are made of classifiers

        if "activations" in self.provides and not self.layers:
            channels = self.inspection.channels
            with self.lock.shared(), _in_words(self.name, (1, channels, *self.input_size), _ADVICE):
                self.layers = candidates(self.module, self.input_size, channels)
        if self.layers and not self.layer:
            self.layer = self.layers[-1]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must be told about how this model is asked."""
        note = self.inspection.note
        return (note,) if note else ()

    def configure(self, execution: Execution) -> None:
        """Ask the model in this way from now on."""
        layout = torch.channels_last if execution.channels_last else torch.contiguous_format
        with self.lock.alone():
            # What lies right already is left alone: another classifier may share it and be at work.
            parts = [] if self._uncopied else [*self.module.parameters(), *self.module.buffers()]
            turned = [part for part in parts if part.ndim == 4 and part.stride() != _strides(part, layout)]
            if turned and self.shares_weights:
                for part in parts:  # all of them: weights of which some follow the training are nobody's
                    part.data = part.data.clone()
                self.shares_weights = False
            for part in turned:
                # Module.to() keeps the strides of 1×1 kernels, which fit both layouts, and kernels are chosen by
                # strides: answers would differ in their last bits with what was used before.
                part.data = torch.empty_like(part.data, memory_format=layout).copy_(part.data)
            self._cuda_graph = None
            self.execution = execution

    def with_module(self, module: nn.Module) -> TorchClassifier:
        """The same classifier around another module of the same kind."""
        return TorchClassifier(
            self.name,
            module,
            self.labels[-self._given :],
            input_size=self.input_size,
            mean=self.mean if self._channels != (1,) else self.mean[:1],
            std=self.std if self._channels != (1,) else self.std[:1],
            view=self._view,
            layer=self.layer,
            layers=self.layers,
            device=self.device,
            execution=self.execution,
            attention="attention" in self.provides,
            output=self._output,
            answers=self._answers,
            inspection=self.inspection,
        )

    def view(self, image: Image.Image) -> Pixels:
        """The picture as the model sees it: resized, cropped, H×W×3 uint8 RGB."""
        seen = self._view(image) if self._view else fit(image, self.input_size)
        return np.asarray(seen.convert("RGB"), dtype=np.uint8)

    def normalise(self, images: Tensor) -> Tensor:
        """N×3×H×W in [0, 1] to zero mean and unit variance over the training set; grey for a model of one channel."""
        return self._normalised(images, self.inspection.channels)

    def _normalised(self, images: Tensor, channels: int) -> Tensor:
        mean, std = self._scales[channels]
        images = images.to(self.device)
        return ((self._grey(images) if channels == 1 else images) - mean) / std

    def logits(self, normalised: Tensor) -> Tensor:
        """Normalised pictures to N×C logits; gradients flow."""
        return self.read(self.module(normalised), len(normalised))

    def read(self, output: object, rows: int) -> Tensor:
        """What the module, or a copy of it, answered to so many pictures as N×C logits; gradients flow.

        Their softmax is the probability, whatever the module answers; see OutputFormat.
        """
        scores = shaped(selected(output, self._output, self.name), rows, self._given, self.name)
        return self.inspection.output.logits(scores)

    @torch.inference_mode()
    def answer(self, normalised: Tensor) -> Tensor:
        """Normalised pictures to N×C probabilities, float32; several threads may ask at a time."""
        reading = self.inspection.output
        # A module of which there is no copy is put into another mode meanwhile.
        lock = self.lock.alone() if self._uncopied else self.lock.shared()
        with lock, computing(self.device, self.execution.precision):
            scores = self._forward(normalised)
        return reading.probabilities(shaped(scores, len(normalised), self._given, self.name))

    def _tried(self, images: Tensor, channels: int) -> Tensor:
        """Scores (N×K) of pictures in [0, 1] to a module that may take so many channels."""
        normalised = self._normalised(images, channels)
        return shaped(self._scores(normalised), len(images), self._given, self.name)

    def _scores(self, normalised: Tensor) -> Tensor:
        """What the module answers; raises ModelError where it fails or answers no tensor."""
        with (
            _in_words(self.name, normalised.shape, _ADVICE),
            evaluating(self.module) if self._uncopied else nullcontext(),
        ):
            output = self.module(normalised)
        return selected(output, self._output, self.name)

    def _forward(self, normalised: Tensor) -> Tensor:
        """Scores by the recorded graph where that is asked for and can answer, else by the module itself."""
        execution = self.execution
        if execution.cuda_graph and len(normalised) <= execution.batch_size and recordable(self.module, normalised):
            with self._capturing:
                if self._cuda_graph is None:
                    example = normalised.new_zeros(execution.batch_size, *normalised.shape[1:])
                    self._cuda_graph = CudaGraph(self._scores, example)
            return self._cuda_graph(normalised)
        return self._scores(normalised)


class FunctionClassifier:
    """Any function from N×3×H×W float32 in [0, 1] to N×C probabilities: a black box.

    Each probability lies in [0, 1]. A row need not add up to 1: those of several sigmoids do not. N×1 or N answers are
    the probability of the second of two classes; one label alone names the second. With answers="logits" the function
    answers logits, read through softmax or, of one a picture, through a sigmoid. Every batch is checked. A function
    that asks a module puts it into evaluation mode itself.
    """

    provides: frozenset[Need] = frozenset({"output"})

    def __init__(
        self,
        function: Callable[[Tensor], object],
        labels: Iterable[object],
        input_size: tuple[int, int] | int = (224, 224),
        *,
        name: str = "function",
        mean: Sequence[float] | float = IMAGENET_MEAN,
        batch_size: int = 16,
        output: str | int | None = None,
        answers: Answers = "auto",
        device: torch.device | str = "cpu",
    ) -> None:
        self.name = name
        given = labels_of(labels)
        self.labels = classes_of(given)
        self.input_size = size_of(input_size)
        self.mean, _, _ = normalisation_of(mean, 1)
        self.device = torch.device(device)
        self.execution = Execution(batch_size=batch_size_of(batch_size))
        self._function, self._given, self._output = function, len(given), output
        self._logits = check_answers(answers) == "logits"

    def view(self, image: Image.Image) -> Pixels:
        """The picture scaled and cropped to the input size, H×W×3 uint8 RGB."""
        return np.asarray(fit(image, self.input_size).convert("RGB"), dtype=np.uint8)

    def normalise(self, images: Tensor) -> Tensor:
        """The same images: a copy, for a function may change what it is given."""
        return images.to(self.device, copy=True)

    def answer(self, normalised: Tensor) -> Tensor:
        """N×3×H×W in [0, 1] to N×C probabilities; raises ModelError where the function answers something else."""
        with _in_words(self.name, normalised.shape, "Mend the function."), torch.no_grad():
            answered = self._function(normalised.contiguous())
        scores = shaped(selected(answered, self._output, self.name), len(normalised), self._given, self.name)
        scores = scores.detach().to(self.device, torch.float32)
        if not self._logits:
            check_probabilities(scores, self.name)
            scores = scores.clamp(0, 1)
        reading = OutputFormat("logits" if self._logits else "independent", single=scores.shape[1] == 1)
        return reading.probabilities(scores)


def wrap(
    model: nn.Module | Callable[[Tensor], object],
    *,
    labels: Iterable[object],
    input_size: tuple[int, int] | int = (224, 224),
    mean: Sequence[float] | float = IMAGENET_MEAN,
    std: Sequence[float] | float | None = None,
    layer: str | nn.Module = "",
    layers: Sequence[str | nn.Module] = (),
    output: str | int | None = None,
    answers: Answers = "auto",
    batch_size: int = 16,
    device: torch.device | str | None = None,
    name: str = "",
) -> TorchClassifier | FunctionClassifier:
    """A classifier from a `torch.nn.Module`, or from any function of pictures.

    A module takes normalised pictures (`mean` and `std` over colours in [0, 1], ImageNet's unless given; one number
    each for a model of one channel) on the device on which it is, or on `device`. It is asked about four pictures here,
    so that labels, sizes or outputs that do not fit are refused at once. The module is left as it was found; see
    TorchClassifier for what is shared with it. A function takes N×3×H×W float32 in [0, 1] and answers N×C
    probabilities; see FunctionClassifier. It is asked first when something is explained.

    `labels` name the classes in the order of the answers. For one answer a picture give two labels, of which it speaks
    for the second, or that one label alone. `output` names the scores in what is answered: a key, an attribute or a
    position. `answers` says what the scores are: "logits", "probabilities" or "auto". "auto" takes those of a module
    for probabilities where all lie in [0, 1] and each row adds up to 1 or a sigmoid comes last, and those of a function
    always. Methods that look inside such a module ask for the logarithm of a probability, or for the log odds of
    independent ones. `layer` is where Grad-CAM looks, by name or as a module: the last one that still has places,
    unless given. `layers` are those to choose from. `mean` is also the colour that the fill of that name uses.

    Raises ModelError with a sentence where the model cannot be asked so.
    """
    if not isinstance(model, nn.Module):
        if not callable(model):
            raise ModelError(f"wrap() takes a torch module or a function, not a {type(model).__name__}.")
        if std is not None or layer != "" or len(layers):
            raise ModelError("std, layer and layers are for a torch module; a function takes pictures in [0, 1].")
        return FunctionClassifier(
            model,
            labels,
            input_size,
            name=name or "function",
            mean=mean,
            batch_size=batch_size,
            output=output,
            answers=answers,
            device=device or "cpu",
        )
    classifier = TorchClassifier(
        name or type(unwrapped(model)).__name__,
        model,
        labels,
        input_size=input_size,
        mean=mean,
        std=IMAGENET_STD if std is None else std,
        layer=layer,
        layers=layers,
        device=device or next((part.device for part in (*model.parameters(), *model.buffers())), "cpu"),
        execution=Execution(batch_size=batch_size_of(batch_size)),
        output=output,
        answers=answers,
    )
    classifier.find_layers()
    return classifier
