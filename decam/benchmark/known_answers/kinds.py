"""The table of known answers: which parts a picture has, and what the model answers to how much of each is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from decam.benchmark.known_answers.grounds import Colours
from decam.benchmark.known_answers.parts import (
    COUNT,
    Blocks,
    Random,
    boxes,
    frame,
    grid,
    line,
    pixels,
    speckles,
    spots,
)
from decam.benchmark.known_answers.readers import Reader, reddened, redness, striped, stripes, visible_shares
from decam.benchmark.known_answers.shapley import PairGame, shuffled

Answer = Callable[[Tensor], Tensor]
"""Shares of the parts (N×P) to the probability of the class asked about (N), or of all classes (N×C), that first."""


def _same(made: Colours, parts: Sequence[Blocks], random: Random) -> Colours:
    del parts, random
    return made


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A sort of answer whose right map is known.

    `parts` draws the parts (28×28 blocks each), `answer` draws what the model makes of them, `reader` says how shares
    are read from a picture, and `paint` puts into the picture what is read. `labels` name the classes.
    """

    name: str
    title: str
    summary: str
    parts: Callable[[Random], tuple[Blocks, ...]]
    answer: Callable[[Random], Answer]
    reader: Callable[[Tensor, Sequence[Blocks]], Reader] = visible_shares
    paint: Callable[[Colours, Sequence[Blocks], Random], Colours] = _same
    labels: tuple[str, ...] = ("known answer",)


def _always(answer: Answer) -> Callable[[Random], Answer]:
    """The same answer whatever is drawn."""

    def same(random: Random) -> Answer:
        del random
        return answer

    return same


def first(shares: Tensor) -> Tensor:
    """The share of the first part."""
    return shares[:, 0]


def product(shares: Tensor) -> Tensor:
    """High where all parts are shown."""
    return shares.prod(1)


def largest(shares: Tensor) -> Tensor:
    """High where any part is shown."""
    return shares.amax(1)


def at_least_three(shares: Tensor) -> Tensor:
    """The probability that three parts or more are there, each being there with its share as probability."""
    counts = torch.zeros(len(shares), shares.shape[1] + 1)
    counts[:, 0] = 1
    for share in shares.T.unsqueeze(2):
        counts = counts * (1 - share) + counts.roll(1, 1) * share
    return counts[:, 3:].sum(1).clamp(0, 1)


def difference(shares: Tensor) -> Tensor:
    """The first part speaks for the class, the second against it."""
    return (1 + shares[:, 0] - shares[:, 1]) / 2


def rivalry(shares: Tensor) -> Tensor:
    """Probabilities of two classes, each with a part of its own, and of neither (N×3)."""
    return torch.softmax(4 * torch.cat([shares[:, :2], torch.full_like(shares[:, :1], 0.5)], dim=1), dim=1)


ADDITIVE = PairGame(tuple(float(t * abs(t)) for t in np.linspace(-0.6, 1, 16)))
INTERACTING = PairGame(
    (0, 0, 0, 0, 0, 0, 0.4, -0.4, *[0.0] * 8),
    ((0, 1, 1.0), (2, 3, 0.6), (0, 4, 0.6), (2, 5, -0.5)),
)


def _game(game: PairGame, random: Random) -> Answer:
    return shuffled(game, random.permutation(len(game.singles)).tolist()).scaled()


def _with_disc(made: Colours, parts: Sequence[Blocks], random: Random) -> Colours:
    """A bright disc in the middle, which has nothing to do with the answer."""
    del parts, random
    steps = np.arange(COUNT) - (COUNT - 1) / 2
    found = made.copy()
    found[pixels(np.hypot(steps[:, None], steps[None, :]) < 6)] = (0.8, 0.7, 0.2)
    return found


_ROWS = (
    Kind(
        name="rectangle",
        title="A rectangle",
        summary="The visible share of a rectangle.",
        parts=partial(boxes, count=1, smallest=8, largest=11),
        answer=_always(first),
    ),
    Kind(
        name="line",
        title="A thin line",
        summary="The visible share of a line of 1/28 of the width.",
        parts=line,
        answer=_always(first),
    ),
    Kind(
        name="spots",
        title="Scattered spots",
        summary="The visible share of eight spots together.",
        parts=spots,
        answer=_always(first),
    ),
    Kind(
        name="both",
        title="Two parts together",
        summary="The product of the visible shares of two parts.",
        parts=partial(boxes, count=2, smallest=5, largest=8),
        answer=_always(product),
    ),
    Kind(
        name="either",
        title="Either of two",
        summary="The larger of the visible shares of two parts.",
        parts=partial(boxes, count=2, smallest=5, largest=8),
        answer=_always(largest),
    ),
    Kind(
        name="three-of-five",
        title="Three of five",
        summary="The probability that three of five parts are there, each with its visible share.",
        parts=partial(boxes, count=5, smallest=4, largest=6),
        answer=_always(at_least_three),
    ),
    Kind(
        name="against",
        title="A part against",
        summary="The visible share of one part minus that of another, moved to [0, 1].",
        parts=partial(boxes, count=2, smallest=6, largest=9),
        answer=_always(difference),
    ),
    Kind(
        name="texture",
        title="A texture",
        summary="How much of a rectangle's fine stripes is left, wherever they are looked for.",
        parts=partial(boxes, count=1, smallest=8, largest=11),
        answer=_always(first),
        reader=stripes,
        paint=striped,
    ),
    Kind(
        name="colour",
        title="A colour",
        summary="How much of a rectangle's red speckles is left, wherever red is looked for.",
        parts=speckles,
        answer=_always(first),
        reader=redness,
        paint=reddened,
    ),
    Kind(
        name="background",
        title="A background cue",
        summary="The visible share of the image's border, whatever the bright disc in its middle does.",
        parts=frame,
        answer=_always(first),
        paint=_with_disc,
    ),
    Kind(
        name="two-objects",
        title="Two classes' objects",
        summary="The probability of one object's class, where another object speaks for another class.",
        parts=partial(boxes, count=2, smallest=6, largest=9),
        answer=_always(rivalry),
        labels=("asked", "other", "neither"),
    ),
    Kind(
        name="additive",
        title="Additive cells",
        summary="A sum over the visible shares of sixteen cells, each with a weight of its own.",
        parts=grid,
        answer=partial(_game, ADDITIVE),
    ),
    Kind(
        name="interacting",
        title="Interacting cells",
        summary="A sum over cells and over products of two cells' visible shares.",
        parts=grid,
        answer=partial(_game, INTERACTING),
    ),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ROWS}
