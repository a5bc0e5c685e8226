"""How a layer's output is arranged: which axis holds the channels, and where rows and columns of the picture lie.

A shape alone does not say it: 16×16×32 may be 16 channels on 16×32 places or 32 channels on 16×16. So pictures are
changed more and more from top to bottom, and from left to right, and the output shows which axis follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

DRAWS = 8  # pictures that are changed, at most
PICTURES = 5  # one draw: a picture, and the same one changed towards each of its four edges
_CHANGE = 0.05  # in [0, 1]; larger changes of the whole picture drown local ones in deep layers
_EXTRA = 16  # most tokens that are no places: a class token and registers
_WEAK, _STRONG, _CERTAIN = 0.2, 0.5, 0.9  # shares of variance that rows and columns explain
_FEW, _FEWEST = 16, 4  # places, of which noise may well look like another grid; like any grid
_RIVAL = 0.95  # a second arrangement that explains this share of what the best one does makes it ambiguous
_RIVAL_OF_FEW = 0.7  # the same where places are few
_SURE = 0.9  # no further pictures are needed where the second best explains less than this share


@dataclass(frozen=True)
class Arrangement:
    """Where an output of 3 or 4 axes, the images first, keeps its channels and its places.

    `axis` holds the channels. Of three axes the remaining one holds tokens: `first` tokens that are no places, then
    the grid row after row. `transposed` says that columns come before rows.
    """

    axis: int
    channels: int
    rows: int
    columns: int
    first: int = 0
    transposed: bool = False

    def grid(self, output: Tensor) -> Tensor:
        """What the layer gives, N×C×H×W; tokens that are no places are left out."""
        found = output.movedim(self.axis, 1)
        if output.ndim == 3:
            places = found[:, :, self.first : self.first + self.rows * self.columns]
            sides = (self.columns, self.rows) if self.transposed else (self.rows, self.columns)
            found = places.reshape(*places.shape[:2], *sides)
        return found.mT if self.transposed else found

    def with_grid(self, output: Tensor, grid: Tensor) -> Tensor:
        """What the layer gives with that grid, N×C×H×W, in place of its own."""
        found = grid.mT if self.transposed else grid
        if output.ndim == 3:
            own, end = output.movedim(self.axis, 1), self.first + self.rows * self.columns
            found = torch.cat([own[:, :, : self.first], found.flatten(2), own[:, :, end:]], 2)
        return found.movedim(1, self.axis)


def changed_pictures(size: tuple[int, int], seed: int) -> Tensor:
    """A picture of noise in [0, 1], and the same one changed towards its top, bottom, left and right: 5×3×H×W."""
    height, width = size
    generator = torch.Generator().manual_seed(seed)
    picture = 0.25 + torch.rand(3, height, width, generator=generator) / 2
    change = (torch.rand(3, height, width, generator=generator) - 0.5) * _CHANGE
    down = ((torch.arange(height) + 0.5) / height).view(1, height, 1)
    right = ((torch.arange(width) + 0.5) / width).view(1, 1, width)
    return torch.stack([picture, *(picture + share * change for share in (1 - down, down, 1 - right, right))])


@dataclass(frozen=True)
class Following:
    """How far each place moved as the picture changed towards its top, bottom, left and right.

    `moved` is 4 by the axes of the output without the images and the `channels`, over which it is added up. Its mean is
    the number of pictures, so that each of them counts as much.
    """

    channels: int
    moved: Tensor

    @property
    def down(self) -> Tensor:
        """Near 0 for places at the top of the picture, near 1 for those at its bottom."""
        return _share(self.moved[1], self.moved[0])

    @property
    def right(self) -> Tensor:
        """Near 0 for places at the left of the picture, near 1 for those at its right."""
        return _share(self.moved[3], self.moved[2])


def _share(towards: Tensor, away: Tensor) -> Tensor:
    """What does not move at all is no evidence for either side."""
    return torch.nan_to_num(towards / (towards + away), nan=0.5)


def following(output: Tensor) -> dict[int, Following]:
    """What a layer gave for `changed_pictures`, read for every axis that may hold its channels."""
    moved = (output[1:].float() - output[:1].float()).abs()
    found = {}
    for axis in range(1, output.ndim):
        places = moved.sum(axis).cpu().double()
        found[axis] = Following(moved.shape[axis], places / places.mean().clamp(min=1e-30))
    return found


def added_up(draws: list[dict[int, Following]]) -> dict[int, Following]:
    """Several pictures together."""
    return {
        axis: Following(one.channels, torch.stack([draw[axis].moved for draw in draws]).sum(0))
        for axis, one in draws[0].items()
    }


@dataclass(frozen=True)
class _Fit:
    """An arrangement, and the share of the variance that its rows and its columns explain, in [-1, 1].

    Below 0 the places run against the picture. `variance` is what is explained in both directions together.
    """

    arrangement: Arrangement
    down: float
    right: float
    variance: float
    tokens: bool

    @property
    def share(self) -> float:
        """What is explained in the direction that is explained less."""
        return min(self.down, self.right)

    @property
    def weight(self) -> float:
        """By which arrangements are compared."""
        return max(self.share, 0) * self.variance

    @property
    def places(self) -> int:
        return self.arrangement.rows * self.arrangement.columns

    @property
    def line(self) -> bool:
        """True for a grid of a single row or column."""
        return min(self.arrangement.rows, self.arrangement.columns) == 1


def arranged(found: dict[int, Following], input_size: tuple[int, int], *, final: bool) -> Arrangement | None:
    """The arrangement that explains how an output followed the picture; None where that remains unclear.

    With `final` no further pictures can be asked about, and less is enough. Where an output hardly follows the picture
    at all, the only arrangement whose grid has the picture's proportions is taken, unless the evidence is against it.
    """
    fits = sorted(_compared(list(_fits(found))), key=lambda fit: fit.weight, reverse=True)
    if not fits:
        return None
    best = fits[0]
    few = best.places <= _FEW
    rival = _RIVAL_OF_FEW if few else _RIVAL if final else _SURE
    clear = all(fit.weight < rival * best.weight for fit in fits[1:])
    likely = [fit for fit in fits if _usual(fit.arrangement, found) and _proportional(fit.arrangement, input_size)]
    if clear and best.share >= (_CERTAIN if few and best not in likely else _STRONG):
        return best.arrangement
    if not final:
        return None
    if clear and best in likely and best.share >= _WEAK:
        return best.arrangement
    return likely[0].arrangement if len(likely) == 1 and not _against(likely[0]) else None


def _compared(fits: list[_Fit]) -> list[_Fit]:
    """Without single lines where one channel has been found that follows the picture in both directions.

    One channel on 16×16 places also reads as 16 channels on 16×1 places, the means of its rows, which are less noisy.
    """
    whole = [fit for fit in fits if fit.arrangement.channels == 1 and not fit.line and fit.share >= _WEAK]
    return [fit for fit in fits if not fit.line] if whole and not any(fit.tokens for fit in whole) else fits


def _usual(arrangement: Arrangement, found: dict[int, Following]) -> bool:
    """Channels first or last, rows before columns, and no token but a class token in front."""
    tokens = len(found) == 2
    if arrangement.transposed or arrangement.axis not in ((2,) if tokens else (1, 3)):
        return False
    places = found[arrangement.axis].moved[0].numel()
    return places - arrangement.rows * arrangement.columns == arrangement.first <= 1


def _proportional(arrangement: Arrangement, input_size: tuple[int, int]) -> bool:
    """True if one stride in both directions, with any rounding, gives that grid."""
    (height, width), rows, columns = input_size, arrangement.rows, arrangement.columns
    return max((rows - 1) / height, (columns - 1) / width) < min((rows + 1) / height, (columns + 1) / width)


def _against(fit: _Fit) -> bool:
    """True if places run against the picture, or follow it well in one direction and not in the other."""
    low, high = sorted((fit.down, fit.right), key=abs)
    return fit.places > _FEWEST and (fit.share < -_WEAK or (abs(high) >= _STRONG and abs(low) < _WEAK))


def _fits(found: dict[int, Following]) -> Iterator[_Fit]:
    for axis, moves in found.items():
        down, right = moves.down, moves.right
        for transposed in (False, True):
            first, second = (right, down) if transposed else (down, right)
            for skipped, sides, shares in _grids(first, second) if first.ndim == 2 else _token_grids(first, second):
                if transposed:
                    if first.ndim == 1 and min(sides) == 1:
                        continue  # one line of tokens has one order
                    sides, shares = sides[::-1], shares[::-1]
                arrangement = Arrangement(axis, moves.channels, *sides, skipped, transposed)
                yield _Fit(
                    arrangement,
                    *shares,
                    max(shares[0], 0) * _variance(down) + max(shares[1], 0) * _variance(right),
                    first.ndim == 1,
                )


_Explained = tuple[int, tuple[int, int], tuple[float, float]]  # tokens skipped, sides of the grid, shares explained


def _grids(first: Tensor, second: Tensor) -> Iterator[_Explained]:
    """The one grid of two axes of places."""
    sides = (int(first.shape[0]), int(first.shape[1]))
    ramps = _ramp(sides[0]).view(-1, 1).expand(sides), _ramp(sides[1]).expand(sides)
    along, across = _shares(sides, (first.flatten(), second.flatten()), (ramps[0].flatten(), ramps[1].flatten()))
    yield 0, sides, (float(along), float(across))


def _token_grids(first: Tensor, second: Tensor) -> Iterator[_Explained]:
    """All grids of four places and more that tokens can be, with up to 16 tokens before or after the grid."""
    for extra in range(min(_EXTRA, len(first) - 1) + 1):
        places = len(first) - extra
        if places < _FEWEST:
            return
        for count in (count for count in range(1, places + 1) if places % count == 0):
            sides = (places // count, count)
            ramps = _ramp(sides[0]).repeat_interleave(count), _ramp(count).repeat(sides[0])
            along, across = _shares(sides, (first, second), ramps)
            yield from (
                (skipped, sides, (float(along[skipped]), float(across[skipped]))) for skipped in range(extra + 1)
            )


def _ramp(count: int) -> Tensor:
    return (torch.arange(count, dtype=torch.double) + 0.5) / count - 0.5


def _variance(moves: Tensor) -> float:
    return float(moves.var(correction=0))


def _shares(
    sides: tuple[int, int], moves: tuple[Tensor, Tensor], ramps: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """The shares of the variance that two ramps explain, one value for each position of the ramps.

    A side of length 1 explains as much as little varies in its direction; a single place explains nothing.
    """
    spreads = [_variance(one) for one in moves]
    total = sum(spreads)
    found = []
    for side, spread, one, ramp in zip(sides, spreads, moves, ramps, strict=True):
        still = 1 - spread / total if total > 0 else 0.0
        share = _explained(one, ramp)
        found.append(torch.full_like(share, 0 if max(sides) == 1 else still) if side == 1 else share)
    return found[0], found[1]


def _explained(moves: Tensor, ramp: Tensor) -> Tensor:
    """The share of the variance that a ramp explains at each of its positions, signed; beside the ramp there is 0."""
    covariance = moves.unfold(0, len(ramp), 1) @ ramp
    total = (moves - moves.mean()).square().sum() * ramp.square().sum()
    return covariance.sign() * covariance.square() / total if total > 0 else torch.zeros_like(covariance)
