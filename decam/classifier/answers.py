"""What a model's output means: where the scores are in it, and how scores become probabilities and logits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import torch
from torch import Tensor

from decam.errors import DecamError, ModelError
from decam.hardware.device import is_memory
from decam.numerals import several

Answers: TypeAlias = Literal["auto", "logits", "probabilities"]
Kind: TypeAlias = Literal["logits", "probabilities", "independent"]

TOLERANCE = 1e-3  # by how much a probability, or the sum of a row, may miss its bounds: half precision rounds so
_LEAST = torch.finfo(torch.float32).tiny
_SATURATED = 1e-6  # float32 cannot tell a sigmoid nearer to 0 or 1 from these


@dataclass(frozen=True)
class OutputFormat:
    """What the scores of one picture are.

    `kind` is "logits" (to be read through softmax), "probabilities" (of classes that exclude each other) or
    "independent" (a probability a class, as several sigmoids give). `single` marks one score a picture, which speaks
    for the second of two classes and is read through a sigmoid where it is a logit.
    """

    kind: Kind = "logits"
    single: bool = False

    def probabilities(self, scores: Tensor) -> Tensor:
        """N×K scores to N×C probabilities, float32."""
        scores = scores.float()
        if not self.single:
            return torch.softmax(scores, dim=1) if self.kind == "logits" else scores
        if self.kind == "logits":
            return torch.sigmoid(torch.cat([-scores, scores], dim=1))
        return torch.cat([1 - scores, scores], dim=1)

    def logits(self, scores: Tensor) -> Tensor:
        """N×K scores to N×C logits; gradients flow.

        Their softmax is the probability. A single logit z becomes −z/2 and z/2, so that each class has a gradient.
        Probabilities p become log p; a single p becomes its log odds, halved likewise. Independent probabilities
        become log odds, of which the sigmoid, not the softmax, is the probability. Where float32 rounds p to 0 or 1
        no gradient passes.
        """
        if self.single:
            odds = scores if self.kind == "logits" else torch.logit(scores.float(), _SATURATED)
            return torch.cat([-odds / 2, odds / 2], dim=1)
        if self.kind == "logits":
            return scores
        if self.kind == "probabilities":
            return scores.float().clamp_min(_LEAST).log()
        return torch.logit(scores.float(), _SATURATED)


def check_answers(answers: object) -> Answers:
    """What the caller says the scores are; raises ModelError for another word."""
    for known in get_args(Answers):
        if answers == known:
            found: Answers = known
            return found
    raise ModelError(f"answers is {answers!r}, but must be one of: {', '.join(get_args(Answers))}.")


def selected(output: object, which: str | int | None, name: str) -> Tensor:
    """The tensor of scores in what a model answered.

    `which` is a key or an attribute (str), or a position (int). Without it a tensor is taken as it is, else what is
    called `logits`, else the first of a tuple or list, else the only tensor of a mapping. Raises ModelError with what
    there is to choose from.
    """
    if isinstance(output, Tensor):
        if which is not None:
            raise ModelError(f"{name} answers one tensor, so there is no output {which!r} in it: leave output out.")
        return output
    found = _by_default(output) if which is None else _by_name(output, which)
    if isinstance(found, Tensor):
        return found
    given = list(output.values()) if isinstance(output, Mapping) else [output]
    tensors = any(isinstance(part, Tensor) for part in given)  # of which one may be what is meant
    if _plain_numbers(found) or (not tensors and any(map(_plain_numbers, given))):
        raise ModelError(
            f"{name} answers {_described(output)}, and its scores are no tensor; turn them into one with "
            "torch.as_tensor(scores), N×C for N images of C classes."
        )
    wanted = "no output was named" if which is None else f"the output {which!r} is {_described(found)}"
    raise ModelError(
        f"{name} answers {_described(output)}, and {wanted}; name the tensor of N×C scores with output=, a key or a "
        "position."
    )


def _plain_numbers(value: object) -> bool:
    """True for numbers outside of a tensor: a NumPy array, or lists of numbers, of such arrays or of such lists."""
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(part, float | int) or _plain_numbers(part) for part in value)
    return isinstance(value, np.ndarray | np.number)


def _by_default(output: object) -> object:
    named = _by_name(output, "logits")
    if isinstance(named, Tensor):
        return named
    if isinstance(output, Mapping):
        tensors = [value for value in output.values() if isinstance(value, Tensor)]
        return tensors[0] if len(tensors) == 1 else None
    return output[0] if isinstance(output, Sequence) and output else None


def _by_name(output: object, which: str | int) -> object:
    """What is there under a key, an attribute's name or a position; None where nothing is."""
    if isinstance(which, str):
        if isinstance(output, Mapping) and which in output:
            return output[which]
        return getattr(output, which, None)
    items = tuple(output.values()) if isinstance(output, Mapping) else output
    if isinstance(items, Sequence) and -len(items) <= which < len(items):
        return items[which]
    return None


def _described(value: object) -> str:
    if isinstance(value, Mapping):
        return f"a {type(value).__name__} with the keys {', '.join(map(repr, value))}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"a {type(value).__name__} of {len(value)}"
    return "nothing" if value is None else f"a {type(value).__name__}"


def shaped(scores: Tensor, rows: int, given: int, name: str) -> Tensor:
    """Scores as N×K: K is the number of labels, or 1 where one or two labels were given.

    `rows` is the number of pictures and `given` that of labels. Also takes N scores, N×K×1×1 and, for one picture, K.
    Raises ModelError where the scores do not fit the pictures or the labels.
    """
    if not scores.is_floating_point():
        raise ModelError(
            f"{name} answers {scores.dtype} values, such as class numbers; logits or probabilities were expected, a "
            "floating-point score a class."
        )
    if scores.ndim > 2 and scores.shape[2:].numel() == 1:
        scores = scores.flatten(1)
    if scores.ndim > 2:
        kind = "a score a place, as segmentation does" if scores.ndim == 4 else "more than one vector an image"
        raise ModelError(
            f"{name} answers {tuple(scores.shape)}: {kind}. One score a class was expected: reduce it first, for "
            "example to its mean over all places."
        )
    if scores.ndim < 2:
        scores = scores.reshape(1, -1) if rows == 1 else scores.reshape(-1, 1)
    if len(scores) != rows:
        raise ModelError(f"{name} answered {len(scores)} rows to {rows} images; a row an image was expected.")
    columns = scores.shape[1]
    if columns != given and not (columns == 1 and given == 2):
        raise ModelError(
            f"{name} answers {several(columns, 'value')} an image, but {several(given, 'label')} "
            f"{'was' if given == 1 else 'were'} given; give a label for each value, or one or two labels for one value."
        )
    return scores


def check_probabilities(answers: Tensor, name: str, subject: str = "an image") -> None:
    """Raise ModelError where a batch of answers holds what is no number, or no probability."""
    low, high = torch.stack(answers.aminmax()).tolist()  # NaN where any value is; one wait for a GPU
    check_range(low, high, name, subject)


def check_range(low: float, high: float, name: str, subject: str = "an image") -> None:
    """Raise ModelError where the lowest and highest of some answers are no numbers, or no probabilities."""
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ModelError(
            f"{name} answered {subject} with something that is no number (NaN or infinite): its weights are damaged, "
            "or its values overflow in the precision that it is asked in; load it with exact=True, or another model."
        )
    if low < -TOLERANCE or high > 1 + TOLERANCE:
        raise ModelError(
            f"{name} answered {subject} with values from {low:.4g} to {high:.4g}, and probabilities lie between 0 and "
            "1. If these are logits, say answers='logits' in decam.wrap(); if they are per cent, divide them by 100."
        )


@contextmanager
def in_words(name: str, shape: Sequence[int], advice: str) -> Iterator[None]:
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
