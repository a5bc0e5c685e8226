"""Networks that have forgotten what they learned: weights drawn anew, for sanity checks and as a control."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor, nn

from decam.classifier.layers import parts
from decam.classifier.sharing import copied

FEWEST, MOST = 6, 8


@dataclass(frozen=True)
class Stage:
    """A piece of a network that a reader knows by name: its layers' names, and how many weights they have."""

    name: str
    layers: tuple[str, ...]
    weights: int


@dataclass(frozen=True)
class _Block:
    """A block that has weights, the grid of its output (empty where that has none), and its layers."""

    name: str
    grid: tuple[int, ...]
    layers: tuple[str, ...]


def stages(module: nn.Module, input_size: tuple[int, int], channels: int = 3) -> tuple[Stage, ...]:
    """The network in six to eight pieces where it has so many blocks, from the output back to the input.

    Up to eight blocks are a stage each; of more, those that follow each other at one resolution are a stage, and the
    longest stages are halved until there are six. Normalisation belongs to the block before it, the last block stays
    alone, weights outside of any block belong to the first. The network is asked about one picture of zeros, on its
    own device: blocks are taken in the order of their use.
    """
    blocks = _blocks(module, input_size, channels)
    groups = [[block] for block in blocks]
    if len(groups) > MOST:
        groups = [list(same) for _, same in groupby(blocks[:-1], key=lambda block: block.grid or block.name)]
        groups.append(blocks[-1:])
    while len(groups) < min(FEWEST, len(blocks)):
        longest = max(groups, key=len)
        place, half = groups.index(longest), (len(longest) + 1) // 2
        groups[place : place + 1] = [longest[:half], longest[half:]]
    claimed = {layer for block in blocks for layer in block.layers}
    outside = tuple(layer for layer in layers(module) if layer not in claimed)
    names = [block.name for block in blocks]
    found: list[Stage] = []
    for group in groups:
        chosen = tuple(layer for block in group[::-1] for layer in block.layers) + (() if found else outside)
        found.append(Stage(_title([block.name for block in group], names), chosen, _weights(module, chosen)))
    return tuple(found[::-1])


def _blocks(module: nn.Module, input_size: tuple[int, int], channels: int) -> list[_Block]:
    """The blocks that have weights, in the order in which one picture passes them."""
    model = randomised(module, (), 0)  # a copy with the very same weights, on which hooks disturb nobody
    grids: dict[str, tuple[int, ...]] = {}

    def noting(name: str) -> Callable[[nn.Module, object, object], None]:
        def note(_: nn.Module, __: object, output: object) -> None:
            grids.setdefault(name, _grid(output))

        return note

    with_weights = {name: part for name, part in parts(model) if layers(part)}
    for name, part in with_weights.items():
        part.register_forward_hook(noting(name))
    with torch.inference_mode():
        model(torch.zeros(1, channels, *input_size, device=next(model.parameters()).device))
    found: list[_Block] = []
    for name, grid in grids.items():
        part = with_weights[name]
        inside = tuple(f"{name}.{layer}".rstrip(".") for layer in layers(part))
        if found and "Norm" in type(part).__name__ and inside == (name,):
            before = found.pop()
            found.append(_Block(before.name, before.grid, inside + before.layers))
        else:
            found.append(_Block(name, grid, inside))
    return found


def _grid(output: object) -> tuple[int, ...]:
    """How many places an output has: H×W, a number of tokens, or none once all places are pooled."""
    if not isinstance(output, Tensor) or output.ndim not in (3, 4):
        return ()
    if output.ndim == 3:
        return (output.shape[1],)
    _, first, second, third = output.shape
    channels_last = first == second != third
    grid = (first, second) if channels_last else (second, third)
    return grid if max(grid) > 1 else ()


def _title(group: Sequence[str], names: Sequence[str]) -> str:
    """What a group of blocks is called: by the container that they fill, else by its first and its last."""

    def container(name: str) -> str:
        steps = name.split(".")
        above = [".".join(steps[: depth + 1]) for depth in range(len(steps))]
        return next(one for one in above if all(other in group for other in names if f"{other}.".startswith(f"{one}.")))

    first, last = container(group[0]), container(group[-1])
    if first == last:
        return first
    inner = last.removeprefix(first.rpartition(".")[0]).lstrip(".")
    return f"{first} … {inner}"


def _weights(module: nn.Module, chosen: Collection[str]) -> int:
    own = dict(module.named_modules())
    return sum(weight.numel() for name in chosen for weight in own[name].parameters(recurse=False))


def layers(module: nn.Module) -> tuple[str, ...]:
    """Names of the parts that have weights of their own, from the output back to the input; the empty one is the root.

    In the reversed order in which the network declares them, which for the networks here is that of their use.
    """
    return tuple(name for name, part in module.named_modules() if any(True for _ in part.parameters(recurse=False)))[
        ::-1
    ]


def randomised(module: nn.Module, chosen: Collection[str], seed: int) -> nn.Module:
    """A copy in which the weights of the chosen parts are drawn anew, each tensor from a normal distribution.

    A matrix or kernel gets mean 0 and keeps its root mean square, so that activations neither die nor explode (Adebayo
    et al. 2018, section 3, draw from the initial distribution, which networks without normalisation layers do not
    survive at every depth); its own mean is learned, and would make all logits fall together. A vector (a bias, a
    normalisation's factor) keeps its mean and deviation. The same part gets the same weights whichever others are
    chosen with it. The other weights are the module's own, not copies. Weights that a chosen part shares with others
    change in all of them.
    """
    drawn_anew = {
        id(tensor)
        for name, part in module.named_modules()
        if name in chosen
        for tensor in part.parameters(recurse=False)
    }
    unchanged = {
        id(tensor): tensor for tensor in (*module.parameters(), *module.buffers()) if id(tensor) not in drawn_anew
    }
    forgetful = copied(module, unchanged)
    for number, name in enumerate(layers(module)):
        if name not in chosen:
            continue
        generator = torch.Generator().manual_seed(seed + 1_000_003 * number)
        for tensor in forgetful.get_submodule(name).parameters(recurse=False):
            drawn = torch.randn(tensor.shape, generator=generator).to(tensor)
            mean, deviation = _moments(tensor)
            tensor.data = torch.empty_like(tensor).copy_(mean + deviation * drawn)
    return forgetful


def _moments(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of what replaces a tensor."""
    if tensor.ndim > 1:
        return tensor.new_zeros(()), tensor.square().mean().sqrt()
    return tensor.mean(), tensor.std() if tensor.numel() > 1 else tensor.abs().squeeze()
