"""What one look at a module finds out: how many channels it takes, and what its scores are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from decam.classifier.answers import TOLERANCE, Answers, Kind, OutputFormat, check_probabilities
from decam.errors import ModelError

PICTURES = 4
ROUNDING = 1e-4  # how far two answers to the same pictures may lie apart, as a share of the largest score
# Steps that arrange values anew and leave each as it is, by the names that autograd has for them.
_REARRANGED = frozenset(
    {"Alias", "Clone", "Expand", "Permute", "ReshapeAlias", "Select", "Slice", "Squeeze", "T", "ToCopy", "Transpose"}
    | {"UnsafeView", "Unsqueeze", "View"}
)


@dataclass(frozen=True)
class Inspection:
    """Input channels (3, or 1 for grey), what the scores are, whether gradients reach the picture, and a note."""

    channels: int = 3
    output: OutputFormat = OutputFormat()  # noqa: RUF009  # frozen
    gradients: bool = True
    note: str = ""


def smooth_noise(size: tuple[int, int]) -> Tensor:
    """Four pictures (4×3×H×W in [0, 1]), always the same."""
    coarse = torch.rand(PICTURES, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    return F.interpolate(coarse, size, mode="bilinear", align_corners=False)


def inspect(
    ask: Callable[[Tensor, int], Tensor],
    name: str,
    input_size: tuple[int, int],
    channels: Sequence[int],
    answers: Answers,
) -> Inspection:
    """Ask a module about four pictures of smooth noise, twice, for it should answer alike.

    `ask(pictures, channels)` takes N×3×H×W in [0, 1] and gives N×K scores; where it raises ModelError, the next number
    of channels is tried. `answers` says what the scores are. "auto" takes them for probabilities where all lie in
    [0, 1] and each row adds up to 1 or a sigmoid was the last step, else for logits. Raises ModelError where the module
    cannot be asked or answers nothing but NaN.
    """
    pictures = smooth_noise(input_size)
    with torch.inference_mode(False), torch.enable_grad():
        count, scores = _first_that_fits(ask, pictures.clone().requires_grad_(), channels)
        with torch.no_grad():
            again = ask(pictures.clone(), count)
    usable = scores.detach().float()
    usable = usable[usable.isfinite().all(1)]
    if not len(usable):
        raise ModelError(
            f"{name} answers NaN or infinite values to every image: its weights are damaged, or mean and std are not "
            "those that it was trained with."
        )
    kind, note = _kind(usable, scores, answers, name)
    grey = f"{name} takes one channel: images are turned to grey." if count == 1 else ""
    notes = " ".join(filter(None, (grey, note, _chance(scores.detach().float(), again.float(), name))))
    return Inspection(count, OutputFormat(kind, scores.shape[1] == 1), scores.requires_grad, notes)


def _chance(scores: Tensor, again: Tensor, name: str) -> str:
    """What a reader should know where two answers to the same pictures lie further apart than rounding explains."""
    told = scores.isfinite() & again.isfinite()
    if not bool(told.any()):
        return ""
    if bool(((scores - again)[told].abs() <= ROUNDING * scores[told].abs().max()).all()):
        return ""
    return (
        f"{name} answers the same images differently each time it is asked, so all about it here is partly chance: "
        "switch off what is random in it, such as a dropout that does not follow evaluation mode."
    )


def _first_that_fits(
    ask: Callable[[Tensor, int], Tensor], pictures: Tensor, channels: Sequence[int]
) -> tuple[int, Tensor]:
    first: ModelError | None = None
    for count in channels:
        try:
            return count, ask(pictures, count)
        except ModelError as error:
            first = first or error
    assert first is not None
    raise first


def _kind(usable: Tensor, scores: Tensor, answers: Answers, name: str) -> tuple[Kind, str]:
    """What the scores are, and what a reader should know of how that was found."""
    if answers == "logits":
        return "logits", ""
    several = scores.shape[1] > 1
    bounded = bool((usable >= -TOLERANCE).all() and (usable <= 1 + TOLERANCE).all())
    exclusive = several and bounded and bool(((usable.sum(1) - 1).abs() <= TOLERANCE).all())
    if answers == "probabilities":
        check_probabilities(usable, name)
        return ("probabilities" if exclusive else "independent"), ""
    if exclusive:
        return "probabilities", f"The answers of {name} add up to 1, so they are read as probabilities."
    if bounded and _last_step(scores) == "Sigmoid":
        return "independent", f"{name} ends in a sigmoid, so its answers are read as probabilities."
    if bounded:
        return "logits", (
            f"The answers of {name} to four test images lie in [0, 1], and are read as logits all the same; say "
            "answers='probabilities' in decam.wrap() if they are that."
        )
    return "logits", ""


def _last_step(scores: Tensor) -> str:
    """The last operation that changed a value, by autograd's name for it; the empty string where it is not known."""
    node = scores.grad_fn
    while node is not None:
        found = re.match(r"([A-Za-z]+?)Backward\d*$", node.name())
        step = found[1] if found else node.name()
        if step not in _REARRANGED or not node.next_functions:
            return step
        node = node.next_functions[0][0]
    return ""
