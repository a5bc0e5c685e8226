"""The small residual network that comes with the project: it names the shape in a scene, and needs no download."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from torch import Tensor, nn

from decam.models.networks.blocks import INPUT_SIZE, LABELS, MEAN, STD, WIDTHS, Trunk, fold
from decam.models.weight_files import WEIGHTS, Card, FittedCard, Weights


class Embedded(Trunk):
    """Normalised N×3×128×128 to N×10 logits; the last convolutional block answers at 8×8."""

    def __init__(self, fused: bool = False) -> None:
        super().__init__(fused)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(WIDTHS[-1], len(LABELS))

    def forward(self, images: Tensor) -> Tensor:
        """Normalised N×3×128×128 to N×10 logits."""
        return cast(Tensor, self.head(self.pool(super().forward(images)).flatten(1)))


def network() -> Embedded:
    """The network with random weights and batch normalisation, for training."""
    return Embedded()


def blank() -> Embedded:
    """The network with one convolution in place of each that has a batch normalisation, as its file holds it."""
    return Embedded(fused=True)


STORED = Weights("embedded model", WEIGHTS / "embedded.safetensors", blank, Card, "python -m decam.training")
# The same network, trained until it knew by heart which labels chance had given to its scenes.
SHUFFLED = Weights(
    "model of shuffled labels",
    WEIGHTS / "shuffled.safetensors",
    blank,
    FittedCard,
    "python -m decam.training --model shuffled",
)
WEIGHTS = STORED.path


def fused(trained: Embedded) -> Embedded:
    """The same function with every batch normalisation folded into its convolution, in evaluation mode."""
    single = blank()
    fold(trained, single)
    return single.eval()


def target_layer(model: nn.Module) -> nn.Module:
    """The last convolutional block of a network made here: where Grad-CAM looks."""
    return cast(Embedded, model).blocks[-1]


def save(model: Embedded, card: Card, path: Path) -> None:
    """Writes a fused network (as float16, which halves the file) and its card; the file appears whole or not at all."""
    STORED.save(model, card, path)


def load(path: Path | None = None) -> Embedded:
    """The trained network in evaluation mode, float32; raises ModelError where its file is missing or damaged."""
    return STORED.load(path)


def card(path: Path | None = None) -> Card:
    """What the file of weights says about itself; raises ModelError where it is missing or damaged."""
    return STORED.card(path)


__all__ = ["INPUT_SIZE", "LABELS", "MEAN", "SHUFFLED", "STD", "STORED", "WEIGHTS", "Card", "Embedded", "card", "fused"]
__all__ += ["load", "network", "save", "target_layer"]
