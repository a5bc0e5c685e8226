"""Differential Evolution on a fitness that is estimated: what is screened before, and what is judged anew after."""

import itertools

import pytest
import torch

from decam.errors import SettingError
from decam.evolution.differential_evolution import CONTROLS, DifferentialEvolution
from decam.evolution.operators import STRATEGIES
from decam.evolution.problems import rosenbrock, sphere
from tests.tools.searches import BOX, chosen, started


def test_what_the_population_is_now_thought_to_have_is_what_trials_are_compared_with() -> None:
    evolution = started(chosen(population=10), torch.zeros(10))
    population, trials = evolution.population, evolution.ask()
    standing = torch.linspace(-1, 1, 10, dtype=torch.float64)
    generation = evolution.tell(torch.zeros(10), standing)
    assert generation.accepted.tolist() == [True] * 5 + [False] * 5
    assert torch.equal(evolution.population, torch.cat([trials[:5], population[5:]]))
    torch.testing.assert_close(evolution.fitness, standing.clamp_min(0))
    assert generation.bred is not None and torch.equal(generation.bred.before, standing)


def test_standing_fitness_of_another_shape_is_refused() -> None:
    evolution = started(chosen(population=10), torch.zeros(10))
    evolution.ask()
    with pytest.raises(SettingError, match=r"standing fitness of shape \(3,\): it takes 10 values"):
        evolution.tell(torch.zeros(10), torch.zeros(3))


def test_of_several_candidates_the_one_that_the_screen_prefers_is_asked_for() -> None:
    plain, screened = (started(chosen(population=10), torch.zeros(10), seed=4) for _ in range(2))
    bred = [plain._trials() for _ in range(5)]
    trials = screened.ask(lambda vectors: -rosenbrock(vectors), candidates=5)
    for i in range(10):
        assert torch.equal(trials[i], min((each[i] for each in bred), key=lambda v: float(rosenbrock(v.unsqueeze(0)))))
    assert torch.equal(screened.ask(), trials), "until they are told, the same trials are given again"


def test_a_screen_of_one_candidate_changes_nothing() -> None:
    plain, screened = (started(chosen(population=10), torch.zeros(10)) for _ in range(2))
    assert torch.equal(plain.ask(), screened.ask(rosenbrock, candidates=1))


@pytest.mark.parametrize(("strategy", "control"), list(itertools.product(STRATEGIES, CONTROLS)))
def test_a_screened_trial_keeps_its_own_parents_weight_and_rate(strategy: str, control: str) -> None:
    settings = chosen(strategy=strategy, control=control, repair="clip")
    evolution = DifferentialEvolution(BOX, settings, seed=5)
    evolution.tell(-sphere(evolution.ask()))
    for _ in range(5):
        trials = evolution.ask(lambda vectors: -sphere(vectors), candidates=3)
        bred = evolution.tell(-sphere(trials)).bred
        assert bred is not None
        torch.testing.assert_close(bred.unrepaired().clamp(-5, 5), bred.mutants)
        assert bool(((bred.trials == bred.mutants) | (bred.trials == bred.targets)).all())


@pytest.mark.slow
def test_a_screen_that_knows_the_fitness_makes_the_search_faster() -> None:
    def found(candidates: int) -> float:
        evolution = DifferentialEvolution(BOX, chosen(budget=400), seed=1)
        while not evolution.stopped:
            evolution.tell(-sphere(evolution.ask(lambda vectors: -sphere(vectors), candidates)))
        return -float(evolution.fitness.max())

    assert found(8) < found(1) / 10


def test_candidates_that_a_screen_cannot_judge_lose() -> None:
    evolution = started(chosen(population=10), torch.zeros(10), seed=6)
    values = torch.full((30,), torch.nan)
    values[10:20] = -1e9
    plain = started(chosen(population=10), torch.zeros(10), seed=6)
    second = [plain._trials() for _ in range(2)][1]
    assert torch.equal(evolution.ask(lambda _: values, candidates=3), second)


def test_no_candidates_are_refused() -> None:
    with pytest.raises(SettingError, match="candidates is 0"):
        started(chosen(), torch.zeros(20)).ask(rosenbrock, candidates=0)
