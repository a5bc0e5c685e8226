"""The operators of Differential Evolution, pure and batched: start, choice of parents, mutation, repair, crossover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from decam.errors import SettingError


@dataclass(frozen=True)
class Box:
    """The bounds of a search: lowest and highest value of each dimension, D each, of one dtype on one device."""

    low: Tensor
    high: Tensor

    def __post_init__(self) -> None:
        if self.low.ndim != 1 or self.low.shape != self.high.shape or len(self.low) == 0:
            raise SettingError(
                "Bounds are one low and one high value for each dimension, "
                f"not {tuple(self.low.shape)} and {tuple(self.high.shape)} of them."
            )
        if not self.low.is_floating_point() or self.low.dtype != self.high.dtype or self.low.device != self.high.device:
            raise SettingError("Both bounds must be floating-point tensors of one dtype on one device.")
        if not bool(((self.low < self.high) & (self.high - self.low).isfinite()).all()):
            raise SettingError(
                "Every lower bound must be a finite number below its finite upper bound, and so must their difference "
                f"be in {str(self.low.dtype).removeprefix('torch.')}."
            )

    @classmethod
    def of(
        cls,
        low: float,
        high: float,
        dimensions: int,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> Box:
        """The same two bounds in every dimension; raises SettingError as the constructor does."""
        if dimensions < 1:
            raise SettingError(f"A search needs at least 1 dimension, not {dimensions}.")
        ends = torch.tensor([[low], [high]], dtype=dtype, device=device).repeat(1, dimensions)
        return cls(ends[0], ends[1])


def uniform(count: int, box: Box, generator: torch.Generator) -> Tensor:
    """`count` vectors drawn evenly from the box, count×D."""
    draws = torch.rand(count, len(box.low), generator=generator, dtype=box.low.dtype).to(box.low.device)
    return torch.lerp(box.low, box.high, draws)


def latin_hypercube(count: int, box: Box, generator: torch.Generator) -> Tensor:
    """`count` vectors, one in each of `count` equal slices of every dimension (McKay, Beckman and Conover 1979)."""
    shape = (count, len(box.low))
    draws = torch.rand(shape, generator=generator, dtype=box.low.dtype)
    slices = torch.rand(shape, generator=generator).argsort(0)
    return torch.lerp(box.low, box.high, ((slices + draws) / count).to(box.low.device))


def opposition(count: int, box: Box, generator: torch.Generator) -> Tensor:
    """`count` even draws x and their opposites low + high − x, 2·count×D (Rahnamayan, Tizhoosh and Salama 2008)."""
    drawn = uniform(count, box, generator)
    return torch.cat([drawn, (box.low + box.high - drawn).clamp(box.low, box.high)])


Start = Callable[[int, Box, torch.Generator], Tensor]
STARTS: dict[str, Start] = {"uniform": uniform, "latin-hypercube": latin_hypercube, "opposition": opposition}


def distinct(draws: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Indices of parents that differ from the target's own index and from each other, without drawing again.

    `draws` are large non-negative integers, …×K×N for K parents of N targets; the k-th parent is one of the first
    `sizes[k]`, each equally likely, where N ≤ sizes[0] ≤ sizes[1] … and sizes[k] > k + 1.
    """
    own = torch.arange(draws.shape[-1], device=draws.device).expand(draws.shape[:-2] + draws.shape[-1:])
    taken, chosen = [own], []
    for k, size in enumerate(sizes):
        index = draws[..., k, :] % (size - len(taken))
        for other in torch.stack(taken).sort(dim=0).values:
            index = index + (index >= other)
        taken.append(index)
        chosen.append(index)
    return torch.stack(chosen, dim=-2)


def rand_1(target: Tensor, guide: Tensor, parents: tuple[Tensor, ...], weights: Tensor) -> Tensor:
    """v = x_r1 + F (x_r2 − x_r3) (Storn and Price 1997, eq. 2)."""
    del target, guide
    return torch.addcmul(parents[0], weights, parents[1] - parents[2])


def best_1(target: Tensor, guide: Tensor, parents: tuple[Tensor, ...], weights: Tensor) -> Tensor:
    """v = x_best + F (x_r1 − x_r2) (Storn 1996)."""
    del target
    return torch.addcmul(guide, weights, parents[0] - parents[1])


def current_to_best_1(target: Tensor, guide: Tensor, parents: tuple[Tensor, ...], weights: Tensor) -> Tensor:
    """v = x + F (x_best − x) + F (x_r1 − x_r2).

    With one of the p fittest for x_best and r2 from the archive too, it is current-to-pbest/1 (Zhang and Sanderson
    2009, eq. 6 and 7).
    """
    return torch.addcmul(target, weights, guide - target + parents[0] - parents[1])


TARGET, GUIDE = "target", "best"
PARENTS = ("r1", "r2", "r3")


@dataclass(frozen=True)
class Strategy:
    """A mutation: its formula, how many random parents it takes, whether its guide is one of several elites.

    `mutate` takes target (N×D), guide (N×D or 1×D), parents (each N×D) and F (N×1 or N×D) and gives N×D. With
    `archive` the last parent may also be one that was replaced. `recipe` is the formula for a reader: its base, then
    the two ends of each difference, each of them TARGET, GUIDE or one of PARENTS.
    """

    mutate: Callable[[Tensor, Tensor, tuple[Tensor, ...], Tensor], Tensor]
    recipe: tuple[str, ...]
    parents: int
    elites: bool = False
    archive: bool = False


_CURRENT_TO_BEST = (TARGET, GUIDE, TARGET, *PARENTS[:2])
STRATEGIES: dict[str, Strategy] = {
    "rand/1": Strategy(rand_1, PARENTS, parents=3),
    "best/1": Strategy(best_1, (GUIDE, *PARENTS[:2]), parents=2),
    "current-to-best/1": Strategy(current_to_best_1, _CURRENT_TO_BEST, parents=2),
    "current-to-pbest/1": Strategy(current_to_best_1, _CURRENT_TO_BEST, parents=2, elites=True, archive=True),
}


def reflect(vectors: Tensor, box: Box, generator: torch.Generator) -> Tensor:
    """Components outside the box folded back at its walls, however far away they lie; the others untouched."""
    del generator
    width = box.high - box.low
    folded = torch.remainder(vectors - box.low, 2 * width)
    folded = (box.low + torch.minimum(folded, 2 * width - folded)).clamp(box.low, box.high)
    return torch.where((vectors >= box.low) & (vectors <= box.high), vectors, folded)


def clip(vectors: Tensor, box: Box, generator: torch.Generator) -> Tensor:
    """Components outside the box put onto its nearer wall; the others untouched."""
    del generator
    return vectors.clamp(box.low, box.high)


def resample(vectors: Tensor, box: Box, generator: torch.Generator) -> Tensor:
    """Components outside the box drawn anew, evenly within it; the others untouched."""
    return torch.where((vectors >= box.low) & (vectors <= box.high), vectors, uniform(len(vectors), box, generator))


Repair = Callable[[Tensor, Box, torch.Generator], Tensor]
REPAIRS: dict[str, Repair] = {"reflect": reflect, "clip": clip, "resample": resample}


def inside(vectors: Tensor, box: Box) -> bool:
    """Whether every component lies within the box; not so where one is NaN."""
    return torch.equal(vectors.clamp(box.low, box.high), vectors)


def binomial(draws: Tensor, forced: Tensor) -> Tensor:
    """Levels for `cross`, so that each component is the mutant's with probability CR and the forced one surely.

    Draws in [0, 1) are …×D, the forced places …×1 (Storn and Price 1997, eq. 4).
    """
    return draws.scatter(-1, forced, -1.0)


def exponential(draws: Tensor, start: Tensor) -> Tensor:
    """Levels for `cross`, so that a circular run from `start` is the mutant's, going on with probability CR.

    Draws in [0, 1) are …×D, the starts …×1. The first component is surely the mutant's and the run ends at the first
    draw that is not below CR (Storn and Price 1995, TR-95-012). A level is the highest draw of the run so far.
    """
    run = torch.cat([torch.full_like(draws[..., :1], -1.0), draws[..., 1:]], dim=-1).cummax(dim=-1).values
    return run.gather(-1, (torch.arange(draws.shape[-1], device=draws.device) - start) % draws.shape[-1])


CROSSOVERS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"bin": binomial, "exp": exponential}


def cross(target: Tensor, mutant: Tensor, rates: Tensor, levels: Tensor) -> Tensor:
    """Trial vectors: the mutant's component where its level is below CR (N×1), else the target's; all else N×D."""
    return torch.where(levels < rates, mutant, target)
