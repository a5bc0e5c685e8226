"""An attention branch network on scenes: a branch of its own says where to look, and is trained to (Fukui 2019)."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from decam.models.networks.blocks import LABELS, WIDTHS, Residual, Trunk
from decam.models.weight_files import WEIGHTS, Card, Weights

_SPLIT = 2  # blocks before the attention branch
CLASSES = len(LABELS)


class AttentionBranch(nn.Module):
    """Features N×48×16×16 to one score map a class, N×10×16×16, from which attention and a first answer are made."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = Residual(width, width, 1, fused=True)
        self.classes = nn.Conv2d(width, CLASSES, 1)

    def forward(self, features: Tensor) -> Tensor:
        """N×C×h×w to N×10×h×w."""
        return cast(Tensor, self.classes(self.block(features)))


class AttentionBranchNetwork(nn.Module):
    """Normalised N×3×128×128 to N×10 logits (Fukui et al., Attention Branch Network, 2019, equation 2).

    The perception branch sees the features times 1 + M, where M, N×1×16×16 in (0, 1), is what `attention` gives.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk()
        width = WIDTHS[_SPLIT - 1]
        self.branch = AttentionBranch(width)
        self.mix = nn.Conv2d(CLASSES, 1, 1)
        self.attention = nn.Sigmoid()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(WIDTHS[-1], CLASSES)

    def both(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The answer and the attention branch's own one, N×10 logits each; training asks for both to be right."""
        blocks = tuple(self.trunk.blocks)
        features = self.trunk.stem(images)
        for block in blocks[:_SPLIT]:
            features = block(features)
        maps = self.branch(features)
        seen = features * (1 + self.attention(self.mix(maps)))
        for block in blocks[_SPLIT:]:
            seen = block(seen)
        return self.head(self.pool(seen).flatten(1)), maps.mean((2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """Normalised N×3×128×128 to N×10 logits."""
        return self.both(images)[0]


STORED = Weights(
    "attention branch network",
    WEIGHTS / "abn.safetensors",
    AttentionBranchNetwork,
    Card,
    "python -m decam.training --model abn",
)
