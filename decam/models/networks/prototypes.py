"""A prototype network on scenes: it answers by how much places look like patches of training scenes (Chen 2019)."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from decam.models.networks.blocks import LABELS, WIDTHS, Trunk
from decam.models.weight_files import WEIGHTS, Card, Weights

EACH = 3  # prototypes a class
COUNT = EACH * len(LABELS)
_WIDTH = 48
_SCALE = 10.0  # similarities are at most 1: without it no answer could be sure


class Similarity(nn.Module):
    """Features N×48×h×w to N×30×h×w cosine similarities in [-1, 1] with every prototype."""

    def __init__(self) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(torch.randn(COUNT, _WIDTH))

    def forward(self, features: Tensor) -> Tensor:
        """N×48×h×w to N×30×h×w in [-1, 1]."""
        kernels = F.normalize(self.prototypes, dim=1)[:, :, None, None]
        return F.conv2d(F.normalize(features, dim=1), kernels)


class PrototypeNetwork(nn.Module):
    """Normalised N×3×128×128 to N×10 logits (Chen et al., This Looks Like That, 2019, section 2.1, with cosines).

    `seeds` (30) and `places` (30×2, row and column of the 8×8 grid) say which training scene each prototype is a place
    of; prototype p belongs to class p // 3.
    """

    side = 8
    seeds: Tensor
    places: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.adapt = nn.Conv2d(WIDTHS[-1], _WIDTH, 1)
        self.similarity = Similarity()
        self.head = nn.Linear(COUNT, len(LABELS), bias=False)
        owner = torch.arange(COUNT) // EACH
        own = (owner == torch.arange(len(LABELS))[:, None]).float()
        self.head.weight.data = 1.5 * own - 0.5
        self.register_buffer("seeds", torch.zeros(COUNT, dtype=torch.int64))
        self.register_buffer("places", torch.zeros(COUNT, 2, dtype=torch.int64))

    def features(self, images: Tensor) -> Tensor:
        """Normalised N×3×128×128 to N×48×8×8."""
        return cast(Tensor, self.adapt(self.trunk(images)))

    def similarities(self, images: Tensor) -> Tensor:
        """Normalised N×3×128×128 to N×30×8×8 in [-1, 1]."""
        return cast(Tensor, self.similarity(self.features(images)))

    def decide(self, similarities: Tensor) -> Tensor:
        """N×30×8×8 similarities to N×10 logits: each prototype counts where it is found best."""
        return self.answer(similarities.amax((2, 3)))

    def answer(self, best: Tensor) -> Tensor:
        """N×30 largest similarities to N×10 logits."""
        return _SCALE * cast(Tensor, self.head(best))

    def contributions(self, best: Tensor) -> Tensor:
        """N×30 largest similarities to what each adds to each logit, N×10×30."""
        return _SCALE * self.head.weight * best.unsqueeze(1)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised N×3×128×128 to N×10 logits."""
        return self.decide(self.similarities(images))


STORED = Weights(
    "prototype network",
    WEIGHTS / "prototypes.safetensors",
    PrototypeNetwork,
    Card,
    "python -m decam.training --model prototypes",
)
