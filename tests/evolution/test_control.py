"""Control of F and CR: distributions and means against plain versions from the papers."""

import math

import pytest
import torch
from scipy.stats import cauchy, kstest, norm
from torch import Tensor

from decam.evolution.control import NEVER, Chances, Fixed, SelfAdapting, SuccessMemory, tidied

DOUBLE = torch.float64


def chances(count: int, rows: int, entries: int = 1, seed: int = 0) -> Chances:
    generator = torch.Generator().manual_seed(seed)
    uniforms = torch.rand(rows, count, 1, generator=generator, dtype=DOUBLE).unbind()
    normals = torch.randn(count, 1, generator=generator, dtype=DOUBLE)
    return Chances(uniforms, normals, torch.randint(entries, (count,), generator=generator))


def memory(size: int = 2, terminal: bool = True) -> SuccessMemory:
    return SuccessMemory(size, terminal, DOUBLE, torch.device("cpu"))


def column(*values: float) -> Tensor:
    return torch.tensor(values, dtype=DOUBLE).unsqueeze(1)


def learn(taught: SuccessMemory, weights: Tensor, rates: Tensor, *gains: float) -> None:
    gained = torch.tensor(gains, dtype=DOUBLE)
    taught.learn(weights, rates, gained > 0, gained)


def test_a_fixed_weight_is_constant_and_dither_spreads_it_evenly() -> None:
    weights, rates = Fixed(0.7, 0.3, 0.0).draw(chances(5, 1))
    assert weights.flatten().tolist() == [0.7] * 5
    assert rates.flatten().tolist() == [0.3] * 5
    weights, _ = Fixed(0.7, 0.3, 0.2).draw(chances(4000, 1))
    assert kstest(weights.flatten().numpy(), "uniform", (0.5, 0.4)).pvalue > 0.01


def test_an_individual_changes_its_own_weight_and_rate_now_and_then() -> None:
    own = SelfAdapting(torch.full((20_000, 1), 0.5, dtype=DOUBLE), torch.full((20_000, 1), 0.9, dtype=DOUBLE))
    weights, rates = own.draw(chances(20_000, 4))
    for values, old, low in ((weights, 0.5, 0.1), (rates, 0.9, 0.0)):
        changed = values[values != old].numpy()
        assert abs(len(changed) / 20_000 - 0.1) < 0.01
        assert kstest(changed, "uniform", (low, 1 - low)).pvalue > 0.01


def test_an_accepted_trial_keeps_the_weight_and_rate_that_it_was_made_with() -> None:
    own = SelfAdapting(column(0.5, 0.5, 0.5), column(0.9, 0.9, 0.9))
    own.learn(column(0.1, 0.2, 0.3), column(0.4, 0.5, 0.6), torch.tensor([True, False, True]), torch.zeros(3))
    assert own.weights.flatten().tolist() == [0.1, 0.5, 0.3]
    assert own.rates.flatten().tolist() == [0.4, 0.9, 0.6]


@pytest.mark.parametrize("centre", [0.05, 0.5, 0.95])
def test_weights_are_a_cauchy_distribution_drawn_again_while_not_positive_and_cut_at_one(centre: float) -> None:
    taught = memory(1)
    learn(taught, column(centre), column(0.5), 1.0)
    weights, _ = taught.draw(chances(20_000, 1))
    assert float(weights.min()) > 0
    assert float(weights.max()) == 1
    below = cauchy.cdf(0, centre, 0.1)
    expected = (cauchy.cdf([0.02, 0.2, 0.5, 0.8, 0.99], centre, 0.1) - below) / (1 - below)
    for place, share in zip([0.02, 0.2, 0.5, 0.8, 0.99], expected, strict=True):
        assert abs(float((weights <= place).double().mean()) - share) < 0.015


def test_rates_are_normal_and_cut_to_zero_and_one() -> None:
    taught = memory(1)
    learn(taught, column(0.5), column(0.9), 1.0)
    _, rates = taught.draw(chances(20_000, 1))
    for place in (0.75, 0.9, 0.99):
        assert abs(float((rates <= place).double().mean()) - norm.cdf(place, 0.9, 0.1)) < 0.015
    assert float(rates.max()) == 1


def test_each_entry_is_drawn_from_by_its_index() -> None:
    taught = memory(2)
    learn(taught, column(1.0), column(0.0), 1.0)
    _, rates = taught.draw(chances(100, 1, entries=2))
    entries = chances(100, 1, entries=2).entries
    assert set(rates[entries == 0].flatten().tolist()) == {0.0}
    assert float(rates[entries == 1].min()) > 0


def test_the_memory_learns_weighted_lehmer_means() -> None:
    taught = memory()
    learn(taught, column(0.2, 0.8, 0.4), column(0.1, 0.9, 0.5), 1.0, 3.0, 0.0)
    lehmer_weight = (0.25 * 0.2**2 + 0.75 * 0.8**2) / (0.25 * 0.2 + 0.75 * 0.8)
    lehmer_rate = (0.25 * 0.1**2 + 0.75 * 0.9**2) / (0.25 * 0.1 + 0.75 * 0.9)
    assert math.isclose(taught.entries[0][0], lehmer_weight, rel_tol=1e-12)
    assert math.isclose(taught.entries[0][1], lehmer_rate, rel_tol=1e-12)
    assert taught.entries[1] == (0.5, 0.5)


def test_shade_of_2013_learns_the_arithmetic_mean_of_the_rates() -> None:
    taught = memory(terminal=False)
    learn(taught, column(0.2, 0.8), column(0.1, 0.9), 1.0, 3.0)
    assert math.isclose(taught.entries[0][1], 0.25 * 0.1 + 0.75 * 0.9, rel_tol=1e-12)
    learn(taught, column(0.5), column(0.0), 1.0)
    assert taught.entries[1][1] == 0


def test_the_memory_is_a_ring_that_forgets_nothing_without_success() -> None:
    taught = memory()
    learn(taught, column(0.3), column(0.3), 0.0)
    assert taught.entries == [(0.5, 0.5), (0.5, 0.5)]
    for weight in (0.1, 0.2, 0.3):
        learn(taught, column(weight), column(0.3), 1.0)
    assert [round(weight, 9) for weight, _ in taught.entries] == [0.3, 0.2]


def test_an_entry_whose_winners_had_rate_zero_stays_at_zero_for_good() -> None:
    taught = memory(1)
    learn(taught, column(0.5, 0.5), column(0.0, 0.0), 1.0, 1.0)
    assert taught.entries[0][1] == NEVER
    assert float(taught.draw(chances(200, 1))[1].max()) == 0
    learn(taught, column(0.7), column(0.8), 1.0)
    assert taught.entries[0][1] == NEVER
    assert math.isclose(taught.entries[0][0], 0.7)


def test_gains_from_nothing_count_as_the_largest_and_huge_ones_do_not_overflow() -> None:
    gains = torch.tensor([math.inf, 2.0, math.nan, 8.0, 0.0])
    assert tidied(gains).tolist() == [1.0, 0.25, 0.0, 1.0, 0.0]
    assert tidied(torch.tensor([math.inf, math.nan])).tolist() == [1.0, 0.0]
    taught = memory(1)
    learn(taught, column(0.2, 0.8), column(0.5, 0.5), 1.5e308, 1.5e308)
    assert math.isclose(taught.entries[0][0], (0.2**2 + 0.8**2) / (0.2 + 0.8))
    learn(taught, column(0.2, 0.8), column(0.5, 0.5), math.inf, 1.0)
    assert math.isclose(taught.entries[0][0], (0.2**2 + 0.8**2) / (0.2 + 0.8))


@pytest.mark.parametrize("kind", ["own", "memory", "fixed"])
def test_a_restored_control_draws_and_learns_as_the_saved_one(kind: str) -> None:
    makers = {
        "own": lambda: SelfAdapting(column(0.5, 0.5), column(0.9, 0.9)),
        "memory": memory,
        "fixed": lambda: Fixed(0.5, 0.9, 0.1),
    }
    saved, other = makers[kind](), makers[kind]()
    saved.learn(column(0.2, 0.4), column(0.6, 0.8), torch.tensor([True, True]), torch.ones(2, dtype=DOUBLE))
    other.restore(saved.state())
    for control in (saved, other):
        control.learn(column(0.3, 0.1), column(0.2, 0.4), torch.tensor([True, False]), torch.ones(2, dtype=DOUBLE))
    for one, two in zip(saved.draw(chances(2, 4)), other.draw(chances(2, 4)), strict=True):
        assert torch.equal(one, two)
