"""Differential Evolution by ask and tell: batches of real vectors and their fitness, nothing of images.

Storn and Price (1997) for the scheme, Zhang and Sanderson (2009, JADE) for current-to-pbest/1 with an archive,
Brest et al. (2006, jDE) and Tanabe and Fukunaga (2013, SHADE; 2014, L-SHADE) for F and CR that adapt themselves.
Fitness is maximised. `decam.evolution.operators` has the operators, `decam.evolution.control` the control of F and CR.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeAlias, cast

import torch
from torch import Tensor

from decam.errors import SettingError
from decam.evolution.archive import Archive
from decam.evolution.control import Control, Fixed, SelfAdapting, SuccessMemory
from decam.evolution.generation import Breeding, Generation
from decam.evolution.operators import CROSSOVERS, REPAIRS, STARTS, STRATEGIES, Box, cross, inside
from decam.evolution.random_blocks import Shape, Supply
from decam.settings import Settings, parameter

Screen: TypeAlias = Callable[[Tensor], Tensor]
Parents: TypeAlias = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]  # pool, guides, drawn, weights (N×1, N×D), mutants

CONTROLS = ("fixed", "jde", "shade", "l-shade")


@dataclass(frozen=True)
class EvolutionSettings(Settings):
    """How a population evolves and when it stops; every bad value or combination raises SettingError.

    The default is L-SHADE with a memory as long as SHADE's first (2013, H = 100): of 6 entries, as in 2014, each is
    overwritten every 6 generations, and in 50 dimensions the population then settles too early. `shade` takes the same
    share of guides for every trial, as in 2014, where the paper of 2013 draws one for each. A search stops by
    tolerance once the standard deviation of the fitness is at most absolute_tolerance + tolerance · |mean fitness|,
    unless any fitness is −∞; both are 0, which is never, by default.
    """

    budget: int = parameter(
        10_000, "Evaluations in all; 0 leaves it to the caller to stop (not with l-shade).", low=0, high=10**9
    )
    population: int = parameter(0, "Vectors at the start; 0 chooses by dimensions and budget.", low=0, high=10**6)
    smallest: int = parameter(4, "Vectors that are left at the end of an l-shade run.", low=4, high=10**6)
    strategy: str = parameter("current-to-pbest/1", "How mutants are made.", choices=tuple(STRATEGIES))
    crossover: str = parameter("bin", "Whether components are taken one by one or as a run.", choices=tuple(CROSSOVERS))
    control: str = parameter("l-shade", "Where F and CR come from.", choices=CONTROLS)
    weight: float = parameter(0.5, "Differential weight F (fixed; the start of jde).", low=1e-6, high=2.0)
    rate: float = parameter(0.9, "Crossover rate CR (fixed; the start of jde).", low=0.0, high=1.0)
    dither: float = parameter(0.0, "F of each trial is drawn from F ± this (fixed only).", low=0.0, high=1.0)
    jitter: float = parameter(0.0, "F of each component is varied by up to half this share.", low=0.0, high=1.0)
    greediness: float = parameter(0.11, "Share of the fittest that may guide current-to-pbest/1.", low=0.0, high=1.0)
    archive: float = parameter(2.6, "Replaced vectors kept, as a multiple of the population.", low=0.0, high=10.0)
    memory: int = parameter(100, "Entries of the memory of shade and l-shade.", low=1, high=1000)
    repair: str = parameter("reflect", "What happens to components outside the bounds.", choices=tuple(REPAIRS))
    start: str = parameter("latin-hypercube", "How the first population is drawn.", choices=tuple(STARTS))
    tolerance: float = parameter(
        0.0, "Stop once the fitness spreads no wider than this share of its mean.", low=0.0, high=1.0
    )
    absolute_tolerance: float = parameter(0.0, "Stop once the fitness spreads no wider than this.", low=0.0, high=1e300)

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 < self.population < 4:
            raise SettingError(f"population is {self.population}, but must be at least 4, or 0 to choose one.")
        if self.control == "l-shade" and self.budget == 0:
            raise SettingError("l-shade shrinks its population over the budget: give a budget, or choose shade.")
        if self.dither > 0 and self.control != "fixed":
            raise SettingError(f"dither varies a fixed F, but control is {self.control}: set dither to 0 or use fixed.")
        if self.dither >= self.weight and self.dither > 0:
            raise SettingError(f"dither is {self.dither:g}, but must be below the weight F of {self.weight:g}.")

    def size(self, dimensions: int) -> int:
        """Vectors in the first population, for vectors of so many dimensions."""
        return self.population or default_population(dimensions, self.budget)

    def size_after(self, evaluations: int, first: int) -> int:
        """Vectors left after so many evaluations: round((N_min − N_init) / budget · evaluations + N_init) (2014)."""
        if self.control != "l-shade" or first <= self.smallest:
            return first
        return max(self.smallest, round(first + (self.smallest - first) * evaluations / self.budget))


def default_population(dimensions: int, budget: int) -> int:
    """18·D vectors as L-SHADE has it, or fewer where a budget is short: a 200th of it leaves 200 generations.

    L-SHADE, which shrinks its population, has at least twice as many. At least 20 vectors, for D dimensions and a
    budget in evaluations (0 is none).
    """
    wanted = min(18 * dimensions, budget // 200) if budget else 18 * dimensions
    return max(20, wanted)


def _comparable(fitness: Tensor, vectors: Tensor) -> Tensor:
    """Fitness as numbers that can be compared, where the vectors are."""
    if fitness.dtype != vectors.dtype or fitness.device != vectors.device or fitness.requires_grad:
        fitness = fitness.detach().to(vectors)
    return fitness.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)


class DifferentialEvolution:
    """Differential Evolution that asks for the fitness of vectors and is told it.

        evolution = DifferentialEvolution(Box.of(-5.0, 5.0, dimensions=10), seed=1)
        while not evolution.stopped:
            evolution.tell(-function(evolution.ask()))

    `box` bounds the search and gives its dtype and device; it may be None where a `population` (N×D, N ≥ 4) is given
    to start from. Fitness is maximised; NaN counts as −∞, worse than any number. Nothing but `seed` decides the random
    numbers, which are drawn on the CPU, so that they are the same on every device. `stopped` says why the search has
    ended ("budget", "tolerance", "caller") and is empty before. Raises SettingError where box, population and settings
    do not fit together.
    """

    def __init__(
        self,
        box: Box | None,
        settings: EvolutionSettings | None = None,
        *,
        seed: int = 0,
        population: Tensor | None = None,
    ) -> None:
        self.settings = settings or EvolutionSettings()
        self.box = box
        self.evaluations = 0
        self.stopped = ""
        self._strategy = STRATEGIES[self.settings.strategy]
        self._generator = torch.Generator().manual_seed(seed)
        first = self._first(population)
        self._initial = len(first) if population is not None else self.settings.size(first.shape[1])
        if 0 < self.settings.budget < len(first):
            raise SettingError(
                f"The first population takes {len(first)} evaluations, more than the budget of "
                f"{self.settings.budget}: raise the budget or make the population smaller."
            )
        self.population = first[:0]
        self.fitness = first.new_empty(0)
        self._asked: Tensor | None = first
        self._used = (first.new_empty(0, 1), first.new_empty(0, 1))
        self._parents: Parents | None = None
        self._turn = 0
        self._control = self._made_control(first)
        self._supply = Supply(self._generator, first.dtype, first.device)
        self._archive = Archive(self._capacity(self._initial), first.shape[1], first.dtype, first.device)

    @property
    def best(self) -> int:
        """Index of the fittest individual, of the first where several are; raises SettingError before any is told."""
        if not len(self.fitness):
            raise SettingError("No individual has a fitness yet: ask() for vectors and tell() their fitness first.")
        return int(self.fitness.argmax())

    @property
    def archive(self) -> Tensor:
        """Vectors that were replaced and may still serve as parents, A×D."""
        return self._archive.vectors.clone()

    def ask(self, screen: Screen | None = None, candidates: int = 1) -> Tensor:
        """Vectors whose fitness is wanted: the first population, then trials, one for each individual (N×D).

        With a `screen`, so many `candidates` are bred for each individual, and the trial is the one whose value is
        highest among those that screen(M×D) gives (M). The last trials are fewer where the budget ends, and with
        `opposition` the first are twice as many. Until they are told, the same vectors are given again. Raises
        SettingError once the search has stopped.
        """
        if self.stopped:
            raise SettingError(f"The search has stopped ({self.stopped}): make a new one to go on.")
        if candidates < 1:
            raise SettingError(f"candidates is {candidates}, but at least 1 must be bred for each individual.")
        if self._asked is None:
            trials = self._trials() if screen is None else self._screened(screen, candidates)
            left = self.settings.budget - self.evaluations
            self._asked = trials[:left] if 0 < left < trials.shape[0] else trials
        return self._asked

    def tell(self, fitness: Tensor, standing: Tensor | None = None) -> Generation:
        """Take the fitness of the vectors last asked for, and keep each trial at least as good as its target.

        `fitness` (N) has one value for each vector; higher is better, NaN is worst. If fitness is estimated, pass the
        population's re-estimated fitness (N) as `standing`; it replaces the stored values before selection. Raises
        SettingError for any other shape or where nothing was asked for.
        """
        asked = self._asked
        if asked is None or fitness.shape != asked.shape[:1]:
            wanted = "ask() first" if asked is None else f"it takes {len(asked)} values for the vectors last asked for"
            raise SettingError(f"tell() was given fitness of shape {tuple(fitness.shape)}: {wanted}.")
        if standing is not None and standing.shape != self.fitness.shape:
            raise SettingError(
                f"tell() was given standing fitness of shape {tuple(standing.shape)}: it takes {len(self.fitness)} "
                "values for the population."
            )
        fitness = _comparable(fitness, asked)
        if standing is not None:
            self.fitness = _comparable(standing, asked)
        self._asked = None
        self.evaluations += asked.shape[0]
        before, parents, self._parents = self.fitness, self._parents, None
        accepted = self._select(asked, fitness) if before.numel() else self._begin(asked, fitness)
        self._check_stop()
        if parents is None:
            return Generation(accepted, self.population, self.fitness)
        recipe, count = self._strategy.recipe, len(asked)
        pool, guides, drawn, weights, mutants = parents
        bred = Breeding(pool, recipe, guides, drawn, weights, self._used[1], mutants, asked, before, fitness, accepted)
        return Generation(accepted, self.population, self.fitness, bred if count == len(before) else bred.first(count))

    def stop(self) -> None:
        """End the search by the caller's wish; one that has ended already keeps its reason."""
        self.stopped = self.stopped or "caller"

    def state_dict(self) -> dict[str, Any]:
        """All that decides how the search goes on, in numbers, texts and tensors: what torch.save takes.

        It may be taken at any moment, also between ask and tell.
        """
        return {
            "settings": self.settings.to_mapping(),
            "box": None if self.box is None else [self.box.low, self.box.high],
            "population": self.population,
            "fitness": self.fitness,
            "asked": self._asked,
            "used": list(self._used),
            "archive": self.archive,
            "control": self._control.state(),
            "supply": self._supply.state(),
            "generator": self._generator.get_state(),
            "evaluations": self.evaluations,
            "initial": self._initial,
            "turn": self._turn,
            "stopped": self.stopped,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """The search that `state_dict` saved: it goes on bit for bit as the one it was taken from."""
        box = None if state["box"] is None else Box(*state["box"])
        population = state["population"]
        settings = EvolutionSettings.from_mapping(state["settings"])
        evolution = cls(box, settings, population=population if len(population) else state["asked"])
        evolution._restore(state)
        return evolution

    def _restore(self, state: dict[str, Any]) -> None:
        self.population, self.fitness, self._asked = state["population"], state["fitness"], state["asked"]
        self.evaluations, self.stopped = state["evaluations"], state["stopped"]
        self._initial, self._turn = state["initial"], state["turn"]
        self._used = (state["used"][0], state["used"][1])
        self._control.restore(state["control"])
        self._archive.shrink(self._capacity(len(self.population) or self._initial))
        self._archive.add(state["archive"], 0)
        self._supply.restore(state["supply"])
        self._generator.set_state(state["generator"].cpu())  # torch.load may have moved it to a GPU

    def _begin(self, asked: Tensor, fitness: Tensor) -> Tensor:
        """The first population: all that was asked for, or the best of it."""
        chosen = fitness.argsort(descending=True, stable=True)[: self._initial].sort().values
        self.population, self.fitness = asked[chosen], fitness[chosen]
        return torch.zeros(len(asked), dtype=torch.bool, device=asked.device).index_fill_(0, chosen, True)

    def _trials(self) -> Tensor:
        """One trial for each individual: choose parents, mutate, repair, cross."""
        population, strategy = self.population, self._strategy
        count, dimensions = population.shape
        draws = self._supply.next(self._shape(count, dimensions))
        self._turn = draws.turn
        weights, rates = self._used = self._control.draw(draws.chances)
        pool = torch.cat([population, self._archive.vectors]) if self._archive.count else population
        parents = pool.index_select(0, draws.parents).view(strategy.parents, count, dimensions).unbind()
        if strategy.elites:
            elite = self.fitness.topk(self._elites(count)).indices.index_select(0, draws.elites)
        else:
            elite = self.fitness.argmax().view(1)
        if self.settings.jitter:
            drawn = torch.rand(count, dimensions, generator=self._generator, dtype=population.dtype)
            weights = weights * (1 + self.settings.jitter * (drawn.to(population.device) - 0.5))
        mutants = strategy.mutate(population, population.index_select(0, elite), parents, weights)
        if self.box is not None and not inside(mutants, self.box):
            mutants = REPAIRS[self.settings.repair](mutants, self.box, self._generator)
        self._parents = pool, elite, draws.parents.view(strategy.parents, count), weights, mutants
        return cross(population, mutants, rates, draws.levels)

    def _screened(self, screen: Screen, candidates: int) -> Tensor:
        """Of several generations of trials the best candidate for each place, with its weight, rate and parents."""
        bred = []
        for _ in range(candidates):
            trials = self._trials()
            pool, guides, drawn, weights, mutants = cast(Parents, self._parents)
            bred.append((trials, *self._used, guides.expand(len(trials)).unsqueeze(1), drawn.T, weights, mutants))
        stacked = [torch.stack(parts) for parts in zip(*bred, strict=True)]
        values = screen(stacked[0].flatten(0, 1)).to(self.population.device)
        chosen = values.view(candidates, -1).nan_to_num(nan=-torch.inf).argmax(0)
        places = torch.arange(len(chosen), device=chosen.device)
        trials, *used, guides, drawn, weights, mutants = (part[chosen, places] for part in stacked)
        self._used = used[0], used[1]
        self._parents = pool, guides[:, 0], drawn.T, weights, mutants
        return trials

    def _select(self, asked: Tensor, fitness: Tensor) -> Tensor:
        """Let trials replace their targets, learn from it, and shrink where that is due."""
        answered, count = asked.shape[0], self.population.shape[0]
        if answered < count:
            asked = torch.cat([asked, self.population[answered:]])
            fitness = torch.cat([fitness, self.fitness[answered:]])
        accepted = fitness >= self.fitness
        self._control.learn(*self._used, accepted, (fitness - self.fitness).clamp_min_(0.0))
        if self._archive.capacity:
            self._archive.add(self.population[fitness > self.fitness], self._turn)
        self.population = torch.where(accepted.unsqueeze(1), asked, self.population)
        self.fitness = torch.maximum(fitness, self.fitness)
        size = self.settings.size_after(self.evaluations, self._initial)
        if size < count:
            kept = self.fitness.argsort(descending=True, stable=True)[:size].sort().values
            self.population, self.fitness = self.population[kept], self.fitness[kept]
            self._archive.shrink(self._capacity(size))
        return accepted[:answered]

    def _check_stop(self) -> None:
        chosen = self.settings
        if self.stopped:  # by the caller, between ask and tell
            return
        if 0 < chosen.budget <= self.evaluations:
            self.stopped = "budget"
        elif chosen.tolerance or chosen.absolute_tolerance:
            limit = chosen.absolute_tolerance + chosen.tolerance * self.fitness.mean().abs()
            if bool(self.fitness.std(correction=0) <= limit):
                self.stopped = "tolerance"

    def _capacity(self, count: int) -> int:
        return round(self.settings.archive * count) if self._strategy.archive else 0

    def _elites(self, count: int) -> int:
        return min(count, max(2, round(self.settings.greediness * count)))

    def _shape(self, count: int, dimensions: int) -> Shape:
        return Shape(
            targets=count,
            dimensions=dimensions,
            pools=(count,) * (self._strategy.parents - 1) + (count + self._archive.count,),
            elites=self._elites(count),
            entries=self.settings.memory,
            places=self._archive.capacity,
            uniforms=self._control.uniforms,
            crossover=self.settings.crossover,
        )

    def _made_control(self, first: Tensor) -> Control:
        chosen = self.settings
        if chosen.control == "fixed":
            return Fixed(chosen.weight, chosen.rate, chosen.dither)
        if chosen.control == "jde":
            own = first.new_ones(self._initial, 1)
            return SelfAdapting(chosen.weight * own, chosen.rate * own)
        return SuccessMemory(chosen.memory, chosen.control == "l-shade", first.dtype, first.device)

    def _first(self, population: Tensor | None) -> Tensor:
        """The vectors asked for first, checked."""
        if population is None:
            if self.box is None:
                raise SettingError("A search needs a box to draw its first population from, or a population.")
            return STARTS[self.settings.start](self.settings.size(len(self.box.low)), self.box, self._generator)
        if population.ndim != 2 or len(population) < 4 or not population.is_floating_point():
            raise SettingError(
                "Differential Evolution starts from at least 4 vectors of real numbers (N×D), "
                f"not from {tuple(population.shape)} of {population.dtype}."
            )
        if self.box is not None and (population.shape[1:] != self.box.low.shape or not inside(population, self.box)):
            raise SettingError("The population given lies outside the bounds or has another number of dimensions.")
        if not bool(population.isfinite().all()):
            raise SettingError("The population given holds NaN or infinite numbers: every component must be finite.")
        return population.clone()
