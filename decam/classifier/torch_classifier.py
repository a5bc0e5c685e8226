"""A PyTorch module that answers, with its normalisation, its labels and its layers."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from decam.classifier.answers import Answers, check_answers, in_words, selected, shaped
from decam.classifier.arguments import classes_of, labels_of, layer_name, normalisation_of, size_of
from decam.classifier.base import IMAGENET_MEAN, IMAGENET_STD, LUMA, Execution, Need, Pixels, View, computing, fit
from decam.classifier.engines import ENGINES, EngineError, ModuleEngines, Source
from decam.classifier.inspection import Inspection, inspect, smooth_noise
from decam.classifier.sharing import check_loaded, copied, evaluating, keeping_buffers, unwrapped, working_copy
from decam.errors import ModelError
from decam.hardware.device import full_float32
from decam.hardware.locks import SharedLock

_ADVICE = (
    "Give the input_size that it was made for, and a mean and std of one number each in a list for a model of one "
    "channel."
)


class _Scores(nn.Module):
    """A module of whose output only the scores are wanted."""

    def __init__(self, module: nn.Module, output: str | int | None, name: str) -> None:
        super().__init__()
        self.module, self._output, self._title = module, output, name
        self.eval()

    def forward(self, normalised: Tensor) -> Tensor:
        """What the module answers, or the part of it that holds the scores."""
        return selected(self.module(normalised), self._output, self._title)


def _difference(logits: Tensor, target: int, against: int) -> Tensor:
    """N×C logits to y_target − y_against in the one place, its negative in the other, and 0 elsewhere."""
    signs = torch.zeros(logits.shape[1], device=logits.device)
    signs[target], signs[against] = 1, -1
    return (logits[:, target] - logits[:, against]).unsqueeze(1) * signs


def _strides(part: Tensor, layout: torch.memory_format) -> tuple[int, ...]:
    return torch.empty_like(part, memory_format=layout, device="meta").stride()


class TorchClassifier:
    """A `torch.nn.Module`, with its normalisation, its labels and its layers.

    The module is left as it was found. What is asked, hooked and laid out anew is `module`, a copy in evaluation mode.
    It shares the weights where these are float32 on `device`: a later step of training is seen. Where they are not, or
    once `configure` asks for another memory layout or for an engine that keeps weights of its own, all weights are the
    copy's own (`shares_weights` is False), in float32. Such an engine sees what changes the copy's weights in place,
    but not what goes through their `.data`. A module that cannot be copied is asked itself, in evaluation mode for as
    long as that takes, and gives its output alone.

    `output` and `answers` are those of `wrap`. What the scores are, and how many channels the module takes, is found at
    the first question by asking about four pictures, or given as `inspection`. One label alone means two classes, of
    which it names the second. `layer` and `layers` are names, or the modules themselves. `attention` says that the
    module weighs places by an attention of its own, which methods may ask for. Raises ModelError for arguments that
    cannot be right, and at the first question where answers and labels do not fit.

    `lasting` is set where the weights are those that the name says: another process will ask the same module, and an
    engine keeps on disk what it made from it. What `with_module` makes is not lasting.
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
        self.name = self.title = name
        self.lasting = False
        given_labels = labels_of(labels)
        self.labels = classes_of(given_labels)
        self.input_size = size_of(input_size)
        self.mean, self.std, self._channels = normalisation_of(mean, std)
        self.device = torch.device(device)
        self.lock = SharedLock()
        self._given, self._view = len(given_labels), view
        self._output, self._answers = output, check_answers(answers)
        self._inspection, self._inspecting = inspection, threading.RLock()
        self.contrast: tuple[int, int] | None = None
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
        self._engines = ModuleEngines(name, self._source)
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
        needs: set[Need] = {"output", "gradients"}
        if not isinstance(self.module, torch.jit.ScriptModule):
            needs |= {"activations", "attention"} if attention else {"activations"}
        return frozenset(needs)

    def _scale(self, channels: int) -> tuple[Tensor, Tensor]:
        """Mean and deviation, broadcast over pictures of so many channels."""
        both = [torch.tensor(values, device=self.device).view(1, 3, 1, 1) for values in (self.mean, self.std)]
        if channels == 1:
            both = [self._grey(values) for values in both]
        return both[0], both[1]

    def _grey(self, images: Tensor) -> Tensor:
        weights = torch.tensor(LUMA, device=images.device).view(1, 3, 1, 1)
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
            return "no gradient of its answers reaches the image"
        if isinstance(self.module, torch.jit.ScriptModule):
            return "a scripted module does not show what its layers give"
        return ""

    def find_layers(self) -> None:
        """Look for the layers that have places, where none were named; the last of them is `layer` unless that is."""
        from decam.classifier.layers import candidates  # models are made of classifiers

        if "activations" in self.provides and not self.layers:
            channels = self.inspection.channels
            with self.lock.shared(), in_words(self.name, (1, channels, *self.input_size), _ADVICE):
                self.layers = candidates(self.module, self.input_size, channels)
        if self.layers and not self.layer:
            self.layer = self.layers[-1]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must be told about how this model is asked."""
        return tuple(filter(None, (self.inspection.note, self.engine_note)))

    @property
    def engine_note(self) -> str:
        """Why the engine that was asked for does not answer, once it was needed; else the empty string."""
        return self._engines.note

    def configure(self, execution: Execution) -> None:
        """Ask the model in this way from now on."""
        layout = torch.channels_last if execution.channels_last else torch.contiguous_format
        with self.lock.alone():
            # What lies right already is left alone: another classifier may share it and be at work.
            parts = [] if self._uncopied else [*self.module.parameters(), *self.module.buffers()]
            turned = [part for part in parts if part.ndim == 4 and part.stride() != _strides(part, layout)]
            owns = ENGINES[execution.engine].keeps_weights
            if (turned or (parts and owns)) and self.shares_weights:
                for part in parts:  # all of them: weights of which some follow the training are nobody's
                    part.data = part.data.clone()
                self.shares_weights = False
            for part in turned:
                # Module.to() keeps the strides of 1×1 kernels, which fit both layouts, and kernels are chosen by
                # strides: answers would differ in their last bits with what was used before.
                part.data = torch.empty_like(part.data, memory_format=layout).copy_(part.data)
            self._engines.configure(execution)
            self.execution = execution

    def with_module(self, module: nn.Module) -> TorchClassifier:
        """The same classifier around another module of the same kind."""
        made = TorchClassifier(
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
        made.title = self.title
        return made if self.contrast is None else made.contrasted(*self.contrast)

    def contrasted(self, target: int, against: int) -> TorchClassifier:
        """This classifier asked about `target` rather than `against`, as `decam.classifier.contrast` says.

        It shares everything with this one, the module, the lock and the engines among it.
        """
        self.inspection  # noqa: B018 - found once, and not by each contrast anew
        other = copy.copy(self)
        other.contrast = (target, against)
        return other

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
        logits = self.inspection.output.logits(scores)
        return logits if self.contrast is None else _difference(logits, *self.contrast)

    def answer(self, normalised: Tensor) -> Tensor:
        """Normalised pictures to N×C probabilities, float32; several threads may ask at a time."""
        return self._answered(normalised, self._forward)

    def answer_itself(self, normalised: Tensor) -> Tensor:
        """The same by the module itself, whatever engine is asked for: for few pictures."""
        return self._answered(normalised, self._scores)

    @torch.inference_mode()
    def _answered(self, normalised: Tensor, forward: Callable[[Tensor], Tensor]) -> Tensor:
        reading = self.inspection.output
        # A module of which there is no copy is put into another mode meanwhile.
        lock = self.lock.alone() if self._uncopied else self.lock.shared()
        with lock, computing(self.device, self.execution.precision):
            scores = forward(normalised)
        scores = shaped(scores, len(normalised), self._given, self.name)
        if self.contrast is None:
            return reading.probabilities(scores)
        # Not from probabilities: in float32 those of two unlikely classes may both be nothing.
        pair = list(self.contrast)
        found = torch.zeros(len(scores), len(self.labels), device=scores.device)
        found[:, pair] = torch.sigmoid(_difference(reading.logits(scores.float()), *self.contrast)[:, pair])
        return found

    def _tried(self, images: Tensor, channels: int) -> Tensor:
        """Scores (N×K) of pictures in [0, 1] to a module that may take so many channels."""
        normalised = self._normalised(images, channels)
        return shaped(self._scores(normalised), len(images), self._given, self.name)

    def _scores(self, normalised: Tensor) -> Tensor:
        """What the module answers; raises ModelError where it fails or answers no tensor."""
        with (
            in_words(self.name, normalised.shape, _ADVICE),
            evaluating(self.module) if self._uncopied else nullcontext(),
        ):
            output = self.module(normalised)
        return selected(output, self._output, self.name)

    def _forward(self, normalised: Tensor) -> Tensor:
        """Scores by the engine that is asked for where it can answer, else by the module itself."""
        answering = self._engines.answering(self.module, normalised)
        if answering is None:
            return self._scores(normalised)
        with in_words(self.name, normalised.shape, _ADVICE):
            return answering(normalised)

    def _source(self) -> Source:
        """What an engine is made from."""
        example = self._normalised(smooth_noise(self.input_size).to(self.device), self.inspection.channels)
        return Source(self._scores_alone, self._scores, example, self.lasting)

    def _scores_alone(self) -> nn.Module:
        """A copy of the module that answers scores alone; raises EngineError where there is none."""
        if self._uncopied:
            raise EngineError("it cannot be copied")
        kept = {id(part): part for part in (*self.module.parameters(), *self.module.buffers())}
        try:
            return _Scores(copied(self.module, kept), self._output, self.name)
        except ModelError as error:
            raise EngineError(str(error)) from error
