"""What a classifier is made with: labels, input size, normalisation and layers, each checked where it is given."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, SupportsFloat

from torch import nn

from decam.errors import ModelError

Triple = tuple[float, float, float]


def labels_of(labels: Iterable[object]) -> tuple[str, ...]:
    """Labels as text, at least one; several classes may share a label. Raises ModelError for what is no list."""
    if isinstance(labels, str | bytes | Mapping) or not isinstance(labels, Iterable):
        hint = "give list(labels.values())" if isinstance(labels, Mapping) else "give a list, a label for each class"
        raise ModelError(f"The labels are a {type(labels).__name__}, but must be a list of names; {hint}.")
    found = tuple(str(label) for label in labels)
    if not found:
        raise ModelError("A classifier needs at least one label, and none was given.")
    return found


def classes_of(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the classes: one label alone is the second of two classes, the first of which is its absence."""
    return labels if len(labels) > 1 else (f"not {labels[0]}", labels[0])


def size_of(size: object) -> tuple[int, int]:
    """An input size as (H, W) from two whole numbers or one; raises ModelError under 2 pixels or for anything else."""
    sides = tuple(size) if isinstance(size, Iterable) and not isinstance(size, str) else (size, size)
    try:
        whole = tuple(operator.index(side) for side in sides)
    except TypeError:
        whole = ()
    if len(whole) != 2 or min(whole) < 2:
        raise ModelError(f"The input size is {size!r}, but must be (height, width) of at least 2×2 pixels.")
    return whole[0], whole[1]


def batch_size_of(size: object) -> int:
    """A whole number from 1; raises ModelError for anything else."""
    try:
        found = operator.index(size)  # type: ignore[arg-type]  # what it refuses is caught
    except TypeError:
        found = 0
    if found < 1:
        raise ModelError(f"The batch size is {size!r}, but must be a whole number of at least 1.")
    return found


def normalisation_of(mean: object, std: object) -> tuple[Triple, Triple, tuple[int, ...]]:
    """Mean and deviation of the three colours, and the numbers of input channels that they may be meant for.

    Each is three numbers, one number for every channel, or a list of one number for a model of one channel. Raises
    ModelError for a mean outside [0, 1], a deviation that is not positive, or another count.
    """
    means, deviations = _numbers(mean, "mean"), _numbers(std, "std")
    if not all(0 <= value <= 1 for value in means):
        raise ModelError(
            f"The mean is {mean!r}, but must lie in [0, 1], as images do; divide by 255 what is meant for bytes."
        )
    if not all(value > 0 for value in deviations):
        raise ModelError(f"The std is {std!r}, but images are divided by it: each must be above 0.")
    grey = any(isinstance(given, Sequence) and len(given) == 1 for given in (mean, std))
    return _triple(means), _triple(deviations), (1,) if grey else (3, 1)


def _numbers(given: object, what: str) -> tuple[float, ...]:
    values = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) not in (1, 3) or not all(math.isfinite(value) for value in numbers):
        raise ModelError(
            f"The {what} is {given!r}, but must be three numbers (RGB), or one for a model of one channel."
        )
    return numbers


def _triple(numbers: Sequence[SupportsFloat]) -> Triple:
    red, green, blue = map(float, numbers if len(numbers) == 3 else [numbers[0]] * 3)
    return red, green, blue


def layer_name(given: str | nn.Module, modules: Sequence[nn.Module], name: str) -> str:
    """The dotted name of a layer that is given by name or as the module itself; the empty string stays empty.

    `modules` are the network and what it came wrapped in, whose prefixes a name may carry. Raises ModelError with the
    names that there are.
    """
    network = modules[-1]
    named = dict(network.named_modules())
    if isinstance(given, nn.Module):
        found = next((title for title, part in network.named_modules(remove_duplicate=False) if part is given), "")
        if not found:
            raise ModelError(f"The layer given is a {type(given).__name__} that is no part of {name}.")
        return found
    if not isinstance(given, str):
        raise ModelError(f"The layer is {given!r}, but must be a layer's name or the module itself.")
    if given in named:
        return given
    for outer in modules[:-1]:
        part: Any = dict(outer.named_modules()).get(given)
        inside = next((title for title, inner in named.items() if inner is part), "")
        if inside:
            return inside
    raise ModelError(f"{name} has no layer {given!r}; it has: {some_of([title for title in named if title])}.")


def some_of(names: Sequence[str], most: int = 20) -> str:
    """Names in a row, the last ones where there are many."""
    if not names:
        return "none with a name"
    return ", ".join(names) if len(names) <= most else f"{len(names)}, the last of them {', '.join(names[-most:])}"
