"""The one road to a model's inside: a library's method on a weight-sharing copy, counted and stoppable."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator
from math import inf

import torch
from torch import Tensor, nn

from decam.classifier import TorchClassifier
from decam.classifier.base import called
from decam.errors import MethodError
from decam.explanation import Progress, Question
from decam.masking import halved
from decam.methods.support.arrangement import Arrangement
from decam.methods.support.interruptible import Checkpoint, run_with_progress
from decam.methods.support.weight_sharing import share_weights


class Opened(nn.Module):
    """A classifier's logits for a library that wants a module: forward counts every image and is a checkpoint.

    It takes pictures in [0, 1], or with `normalised` on the model's own scale (N×3×H×W). `model` is a
    copy of the classifier's module that shares its weights, or another one made from it.
    """

    def __init__(
        self, question: Question, checkpoint: Checkpoint, *, normalised: bool = False, model: nn.Module | None = None
    ):
        super().__init__()
        self.classifier = white_box(question)
        self._ledger = question.ledger
        self._target = question.target
        self._answers: list[Tensor] = []
        self._checkpoint = checkpoint
        self._normalised = normalised
        self.model = share_weights(self.classifier.module) if model is None else model
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
        self._checkpoint()
        scaled = images if self._normalised else self.classifier.normalise(images)
        with self.classifier.lock.shared():
            logits = self.classifier.read(self.model(scaled), len(scaled))
        self._ledger.evaluations += len(images)
        self._answers.append(logits[:, self._target].detach().clone())
        return logits

    @property
    def spread(self) -> float:
        """Between the lowest and the highest logit of the target that was answered so far."""
        low, high = torch.cat(self._answers).aminmax()
        return float(high - low)


# Hooks are what these methods are made of, and they are on a weight-sharing copy.
warnings.filterwarnings("ignore", "Setting (forward, )?backward hooks", UserWarning, "captum")


def white_box(question: Question) -> TorchClassifier:
    """The question's classifier; raises MethodError where it is no PyTorch model."""
    if not isinstance(question.classifier, TorchClassifier):
        raise MethodError(
            f"This method needs a PyTorch model, and {called(question.classifier)} is not one; choose "
            "a method that needs answers alone."
        )
    return question.classifier


SLOPE = "To first order, other colours move the class's logit"
"""What a method reports in `Ledger.reach` whose map rests on the slope of the logit."""


def first_order(question: Question, logits: Tensor, normalised: Tensor) -> float:
    """The most that other colours can move the target's logit to first order: Σ|∂y/∂x| · 1 over all colours in [0, 1].

    `logits` (1×C) are the answer to the question's picture on the model's scale (1×3×H×W); their graph is kept.
    Infinite where no gradient flows back, so that nothing is known.
    """
    if not logits.requires_grad:
        return inf
    (slope,) = torch.autograd.grad(logits[0, question.target], normalised, retain_graph=True)
    picture = question.image.unsqueeze(0)
    white, black = (question.classifier.normalise(fill(picture)) for fill in (torch.ones_like, torch.zeros_like))
    return float((slope * (white - black)).abs().sum())


def by_library(
    question: Question, total: int, work: Callable[[Checkpoint, int], Tensor]
) -> Generator[Progress, None, Tensor]:
    """Run `work(checkpoint, batch)` with gradients on, in steps of `total` evaluations.

    A `batch` of images that does not fit into memory with their gradients is halved and all is tried again.
    """
    classifier = white_box(question)
    batch = max(1, classifier.execution.batch_size // 3)  # a backward pass takes memory for all activations

    def with_gradients(checkpoint: Checkpoint) -> Tensor:
        with torch.enable_grad():
            return work(checkpoint, batch)

    while True:
        try:
            return (yield from run_with_progress(with_gradients, question.ledger, total))
        except (RuntimeError, MemoryError) as error:
            batch = halved(batch, error, classifier, [question.ledger])
