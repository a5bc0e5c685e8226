"""How attention is read while a network answers: by hooks on a weight-sharing copy, and rolled out through blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from decam.methods.support.layers import arrangement
from decam.methods.support.white_box import Opened
from decam.models.networks import is_vision_transformer

FUSIONS = ("mean", "max", "min")
_Given: TypeAlias = tuple[Any, ...]
_Named: TypeAlias = dict[str, Any]


def output_of(model: Opened, layer: str, images: Tensor) -> Tensor:
    """What a layer of the model gives for one normalised picture (1×3×H×W), without the first axis."""
    seen: list[Tensor] = []

    def keep(_: nn.Module, __: _Given, output: Tensor) -> None:
        seen.append(output.detach().clone())  # what follows may work in place

    handle = model.model.get_submodule(layer).register_forward_hook(keep)
    try:
        model(images)
    finally:
        handle.remove()
    return seen[-1][0]


def attentions(model: Opened, images: Tensor) -> Tensor:
    """Attention of every block of a vision transformer for one picture: blocks × heads × T × T, each row adds up to 1.

    T counts the class token, which comes first.
    """
    seen: list[Tensor] = []

    def ask(_: nn.Module, given: _Given, named: _Named) -> tuple[_Given, _Named]:
        return given, {**named, "need_weights": True, "average_attn_weights": False}

    def keep(_: nn.Module, __: _Given, output: tuple[Tensor, Tensor]) -> None:
        seen.append(output[1][0].detach())

    handles = []
    for block in encoder_blocks(model.model):
        attention = model.model.get_submodule(block).self_attention
        assert isinstance(attention, nn.MultiheadAttention)
        handles += [
            attention.register_forward_pre_hook(ask, with_kwargs=True),
            attention.register_forward_hook(keep),
        ]
    try:
        model(images)
    finally:
        for handle in handles:
            handle.remove()
    return torch.stack(seen)


def encoder_blocks(module: nn.Module) -> tuple[str, ...]:
    """Names of a vision transformer's blocks, first to last."""
    assert is_vision_transformer(module)
    return tuple(f"encoder.layers.{name}" for name, _ in module.encoder.layers.named_children())


def rollout(attention: Tensor, fusion: str = "mean") -> Tensor:
    """How much each token counts for the class token after all blocks: T, adds up to 1.

    `attention` is blocks × heads × T × T. Heads are fused by their mean, maximum or minimum; each block mixes half of
    its attention with half of what passes beside it (Abnar & Zuidema, Quantifying Attention Flow in Transformers,
    2020, section 3).
    """
    fuse: dict[str, Callable[[Tensor], Tensor]] = {
        "mean": lambda heads: heads.mean(1),
        "max": lambda heads: heads.amax(1),
        "min": lambda heads: heads.amin(1),
    }
    fused = fuse[fusion](attention)
    fused = fused / fused.sum(2, keepdim=True).clamp(min=1e-12)
    # From the answer back to the picture: one row is enough, whatever the number of tokens.
    row = torch.zeros(fused.shape[-1], dtype=fused.dtype, device=fused.device)
    row[0] = 1
    for block in fused.flip(0):
        row = (row + row @ block) / 2
    return row


def grid(model: Opened, tokens: Tensor) -> Tensor:
    """A value a token of a vision transformer (T) as the grid h×w of its patches.

    Raises SettingError where it is unclear which tokens those are.
    """
    found = arrangement(model.classifier, encoder_blocks(model.model)[0])
    return found.grid(tokens[None, :, None])[0, 0]
