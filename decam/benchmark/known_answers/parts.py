"""Where the parts that decide an answer lie: sets of blocks of 4×4 pixels on a picture of 112×112."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Blocks = NDArray[np.bool_]
"""Which blocks belong to a part, 28×28."""
Random = np.random.Generator

BLOCK = 4  # pixels a side of a block
COUNT = 28  # blocks a side of a picture
SIDE = BLOCK * COUNT
CELLS = 4  # cells a side of a grid
SPECKLED = 1 / 3  # share of a rectangle's blocks that are speckles
_TRIES = 10_000


def boxes(random: Random, count: int, smallest: int, largest: int) -> tuple[Blocks, ...]:
    """So many rectangles that do not touch each other, sides in blocks; raises ValueError where there is no room."""
    for _ in range(_TRIES):
        taken, found = np.zeros((COUNT, COUNT), bool), []
        for _ in range(count):
            height, width = random.integers(smallest, largest + 1, 2)
            top, left = random.integers(1, COUNT - height), random.integers(1, COUNT - width)
            around = np.s_[top - 1 : top + height + 1, left - 1 : left + width + 1]
            if taken[around].any():
                break
            part = np.zeros((COUNT, COUNT), bool)
            part[top : top + height, left : left + width] = True
            taken |= part
            found.append(part)
        if len(found) == count:
            return tuple(found)
    raise ValueError(f"There is no room for {count} rectangles of {smallest} to {largest} blocks a side.")


def line(random: Random) -> tuple[Blocks, ...]:
    """A slanted line from side to side, one block thick."""
    start, end = random.integers(3, COUNT - 3, 2)
    rows = np.linspace(start, end, COUNT - 4).round().astype(int)
    part = np.zeros((COUNT, COUNT), bool)
    for column, (row, following) in enumerate(zip(rows, [*rows[1:], rows[-1]], strict=True), start=2):
        part[min(row, following) : max(row, following) + 1, column] = True
    return (part.T if random.random() < 0.5 else part,)


def spots(random: Random) -> tuple[Blocks, ...]:
    """Eight scattered spots of 2×2 blocks that decide together: one part."""
    return (np.any(boxes(random, 8, 2, 2), axis=0),)


def speckles(random: Random) -> tuple[Blocks, ...]:
    """A third of the blocks of a rectangle, scattered over it: one part."""
    (box,) = boxes(random, 1, 8, 11)
    return (box & (random.random(box.shape) < SPECKLED),)


def frame(random: Random) -> tuple[Blocks, ...]:
    """All that lies within three blocks of the picture's border."""
    del random
    part = np.ones((COUNT, COUNT), bool)
    part[3:-3, 3:-3] = False
    return (part,)


def grid(random: Random) -> tuple[Blocks, ...]:
    """The sixteen cells of a grid of 4×4, row after row."""
    del random
    numbers = np.arange(CELLS**2).reshape(CELLS, CELLS)
    spread = np.kron(numbers, np.ones((COUNT // CELLS, COUNT // CELLS), int))
    return tuple(spread == number for number in range(CELLS**2))


def pixels(blocks: Blocks) -> NDArray[np.bool_]:
    """The pixels of a part, 112×112."""
    return np.kron(blocks, np.ones((BLOCK, BLOCK), bool))
