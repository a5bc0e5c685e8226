"""Differential Evolution: each operator against a slow plain version, the whole against known minima."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.errors import SettingError
from decam.evolution import (
    DifferentialEvolution,
    SuccessMemory,
    binomial,
    current_to_pbest,
    diversity,
    reflect,
)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_current_to_pbest_follows_its_formula() -> None:
    x, best, a, b = (random(5, 3, seed=s) for s in range(4))
    f = random(5, 1, seed=9)
    got = current_to_pbest(x, best, a, b, f)
    for i in range(5):
        for j in range(3):
            expected = x[i, j] + f[i, 0] * (best[i, j] - x[i, j]) + f[i, 0] * (a[i, j] - b[i, j])
            assert math.isclose(float(got[i, j]), float(expected), abs_tol=1e-6)


def test_binomial_crossover_takes_each_component_by_its_draw_and_always_the_forced_one() -> None:
    target, mutant, draws = random(6, 4), random(6, 4, seed=1), random(6, 4, seed=2)
    rates, forced = random(6, 1, seed=3), torch.tensor([0, 1, 2, 3, 0, 1])
    got = binomial(target, mutant, rates, draws, forced)
    for i in range(6):
        for j in range(4):
            taken = bool(draws[i, j] <= rates[i, 0]) or j == int(forced[i])
            assert float(got[i, j]) == float(mutant[i, j] if taken else target[i, j])


def test_a_crossover_rate_of_zero_changes_exactly_one_component() -> None:
    target, mutant = torch.zeros(8, 5), torch.ones(8, 5)
    draws = random(8, 5).clamp_min(1e-6)
    got = binomial(target, mutant, torch.zeros(8, 1), draws, torch.arange(8) % 5)
    assert got.sum(1).tolist() == [1.0] * 8


@settings(max_examples=200, deadline=None)
@given(st.floats(-50, 50), st.floats(-3, 3), st.floats(0.1, 5))
def test_reflection_folds_at_the_walls_until_inside(value: float, low: float, width: float) -> None:
    high, expected = low + width, value
    while not low <= expected <= high:
        expected = 2 * low - expected if expected < low else 2 * high - expected
    got = float(reflect(torch.tensor([value], dtype=torch.float64), low, high))
    assert math.isclose(got, expected, abs_tol=1e-9)


def test_the_memory_learns_lehmer_and_arithmetic_means() -> None:
    memory = SuccessMemory.of(2)
    f, cr, gain = torch.tensor([0.2, 0.8]), torch.tensor([0.1, 0.9]), torch.tensor([1.0, 3.0])
    memory.learn(f, cr, gain)
    lehmer = (0.25 * 0.2**2 + 0.75 * 0.8**2) / (0.25 * 0.2 + 0.75 * 0.8)
    assert math.isclose(float(memory.weights[0]), lehmer, rel_tol=1e-6)
    assert math.isclose(float(memory.rates[0]), 0.25 * 0.1 + 0.75 * 0.9, rel_tol=1e-6)
    assert memory.weights[1] == memory.rates[1] == 0.5
    memory.learn(f, cr, gain)
    memory.learn(torch.tensor([1.0]), torch.tensor([1.0]), torch.tensor([2.0]))
    assert memory.weights[0] == memory.rates[0] == 1.0


def test_the_memory_does_not_learn_from_nothing() -> None:
    memory = SuccessMemory.of(3)
    memory.learn(torch.empty(0), torch.empty(0), torch.empty(0))
    assert memory.place == 0
    assert memory.weights.tolist() == [0.5] * 3


def test_drawn_f_and_cr_lie_in_their_ranges() -> None:
    weights, rates = SuccessMemory.of(6).draw(5000, torch.Generator().manual_seed(0))
    assert float(weights.min()) > 0
    assert float(weights.max()) == 1
    assert 0 <= float(rates.min()) < float(rates.max()) <= 1
    assert abs(float(rates.median()) - 0.5) < 0.01
    assert abs(float(weights.median()) - 0.5) < 0.02


def search(function, dimensions: int, generations: int, seed: int = 0, start: float = 5.0) -> DifferentialEvolution:
    generator = torch.Generator().manual_seed(seed)
    population = (torch.rand(24, dimensions, generator=generator, dtype=torch.float64) * 2 - 1) * start
    evolution = DifferentialEvolution(population, -function(population), generator=generator, bounds=(-start, start))
    for _ in range(generations):
        evolution.tell(-function(evolution.ask()))
    return evolution


def sphere(x: torch.Tensor) -> torch.Tensor:
    return x.square().sum(1)


def rosenbrock(x: torch.Tensor) -> torch.Tensor:
    return (100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2).sum(1)


def test_it_finds_the_minimum_of_the_sphere() -> None:
    assert -float(search(sphere, 8, 250).fitness.max()) < 1e-8


def test_it_finds_the_minimum_of_rosenbrocks_valley() -> None:
    found = search(rosenbrock, 4, 500)
    torch.testing.assert_close(found.population[found.best], torch.ones(4, dtype=torch.float64), atol=1e-3, rtol=0)


def test_selection_is_greedy_and_the_archive_holds_the_losers() -> None:
    generator = torch.Generator().manual_seed(1)
    population = random(10, 4)
    evolution = DifferentialEvolution(population, torch.zeros(10), generator=generator)
    trials = evolution.ask()
    fitness = torch.tensor([1.0, 0.0, -1.0] * 3 + [-1.0])
    generation = evolution.tell(fitness)
    for i in range(10):
        kept = trials[i] if fitness[i] >= 0 else population[i]
        assert torch.equal(evolution.population[i], kept)
    assert generation.accepted.tolist() == (fitness >= 0).tolist()
    assert torch.equal(evolution.archive, population[fitness > 0])
    assert generation.best == 1.0
    assert math.isclose(generation.mean, 0.3, rel_tol=1e-6)


def test_the_archive_never_outgrows_the_population() -> None:
    assert len(search(sphere, 3, 60).archive) <= 24


def test_vectors_stay_within_their_bounds() -> None:
    evolution = search(lambda x: -x.sum(1), 5, 40, start=1.0)
    assert float(evolution.population.abs().max()) <= 1.0


def test_parents_are_never_the_target_nor_each_other() -> None:
    generator = torch.Generator().manual_seed(2)
    evolution = DifferentialEvolution(random(4, 2), torch.zeros(4), generator=generator)
    own = torch.arange(4).repeat(50)
    first = evolution._other_than(own, torch.full((200,), -1), 4)
    second = evolution._other_than(own, first, 7)
    assert not (first == own).any()
    assert not ((second == own) | (second == first)).any()
    assert set(second.tolist()) == set(range(7))


def test_the_same_seed_gives_the_same_search_bit_for_bit() -> None:
    one, two, other = (search(rosenbrock, 6, 30, seed=s) for s in (5, 5, 6))
    assert torch.equal(one.population, two.population)
    assert not torch.equal(one.population, other.population)


def test_diversity_is_the_mean_distance_from_the_centroid() -> None:
    assert diversity(torch.tensor([[0.0, 0.0], [6.0, 8.0]])) == 5.0
    assert diversity(torch.ones(5, 3)) == 0.0


@pytest.mark.parametrize(("population", "fitness"), [((3, 2), (3,)), ((5,), (5,)), ((5, 2), (4,)), ((5, 2), (5, 1))])
def test_a_population_that_cannot_evolve_is_refused(population: tuple[int, ...], fitness: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match="at least 4 vectors"):
        DifferentialEvolution(torch.zeros(population), torch.zeros(fitness), generator=torch.Generator())


def test_fitness_without_trials_is_refused() -> None:
    evolution = DifferentialEvolution(random(4, 2), torch.zeros(4), generator=torch.Generator())
    with pytest.raises(SettingError, match="tell"):
        evolution.tell(torch.zeros(4))
