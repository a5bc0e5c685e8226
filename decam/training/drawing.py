"""Scenes in numbers: many are drawn by every core, in the order of their seeds."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from decam.images.scenes.scene import SIZE, scene

COARSE = 16  # masks are kept at 16×16: the visible share of each 8×8 block
_CHUNK = 50
FEW = 2000  # scenes that are drawn before other processes would have begun


@dataclass(frozen=True)
class Examples:
    """Scenes for training.

    `images` N×128×128×3 uint8; `labels` N×2, the second −1 where there is one object; `masks` N×2×16×16 float32, the
    share of each block that an object fills.
    """

    images: Tensor
    labels: Tensor
    masks: Tensor

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class _Order:
    first: int
    count: int
    objects: int


def draw(first: int, count: int, objects: int = 1, report: Callable[[int], None] | None = None) -> Examples:
    """The scenes of seeds `first` … `first + count − 1`; `report` hears how many are drawn."""
    images = np.empty((count, SIZE, SIZE, 3), np.uint8)
    labels = np.full((count, 2), -1, np.int64)
    masks = np.zeros((count, 2, COARSE, COARSE), np.float32)
    orders = [_Order(first + start, min(_CHUNK, count - start), objects) for start in range(0, count, _CHUNK)]
    done = 0
    for part in _parts(orders):
        for image, classes, shares in part:
            images[done] = image
            labels[done, : len(classes)] = classes
            masks[done, : len(classes)] = shares
            done += 1
        if report is not None:
            report(done)
    return Examples(torch.from_numpy(images), torch.from_numpy(labels), torch.from_numpy(masks))


def _parts(orders: Sequence[_Order]) -> Iterator[list[_Drawn]]:
    """What was ordered, in this process where it is little."""
    if sum(order.count for order in orders) <= FEW:
        yield from map(_draw, orders)
        return
    workers = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 16)
    # Spawned, not forked: torch's own threads do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(_draw, orders)


def join(*parts: Examples) -> Examples:
    """Several sets as one."""
    return Examples(
        torch.cat([part.images for part in parts]),
        torch.cat([part.labels for part in parts]),
        torch.cat([part.masks for part in parts]),
    )


_Drawn = tuple[NDArray[np.uint8], tuple[int, ...], NDArray[np.float32]]


def _draw(order: _Order) -> list[_Drawn]:
    part: list[_Drawn] = []
    block = SIZE // COARSE
    for seed in range(order.first, order.first + order.count):
        drawn = scene(seed, objects=order.objects)
        shares = np.stack(drawn.masks).reshape(-1, COARSE, block, COARSE, block).mean((2, 4))
        part.append((drawn.image, drawn.labels, shares.astype(np.float32)))
    return part
