"""Differential Evolution as a whole: against a plain generation, known minima, its papers' formulas and itself."""

import io
import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from decam.errors import SettingError
from decam.evolution.differential_evolution import (
    CONTROLS,
    DifferentialEvolution,
    EvolutionSettings,
    default_population,
)
from decam.evolution.operators import CROSSOVERS, REPAIRS, STARTS, STRATEGIES, Box, inside
from decam.evolution.problems import LANDSCAPES, rosenbrock, sphere
from tests.tools.searches import BOX, chosen, started

Function = Callable[[Tensor], Tensor]


def search(function: Function, settings: EvolutionSettings, box: Box = BOX, seed: int = 0) -> DifferentialEvolution:
    evolution = DifferentialEvolution(box, settings, seed=seed)
    while not evolution.stopped:
        evolution.tell(-function(evolution.ask()))
    return evolution


def slow_trials(
    evolution: DifferentialEvolution, population: Tensor, fitness: Tensor, archive: Tensor
) -> list[list[float]]:
    """L-SHADE's trials, loop by loop, from the random numbers that the next generation will take."""
    copy = DifferentialEvolution.from_state(evolution.state_dict())
    count, dimensions = population.shape
    draws = copy._supply.next(copy._shape(count, dimensions))
    weights, rates = copy._control.draw(draws.chances)
    pool = population.tolist() + archive.tolist()
    elites = sorted(range(count), key=lambda i: -float(fitness[i]))[: max(2, round(0.11 * count))]
    trials = []
    for i, x in enumerate(population.tolist()):
        f, cr = float(weights[i]), float(rates[i])
        guide, first = pool[elites[int(draws.elites[i])]], pool[int(draws.parents[i])]
        second = pool[int(draws.parents[count + i])]
        trial = []
        for j in range(dimensions):
            v = x[j] + f * (guide[j] - x[j]) + f * (first[j] - second[j])
            while not -5 <= v <= 5:
                v = -10 - v if v < -5 else 10 - v
            trial.append(v if float(draws.levels[i, j]) < cr else x[j])
        trials.append(trial)
    return trials


def test_a_generation_of_l_shade_is_what_the_plain_algorithm_makes_of_the_same_random_numbers() -> None:
    evolution = DifferentialEvolution(BOX, chosen(), seed=3)
    evolution.tell(-rosenbrock(evolution.ask()))
    for _ in range(12):
        expected = slow_trials(evolution, evolution.population, evolution.fitness, evolution.archive)
        torch.testing.assert_close(evolution.ask(), torch.tensor(expected, dtype=torch.float64), atol=1e-9, rtol=0)
        evolution.tell(-rosenbrock(evolution.ask()))
    assert len(evolution.archive) > 10


@pytest.mark.parametrize(
    ("strategy", "crossover", "control"), list(itertools.product(STRATEGIES, CROSSOVERS, CONTROLS))
)
def test_every_combination_goes_down_the_sphere(strategy: str, crossover: str, control: str) -> None:
    settings = chosen(strategy=strategy, crossover=crossover, control=control, budget=2000)
    evolution = search(sphere, settings)
    assert evolution.evaluations == 2000
    assert -float(evolution.fitness.max()) < 1e-1
    assert inside(evolution.population, BOX)
    torch.testing.assert_close(-sphere(evolution.population), evolution.fitness)


@pytest.mark.slow
def test_the_default_finds_the_end_of_rosenbrocks_valley_and_rastrigins_pit() -> None:
    for name in ("rosenbrock", "rastrigin"):
        landscape = LANDSCAPES[name]
        box = Box.of(landscape.low, landscape.high, 5)
        found = search(landscape, EvolutionSettings(budget=10_000), box)
        best = found.population[found.best].unsqueeze(0)
        torch.testing.assert_close(best, landscape.minimisers(5), atol=1e-4, rtol=0)


def test_selection_is_greedy_and_the_archive_holds_the_losers() -> None:
    evolution = started(chosen(population=10), torch.zeros(10))
    population, trials = evolution.population, evolution.ask()
    fitness = torch.tensor([1.0, 0.0, -1.0] * 3 + [-1.0], dtype=torch.float64)
    generation = evolution.tell(fitness)
    for i in range(10):
        kept = trials[i] if fitness[i] >= 0 else population[i]
        assert torch.equal(evolution.population[i], kept)
    assert generation.accepted.tolist() == (fitness >= 0).tolist()
    assert torch.equal(evolution.archive, population[fitness > 0])
    assert generation.best == 1.0
    assert math.isclose(generation.mean, 0.3)
    assert math.isclose(generation.spread, math.sqrt(0.21))
    assert generation.diversity == evolution.population.sub(evolution.population.mean(0)).norm(dim=1).mean()


@pytest.mark.parametrize("archive", [0.0, 0.4, 2.6])
def test_the_population_of_l_shade_shrinks_by_its_formula_and_the_archive_with_it(archive: float) -> None:
    evolution = DifferentialEvolution(BOX, chosen(population=30, smallest=5, archive=archive, budget=900))
    worst = -math.inf
    while not evolution.stopped:
        generation = evolution.tell(-sphere(evolution.ask()))
        reduced = evolution.evaluations if evolution.evaluations > 30 else 0
        assert len(evolution.population) == max(5, round((5 - 30) / 900 * reduced + 30))
        assert len(evolution.archive) <= round(archive * len(evolution.population))
        assert float(generation.fitness.min()) >= worst
        worst = float(generation.fitness.min())
    assert len(evolution.population) == 5


@pytest.mark.parametrize("control", ["fixed", "jde", "shade"])
def test_only_l_shade_shrinks(control: str) -> None:
    assert len(search(sphere, chosen(control=control)).population) == 20


@pytest.mark.parametrize(
    ("dimensions", "budget", "size"),
    [(10, 0, 180), (10, 100_000, 180), (10, 10_000, 50), (50, 25_000, 125), (9, 9, 20)],
)
def test_the_default_population_is_the_papers_or_a_200th_of_the_budget(dimensions: int, budget: int, size: int) -> None:
    assert default_population(dimensions, budget) == size


@pytest.mark.parametrize("repair", REPAIRS)
def test_no_vector_asked_for_lies_outside_its_bounds(repair: str) -> None:
    box = Box(torch.tensor([-1.0, 2.0, 0.0]), torch.tensor([1.0, 2.5, 100.0]))
    evolution = DifferentialEvolution(box, chosen(repair=repair))
    while not evolution.stopped:
        asked = evolution.ask()
        assert inside(asked, box)
        evolution.tell(asked.sum(1))
    torch.testing.assert_close(evolution.population[evolution.best], box.high, atol=1e-1, rtol=1e-2)


def test_the_budget_is_spent_exactly_and_the_search_then_stops() -> None:
    evolution, sizes = DifferentialEvolution(BOX, chosen(control="shade", budget=50)), []
    while not evolution.stopped:
        sizes.append(len(evolution.ask()))
        accepted = evolution.tell(-sphere(evolution.ask())).accepted
        assert len(accepted) == sizes[-1]
    assert sizes == [20, 20, 10]
    assert evolution.stopped == "budget"
    assert len(evolution.population) == 20
    with pytest.raises(SettingError, match="has stopped"):
        evolution.ask()


@pytest.mark.parametrize(("tolerance", "absolute"), [(0.01, 0.0), (0.0, 0.01)])
def test_the_search_stops_once_the_fitness_spreads_no_wider_than_its_tolerance(
    tolerance: float, absolute: float
) -> None:
    settings = chosen(budget=20_000, tolerance=tolerance, absolute_tolerance=absolute)
    evolution, spreads = DifferentialEvolution(BOX, settings), []
    while not evolution.stopped:
        generation = evolution.tell(-sphere(evolution.ask()) - 7)
        spreads.append(generation.spread <= absolute + tolerance * abs(generation.mean))
    assert evolution.stopped == "tolerance"
    assert spreads[-1]
    assert not any(spreads[:-1])


def test_the_caller_can_stop_the_search() -> None:
    evolution = started(chosen(), torch.zeros(20))
    evolution.stop()
    assert evolution.stopped == "caller"
    with pytest.raises(SettingError, match="caller"):
        evolution.ask()


def test_a_search_keeps_the_reason_that_ended_it_first() -> None:
    evolution = search(sphere, chosen(budget=60))
    evolution.stop()
    assert evolution.stopped == "budget"
    evolution = started(chosen(population=20, budget=40), torch.zeros(20))
    trials = evolution.ask()
    evolution.stop()
    evolution.tell(-sphere(trials))  # the last that the budget has
    assert evolution.stopped == "caller"


def test_without_a_budget_the_search_goes_on_until_the_caller_stops() -> None:
    evolution = started(chosen(control="shade", budget=0), torch.zeros(20))
    for _ in range(50):
        evolution.tell(-sphere(evolution.ask()))
    assert not evolution.stopped


def test_nan_is_worse_than_any_number() -> None:
    evolution = started(chosen(population=8), torch.tensor([math.nan] * 4 + [-1e30] * 4))
    assert evolution.best == 4
    assert evolution.fitness.tolist() == [-math.inf] * 4 + [float(torch.tensor(-1e30))] * 4
    evolution.ask()
    generation = evolution.tell(torch.tensor([math.nan, -1e35, 1.0, math.nan, math.nan, 2.0, math.nan, -2e30]))
    assert generation.accepted.tolist() == [True, True, True, True, False, True, False, False]
    assert generation.best == 2.0
    assert math.isfinite(generation.mean)
    assert math.isfinite(generation.spread)
    for _ in range(5):
        assert bool(evolution.ask().isfinite().all())
        evolution.tell(torch.where(evolution.ask()[:, 0] > 0, math.nan, evolution.ask()[:, 0]))


def test_a_search_that_gets_nothing_but_nan_still_spends_its_budget() -> None:
    evolution = DifferentialEvolution(BOX, chosen(tolerance=0.01))
    while not evolution.stopped:
        generation = evolution.tell(torch.full((len(evolution.ask()),), math.nan))
        assert math.isnan(generation.mean)
    assert evolution.stopped == "budget"


@pytest.mark.parametrize("start", STARTS)
def test_the_first_vectors_asked_for_are_the_start_and_of_opposites_the_better_half_stays(start: str) -> None:
    evolution = DifferentialEvolution(BOX, chosen(start=start))
    first = evolution.ask()
    assert evolution.ask() is first
    fitness = -sphere(first)
    accepted = evolution.tell(fitness).accepted
    assert len(first) == (40 if start == "opposition" else 20)
    assert int(accepted.sum()) == len(evolution.population) == 20
    assert torch.equal(evolution.population, first[accepted])
    assert torch.equal(evolution.fitness.sort().values, fitness.sort().values[-20:])


def test_a_population_given_is_asked_for_first_and_needs_no_box() -> None:
    population = torch.rand(9, 3, generator=torch.Generator().manual_seed(1))
    evolution = DifferentialEvolution(None, chosen(population=0), population=population)
    assert torch.equal(evolution.ask(), population)
    evolution.tell(torch.zeros(9))
    assert evolution.ask().dtype == torch.float32
    assert evolution.ask().shape == (9, 3)


def test_jitter_varies_the_weight_of_each_component_and_dither_that_of_each_trial() -> None:
    settings = {"control": "fixed", "rate": 1.0, "strategy": "current-to-best/1", "weight": 0.5}

    def ratios(**more: float) -> Tensor:
        """The weights behind trials that have no difference vector: all parents but the best in one place."""
        population = torch.ones(8, 3, dtype=torch.float64)
        population[0] = 0
        evolution = DifferentialEvolution(None, chosen(**settings, **more), population=population)
        evolution.tell(torch.arange(8.0).flip(0))
        found: Tensor = 1 - evolution.ask()[1:]
        return found[(found <= 0.9).all(1) & (found >= 0.1).all(1)]

    assert torch.equal(ratios(), torch.full_like(ratios(), 0.5))
    dithered, jittered = ratios(dither=0.1), ratios(jitter=0.2)
    assert float(dithered.std(1).max()) < 1e-12 < float(dithered.std(0).min())
    assert float((jittered - 0.5).abs().max()) <= 0.05 + 1e-12
    assert float(jittered.std(1).min()) > 0


@pytest.mark.parametrize("candidates", [1, 3])
def test_jittered_weights_are_written_down_as_they_were_used(candidates: int) -> None:
    population = torch.rand(9, 4, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    evolution = DifferentialEvolution(None, chosen(control="jde", jitter=0.5), population=population)
    evolution.tell(-sphere(evolution.ask()))
    evolution.ask((lambda trials: trials[:, 0]) if candidates > 1 else None, candidates)
    bred = evolution.tell(torch.zeros(9)).bred
    assert bred is not None and bred.weights.shape == (9, 4)
    torch.testing.assert_close(bred.unrepaired(), bred.mutants)


def test_no_individual_is_best_before_any_has_a_fitness() -> None:
    with pytest.raises(SettingError, match="No individual has a fitness yet"):
        _ = DifferentialEvolution(BOX, chosen()).best


def test_a_state_that_was_loaded_onto_another_device_goes_on() -> None:
    class Moved:
        """A generator's state as torch.load(map_location=…) leaves it: elsewhere."""

        def __init__(self, state: Tensor) -> None:
            self._state = state

        def cpu(self) -> Tensor:
            return self._state

    evolution = started(chosen(), torch.zeros(20))
    state = evolution.state_dict()
    other = DifferentialEvolution.from_state(state | {"generator": Moved(state["generator"])})
    assert torch.equal(evolution.ask(), other.ask())


@pytest.mark.slow
def test_the_same_seed_gives_the_same_search_bit_for_bit() -> None:
    one, two, other = (search(rosenbrock, chosen(), seed=s) for s in (5, 5, 6))
    assert torch.equal(one.population, two.population)
    assert not torch.equal(one.population, other.population)


RESUMED = [
    {},
    {"control": "shade", "start": "opposition"},
    {"control": "jde", "crossover": "exp", "strategy": "rand/1"},
    {"control": "fixed", "strategy": "best/1", "repair": "resample", "dither": 0.2, "jitter": 0.3},
    {"strategy": "current-to-best/1", "repair": "resample", "start": "uniform"},
]


@pytest.mark.parametrize("values", RESUMED, ids=str)
@pytest.mark.parametrize("generations", [0, 1, 2, 9])
@pytest.mark.parametrize("asked", [False, True])
def test_a_saved_search_goes_on_bit_for_bit(values: dict[str, Any], generations: int, asked: bool) -> None:
    evolution = DifferentialEvolution(BOX, chosen(**values), seed=2)
    for _ in range(generations):
        evolution.tell(-rosenbrock(evolution.ask()))
    if asked:
        evolution.ask()
    file = io.BytesIO()
    torch.save(evolution.state_dict(), file)
    file.seek(0)
    other = DifferentialEvolution.from_state(torch.load(file))
    while not evolution.stopped:
        trials = evolution.ask()
        assert torch.equal(trials, other.ask())
        for each in (evolution, other):
            each.tell(-rosenbrock(trials))
        assert torch.equal(evolution.population, other.population)
        assert torch.equal(evolution.fitness, other.fitness)
        assert torch.equal(evolution.archive, other.archive)
    assert other.stopped == "budget"


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"population": 3}, "at least 4, or 0"),
        ({"population": -1}, "population is -1"),
        ({"smallest": 3}, "smallest is 3"),
        ({"budget": -1}, "budget is -1"),
        ({"budget": 1.5}, "budget must be a whole number"),
        ({"budget": 0}, "l-shade shrinks"),
        ({"strategy": "rand/2"}, "strategy is 'rand/2'"),
        ({"crossover": "arithmetic"}, "crossover is 'arithmetic'"),
        ({"control": "adaptive"}, "control is 'adaptive'"),
        ({"repair": "wrap"}, "repair is 'wrap'"),
        ({"start": "sobol"}, "start is 'sobol'"),
        ({"weight": 0.0}, "weight is 0"),
        ({"weight": math.nan}, "weight must be a finite number"),
        ({"rate": 1.1}, "rate is 1.1"),
        ({"dither": 0.1}, "dither varies a fixed F"),
        ({"control": "fixed", "dither": 0.5}, "below the weight F"),
        ({"jitter": 2.0}, "jitter is 2"),
        ({"greediness": -0.1}, "greediness is -0.1"),
        ({"archive": -1.0}, "archive is -1"),
        ({"memory": 0}, "memory is 0"),
        ({"tolerance": -0.1}, "tolerance is -0.1"),
        ({"absolute_tolerance": math.inf}, "absolute_tolerance must be a finite number"),
    ],
)
def test_a_bad_setting_is_refused_in_one_sentence(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingError, match=complaint):
        chosen(**values)


@pytest.mark.parametrize(
    ("box", "population", "complaint"),
    [
        (None, None, "needs a box"),
        (None, torch.zeros(3, 2), "at least 4 vectors"),
        (None, torch.zeros(5), "at least 4 vectors"),
        (None, torch.zeros(5, 2, dtype=torch.int64), "at least 4 vectors"),
        (None, torch.full((5, 2), math.nan), "NaN or infinite"),
        (BOX, torch.zeros(5, 2, dtype=torch.float64), "another number of dimensions"),
        (BOX, torch.full((5, 4), 9.0, dtype=torch.float64), "outside the bounds"),
        (None, torch.zeros(700, 2), "more than the budget"),
    ],
)
def test_a_start_that_cannot_evolve_is_refused(box: Box | None, population: Tensor | None, complaint: str) -> None:
    with pytest.raises(SettingError, match=complaint):
        DifferentialEvolution(box, chosen(), population=population)


def test_fitness_of_another_shape_or_without_trials_is_refused() -> None:
    evolution = DifferentialEvolution(BOX, chosen())
    for shape in ((19,), (20, 1), ()):
        with pytest.raises(SettingError, match="takes 20 values"):
            evolution.tell(torch.zeros(shape))
    evolution.tell(torch.zeros(20))
    with pytest.raises(SettingError, match=r"ask\(\) first"):
        evolution.tell(torch.zeros(20))
