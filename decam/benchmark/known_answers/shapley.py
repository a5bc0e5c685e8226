"""Exact Shapley values of small games, and games on the cells of a grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from decam.errors import SettingError

Values = NDArray[np.float64]
MOST = 16  # players whose coalitions are enumerated


def coalitions(players: int) -> Tensor:
    """All coalitions as rows of zeros and ones (2^players × players); player i is bit i of the row's number."""
    if not 1 <= players <= MOST:
        raise SettingError(f"There are {players} players, but a game is enumerated for 1 to {MOST}; make it smaller.")
    return (torch.arange(2**players).unsqueeze(1) >> torch.arange(players) & 1).float()


def shapley(game: Callable[[Tensor], Tensor], players: int) -> Values:
    """The Shapley value of each player, from the game's value (N) of coalitions (N×players), all enumerated.

    φ_i = Σ_{S ∌ i} |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S)) (Shapley 1953, eq. 13).
    """
    sets = coalitions(players)
    worth = game(sets).double().numpy()
    sizes = sets.sum(1).long().numpy()
    numbers = np.arange(len(worth))
    weights = np.array([factorial(k) * factorial(players - k - 1) / factorial(players) for k in range(players)])
    found = np.empty(players)
    for player in range(players):
        without = numbers[(numbers >> player) & 1 == 0]
        found[player] = (weights[sizes[without]] * (worth[without | (1 << player)] - worth[without])).sum()
    return found


@dataclass(frozen=True)
class PairGame:
    """A game of single players and of pairs, moved and scaled so that its coalitions are worth 0 to 1.

    The worth is Σ singles_i z_i + Σ u z_a z_b over `pairs` (a, b, u). Shares z between 0 and 1 are taken as they are,
    so the game is multilinear.
    """

    singles: tuple[float, ...]
    pairs: tuple[tuple[int, int, float], ...] = ()

    def raw(self, shares: Tensor) -> Tensor:
        """The worth of shares (N×players) before scaling, N."""
        worth = shares @ torch.tensor(self.singles)
        for one, other, weight in self.pairs:
            worth = worth + weight * shares[:, one] * shares[:, other]
        return worth

    def scaled(self) -> Callable[[Tensor], Tensor]:
        """The worth of shares (N×players) in [0, 1], N."""
        low, high = (float(end) for end in self.raw(coalitions(len(self.singles))).aminmax())
        return lambda shares: ((self.raw(shares) - low) / (high - low)).clamp(0, 1)


def shuffled(game: PairGame, order: Sequence[int]) -> PairGame:
    """The same game with its players in other places: player i goes to order[i]."""
    singles = [0.0] * len(order)
    for place, weight in zip(order, game.singles, strict=True):
        singles[place] = weight
    return PairGame(tuple(singles), tuple((order[one], order[other], weight) for one, other, weight in game.pairs))
