"""Where F and CR of Differential Evolution come from: fixed, self-adapting (jDE) or learned from success (SHADE)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

SCALE = 0.1
NEVER = -math.inf
SMALLEST = 1e-6


class Chances(NamedTuple):
    """The random numbers one generation of N takes: K `uniforms` and `normals` (N×1), memory `entries` (N)."""

    uniforms: tuple[Tensor, ...]
    normals: Tensor
    entries: Tensor


class Control(Protocol):
    """Chooses F and CR for every trial and is told how they fared; `uniforms` is the number of rows that it takes."""

    uniforms: int

    def draw(self, chances: Chances) -> tuple[Tensor, Tensor]:
        """F in (0, 3] and CR in [0, 1], N×1 each."""

    def learn(self, weights: Tensor, rates: Tensor, accepted: Tensor, gains: Tensor) -> None:
        """Take in which trials were accepted (N booleans) and by how much their fitness rose (N, else 0)."""

    def state(self) -> list[Tensor]:
        """What has been learned, for `restore`."""

    def restore(self, state: list[Tensor]) -> None:
        """Go on from a saved state."""


@dataclass
class Fixed:
    """The same F and CR throughout; dither draws each trial's F from F ± dither (Das et al. 2005)."""

    weight: float
    rate: float
    dither: float
    uniforms: int = 1

    def draw(self, chances: Chances) -> tuple[Tensor, Tensor]:
        """F and CR, N×1 each."""
        weights = self.weight + self.dither * (2 * chances.uniforms[0] - 1)
        return weights, torch.full_like(weights, self.rate)

    def learn(self, weights: Tensor, rates: Tensor, accepted: Tensor, gains: Tensor) -> None:
        """Nothing is learned."""

    def state(self) -> list[Tensor]:
        """Nothing is kept."""
        return []

    def restore(self, state: list[Tensor]) -> None:
        """Nothing is restored."""


@dataclass
class SelfAdapting:
    """jDE: each individual carries its own F and CR, which now and then change and survive with it (Brest et al. 2006).

    With chance τ = 0.1 F becomes 0.1 + 0.9 u and with chance 0.1 CR becomes u, for u even in [0, 1).
    """

    weights: Tensor
    rates: Tensor
    chance: float = 0.1
    uniforms: int = 4

    def draw(self, chances: Chances) -> tuple[Tensor, Tensor]:
        """The individuals' own F and CR or new ones, N×1 each."""
        change_weight, weight, change_rate, rate = chances.uniforms
        return (
            torch.where(change_weight < self.chance, 0.1 + 0.9 * weight, self.weights),
            torch.where(change_rate < self.chance, rate, self.rates),
        )

    def learn(self, weights: Tensor, rates: Tensor, accepted: Tensor, gains: Tensor) -> None:
        """An accepted trial keeps the F and CR it was made with."""
        del gains
        self.weights = torch.where(accepted.unsqueeze(1), weights, self.weights)
        self.rates = torch.where(accepted.unsqueeze(1), rates, self.rates)

    def state(self) -> list[Tensor]:
        """Every individual's F and CR."""
        return [self.weights, self.rates]

    def restore(self, state: list[Tensor]) -> None:
        """Go on from saved F and CR."""
        self.weights, self.rates = state


@dataclass
class SuccessMemory:
    """SHADE's ring of means of the F and CR that won, from which the next are drawn (Tanabe and Fukunaga 2013).

    With `terminal` CR is learned as in L-SHADE (2014): by the weighted Lehmer mean, and an entry whose winners all
    had CR 0 stays at 0 for good, held here as −∞.
    """

    size: int
    terminal: bool
    dtype: torch.dtype
    device: torch.device
    place: int = 0
    uniforms: int = 1
    entries: list[tuple[float, float]] = field(init=False)

    def __post_init__(self) -> None:
        self.entries = [(0.5, 0.5)] * self.size
        self._right_angle = torch.tensor(math.pi / 2, dtype=self.dtype, device=self.device)
        self._table = torch.empty(3, self.size, 1, dtype=self.dtype, device=self.device)
        self._cells = [column.unbind() for column in self._table.squeeze(2).unbind(1)]
        self._tabulate()

    def draw(self, chances: Chances) -> tuple[Tensor, Tensor]:
        """F from a Cauchy distribution (scale 0.1) that is positive, cut at 1; CR normal (σ 0.1), cut to [0, 1].

        To draw again while F is not positive (2013, sec. III) is to draw from the part of the distribution above 0,
        whose inverse needs no loop: F = M + 0.1 tan θ with θ even between the angle at which F is 0 and π/2.
        """
        weights, rates, angles = self._table.index_select(1, chances.entries).unbind()
        tangents = torch.lerp(angles, self._right_angle, chances.uniforms[0]).tan_()
        return (
            weights.add(tangents, alpha=SCALE).clamp_(SMALLEST, 1.0),
            rates.add(chances.normals, alpha=SCALE).clamp_(0.0, 1.0),
        )

    def learn(self, weights: Tensor, rates: Tensor, accepted: Tensor, gains: Tensor) -> None:
        """Remember means weighted by gains g: Σ g F² / Σ g F, and for CR the same (2014) or Σ g CR / Σ g (2013)."""
        del accepted
        powers = torch.cat([weights, weights * weights, rates, rates * rates], dim=1)
        sums = (gains @ powers).tolist()
        if not math.isfinite(sum(sums)):
            gains = tidied(gains)
            sums = (gains @ powers).tolist()
        weight, weight_square, rate, rate_square = sums
        if weight <= 0:
            return
        if not self.terminal:
            crossover = rate / float(gains.sum())
        elif rate <= 0 or self.entries[self.place][1] == NEVER:
            crossover = NEVER
        else:
            crossover = rate_square / rate
        self._write(self.place, weight_square / weight, crossover)
        self.place = (self.place + 1) % self.size

    def state(self) -> list[Tensor]:
        """The ring and the place that is written next."""
        return [torch.tensor(self.entries, dtype=torch.float64), torch.tensor(self.place)]

    def restore(self, state: list[Tensor]) -> None:
        """Go on from a saved ring."""
        self.entries, self.place = [(weight, rate) for weight, rate in state[0].tolist()], int(state[1])
        self._tabulate()

    def _tabulate(self) -> None:
        for place, (weight, rate) in enumerate(self.entries):
            self._write(place, weight, rate)

    def _write(self, place: int, weight: float, rate: float) -> None:
        """Set an entry, also in the table (3×H×1) of F, CR and the angle at which F is 0."""
        self.entries[place] = weight, rate
        for cell, value in zip(self._cells[place], (weight, rate, -math.atan(weight / SCALE)), strict=True):
            cell.fill_(value)


def tidied(gains: Tensor) -> Tensor:
    """Gains with NaN (from −∞ to −∞) as 0 and ∞ (from −∞ to a number) as the largest finite one, over that one.

    Only ratios of gains count in the means above, so that scaling them keeps their sums within range.
    """
    endless = gains.isinf()
    finite = gains.nan_to_num(nan=0.0, posinf=0.0)
    largest = finite.max()
    return torch.where(endless, 1.0, finite / torch.where(largest > 0, largest, 1.0))
