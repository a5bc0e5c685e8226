"""In each measure the steepest direction is the dual norm's, and costs are those of known patterns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from decam.methods.class_level.bases import MEASURES

SIZES = ((16, 16), (20, 18), (9, 7))


def drawn(size: tuple[int, int], seed: int = 0) -> torch.Tensor:
    return torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", MEASURES)
def test_a_steepest_direction_costs_one_and_no_other_pattern_of_that_cost_is_steeper(
    name: str, size: tuple[int, int]
) -> None:
    measure, slopes = MEASURES[name], drawn(size)
    best = measure.steepest(slopes)
    torch.testing.assert_close(measure.cost(best), torch.ones(2), rtol=1e-4, atol=1e-4)
    reached = (best * slopes).flatten(1).sum(1)
    for seed in range(1, 20):
        other = measure.steepest(drawn(size, seed) + slopes * (seed % 3))
        other = other / measure.cost(other).view(-1, 1, 1, 1)
        assert ((other * slopes).flatten(1).sum(1) <= reached + 1e-4).all()


@pytest.mark.parametrize("name", MEASURES)
def test_a_cost_grows_with_the_pattern_and_obeys_the_triangle_inequality(name: str) -> None:
    measure = MEASURES[name]
    one, other = drawn((12, 10), 1), drawn((12, 10), 2)
    torch.testing.assert_close(measure.cost(3 * one), 3 * measure.cost(one), rtol=1e-4, atol=1e-4)
    assert (measure.cost(one + other) <= measure.cost(one) + measure.cost(other) + 1e-3).all()


def test_a_wave_costs_its_norm_as_waves_whatever_its_phase() -> None:
    across = torch.arange(16)
    for phase in (0.0, 0.7):
        wave = torch.cos(2 * torch.pi * 3 * across / 16 + phase).expand(1, 3, 16, 16)
        assert float(MEASURES["waves"].cost(wave)[0]) == pytest.approx(float(wave.norm()), rel=1e-4)


def test_waves_are_numpys_amplitudes_added_up() -> None:
    pattern = drawn((8, 6))[:1]
    whole = np.fft.fft2(pattern[0].numpy().astype(np.float64), norm="ortho")
    shares = np.sqrt((np.abs(whole) ** 2).sum(0))
    expected, seen = 0.0, np.zeros((8, 6), bool)
    for row in range(8):
        for column in range(6):
            if not seen[row, column]:  # a frequency and the opposite one are one wave
                twin = (-row % 8, -column % 6)
                pair = {(row, column), twin}
                expected += np.sqrt(sum(shares[place] ** 2 for place in pair))
                seen[row, column] = seen[twin] = True
    assert float(MEASURES["waves"].cost(pattern)[0]) == pytest.approx(expected, rel=1e-4)


def test_a_patch_inside_one_block_costs_its_norm_as_blocks_and_more_as_waves() -> None:
    patch = torch.zeros(1, 3, 32, 32)
    patch[:, :, 4:8, 8:12] = 1
    norm = float(patch.norm())
    assert float(MEASURES["blocks"].cost(patch)[0]) == pytest.approx(norm, rel=1e-5)
    assert float(MEASURES["waves"].cost(patch)[0]) > 2 * norm
