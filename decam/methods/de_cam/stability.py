"""How sure a map's ranking is: how far a place's rank moves where half of what was asked is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from decam.explanation import Map
from decam.methods.de_cam.expected_drop import ExpectedDrop
from decam.methods.de_cam.settling import coarse
from decam.metrics.similarity import ranks

Half: TypeAlias = Callable[[torch.Generator], Tensor]
"""The genotype that a random half of the answers leads to."""
HALVES = 12  # a standard error from so many is itself known to about a fifth


def halved(half: Half, map_of: Callable[[Tensor], Map], drop: ExpectedDrop, seed: int) -> Iterator[Map]:
    """Maps (h×w float32) as the finished one would be from random halves of what it is made from.

    `map_of` reads a genotype as a map (h×w). Of the masks behind the expected drop another half is drawn.
    """
    generator = torch.Generator().manual_seed(seed)
    for _ in range(HALVES):
        found = torch.from_numpy(map_of(half(generator)))
        replicate: Map = drop.half(generator).fit().beside(found).numpy()
        yield replicate


def rank_errors(saliency: Map, replicates: Sequence[Map]) -> Map:
    """The standard error of each place's rank as a share of all places, 28×28 float32 in [0, 1].

    `replicates` are maps (H×W each, of any size) as `saliency` would be from random halves of what it is made from.
    Where half is left out at random, the root mean square of the departures is the standard error (the delete-d
    jackknife of Shao and Wu 1989 with d = n/2).
    """
    own = ranks(coarse(saliency))
    departures = np.stack([ranks(coarse(replicate)) - own for replicate in replicates])
    errors: Map = (np.sqrt((departures**2).mean(axis=0)) / own.size).astype(np.float32)
    return errors


def in_words(errors: Map) -> str:
    """The errors of a map's ranks in one sentence with one number, their mean."""
    return (
        f"A place's rank is known to ±{100 * float(errors.mean()):.1f} % of all places on average (standard error over "
        "random halves of this search's answers). Another seed can change it more."
    )
