"""Differential Evolution by ask and tell: batches of real vectors and their fitness, nothing of images.

Storn and Price (1997) for the scheme, Zhang and Sanderson (2009, JADE) for current-to-pbest/1 with an archive,
Tanabe and Fukunaga (2013, SHADE) for the memory that adapts F and CR to what has succeeded. Fitness is maximised.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from decam.errors import SettingError


def current_to_pbest(population: Tensor, pbest: Tensor, first: Tensor, second: Tensor, weights: Tensor) -> Tensor:
    """Mutants v = x + F (x_pbest − x) + F (x_r1 − x_r2): all N×D, the weights F N×1 (JADE, eq. 6)."""
    return population + weights * (pbest - population) + weights * (first - second)


def binomial(target: Tensor, mutant: Tensor, rates: Tensor, draws: Tensor, forced: Tensor) -> Tensor:
    """Trial vectors: the mutant's component where its draw is within CR or its place is forced, else the target's.

    Target, mutant and draws are N×D, rates CR N×1, forced N places (Storn and Price 1997, eq. 4).
    """
    places = torch.arange(target.shape[1], device=target.device).unsqueeze(0)
    return torch.where((draws <= rates) | (places == forced.unsqueeze(1)), mutant, target)


def reflect(vectors: Tensor, low: float, high: float) -> Tensor:
    """Vectors folded back into [low, high] at its walls, however far outside they lie."""
    width = high - low
    folded = torch.remainder(vectors - low, 2 * width)
    return low + torch.where(folded > width, 2 * width - folded, folded)


@dataclass
class SuccessMemory:
    """SHADE's memory of the F and CR that made trials win: a ring of weighted means (Tanabe and Fukunaga 2013)."""

    weights: Tensor
    rates: Tensor
    place: int = 0

    @classmethod
    def of(cls, size: int) -> SuccessMemory:
        """A memory of `size` entries, all 0.5."""
        return cls(torch.full((size,), 0.5), torch.full((size,), 0.5))

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """F (Cauchy, scale 0.1, drawn again while not positive, cut at 1) and CR (normal, σ 0.1, cut to [0, 1])."""
        entries = torch.randint(len(self.weights), (count,), generator=generator)
        centres = self.weights[entries]
        weights = torch.zeros(count)
        while bool((weights <= 0).any()):
            cauchy = torch.tan(torch.pi * (torch.rand(count, generator=generator) - 0.5))
            weights = torch.where(weights > 0, weights, centres + 0.1 * cauchy)
        rates = self.rates[entries] + 0.1 * torch.randn(count, generator=generator)
        return weights.clamp(max=1.0), rates.clamp(0.0, 1.0)

    def learn(self, weights: Tensor, rates: Tensor, gains: Tensor) -> None:
        """Remember what won, weighted by how much it gained: Lehmer mean of F, arithmetic mean of CR."""
        if len(gains) == 0 or float(gains.sum()) <= 0:
            return
        shares = gains / gains.sum()
        self.weights[self.place] = (shares * weights**2).sum() / (shares * weights).sum()
        self.rates[self.place] = (shares * rates).sum()
        self.place = (self.place + 1) % len(self.weights)


@dataclass(frozen=True)
class Generation:
    """What one `tell` changed: the trials accepted (N booleans) and the state of the population after it."""

    accepted: Tensor
    best: float
    mean: float
    spread: float
    diversity: float


class DifferentialEvolution:
    """SHADE: current-to-pbest/1/bin with an archive and adapted F and CR, by ask and tell.

    `population` is N×D (N ≥ 4) with its `fitness` (N, higher is better). `ask()` returns N trial vectors, `tell()`
    takes their fitness and keeps a trial where it is at least as good as its target. `bounds` fold vectors back by
    reflection. The same seed gives the same trials.
    """

    def __init__(
        self,
        population: Tensor,
        fitness: Tensor,
        *,
        generator: torch.Generator,
        bounds: tuple[float, float] | None = None,
        greediness: float = 0.2,
        memory: int = 6,
    ) -> None:
        if population.ndim != 2 or len(population) < 4 or fitness.shape != (len(population),):
            raise SettingError(
                "Differential Evolution needs at least 4 vectors (N×D) with one fitness each, "
                f"not {tuple(population.shape)} with {tuple(fitness.shape)}."
            )
        self.population = population.clone()
        self.fitness = fitness.clone()
        self.archive = population.new_empty((0, population.shape[1]))
        self._generator = generator
        self._bounds = bounds
        self._greediness = greediness
        self._memory = SuccessMemory.of(memory)
        self._trials = population.new_empty((0, population.shape[1]))
        self._weights = torch.empty(0)
        self._rates = torch.empty(0)

    @property
    def best(self) -> int:
        """Index of the fittest individual."""
        return int(self.fitness.argmax())

    def ask(self) -> Tensor:
        """Trial vectors, N×D, one for each individual."""
        count, dimensions = self.population.shape
        device = self.population.device
        self._weights, self._rates = self._memory.draw(count, self._generator)
        elite = self.fitness.argsort(descending=True, stable=True)[: max(2, round(self._greediness * count))]
        pbest = elite[self._integers(len(elite), count).to(device)]
        first = self._other_than(torch.arange(count), torch.full((count,), -1), count)
        pool = torch.cat([self.population, self.archive])
        second = self._other_than(torch.arange(count), first, len(pool))
        mutants = current_to_pbest(
            self.population,
            self.population[pbest],
            self.population[first.to(device)],
            pool[second.to(device)],
            self._weights.to(device).unsqueeze(1),
        )
        if self._bounds is not None:
            mutants = reflect(mutants, *self._bounds)
        draws = torch.rand(count, dimensions, generator=self._generator).to(device)
        forced = self._integers(dimensions, count).to(device)
        self._trials = binomial(self.population, mutants, self._rates.to(device).unsqueeze(1), draws, forced)
        return self._trials

    def tell(self, fitness: Tensor) -> Generation:
        """Select between targets and the trials last asked for, given the trials' fitness (N)."""
        if fitness.shape != self.fitness.shape or len(self._trials) == 0:
            raise SettingError(f"tell() takes {len(self.fitness)} values for the trials last asked for.")
        accepted = fitness >= self.fitness
        better = fitness > self.fitness
        gains = (fitness - self.fitness)[better].cpu()
        self._memory.learn(self._weights[better.cpu()], self._rates[better.cpu()], gains)
        self._remember(self.population[better])
        self.population = torch.where(accepted.unsqueeze(1), self._trials, self.population)
        self.fitness = torch.where(accepted, fitness, self.fitness)
        self._trials = self._trials[:0]
        return self.state(accepted)

    def state(self, accepted: Tensor) -> Generation:
        """The population in numbers, with the trials that were accepted on the way there (N booleans)."""
        return Generation(
            accepted=accepted,
            best=float(self.fitness.max()),
            mean=float(self.fitness.mean()),
            spread=float(self.fitness.std(correction=0)),
            diversity=diversity(self.population),
        )

    def _remember(self, replaced: Tensor) -> None:
        """Put the losers into the archive, and drop random members where it outgrows the population."""
        self.archive = torch.cat([self.archive, replaced])
        if len(self.archive) > len(self.population):
            kept = torch.randperm(len(self.archive), generator=self._generator)[: len(self.population)]
            self.archive = self.archive[kept.to(self.archive.device)]

    def _integers(self, high: int, count: int) -> Tensor:
        return torch.randint(high, (count,), generator=self._generator)

    def _other_than(self, own: Tensor, also: Tensor, high: int) -> Tensor:
        """Random indices below `high` that differ from both arguments, place by place."""
        drawn = self._integers(high, len(own))
        while bool((clash := (drawn == own) | (drawn == also)).any()):
            drawn = torch.where(clash, self._integers(high, len(own)), drawn)
        return drawn


def diversity(population: Tensor) -> float:
    """Mean distance of the individuals from their centroid, in units of the vectors."""
    return float((population - population.mean(0)).norm(dim=1).mean())
