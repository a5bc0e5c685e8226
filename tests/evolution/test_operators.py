"""The operators of Differential Evolution, each against a slow plain version written from its formula."""

import math
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from decam.errors import SettingError
from decam.evolution.operators import (
    CROSSOVERS,
    REPAIRS,
    STARTS,
    STRATEGIES,
    Box,
    cross,
    distinct,
    inside,
    latin_hypercube,
    opposition,
    reflect,
)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


FORMULAS = {
    "rand/1": lambda _x, _g, p, f: p[0] + f * (p[1] - p[2]),
    "best/1": lambda _x, g, p, f: g + f * (p[0] - p[1]),
    "current-to-best/1": lambda x, g, p, f: x + f * (g - x) + f * (p[0] - p[1]),
    "current-to-pbest/1": lambda x, g, p, f: x + f * (g - x) + f * (p[0] - p[1]),
}


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("weight_columns", [1, 3])
def test_a_mutant_follows_the_formula_of_its_strategy(name: str, weight_columns: int) -> None:
    strategy = STRATEGIES[name]
    target, guide = random(5, 3), random(5 if strategy.elites else 1, 3, seed=1)
    parents = tuple(random(5, 3, seed=2 + k) for k in range(strategy.parents))
    weights = random(5, weight_columns, seed=9)
    got = strategy.mutate(target, guide, parents, weights)
    for i in range(5):
        for j in range(3):
            f = float(weights[i, j if weight_columns > 1 else 0])
            drawn = [float(parent[i, j]) for parent in parents]
            expected = FORMULAS[name](float(target[i, j]), float(guide[i if strategy.elites else 0, j]), drawn, f)
            assert math.isclose(float(got[i, j]), expected, abs_tol=1e-12)


def test_only_current_to_pbest_takes_several_elites_and_the_archive() -> None:
    assert {name for name, strategy in STRATEGIES.items() if strategy.elites} == {"current-to-pbest/1"}
    assert {name for name, strategy in STRATEGIES.items() if strategy.archive} == {"current-to-pbest/1"}


def slow_distinct(draws: list[list[int]], sizes: tuple[int, ...]) -> list[list[int]]:
    """For each target, the draw-th of the indices that are still free."""
    chosen: list[list[int]] = [[] for _ in sizes]
    for i in range(len(draws[0])):
        taken = {i}
        for k, size in enumerate(sizes):
            free = [index for index in range(size) if index not in taken]
            index = free[draws[k][i] % len(free)]
            chosen[k].append(index)
            taken.add(index)
    return chosen


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.integers(4, 12), st.integers(0, 9), st.integers(1, 3), st.integers(0, 10**6))
def test_parents_are_drawn_from_those_still_free(count: int, more: int, parents: int, seed: int) -> None:
    sizes = (count,) * (parents - 1) + (count + more,)
    draws = torch.randint(10**6, (2, parents, count), generator=generator(seed))
    got = distinct(draws, sizes)
    for block in range(2):
        assert got[block].tolist() == slow_distinct(draws[block].tolist(), sizes)


def test_every_parent_left_is_drawn_equally_often() -> None:
    draws = torch.randint(2**40, (5000, 3, 5), generator=generator(1))
    third = Counter(distinct(draws, (5, 5, 8))[:, 2, 0].tolist())
    assert set(third) == set(range(1, 8))
    assert max(abs(third[i] - 5000 * share(i)) for i in third) < 150


def share(index: int) -> float:
    """Chance of the third parent of target 0 of 5 from a pool of 8: two of the other four are taken before."""
    return (0.5 if index < 5 else 1.0) / 5


@pytest.mark.slow
@pytest.mark.parametrize("name", REPAIRS)
@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=6, max_size=6), st.floats(-5, 5), st.floats(0.01, 7))
def test_repaired_vectors_lie_within_the_box_and_what_lay_within_is_untouched(
    name: str, values: list[float], low: float, width: float
) -> None:
    box = Box(torch.tensor([low, -1.0], dtype=torch.float64), torch.tensor([low + width, 2.0], dtype=torch.float64))
    vectors = torch.tensor(values, dtype=torch.float64).view(3, 2)
    got = REPAIRS[name](vectors, box, generator())
    assert inside(got, box)
    within = (vectors >= box.low) & (vectors <= box.high)
    assert torch.equal(got[within], vectors[within])


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.floats(-50, 50), st.floats(-3, 3), st.floats(0.1, 5))
def test_reflection_folds_at_the_walls_until_inside(value: float, low: float, width: float) -> None:
    high, expected = low + width, value
    while not low <= expected <= high:
        expected = 2 * low - expected if expected < low else 2 * high - expected
    got = float(reflect(torch.tensor([[value]], dtype=torch.float64), Box.of(low, high, 1), generator()))
    assert math.isclose(got, expected, abs_tol=1e-9)


def test_clipping_puts_what_is_outside_onto_the_nearer_wall_and_resampling_draws_it_anew() -> None:
    box, vectors = Box.of(-1.0, 2.0, 3), torch.tensor([[-9.0, 0.5, 7.0]], dtype=torch.float64)
    assert REPAIRS["clip"](vectors, box, generator()).tolist() == [[-1.0, 0.5, 2.0]]
    drawn = torch.cat([REPAIRS["resample"](vectors, box, generator(seed)) for seed in range(400)])
    assert abs(float(drawn[:, 0].mean()) - 0.5) < 0.15
    assert float(drawn[:, 2].min()) < -0.9
    assert float(drawn[:, 2].max()) > 1.9


def test_a_vector_with_nan_is_not_inside() -> None:
    assert not inside(torch.tensor([[0.5, math.nan]], dtype=torch.float64), Box.of(0.0, 1.0, 2))


def slow_binomial(draws: list[float], forced: int, rate: float) -> list[bool]:
    return [draw < rate or j == forced for j, draw in enumerate(draws)]


def slow_exponential(draws: list[float], start: int, rate: float) -> list[bool]:
    """The loop of the paper: take components one after the other as long as the next draw is below CR."""
    taken = [False] * len(draws)
    taken[start] = True
    length = 1
    while length < len(draws) and draws[length] < rate:
        taken[(start + length) % len(draws)] = True
        length += 1
    return taken


SLOW_CROSSOVERS = {"bin": slow_binomial, "exp": slow_exponential}


@pytest.mark.slow
@pytest.mark.parametrize("name", CROSSOVERS)
@settings(max_examples=100, deadline=None)
@given(st.integers(1, 8), st.floats(0, 1), st.integers(0, 10**6))
def test_crossover_takes_the_components_that_its_definition_takes(
    name: str, dimensions: int, rate: float, seed: int
) -> None:
    draws = random(4, dimensions, seed=seed)
    places = torch.randint(dimensions, (4, 1), generator=generator(seed))
    target, mutant = torch.zeros(4, dimensions), torch.ones(4, dimensions)
    trial = cross(target, mutant, torch.full((4, 1), rate, dtype=torch.float64), CROSSOVERS[name](draws, places)).bool()
    for i in range(4):
        assert trial[i].tolist() == SLOW_CROSSOVERS[name](draws[i].tolist(), int(places[i]), rate)
    assert bool(trial.any(1).all())
    if name == "exp":
        edges = (trial != trial.roll(1, dims=1)).sum(1)
        assert bool((edges <= 2).all()), "a circular run has one beginning and one end"


@pytest.mark.parametrize(
    ("name", "rate", "taken"), [("bin", 0.0, 1), ("bin", 1.0, 6), ("exp", 0.0, 1), ("exp", 1.0, 6)]
)
def test_a_rate_of_zero_changes_one_component_and_a_rate_of_one_all(name: str, rate: float, taken: int) -> None:
    levels = CROSSOVERS[name](random(9, 6), torch.arange(9).unsqueeze(1) % 6)
    trial = cross(torch.zeros(9, 6), torch.ones(9, 6), torch.full((9, 1), rate), levels)
    assert trial.sum(1).tolist() == [taken] * 9


@pytest.mark.parametrize("name", STARTS)
def test_a_first_population_fills_its_box(name: str) -> None:
    box = Box(torch.tensor([-1.0, 10.0]), torch.tensor([1.0, 40.0]))
    vectors = STARTS[name](200, box, generator())
    assert inside(vectors, box)
    width = box.high - box.low
    assert bool((vectors.amax(0) > box.high - 0.05 * width).all())
    assert bool((vectors.amin(0) < box.low + 0.05 * width).all())
    assert vectors.dtype == torch.float32


def test_a_latin_hypercube_has_one_vector_in_every_slice_of_every_dimension() -> None:
    vectors = latin_hypercube(16, Box.of(-4.0, 4.0, 5), generator(3))
    slices = ((vectors + 4) / 8 * 16).floor()
    assert torch.equal(slices.sort(0).values, torch.arange(16.0, dtype=torch.float64).unsqueeze(1).expand(16, 5))
    assert not torch.equal(slices[:, 0], slices[:, 1])


def test_opposites_are_mirrored_at_the_middle_of_the_box() -> None:
    box = Box.of(1.0, 5.0, 3)
    vectors = opposition(7, box, generator())
    assert vectors.shape == (14, 3)
    torch.testing.assert_close((vectors[:7] + vectors[7:]) / 2, torch.full((7, 3), 3.0, dtype=torch.float64))


@pytest.mark.parametrize(
    ("low", "high", "complaint"),
    [
        (torch.zeros(2), torch.ones(3), "one low and one high"),
        (torch.zeros(2, 2), torch.ones(2, 2), "one low and one high"),
        (torch.zeros(0), torch.ones(0), "one low and one high"),
        (torch.zeros(2, dtype=torch.int64), torch.ones(2, dtype=torch.int64), "floating-point"),
        (torch.zeros(2), torch.ones(2, dtype=torch.float64), "floating-point"),
        (torch.zeros(2), torch.tensor([1.0, 0.0]), "below its finite upper bound"),
        (torch.zeros(2), torch.tensor([1.0, math.inf]), "below its finite upper bound"),
        (torch.tensor([-1e308, 0], dtype=torch.float64), torch.tensor([1e308, 1], dtype=torch.float64), "in float64"),
        (torch.tensor([math.nan, 0.0]), torch.ones(2), "below its finite upper bound"),
    ],
)
def test_bounds_that_bound_nothing_are_refused(low: Tensor, high: Tensor, complaint: str) -> None:
    with pytest.raises(SettingError, match=complaint):
        Box(low, high)


def test_a_box_without_dimensions_is_refused() -> None:
    with pytest.raises(SettingError, match="at least 1 dimension"):
        Box.of(0.0, 1.0, 0)
