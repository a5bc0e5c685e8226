"""A small vision transformer on scenes: torchvision's, on what the embedded network's first blocks see."""

from __future__ import annotations

from torchvision.models import VisionTransformer

from decam.models.networks.blocks import INPUT_SIZE, LABELS, WIDTHS, Trunk
from decam.models.weight_files import WEIGHTS, Card, Weights

GRID = 8
_STRIDES = (1, 2, 2)  # the embedded network's blocks but for its last: tokens of 8×8 places
_WIDTH, _HEADS, _BLOCKS, _INNER = WIDTHS[len(_STRIDES) - 1], 4, 4, 240


class SmallVit(VisionTransformer):  # type: ignore[misc]  # torchvision has no types
    """Normalised N×3×128×128 to N×10 logits: 64 tokens and a class token through four blocks (Dosovitskiy et al. 2021).

    Its attention is torchvision's, so that whatever looks into vit_b_16 looks into this one too.
    """

    def __init__(self) -> None:
        super().__init__(
            image_size=INPUT_SIZE[0],
            patch_size=INPUT_SIZE[0] // GRID,
            num_layers=_BLOCKS,
            num_heads=_HEADS,
            hidden_dim=_WIDTH,
            mlp_dim=_INNER,
            num_classes=len(LABELS),
        )
        self.conv_proj = Trunk(strides=_STRIDES)


STORED = Weights(
    "small vision transformer",
    WEIGHTS / "small-vit.safetensors",
    SmallVit,
    Card,
    "python -m decam.training --model small-vit",
)
