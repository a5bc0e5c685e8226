"""The control of Differential Evolution: DE-CAM with CMA-ES in its place, and all else the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from decam.classifier import Classifier
from decam.evolution.differential_evolution import Screen
from decam.evolution.generation import Breeding, Generation
from decam.explanation import Question, Steps
from decam.methods.base import SHORT, Method
from decam.methods.de_cam.method import DE_CAM, searched
from decam.methods.de_cam.optimisers import Optimiser, Start
from decam.methods.de_cam.settings import DeCamSettings
from decam.settings import Parameter, Settings, parameter

STUDIED = 1000  # draws that tell how the first guess spreads
LEAST_SPREAD = 1e-6  # of a direction, relative to the mean one, so that none is closed to the search

_OF_DE_CAM: dict[str, Parameter] = {one.name: one for one in DeCamSettings.parameters()}


def _same(name: str) -> Any:
    """The parameter of DE-CAM of that name."""
    of = _OF_DE_CAM[name]
    return parameter(of.default, of.help, low=of.low, high=of.high, step=of.step, choices=of.choices)


@dataclass(frozen=True)
class CmaEsSettings(Settings):
    """DE-CAM's settings, but for those that Differential Evolution alone has."""

    budget: int = _same("budget")
    population: int = _same("population")
    cells: int = _same("cells")
    fill: str = _same("fill")
    follow_edges: bool = _same("follow_edges")
    screening: int = _same("screening")
    settled: float = _same("settled")

    @property
    def ends_early(self) -> bool:
        """True if the search ends once its map has settled."""
        return self.settled > 0

    @property
    def estimates(self) -> bool:
        """True: the fitness is estimated as DE-CAM's is."""
        return True

    def of_de_cam(self) -> DeCamSettings:
        """The settings of the search that DE-CAM would make."""
        return DeCamSettings.from_mapping(self.to_mapping())


class CmaSearch:
    """CMA-ES (Hansen and Ostermeier 2001, in Hansen's `cma`) that begins where DE-CAM's evolution begins.

    The first population is DE-CAM's. The first distribution is that of the first guess: vectors are written as
    mean + factor · z with the covariance of its draws, and CMA-ES moves z from the unit Gaussian on. Candidates are
    screened as DE-CAM's are: for each place so many are drawn, of which the one expected to be best is asked about.
    """

    def __init__(self, start: Start) -> None:
        self.population = start.first
        self.fitness = torch.full((len(start.first),), -torch.inf)
        self._start = start
        self._asked: Tensor | None = start.first
        self._distribution: _Distribution | None = None

    @property
    def best(self) -> int:
        """Index of the fittest individual."""
        return int(self.fitness.argmax())

    def ask(self, screen: Screen | None = None, candidates: int = 1) -> Tensor:
        """Vectors whose fitness is wanted (N×D): of so many candidates for each place the one that `screen` prefers."""
        if self._asked is None:
            count = len(self.population)
            vectors = self._moving().draw(count * candidates)
            chosen = torch.arange(count)
            if screen is not None:
                values = screen(vectors).cpu().view(candidates, count).nan_to_num(nan=-torch.inf)
                chosen = values.argmax(0) * count + chosen
            self._asked = vectors[chosen]
        return self._asked

    def tell(self, fitness: Tensor, standing: Tensor | None = None) -> Generation:
        """Move the distribution; the vectors last asked for are the new population, whatever they are worth."""
        del standing  # nobody stays
        asked, before = self.ask(), self.fitness
        first = asked is self.population
        self.fitness = fitness.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)
        self._moving().move(asked, self.fitness)
        bred = None if first else _drawn(self.population, asked, before, self.fitness)
        self.population, self._asked = asked, None
        return Generation(torch.ones(len(fitness), dtype=torch.bool), self.population, self.fitness, bred)

    def _moving(self) -> _Distribution:
        """The distribution; made after the first population was asked about, which is then what DE-CAM asks."""
        if self._distribution is None:
            self._distribution = _Distribution(self._start)
        return self._distribution


class _Distribution:
    """The Gaussian that CMA-ES moves, in coordinates in which the first guess is the unit Gaussian."""

    def __init__(self, start: Start) -> None:
        import cma  # here, for it loads Matplotlib and scipy.stats, which take seconds that only this search needs

        drawn = start.draw(STUDIED).double()
        self._mean = drawn.mean(0)
        covariance = torch.cov(drawn.T)
        least = LEAST_SPREAD * covariance.diagonal().mean() * torch.eye(len(covariance), dtype=torch.float64)
        self._factor = torch.linalg.cholesky(covariance + least)
        options = {
            "popsize": len(start.first),
            "randn": _normals(np.random.default_rng(start.seed)),
            "seed": np.nan,  # the process's generator is left alone
            "verbose": -9,
        }
        self._strategy = cma.CMAEvolutionStrategy(np.zeros(drawn.shape[1]), 1.0, options)
        self._strategy.ask()  # it wants to be asked before it is told, and the first population is there already

    def draw(self, count: int) -> Tensor:
        """So many vectors (count×D)."""
        codes = torch.from_numpy(np.stack(self._strategy.ask(count)))
        vectors: Tensor = self._mean + codes @ self._factor.T
        return vectors.float()

    def move(self, vectors: Tensor, fitness: Tensor) -> None:
        """Towards the fitter of these vectors (N×D); fitness N."""
        apart = (vectors.double() - self._mean).T
        codes = torch.linalg.solve_triangular(self._factor, apart, upper=False).T.numpy()
        self._strategy.tell(list(codes), (-fitness.double()).tolist())


def _normals(random: np.random.Generator) -> Callable[..., NDArray[np.float64]]:
    """Standard normal numbers of a shape, as numpy's `randn` gives them."""
    return lambda *shape: random.standard_normal(shape)


def _drawn(targets: Tensor, asked: Tensor, before: Tensor, after: Tensor) -> Breeding:
    """Trials without parents, all of them accepted."""
    count = len(after)
    none = torch.full((count, 1), torch.nan)
    no_parents = torch.zeros(0, count, dtype=torch.int64)
    accepted = torch.ones(count, dtype=torch.bool)
    return Breeding(targets, (), no_parents, no_parents, none, none, asked, asked, before, after, accepted)


def _optimiser(start: Start) -> Optimiser:
    return CmaSearch(start)


def cma_es(question: Question, settings: CmaEsSettings, seed: int) -> Steps:
    """DE-CAM's search, with its encoding, first guess, fitness and decoding, by CMA-ES."""
    return (yield from searched(question, settings.of_de_cam(), seed, _optimiser))


def _cost(settings: CmaEsSettings, classifier: Classifier) -> int:
    return DE_CAM.cost(settings.of_de_cam(), classifier)


CMA_ES = Method(
    name="cma-es",
    title="CMA-ES",
    family="perturbation",
    summary="DE-CAM with CMA-ES in place of Differential Evolution, and all else the same.",
    formula=DE_CAM.formula,
    reference="Hansen & Ostermeier, Completely Derandomized Self-Adaptation in Evolution Strategies (2001)",
    url="https://doi.org/10.1162/106365601750190398",
    strengths="Shows what of DE-CAM's maps is the optimiser's: start, encoding and fitness are the same.",
    misleads="A budget of a thousand is too few generations to learn a covariance of a hundred cells.",
    needs=frozenset({"output"}),
    hides=True,
    signed=False,
    settings=CmaEsSettings,
    run=cma_es,
    example=SHORT,
    cost=_cost,
    series=DE_CAM.series,
)
