"""Standard functions on which optimisers are compared: batched, with their bounds and their known minimum."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from decam.errors import SettingError

SCHWEFEL_PLACE = 420.96874635998205
SCHWEFEL_DEPTH = SCHWEFEL_PLACE * math.sin(math.sqrt(SCHWEFEL_PLACE))


@dataclass(frozen=True)
class Landscape:
    """A function to be minimised within [low, high] in every dimension, and what is known of its minimum.

    `function` takes N×D (floating point, any device) and gives N values. `coordinate` is the minimiser's, the same in
    every dimension unless `places` lists whole minimisers. `dimensions` is 0 where any number will do.
    """

    name: str
    title: str
    summary: str
    function: Callable[[Tensor], Tensor]
    low: float
    high: float
    coordinate: float = 0.0
    lowest: float = 0.0
    places: tuple[tuple[float, ...], ...] = ()
    dimensions: int = 0

    def __call__(self, vectors: Tensor) -> Tensor:
        """Values (N) of vectors (N×D); raises SettingError for a shape or a number of dimensions that does not fit."""
        if vectors.ndim != 2 or vectors.shape[1] < 1:
            raise SettingError(f"{self.title} takes vectors as N×D, not {tuple(vectors.shape)}; add the axis for N.")
        self._check(vectors.shape[1])
        return self.function(vectors)

    def minimisers(self, dimensions: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """All known places of the minimum, K×D; raises SettingError for a number of dimensions that does not fit."""
        self._check(dimensions)
        if self.places:
            return torch.tensor(self.places, dtype=dtype)
        return torch.full((1, dimensions), self.coordinate, dtype=dtype)

    def _check(self, dimensions: int) -> None:
        if self.dimensions and dimensions != self.dimensions:
            raise SettingError(f"{self.title} is defined in {self.dimensions} dimensions only, not in {dimensions}.")


def sphere(x: Tensor) -> Tensor:
    """Σ x_i²."""
    return x.square().sum(1)


def rosenbrock(x: Tensor) -> Tensor:
    """Σ 100 (x_{i+1} − x_i²)² + (1 − x_i)² (Rosenbrock 1960, chained)."""
    return (100 * (x[:, 1:] - x[:, :-1].square()).square() + (1 - x[:, :-1]).square()).sum(1)


def rastrigin(x: Tensor) -> Tensor:
    """Σ x_i² − 10 cos 2πx_i + 10 (Rastrigin 1974)."""
    return (x.square() - 10 * torch.cos(2 * torch.pi * x) + 10).sum(1)


def ackley(x: Tensor) -> Tensor:
    """−20 exp(−0.2 √mean x²) − exp(mean cos 2πx) + 20 + e (Ackley 1987)."""
    bowl = -20 * torch.exp(-0.2 * x.square().mean(1).sqrt())
    return bowl - torch.exp(torch.cos(2 * torch.pi * x).mean(1)) + 20 + math.e


def griewank(x: Tensor) -> Tensor:
    """Σ x_i² / 4000 − Π cos(x_i / √i) + 1, i from 1 (Griewank 1981)."""
    place = torch.arange(1, x.shape[1] + 1, dtype=x.dtype, device=x.device)
    return x.square().sum(1) / 4000 - torch.cos(x / place.sqrt()).prod(1) + 1


def schwefel(x: Tensor) -> Tensor:
    """418.9829 D − Σ x_i sin √|x_i| (Schwefel 1981, 2.26)."""
    return (SCHWEFEL_DEPTH - x * torch.sin(x.abs().sqrt())).sum(1)


def zakharov(x: Tensor) -> Tensor:
    """Σ x_i² + (Σ i x_i / 2)² + (Σ i x_i / 2)⁴, i from 1."""
    slope = 0.5 * (x * torch.arange(1, x.shape[1] + 1, dtype=x.dtype, device=x.device)).sum(1)
    return x.square().sum(1) + slope.square() + slope.pow(4)


def levy(x: Tensor) -> Tensor:
    """Lévy and Montalvo (1985): with w = 1 + (x − 1)/4, sin² πw_1, a sum over the middle and a last term."""
    w = 1 + (x - 1) / 4
    middle = (w[:, :-1] - 1).square() * (1 + 10 * torch.sin(torch.pi * w[:, :-1] + 1).square())
    last = (w[:, -1] - 1).square() * (1 + torch.sin(2 * torch.pi * w[:, -1]).square())
    return torch.sin(torch.pi * w[:, 0]).square() + middle.sum(1) + last


def step(x: Tensor) -> Tensor:
    """Σ ⌊x_i + 0.5⌋² (De Jong 1975; Yao, Liu and Lin 1999, f6)."""
    return torch.floor(x + 0.5).square().sum(1)


def ellipsoid(x: Tensor) -> Tensor:
    """Σ 10^(6 (i − 1)/(D − 1)) x_i², i from 1: condition number 10⁶ (Hansen et al. 2009, f2 without its distortion)."""
    scales = torch.logspace(0, 6, x.shape[1], dtype=x.dtype, device=x.device)
    return (scales * x.square()).sum(1)


def himmelblau(x: Tensor) -> Tensor:
    """(x² + y − 11)² + (x + y² − 7)² (Himmelblau 1972)."""
    return (x[:, 0].square() + x[:, 1] - 11).square() + (x[:, 0] + x[:, 1].square() - 7).square()


HIMMELBLAU_PLACES = (
    (3.0, 2.0),
    (-2.805118086952745, 3.131312518250573),
    (-3.779310253377747, -3.283185991286170),
    (3.584428340330492, -1.848126526964404),
)

_TABLE = (
    Landscape("sphere", "Sphere", "One round bowl: what every optimiser must manage.", sphere, -5.12, 5.12),
    Landscape(
        "rosenbrock",
        "Rosenbrock",
        "A narrow bent valley: found at once, followed to its end with great patience.",
        rosenbrock,
        -5.0,
        10.0,
        coordinate=1.0,
    ),
    Landscape(
        "rastrigin",
        "Rastrigin",
        "A bowl under a regular grid of deep pits: a greedy search stays in the first it meets.",
        rastrigin,
        -5.12,
        5.12,
    ),
    Landscape(
        "ackley", "Ackley", "A rippled plain with one steep funnel in the middle of it.", ackley, -32.768, 32.768
    ),
    Landscape(
        "griewank",
        "Griewank",
        "A wide bowl with fine ripples that couple the dimensions through a product.",
        griewank,
        -600.0,
        600.0,
    ),
    Landscape(
        "schwefel",
        "Schwefel",
        "The deepest pit lies near a corner and the second deepest far from it, so the slope misleads.",
        schwefel,
        -500.0,
        500.0,
        coordinate=SCHWEFEL_PLACE,
    ),
    Landscape(
        "zakharov",
        "Zakharov",
        "A long flat-bottomed trough in which the dimensions can only be changed together.",
        zakharov,
        -5.0,
        10.0,
    ),
    Landscape("levy", "Lévy", "Rows of ridges across a valley that leads to one point.", levy, -10.0, 10.0, 1.0),
    Landscape("step", "Step", "A bowl cut into terraces: no slope to follow within one.", step, -100.0, 100.0),
    Landscape(
        "ellipsoid",
        "Ellipsoid",
        "A bowl a thousand times longer one way than another: each dimension needs its own step.",
        ellipsoid,
        -5.0,
        5.0,
    ),
    Landscape(
        "himmelblau",
        "Himmelblau",
        "Four minima equally deep, in two dimensions: a population may settle in any of them.",
        himmelblau,
        -5.0,
        5.0,
        places=HIMMELBLAU_PLACES,
        dimensions=2,
    ),
)

LANDSCAPES = {landscape.name: landscape for landscape in _TABLE}
