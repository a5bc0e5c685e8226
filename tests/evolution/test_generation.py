"""What is written down of a generation is enough to make it again."""

from __future__ import annotations

import pytest
import torch

from decam.evolution.differential_evolution import CONTROLS, DifferentialEvolution, EvolutionSettings
from decam.evolution.generation import Breeding, Generation, diversity
from decam.evolution.operators import STRATEGIES, Box

BOX = Box.of(-2.0, 3.0, 6)


def generations(budget: int = 400, **values: object) -> list[Generation]:
    settings = EvolutionSettings.from_mapping({"budget": budget, "population": 14} | values)
    evolution = DifferentialEvolution(BOX, settings, seed=3)
    told = []
    while not evolution.stopped:
        told.append(evolution.tell(-evolution.ask().square().sum(1)))
    return told


def breedings(**values: object) -> list[Breeding]:
    return [generation.bred for generation in generations(**values) if generation.bred is not None]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_mutant_is_its_base_plus_f_times_the_differences_where_that_lies_within_the_bounds(strategy: str) -> None:
    bred = breedings(strategy=strategy)
    assert len(bred) > 10
    for one in bred:
        parents = one.parents()
        assert parents.shape == (len(one.recipe), len(one.trials))
        for i in range(len(one.trials)):
            base, *ends = (one.pool[int(place)].tolist() for place in parents[:, i])
            for j, value in enumerate(base):
                moved = value + float(one.weights[i]) * sum(
                    first[j] - second[j] for first, second in zip(ends[::2], ends[1::2], strict=True)
                )
                assert float(one.unrepaired()[i, j]) == pytest.approx(moved)
                if -2 <= moved <= 3:
                    assert float(one.mutants[i, j]) == pytest.approx(moved)
                else:
                    assert -2 <= float(one.mutants[i, j]) <= 3


@pytest.mark.parametrize("control", CONTROLS)
def test_a_trial_takes_every_component_from_mutant_or_target_and_stays_if_it_is_at_least_as_fit(control: str) -> None:
    for before, generation in zip(generations(control=control), generations(control=control)[1:], strict=False):
        bred = generation.bred
        assert bred is not None
        assert bool(((bred.trials == bred.mutants) | (bred.trials == bred.targets)).all())
        assert torch.equal(bred.targets, before.population[: len(bred.trials)])
        assert bred.accepted.tolist() == (bred.after >= bred.before).tolist()
        torch.testing.assert_close(bred.after, -bred.trials.square().sum(1))


def test_parents_are_others_than_the_target() -> None:
    for bred in breedings(strategy="rand/1"):
        assert bool((bred.parents() != torch.arange(len(bred.trials))).all())


def test_a_last_generation_cut_by_the_budget_has_only_the_trials_that_were_asked_for() -> None:
    last = generations(budget=14 * 4 + 5, control="fixed")[-1].bred
    assert last is not None
    sizes = {len(part) for part in (last.trials, last.mutants, last.before, last.after, last.weights, last.rates)}
    assert sizes == {5} and last.parents().shape[1] == 5


def test_a_first_generation_has_no_parents() -> None:
    assert generations()[0].bred is None


def test_diversity_is_the_mean_distance_from_the_centroid() -> None:
    assert diversity(torch.tensor([[0.0, 0.0], [6.0, 8.0]])) == 5.0
    assert diversity(torch.ones(5, 3)) == 0.0
