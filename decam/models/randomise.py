"""Networks that have forgotten what they learnt: some or all weights drawn anew, for sanity checks and as a control."""

from __future__ import annotations

import copy
from collections.abc import Collection

import torch
from torch import nn


def layers(module: nn.Module) -> tuple[str, ...]:
    """Names of the parts that have weights of their own, from the output back to the input; the empty one is the root.

    In the reversed order in which the network declares them, which for the networks here is that of their use.
    """
    return tuple(name for name, part in module.named_modules() if any(True for _ in part.parameters(recurse=False)))[
        ::-1
    ]


def randomised(module: nn.Module, chosen: Collection[str], seed: int) -> nn.Module:
    """A copy in which the weights of the chosen parts are drawn anew, each tensor from a normal distribution.

    It has the mean and the deviation that the tensor had, so that activations neither die nor explode (Adebayo et al.
    2018, section 3, draw from the initial distribution, which networks without normalisation layers do not survive at
    every depth). The same part gets the same weights whichever others are chosen with it. The other weights are the
    module's own, not copies.
    """
    kept = {
        id(tensor): tensor
        for name, part in module.named_modules()
        for tensor in (*(() if name in chosen else part.parameters(recurse=False)), *part.buffers(recurse=False))
    }
    forgetful = copy.deepcopy(module, kept)
    for number, name in enumerate(layers(module)):
        if name not in chosen:
            continue
        generator = torch.Generator().manual_seed(seed + 1_000_003 * number)
        for tensor in forgetful.get_submodule(name).parameters(recurse=False):
            drawn = torch.randn(tensor.shape, generator=generator).to(tensor)
            deviation = tensor.std() if tensor.numel() > 1 else tensor.abs()
            tensor.data = torch.empty_like(tensor).copy_(tensor.mean() + deviation * drawn)
    return forgetful
