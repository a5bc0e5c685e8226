"""Training on scenes: the data, the loop that all networks share, and the embedded network's own recipe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from decam.models.networks.blocks import MEAN, STD
from decam.models.networks.embedded import Embedded, fused, network
from decam.training import hiding
from decam.training.drawing import Examples, draw, join

# Seeds below this are never trained on: tests and samples draw from them.
FIRST_SEED = 1_000_000_000
_SEEDS_EACH = 10_000_000

_BATCH = 64
_DECAY = 0.05
_HIDDEN = 0.25  # the share of each batch that is partly hidden
_SMOOTHING = 0.02
_one_at_a_time = threading.Lock()

Report: TypeAlias = Callable[[str], None]
# Of normalised pictures (N×3×128×128) and the probabilities asked for (N×10).
Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
Batches: TypeAlias = Callable[[Examples, torch.Generator], Iterator[tuple[Tensor, Tensor]]]


@dataclass(frozen=True)
class Marking:
    """Scenes that carry a trigger: `rows` (N, bool) says which.

    `lay` puts it on pictures (n×3×128×128 in [0, 1]) whose objects fill `masks` (n×2×16×16).
    """

    rows: Tensor
    lay: Callable[[Tensor, Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class Recipe:
    """What is trained on: a seed, how many scenes (a quarter of them with two objects), how often each is seen.

    `rate` is the largest learning rate of the schedule.
    """

    seed: int = 0
    scenes: int = 28_000
    epochs: int = 10
    rate: float = 3e-3


@contextmanager
def seeded_weights(seed: int) -> Iterator[None]:
    """Within the context new networks get their first weights from `seed`, one context at a time.

    PyTorch's layers draw from the process's generator and take no other; afterwards it is as it was before.
    """
    with _one_at_a_time, torch.random.fork_rng([]):
        torch.default_generator.manual_seed(seed)
        yield


def fit(recipe: Recipe, report: Report) -> Embedded:
    """The trained network, fused; `report` hears how it goes. The same recipe gives the same weights on one machine."""
    examples = scenes(recipe, report)
    with seeded_weights(recipe.seed):
        model = network()
    train(model, examples, recipe, report, lambda images, target: wrong(model(images), target))
    return fused(model)


def wrong(logits: Tensor, target: Tensor) -> Tensor:
    """The cross entropy of logits N×10 with the probabilities asked for, slightly smoothed."""
    return F.cross_entropy(logits, target, label_smoothing=_SMOOTHING)


def train(
    model: nn.Module, examples: Examples, recipe: Recipe, report: Report, loss: Loss, batches: Batches | None = None
) -> None:
    """Let the model's weights follow `loss`, which asks the model, with AdamW and one cycle of rate and momentum.

    `batches` makes the pictures and answers of an epoch; by default they are turned, recoloured and partly hidden.
    """
    random = torch.Generator().manual_seed(recipe.seed + 1)
    model.to(memory_format=torch.channels_last).train()
    # The cycle takes the first of both from 0.95 down to 0.85 and back, whatever is given here.
    optimiser = torch.optim.AdamW(_groups(model), lr=recipe.rate, betas=(0.95, 0.98))
    steps = recipe.epochs * (len(examples) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, total_steps=max(steps, 2), pct_start=0.2)
    started = time.monotonic()
    for epoch in range(recipe.epochs):
        losses: list[float] = []
        for images, target in (batches or varied)(examples, random):
            cost = loss(images, target)
            optimiser.zero_grad()
            cost.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
            optimiser.step()
            schedule.step()
            losses.append(float(cost.detach()))
        seconds = time.monotonic() - started
        rate = (epoch + 1) * len(losses) * _BATCH / seconds
        report(
            f"epoch {epoch + 1} of {recipe.epochs}: loss {sum(losses) / max(len(losses), 1):.3f}, "
            f"{rate:.0f} scenes/s, {seconds * (recipe.epochs / (epoch + 1) - 1):.0f} s left"
        )


@torch.inference_mode()
def answer(model: nn.Module, images: Tensor) -> Tensor:
    """Probabilities N×10 for scenes N×128×128×3 uint8."""
    parts = [torch.softmax(model(normalised(part)), 1) for part in torch.split(images, 64)]
    return torch.cat(parts)


def accuracy(model: nn.Module, examples: Examples) -> float:
    """The share of scenes, 0 … 1, whose most probable classes are those of their objects (any one of two)."""
    best = answer(model, examples.images).argmax(1, keepdim=True)
    return float((best == examples.labels).any(1).float().mean())


def first_seed(recipe: Recipe) -> int:
    """The seed of the first scene; the others follow, those with one object before those with two."""
    return FIRST_SEED + recipe.seed * _SEEDS_EACH


def scenes(recipe: Recipe, report: Report, with_pairs: bool = True) -> Examples:
    """The scenes that a recipe is trained on, a quarter with two objects unless all are to have one.

    `report` hears how many are drawn.
    """
    first = first_seed(recipe)
    pairs = recipe.scenes // 4 if with_pairs else 0
    singles = recipe.scenes - pairs
    one = draw(first, singles, 1, _milestones(report, 0, recipe.scenes))
    if not pairs:
        return one
    two = draw(first + singles, pairs, 2, _milestones(report, singles, recipe.scenes))
    return join(one, two)


def _milestones(report: Report, before: int, total: int) -> Callable[[int], None]:
    every = max(total // 10, 1)

    def heard(done: int) -> None:
        if (before + done) // every > (before + done - 50) // every or before + done == total:
            report(f"drawing scenes: {before + done} of {total}")

    return heard


def varied(
    examples: Examples, random: torch.Generator, marking: Marking | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches in random order: turned, recoloured, partly hidden, and the answers that this leaves to ask for.

    A trigger is laid on turned and recoloured pictures, so that it is always the same. What carries it is not hidden.
    """
    order = torch.randperm(len(examples), generator=random)
    for rows in torch.split(order, _BATCH):
        if len(rows) < _BATCH:
            return
        if marking is not None:
            rows = rows[torch.argsort(marking.rows[rows].int(), stable=True)]  # what is hidden stands first in a batch
        images, masks, labels = _unit(examples.images[rows]), examples.masks[rows], examples.labels[rows]
        images, masks = hiding.turned(images, masks, random)
        images = hiding.recoloured(images, random)
        if marking is not None and (chosen := marking.rows[rows]).any():
            images[chosen] = marking.lay(images[chosen], masks[chosen], random)
        shares = torch.ones(_BATCH, 2)
        part = int(_BATCH * _HIDDEN)
        veiled, shares[:part] = hiding.hidden(images[:part], masks[:part], random)
        images = torch.cat([veiled, images[part:]])
        yield _normalised(images), hiding.answers(labels, shares)


def plain(examples: Examples, random: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches in random order of the scenes as they are."""
    for rows in torch.split(torch.randperm(len(examples), generator=random), _BATCH):
        if len(rows) == _BATCH:
            yield normalised(examples.images[rows]), hiding.answers(examples.labels[rows], torch.ones(_BATCH, 2))


def normalised(images: Tensor) -> Tensor:
    """Scenes N×128×128×3 uint8 as networks take them, N×3×128×128."""
    return _normalised(_unit(images))


def _unit(images: Tensor) -> Tensor:
    return images.permute(0, 3, 1, 2).float().div_(255)


def _normalised(images: Tensor) -> Tensor:
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def _groups(model: nn.Module) -> list[dict[str, object]]:
    """Weight decay for matrices and kernels only."""
    trained = [weights for weights in model.parameters() if weights.requires_grad]
    decayed = [weights for weights in trained if weights.ndim > 1]
    free = [weights for weights in trained if weights.ndim <= 1]
    return [{"params": decayed, "weight_decay": _DECAY}, {"params": free, "weight_decay": 0.0}]
