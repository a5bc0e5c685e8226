"""The training of the embedded network, from seeds to weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from decam.models.embedded import MEAN, STD, Embedded, fused, network
from decam.training import hiding
from decam.training.drawing import Examples, draw, join

# Seeds below this are never trained on: tests and samples draw from them.
FIRST_SEED = 1_000_000_000
_SEEDS_EACH = 10_000_000

_BATCH = 64
_RATE = 3e-3
_DECAY = 0.05
_HIDDEN = 0.25  # the share of each batch that is partly hidden
_SMOOTHING = 0.02


@dataclass(frozen=True)
class Recipe:
    """What is trained on: a seed, how many scenes (a quarter of them with two objects), how often each is seen."""

    seed: int = 0
    scenes: int = 28_000
    epochs: int = 10


def fit(recipe: Recipe, report: Callable[[str], None]) -> Embedded:
    """The trained network, fused; `report` hears how it goes. The same recipe gives the same weights on one machine."""
    examples = _examples(recipe, report)
    torch.manual_seed(recipe.seed)
    random = torch.Generator().manual_seed(recipe.seed + 1)
    model = network().to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(_groups(model), lr=_RATE, betas=(0.9, 0.98))
    steps = recipe.epochs * (len(examples) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=max(steps, 2), pct_start=0.2)
    started = time.monotonic()
    for epoch in range(recipe.epochs):
        losses: list[float] = []
        for images, target in _batches(examples, random):
            loss = F.cross_entropy(model(images), target, label_smoothing=_SMOOTHING)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        seconds = time.monotonic() - started
        rate = (epoch + 1) * len(losses) * _BATCH / seconds
        report(
            f"epoch {epoch + 1} of {recipe.epochs}: loss {sum(losses) / max(len(losses), 1):.3f}, "
            f"{rate:.0f} scenes/s, {seconds * (recipe.epochs / (epoch + 1) - 1):.0f} s left"
        )
    return fused(model)


@torch.inference_mode()
def answer(model: nn.Module, images: Tensor) -> Tensor:
    """Probabilities N×10 for scenes N×128×128×3 uint8."""
    parts = [torch.softmax(model(_normalised(_unit(part))), 1) for part in torch.split(images, 64)]
    return torch.cat(parts)


def accuracy(model: nn.Module, examples: Examples) -> float:
    """The share of scenes, 0 … 1, whose most probable classes are those of their objects (any one of two)."""
    best = answer(model, examples.images).argmax(1, keepdim=True)
    return float((best == examples.labels).any(1).float().mean())


def _examples(recipe: Recipe, report: Callable[[str], None]) -> Examples:
    first = FIRST_SEED + recipe.seed * _SEEDS_EACH
    pairs = recipe.scenes // 4
    singles = recipe.scenes - pairs
    one = draw(first, singles, 1, _milestones(report, 0, recipe.scenes))
    two = draw(first + singles, pairs, 2, _milestones(report, singles, recipe.scenes))
    return join(one, two)


def _milestones(report: Callable[[str], None], before: int, total: int) -> Callable[[int], None]:
    every = max(total // 10, 1)

    def heard(done: int) -> None:
        if (before + done) // every > (before + done - 50) // every or before + done == total:
            report(f"drawing scenes: {before + done} of {total}")

    return heard


def _batches(examples: Examples, random: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    order = torch.randperm(len(examples), generator=random)
    for rows in torch.split(order, _BATCH):
        if len(rows) < _BATCH:
            return
        images, masks, labels = _unit(examples.images[rows]), examples.masks[rows], examples.labels[rows]
        images, masks = hiding.turned(images, masks, random)
        images = hiding.recoloured(images, random)
        shares = torch.ones(_BATCH, 2)
        part = int(_BATCH * _HIDDEN)
        veiled, shares[:part] = hiding.hidden(images[:part], masks[:part], random)
        images = torch.cat([veiled, images[part:]])
        yield _normalised(images), hiding.answers(labels, shares)


def _unit(images: Tensor) -> Tensor:
    return images.permute(0, 3, 1, 2).float().div_(255)


def _normalised(images: Tensor) -> Tensor:
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def _groups(model: nn.Module) -> list[dict[str, object]]:
    """Weight decay for matrices and kernels only."""
    decayed = [weights for weights in model.parameters() if weights.ndim > 1]
    free = [weights for weights in model.parameters() if weights.ndim <= 1]
    return [{"params": decayed, "weight_decay": _DECAY}, {"params": free, "weight_decay": 0.0}]
