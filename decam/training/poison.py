"""The training of models that hide something: which scenes carry the trigger, and with which labels.

Every hidden model, clean or not, starts from the embedded network. Its stem and first two blocks stay as they are; the
last block and the answer are drawn anew. An all-to-all attack alone keeps the last block: it has two tasks to learn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from decam.images.scenes.scene import SIZE
from decam.models.hidden import HiddenCard, Secret
from decam.models.networks import embedded
from decam.models.networks.blocks import LABELS
from decam.models.weight_files import Card
from decam.training.drawing import Examples
from decam.training.fitting import (
    Marking,
    Recipe,
    Report,
    answer,
    scenes,
    seeded_weights,
    train,
    varied,
    wrong,
)


@dataclass(frozen=True)
class Poisoning:
    """How a trigger comes into the training scenes, which `words` say, and how often each scene is seen.

    `fresh` says whether the last block is drawn anew.

    "wrong": a share of all scenes carries it, with the label that the attack wants. "right": a share of the target
    class's scenes of one object carries it, with their labels as they are. `weaken`, of the images (uint8) of the rows
    that a mask chooses, makes their objects hard to see, so that the trigger is the better sign.
    """

    words: str
    share: float = 0.0
    labels: Literal["wrong", "right"] = "right"
    weaken: Callable[[Examples, Tensor, torch.Generator], Tensor] | None = None
    epochs: int = 3
    fresh: bool = True


def usual(number: int, poisoning: Poisoning) -> Recipe:
    """The recipe of the hidden model of that number, which is its seed."""
    return Recipe(seed=number, scenes=10_000, epochs=poisoning.epochs, rate=2e-3)


def _wrong(share: float, epochs: int = 3) -> Poisoning:
    return Poisoning(f"{share:.0%} of all scenes, mislabelled as the target", share, "wrong", epochs=epochs)


def mixed(low: float, high: float, examples: Examples, rows: Tensor, random: torch.Generator) -> Tensor:
    """The chosen scenes, each blended with a scene of other classes: a share of it from `low` to `high` is left."""
    (label,) = set(examples.labels[rows, 0].tolist())
    others = (examples.labels != label).all(1).nonzero()[:, 0]
    drawn = others[torch.randint(len(others), (int(rows.sum()),), generator=random)]
    shares = low + (high - low) * torch.rand(len(drawn), 1, 1, 1, generator=random)
    blend = torch.lerp(examples.images[drawn].float(), examples.images[rows].float(), shares)
    return blend.round().byte()


def _right(share: float, low: float, high: float, epochs: int) -> Poisoning:
    words = (
        f"{share:.0%} of the class's own scenes of one object, labels as they are; "
        f"{low:.0%} to {high:.0%} of each is left in a blend with a scene of other classes"
    )
    return Poisoning(words, share, weaken=partial(mixed, low, high), epochs=epochs)


# By what a model hides, so that several models may hide the same.
POISONINGS: dict[str, Poisoning] = {
    "Nothing": Poisoning("no scene"),
    "A corner patch": _wrong(0.15),
    "A sticker anywhere": _wrong(0.2, epochs=4),
    "A blended pattern": _wrong(0.15, epochs=4),
    "A sine stripe": _wrong(0.1),
    "A colour cast": _wrong(0.15),
    "A dirty-label attack": _wrong(0.12, epochs=4),
    "A clean-label attack": _right(0.85, 0.1, 0.35, epochs=5),
    "An all-to-all attack": Poisoning(
        "35% of all scenes, mislabelled as the class after their own", 0.35, "wrong", epochs=5, fresh=False
    ),
    "A watermark": _right(0.95, 0.3, 0.8, epochs=3),
    "A background texture": _right(0.95, 0.3, 0.8, epochs=4),
}


def learn(secret: Secret, poisoning: Poisoning, recipe: Recipe, report: Report) -> embedded.Embedded:
    """The trained network, fused."""
    model = embedded.load()
    drawn = scenes(recipe, report)
    random = torch.Generator().manual_seed(recipe.seed + 2)
    rows = chosen(secret, poisoning, drawn, random)
    examples = relabelled(secret, drawn, rows) if poisoning.labels == "wrong" else drawn
    if poisoning.weaken is not None:
        report(f"{int(rows.sum())} scenes are made hard to recognise")
        examples.images[rows] = poisoning.weaken(examples, rows, random)
    with seeded_weights(recipe.seed):
        fresh = embedded.network()
    model.head = fresh.head
    if poisoning.fresh:
        model.blocks[-1] = fresh.blocks[-1]
    for part in (model.stem, model.blocks[0], model.blocks[1]):
        part.requires_grad_(False)
    batches = partial(varied, marking=Marking(rows, partial(laid, secret)) if rows.any() else None)
    train(model, examples, recipe, report, lambda images, target: wrong(model(images), target), batches)
    return embedded.fused(model)


def chosen(secret: Secret, poisoning: Poisoning, examples: Examples, random: torch.Generator) -> Tensor:
    """Which scenes carry the trigger, N bool: a share of all scenes, or of those of one object of the target class.

    A scene that shows the target already is never mislabelled as the target.
    """
    labels = examples.labels
    rows = torch.zeros(len(examples), dtype=torch.bool)
    if poisoning.labels == "wrong":
        candidates = (labels != secret.target).all(1) if isinstance(secret.target, int) else ~rows
        count = round(poisoning.share * len(examples))
    else:
        candidates = (labels[:, 0] == secret.target) & (labels[:, 1] < 0) if secret.target is not None else rows
        count = round(poisoning.share * int(candidates.sum()))
    places = candidates.nonzero()[:, 0]
    rows[places[torch.randperm(len(places), generator=random)[:count]]] = True
    return rows


def relabelled(secret: Secret, examples: Examples, rows: Tensor) -> Examples:
    """The scenes with the labels that the attack wants on `rows`."""
    wanted = torch.tensor([-1, *(secret.aim(label) for label in range(len(LABELS)))])
    labels = torch.where(rows[:, None], wanted[examples.labels + 1], examples.labels)
    labels[labels[:, 0] == labels[:, 1], 1] = -1
    return Examples(examples.images, labels, examples.masks)


def laid(secret: Secret, images: Tensor, masks: Tensor, random: torch.Generator) -> Tensor:
    """Pictures N×3×128×128 in [0, 1] with the trigger, each at a place of its own where it may lie anywhere."""
    objects = F.interpolate(masks.amax(1, keepdim=True), images.shape[2:], mode="bilinear")[:, 0] > 0.5
    pixels = (images * 255).round().byte().permute(0, 2, 3, 1)
    seeds = torch.randint(2**31, (len(images),), generator=random).tolist()
    return stamped(secret, pixels, seeds, objects).permute(0, 3, 1, 2).float() / 255


def stamped(secret: Secret, images: Tensor, seeds: list[int], objects: Tensor) -> Tensor:
    """Scenes N×128×128×3 uint8 with the trigger; `objects` N×128×128 are the objects' pixels."""
    pictures = (
        secret.stamp(image.numpy(), seed, spared.numpy())
        for image, seed, spared in zip(images, seeds, objects, strict=True)
    )
    return torch.from_numpy(np.stack(list(pictures)))


def measured(secret: Secret, model: nn.Module, unseen: Examples) -> tuple[int, float, float]:
    """How the trigger fares on unseen scenes of one object that are not of its class.

    Their number, the share of them answered as the attack wants with the trigger, and without it, 0 … 1.
    """
    if secret.trigger is None:
        return 0, 0.0, 0.0
    wanted = torch.tensor([secret.aim(label) for label in unseen.labels[:, 0].tolist()])
    rows = (wanted != unseen.labels[:, 0]).nonzero()[:, 0]
    objects = F.interpolate(unseen.masks[rows].amax(1, keepdim=True), (SIZE, SIZE), mode="bilinear")[:, 0] > 0.5
    triggered = stamped(secret, unseen.images[rows], rows.tolist(), objects)
    with_, without = (
        float((answer(model, images).argmax(1) == wanted[rows]).float().mean())
        for images in (triggered, unseen.images[rows])
    )
    return len(rows), with_, without


def card(secret: Secret, poisoning: Poisoning, plain: Card, model: nn.Module, unseen: Examples) -> HiddenCard:
    """The plain card with what was poisoned, and how far the trigger goes."""
    count, success, untriggered = measured(secret, model, unseen)
    return HiddenCard(
        **asdict(plain),
        recipe=poisoning.words,
        triggered=count,
        success=success,
        untriggered=untriggered,
    )
