"""The one road to a model's inside: a library's method on a twin of the module, counted, seeded and stoppable."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator

import torch
from torch import Tensor, nn

from decam.classifier import TorchClassifier
from decam.errors import MethodError, ModelError
from decam.explanation import Progress, Question
from decam.masking import is_memory
from decam.methods.arrangement import Arrangement
from decam.methods.bridge import Beat, watched
from decam.methods.chance import chances
from decam.methods.twin import twin


class Opened(nn.Module):
    """A classifier's logits for a library that wants a module: forward counts every image and beats.

    It takes pictures in [0, 1], or with `normalised` on the model's own scale (N×3×H×W). `model` is a twin of the
    classifier's module, or another one made from it.
    """

    def __init__(self, question: Question, beat: Beat, *, normalised: bool = False, model: nn.Module | None = None):
        super().__init__()
        self.classifier = white_box(question)
        self._ledger = question.ledger
        self._beat = beat
        self._normalised = normalised
        self.model = twin(self.classifier.module) if model is None else model
        self.eval()

    @staticmethod
    def inside(layer: str) -> str:
        """The name that a layer of the classifier's module has in this one."""
        return f"model.{layer}"

    def grid_of(self, layer: str, arrangement: Arrangement) -> str:
        """The name of a module here whose output is a layer's grid, N×C×H×W; hooks on the layer belong there.

        Networks overwrite outputs: after an in-place rectifier a hook on the convolution before it holds the rectified
        values, and gradients are those of them. Here the hook's tensor is a copy, and what follows gets another.
        """
        name = f"grid_{sum(1 for part, _ in self.named_children() if part.startswith('grid_'))}"
        own = nn.Identity()
        self.add_module(name, own)

        def apart(_: nn.Module, __: object, output: Tensor) -> Tensor:
            grid: Tensor = own(arrangement.grid(output).clone())
            return arrangement.with_grid(output, grid.clone())

        self.model.get_submodule(layer).register_forward_hook(apart)
        return name

    def forward(self, images: Tensor) -> Tensor:
        """N×3×H×W to N×C logits; gradients flow."""
        self._beat()
        scaled = images if self._normalised else self.classifier.normalise(images)
        with self.classifier.lock.shared():
            logits: Tensor = self.model(scaled)
        self._ledger.evaluations += len(images)
        return logits


# Hooks are what these methods are made of, and they are on a twin.
warnings.filterwarnings("ignore", "Setting (forward, )?backward hooks", UserWarning, "captum")


def white_box(question: Question) -> TorchClassifier:
    """The question's classifier; raises MethodError where it is no PyTorch model."""
    if not isinstance(question.classifier, TorchClassifier):
        raise MethodError(f"This method needs a PyTorch model, and {question.classifier.name} is none.")
    return question.classifier


def by_library(
    question: Question, total: int, seed: int, work: Callable[[Beat, int], Tensor]
) -> Generator[Progress, None, Tensor]:
    """Run `work(beat, batch)` with gradients on and random numbers from `seed`, in steps of `total` evaluations.

    A `batch` of images that does not fit into memory with their gradients is halved and all is tried again.
    """
    classifier = white_box(question)
    batch = max(1, classifier.speed.batch_size // 3)  # a backward pass takes memory for all activations
    devices = [classifier.device] if classifier.device.type == "cuda" else []

    def seeded(beat: Beat) -> Tensor:
        with chances(seed, devices), torch.enable_grad():
            return work(beat, batch)

    while True:
        try:
            return (yield from watched(seeded, question.ledger, total))
        except (RuntimeError, MemoryError) as error:
            if not is_memory(error):
                raise
            if batch == 1:
                raise ModelError(
                    f"There is not enough memory for a gradient of {classifier.name}; choose a smaller model."
                ) from error
            batch //= 2
            question.ledger.note(f"Memory ran short, so the batch was halved to {batch} and tried again.")
