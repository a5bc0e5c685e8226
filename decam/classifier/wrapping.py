"""A classifier of what a user brings: a module, or a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from decam.classifier.answers import Answers
from decam.classifier.arguments import batch_size_of
from decam.classifier.base import IMAGENET_MEAN, IMAGENET_STD, Execution
from decam.classifier.function_classifier import FunctionClassifier
from decam.classifier.sharing import unwrapped
from decam.classifier.torch_classifier import TorchClassifier
from decam.errors import ModelError


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
            raise ModelError("std, layer and layers are for a torch module; a function takes images in [0, 1].")
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
