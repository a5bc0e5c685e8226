"""A bilinear network on scenes: its features say where to look by themselves, without a weight for it.

Attention maps come from the features as in BR-NPA (Gomez et al. 2022): the most active place speaks for a part, the
part's map is how alike the other places are to it. Maps and features are then pooled bilinearly (Lin et al. 2015).
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from decam.models.networks.blocks import LABELS, WIDTHS, Trunk
from decam.models.weight_files import WEIGHTS, Card, Weights

PARTS = 3
STRIDES = (1, 2, 1, 1)  # one less than in the embedded network: maps of 16×16
_SHARPNESS = 10.0


class Parts(nn.Module):
    """Features N×C×h×w to N×3×h×w attention maps in [0, 1], strongest part first; has no weights.

    Each map is the features' norm, relative to the picture's largest, times their likeness to the place that is most
    active among what earlier parts have left.
    """

    def forward(self, features: Tensor) -> Tensor:
        """N×C×h×w to N×3×h×w in [0, 1]."""
        flat = features.flatten(2)
        norms = flat.norm(dim=1)
        strength = norms / norms.amax(1, keepdim=True).clamp(min=1e-6)
        directions = F.normalize(flat, dim=1)
        left = strength
        maps = []
        for _ in range(PARTS):
            place = left.argmax(1).view(-1, 1, 1).expand(-1, flat.size(1), 1)
            speaker = directions.gather(2, place)
            alike = (_SHARPNESS * ((directions * speaker).sum(1) - 1).clamp(max=0)).exp()
            maps.append(strength * alike)
            left = left * (1 - alike)
        return torch.stack(maps, 1).view(-1, PARTS, features.size(2), features.size(3))


class BilinearNetwork(nn.Module):
    """Normalised N×3×128×128 to N×10 logits; `attention` gives the maps that the features are pooled by."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk(strides=STRIDES)
        self.attention = Parts()
        self.head = nn.Linear(PARTS * WIDTHS[-1], len(LABELS))

    def forward(self, images: Tensor) -> Tensor:
        """Normalised N×3×128×128 to N×10 logits."""
        features = self.trunk(images)
        maps = self.attention(features).flatten(2)
        weights = maps / maps.sum(2, keepdim=True).clamp(min=1e-6)
        pooled = torch.matmul(weights, features.flatten(2).transpose(1, 2))
        return cast(Tensor, self.head(pooled.flatten(1)))


STORED = Weights(
    "bilinear network",
    WEIGHTS / "bcnn.safetensors",
    BilinearNetwork,
    Card,
    "python -m decam.training --model bcnn",
)
