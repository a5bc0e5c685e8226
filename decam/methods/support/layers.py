"""What is known of a model's layers beforehand: their grids, and whether a pooled linear head follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from decam.classifier import TorchClassifier
from decam.classifier.arguments import some_of
from decam.classifier.base import called
from decam.errors import SettingError
from decam.methods.support.arrangement import (
    DRAWS,
    PICTURES,
    Arrangement,
    Following,
    added_up,
    arranged,
    changed_pictures,
    following,
)
from decam.methods.support.weight_sharing import share_weights

Known = TypeVar("Known")


def layer_of(classifier: TorchClassifier, name: str) -> str:
    """A layer's name, the classifier's usual one for the empty string; raises SettingError where there is none."""
    found = name or classifier.layer
    names = [title for title, _ in classifier.module.named_modules() if title]
    if not found:
        raise SettingError(
            f"No layer of {called(classifier)} was named, and none that has places is known; give one as layer=. "
            f"It has: {some_of(names)}."
        )
    if found not in names:
        raise SettingError(
            f"{called(classifier)} has no layer {found!r}; it has, among others: "
            f"{', '.join(classifier.layers[-6:]) or some_of(names)}."
        )
    return found


def remembered(find: Callable[[TorchClassifier, str], Known]) -> Callable[[TorchClassifier, str], Known]:
    """What is found out about a layer by asking the model is found out once."""
    results_by_classifier: WeakKeyDictionary[TorchClassifier, dict[str, Known]] = WeakKeyDictionary()

    @wraps(find)
    def looked_up(classifier: TorchClassifier, layer: str) -> Known:
        results = results_by_classifier.setdefault(classifier, {})
        if layer not in results:
            results[layer] = find(classifier, layer)
        return results[layer]

    return looked_up


_arrangements: WeakKeyDictionary[TorchClassifier, dict[str, Arrangement | str]] = WeakKeyDictionary()


def arrangement(classifier: TorchClassifier, layer: str) -> Arrangement:
    """Where a layer's output keeps channels, rows and columns; raises SettingError where it has none or is unclear."""
    found = arrangements(classifier, (layer,))[layer]
    if isinstance(found, str):
        raise SettingError(found)
    return found


def arrangements(classifier: TorchClassifier, layers: tuple[str, ...]) -> dict[str, Arrangement | str]:
    """The arrangement of each layer's output, or a sentence that says why there is none.

    The model is asked about 5 to 40 pictures for all layers together, and once a layer.
    """
    found_before = _arrangements.setdefault(classifier, {})
    missing = tuple(name for name in layers if name not in found_before)
    draws: dict[str, list[dict[int, Following]]] = {name: [] for name in missing}
    for seed in range(DRAWS):
        if not missing:
            break
        followed, unused = _followed(classifier, missing, seed)
        for name, moves in followed.items():
            draws[name].append(moves)
        last = seed == DRAWS - 1
        results = {name: _result(classifier, name, draws[name], last) for name in missing}
        results |= {
            name: f"The layer {name!r} of {called(classifier)} takes no part in its answers; choose another."
            for name in unused
        }
        found_before.update({name: result for name, result in results.items() if result is not None})
        missing = tuple(name for name in missing if results[name] is None)
    return {name: found_before[name] for name in layers}


def _followed(
    classifier: TorchClassifier, layers: tuple[str, ...], seed: int
) -> tuple[dict[str, dict[int, Following]], set[str]]:
    """How the layers that may have a grid follow changes of one picture, and the layers that were not called.

    A layer's last call counts.
    """
    found: dict[str, dict[int, Following]] = {}
    unused = set(layers)

    def read(name: str, _: object, output: object) -> None:
        unused.discard(name)
        found.pop(name, None)
        if isinstance(output, Tensor) and output.ndim in (3, 4) and len(output) == PICTURES:
            found[name] = following(output)

    _watched(classifier, layers, changed_pictures(classifier.input_size, seed), read)
    return found, unused


def _result(
    classifier: TorchClassifier, layer: str, draws: list[dict[int, Following]], last: bool
) -> Arrangement | str | None:
    """The arrangement after some draws, or why there is none; None where another draw may tell."""
    if not draws:
        return f"The layer {layer!r} of {called(classifier)} has no spatial grid and so no map; choose another."
    found = arranged(added_up(draws), classifier.input_size, final=last)
    if found is None and last:
        return (
            f"Which axes of the layer {layer!r} of {called(classifier)} hold rows and columns is unclear: its output "
            "does not follow changes of the image from top to bottom and from left to right. Choose another layer."
        )
    return found


def grid_shape(classifier: TorchClassifier, layer: str) -> tuple[int, int, int]:
    """Channels, rows and columns of a layer's grid; raises SettingError where it has none."""
    found = arrangement(classifier, layer)
    return found.channels, found.rows, found.columns


@dataclass(frozen=True)
class Probe:
    """What layers took and gave while the model answered one random picture."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    logits: Tensor


def probe(classifier: TorchClassifier, layers: tuple[str, ...]) -> Probe:
    """Ask the model about a picture of noise and look at some of its layers."""
    inputs: dict[str, Tensor] = {}
    outputs: dict[str, Tensor] = {}

    def keep(name: str, given: tuple[object, ...], output: object) -> None:
        for value, kept in ((given[0] if given else None, inputs), (output, outputs)):
            if isinstance(value, Tensor):
                kept[name] = value.clone()  # what follows may work in place

    noise = torch.rand(1, 3, *classifier.input_size, generator=torch.Generator().manual_seed(0))
    return Probe(inputs, outputs, _watched(classifier, layers, noise, keep))


def _watched(
    classifier: TorchClassifier,
    layers: tuple[str, ...],
    images: Tensor,
    read: Callable[[str, tuple[object, ...], object], None],
) -> Tensor:
    """The logits for images in [0, 1], N×3×H×W; `read` gets each layer's name, arguments and output as it answers."""
    model = share_weights(classifier.module)

    def reading(name: str) -> Callable[[nn.Module, tuple[object, ...], object], None]:
        return lambda _, given, output: read(name, given, output)

    for name in layers:
        model.get_submodule(name).register_forward_hook(reading(name))
    with torch.inference_mode(), classifier.lock.shared():
        return classifier.read(model(classifier.normalise(images)), len(images))


@remembered
def levels(classifier: TorchClassifier, layer: str) -> tuple[str, ...]:
    """The last layer of every resolution up to a layer, in the order in which a picture passes them.

    Layers whose grid is unclear are left out.
    """
    before = classifier.layers[: classifier.layers.index(layer) + 1] if layer in classifier.layers else (layer,)
    found = arrangements(classifier, before)
    last = {(grid.rows, grid.columns): name for name, grid in found.items() if not isinstance(grid, str)}
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
    found = arrangements(classifier, (layer,))[layer]
    head_input = seen.inputs.get(heads[-1])
    if isinstance(found, str) or head_input is None or seen.outputs[heads[-1]].shape[1] != len(classifier.labels):
        return None
    grid = found.grid(seen.outputs[layer])
    for rectified in (False, True):
        used = grid.relu() if rectified else grid
        expected = used if head_input.ndim == 4 else used.mean((2, 3))
        if head_input.shape == expected.shape and torch.allclose(head_input, expected, rtol=1e-3, atol=1e-5):
            return Head(heads[-1], rectified)
    return None
