"""A small vision transformer on scenes: torchvision's, on what the embedded network's first blocks see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from decam.models.networks.blocks import INPUT_SIZE, LABELS, WIDTHS, Trunk
from decam.models.weight_files import WEIGHTS, Card, Weights

if TYPE_CHECKING:
    from torchvision.models import VisionTransformer

GRID = 8
_STRIDES = (1, 2, 2)  # the embedded network's blocks but for its last: tokens of 8×8 places
_WIDTH, _HEADS, _BLOCKS, _INNER = WIDTHS[len(_STRIDES) - 1], 4, 4, 240


def small_vit() -> VisionTransformer:
    """Normalised N×3×128×128 to N×10 logits: 64 tokens and a class token through four blocks (Dosovitskiy et al. 2021).

    It is torchvision's, so that whatever looks into vit_b_16 looks into this one too; untrained.
    """
    from torchvision.models import VisionTransformer  # here, for it takes seconds

    network = VisionTransformer(
        image_size=INPUT_SIZE[0],
        patch_size=INPUT_SIZE[0] // GRID,
        num_layers=_BLOCKS,
        num_heads=_HEADS,
        hidden_dim=_WIDTH,
        mlp_dim=_INNER,
        num_classes=len(LABELS),
    )
    network.conv_proj = Trunk(strides=_STRIDES)
    return network


STORED = Weights(
    "small vision transformer",
    WEIGHTS / "small-vit.safetensors",
    small_vit,
    Card,
    "python -m decam.training --model small-vit",
)
