"""What is known of a model's layers beforehand: their grids, and whether a pooled linear head follows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from decam.arguments import some_of
from decam.classifier import TorchClassifier
from decam.errors import SettingError
from decam.methods.twin import twin

Known = TypeVar("Known")


def layer_of(classifier: TorchClassifier, name: str) -> str:
    """A layer's name, the classifier's usual one for the empty string; raises SettingError where there is none."""
    found = name or classifier.layer
    names = [title for title, _ in classifier.module.named_modules() if title]
    if not found:
        raise SettingError(
            f"No layer of {classifier.name} was named, and none that has places is known; give one as layer=. "
            f"It has: {some_of(names)}."
        )
    if found not in names:
        raise SettingError(
            f"{classifier.name} has no layer {found!r}; it has, among others: "
            f"{', '.join(classifier.layers[-6:]) or some_of(names)}."
        )
    return found


def as_grid(output: Tensor) -> Tensor:
    """What a layer gives as a channels-first grid, N×C×H×W.

    Takes token sequences (N×T×C: tokens of a square grid, after any class token) and channels-last grids (N×H×W×C
    with H = W); other outputs are channels-first already.
    """
    if output.ndim == 4:
        return output.movedim(channel_axis(output), 1)
    if output.ndim == 3:
        count, tokens, channels = output.shape
        side = math.isqrt(tokens)
        return output[:, tokens - side * side :].transpose(1, 2).reshape(count, channels, side, side)
    return output


def channel_axis(output: Tensor) -> int:
    """Which axis of a layer's output holds the channels: the last one of tokens and of channels-last grids."""
    last = output.ndim == 3 or (output.ndim == 4 and output.shape[1] == output.shape[2] != output.shape[3])
    return output.ndim - 1 if last else 1


def remembered(find: Callable[[TorchClassifier, str], Known]) -> Callable[[TorchClassifier, str], Known]:
    """What is found out about a layer by asking the model is found out once."""
    known: WeakKeyDictionary[TorchClassifier, dict[str, Known]] = WeakKeyDictionary()

    @wraps(find)
    def looked_up(classifier: TorchClassifier, layer: str) -> Known:
        found = known.setdefault(classifier, {})
        if layer not in found:
            found[layer] = find(classifier, layer)
        return found[layer]

    return looked_up


@remembered
def grid_shape(classifier: TorchClassifier, layer: str) -> tuple[int, int, int]:
    """Channels, rows and columns of a layer's grid; raises SettingError where it has none."""
    seen = probe(classifier, (layer,))
    grid = as_grid(seen.outputs[layer])
    if grid.ndim != 4:
        raise SettingError(
            f"The layer {layer!r} of {classifier.name} has no spatial grid and so no map; choose another."
        )
    return int(grid.shape[1]), int(grid.shape[2]), int(grid.shape[3])


@dataclass(frozen=True)
class Probe:
    """What layers took and gave while the model answered one random picture."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    logits: Tensor


def probe(classifier: TorchClassifier, layers: tuple[str, ...]) -> Probe:
    """Ask the model about a picture of noise and look at some of its layers."""
    seen = Probe({}, {}, torch.empty(0))
    model = twin(classifier.module)

    def kept(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def keep(_: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
            if not isinstance(output, Tensor) or not given:
                raise SettingError(
                    f"The layer {name!r} of {classifier.name} gives a {type(output).__name__}, not one tensor from one "
                    "other; choose a layer inside of it."
                )
            seen.inputs[name], seen.outputs[name] = given[0].clone(), output.clone()

        return keep

    for name in layers:
        model.get_submodule(name).register_forward_hook(kept(name))
    noise = torch.rand(1, 3, *classifier.input_size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode(), classifier.lock.shared():
        logits = classifier.read(model(classifier.normalise(noise)), 1)
    for name in layers:
        if name not in seen.outputs:
            raise SettingError(f"The layer {name!r} of {classifier.name} takes no part in its answers; choose another.")
    return Probe(seen.inputs, seen.outputs, logits)


@remembered
def levels(classifier: TorchClassifier, layer: str) -> tuple[str, ...]:
    """The last layer of every resolution up to a layer, in the order in which a picture passes them."""
    before = classifier.layers[: classifier.layers.index(layer) + 1] if layer in classifier.layers else (layer,)
    seen = probe(classifier, before)
    grids = {name: as_grid(seen.outputs[name]) for name in before}
    last = {tuple(grid.shape[2:]): name for name, grid in grids.items() if grid.ndim == 4}
    return tuple(name for name in before if name in last.values())


@dataclass(frozen=True)
class Head:
    """The name of the last linear layer, and whether activations are rectified before they are pooled for it."""

    name: str
    rectified: bool


@remembered
def pooled_head(classifier: TorchClassifier, layer: str) -> Head | None:
    """The head that weighs the mean of a layer's activations over the picture, if that is how the model answers.

    Found by looking: the input of the last linear layer is that mean or, where the head is a 1×1 convolution that is
    pooled afterwards, its input is the layer's grid.
    """
    heads = [
        name
        for name, part in classifier.module.named_modules()
        if isinstance(part, nn.Linear) or (isinstance(part, nn.Conv2d) and part.kernel_size == (1, 1))
    ]
    if not heads:
        return None
    seen = probe(classifier, (layer, heads[-1]))
    grid, given = as_grid(seen.outputs[layer]), seen.inputs[heads[-1]]
    if grid.ndim != 4 or seen.outputs[heads[-1]].shape[1] != len(classifier.labels):
        return None
    for rectified in (False, True):
        used = grid.relu() if rectified else grid
        expected = used if given.ndim == 4 else used.mean((2, 3))
        if given.shape == expected.shape and torch.allclose(given, expected, rtol=1e-3, atol=1e-5):
            return Head(heads[-1], rectified)
    return None
