"""Where Grad-CAM can look: the outputs of a network's stages and blocks that are still a picture of features."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

_NOTHING_NEW = ("AdaptiveAvgPool2d", "Dropout", "Identity", "Permute")  # their output is their input, rearranged


def candidates(module: nn.Module, input_size: tuple[int, int] = (224, 224), channels: int = 3) -> tuple[str, ...]:
    """Dotted names of the layers worth looking at, in the order in which one image passes them.

    A layer counts where its output is N×C×H×W or N×H×W×C with at least 2×2 places, or N×T×C tokens with T = side² or,
    with a class token, side² + 1. The network is asked once, with zeros, on its own device; on the meta device that
    costs nothing. Where no block has such an output, the parts inside of blocks count.
    """
    inner = [
        (name, part)
        for name, part in module.named_modules()
        if name and not any(True for _ in part.children()) and type(part).__name__ not in _NOTHING_NEW
    ]
    return _spatial(module, parts(module), input_size, channels) or _spatial(module, inner, input_size, channels)


def _spatial(
    module: nn.Module, chosen: Iterable[tuple[str, nn.Module]], input_size: tuple[int, int], channels: int
) -> tuple[str, ...]:
    """Those of some parts that count as `candidates`."""
    names = {part: name for name, part in chosen}
    found: dict[str, None] = {}

    def note(part: nn.Module, _: object, output: object) -> None:
        name = _place(part, names[part], output)
        if name:
            found[name] = None

    hooks = [part.register_forward_hook(note) for part in names]
    device = next((weights.device for weights in module.parameters()), torch.device("cpu"))
    try:
        with torch.inference_mode():
            module(torch.zeros(1, channels, *input_size, device=device))
    finally:
        for hook in hooks:
            hook.remove()
    return tuple(found)


def parts(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The blocks of a network with their dotted names, as declared: containers are opened, blocks are not."""
    for name, child in module.named_children():
        if _is_container(child):
            yield from parts(child, f"{prefix}{name}.")
        elif type(child).__name__ not in _NOTHING_NEW:
            yield f"{prefix}{name}", child


def _is_container(module: nn.Module) -> bool:
    """A plain sequence, or a module around a plain sequence of equal blocks (a transformer's encoder)."""
    return type(module) is nn.Sequential or any(_is_chain(child) for child in module.children())


def _is_chain(module: nn.Module) -> bool:
    """Several equal blocks in a row; equal convolutions with norm and activation in a row are one block's inside."""
    if type(module) is not nn.Sequential or len(module) < 2 or isinstance(module[0], nn.Sequential):
        return False
    return len({type(child) for child in module}) == 1


def _place(part: nn.Module, name: str, output: object) -> str:
    """The name to look at for this part, empty where its output has no places."""
    if not isinstance(output, Tensor):
        return ""
    if output.ndim == 4:
        _, first, second, third = output.shape
        height, width = (first, second) if first == second != third else (second, third)
        return name if min(height, width) > 1 else ""
    if output.ndim != 3:
        return ""
    tokens = output.shape[1]
    if tokens >= 4 and math.isqrt(tokens) ** 2 == tokens:
        return name
    if tokens >= 5 and math.isqrt(tokens - 1) ** 2 == tokens - 1:
        # Only the class token leaves the last block for the classifier, so no gradient reaches the other tokens
        # there: the norm at a block's entrance is the last place where all tokens still count.
        norm = next((inner for inner, child in part.named_children() if isinstance(child, nn.LayerNorm)), "")
        return f"{name}.{norm}" if norm else ""
    return ""
