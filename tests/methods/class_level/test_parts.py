"""Distributions, projection, moments, basis and refinement against closed forms and plain versions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.filters import threshold_otsu

from decam.errors import SettingError
from decam.methods.class_level import samples
from decam.methods.class_level.common import (
    Basis,
    FreshSamples,
    Jitter,
    Moments,
    moved,
    moved_each,
    norms,
    project,
    radius_of,
)
from decam.methods.class_level.refinement import region, strengthened


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", [*samples.SAMPLERS, "mixed"])
def test_samples_are_pictures_that_a_seed_decides(name: str) -> None:
    draw = samples.sampler(name)
    first, again, other = (draw(4, (20, 24), generator(seed)) for seed in (1, 1, 2))
    assert first.shape == (4, 3, 20, 24)
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])


@pytest.mark.slow
def test_the_amplitude_of_spectrum_noise_falls_as_one_over_the_frequency() -> None:
    drawn = samples.spectrum_noise(32, (128, 128), generator())
    power = torch.fft.fft2(drawn).abs().square().mean((0, 1)).numpy()
    cycles = np.hypot(*np.meshgrid(np.fft.fftfreq(128) * 128, np.fft.fftfreq(128) * 128))
    rings = [(cycles >= low) & (cycles < low * 1.25) for low in (3, 5, 8, 13, 21, 34)]
    slope = np.polyfit([math.log(cycles[ring].mean()) for ring in rings], [math.log(power[r].mean()) for r in rings], 1)
    assert abs(slope[0] + 2) < 0.1


def test_pictures_given_are_what_is_drawn() -> None:
    given = torch.rand(3, 3, 8, 8, generator=generator())
    drawn = samples.sampler("pictures", given)(20, (8, 8), generator(1))
    assert all(any(torch.equal(one, other) for other in given) for one in drawn)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [("pictures", None, "none were given"), ("static", None, "There is no distribution of samples 'static'")],
)
def test_samples_that_are_not_there_are_refused(name: str, given: torch.Tensor | None, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        samples.sampler(name, given)


def test_pictures_of_another_size_are_refused() -> None:
    with pytest.raises(SettingError, match=r"must be \(3, 9, 9\): scale them first"):
        samples.sampler("pictures", torch.rand(2, 3, 8, 8))(1, (9, 9), generator())


def test_projection_is_the_nearest_point_of_the_ball() -> None:
    maps = torch.randn(3, 3, 5, 5, generator=generator()) * torch.tensor([0.1, 1, 9]).view(3, 1, 1, 1)
    inside = project(maps, 2.0)
    assert torch.equal(inside[0], maps[0])
    torch.testing.assert_close(norms(inside)[1:], torch.full((2,), 2.0))
    torch.testing.assert_close(inside[2] / inside[2].norm(), maps[2] / maps[2].norm())
    assert radius_of(0.5, (4, 4)) == pytest.approx(float(torch.full((3, 4, 4), 0.5).norm()))


@pytest.mark.parametrize("each", [True, False])
def test_moments_are_those_of_a_plain_loop(each: bool) -> None:
    drawn = torch.randn(6, 2, 3, 4, 4, generator=generator(), dtype=torch.float64)
    moments = Moments(each)
    first, second = np.zeros((2, 48)), np.zeros((2, 48))
    for count, slopes in enumerate(drawn, 1):
        got = moments.step(slopes).flatten(1).numpy()
        for row, values in enumerate(slopes.flatten(1).numpy()):
            for place, value in enumerate(values):
                first[row, place] = 0.9 * first[row, place] + 0.1 * value
                second[row, place] = 0.999 * second[row, place] + 0.001 * value**2
        squares = second / (1 - 0.999**count)
        if not each:
            squares = np.repeat(squares.mean(1, keepdims=True), 48, 1)
        np.testing.assert_allclose(got, first / (1 - 0.9**count) / np.sqrt(squares), rtol=1e-9)


def test_the_step_of_a_basis_is_the_adjoint_of_its_picture() -> None:
    basis = Basis((12, 15), 0.3, 1.0, 4.0, 0.4)
    one, other = torch.randn(2, 1, 3, 12, 15, generator=generator())
    torch.testing.assert_close((basis.picture(one) * other).sum(), (one * basis.step(other)).sum())


def test_a_basis_without_choices_changes_nothing() -> None:
    steps = torch.randn(1, 3, 9, 9, generator=generator())
    torch.testing.assert_close(Basis((9, 9), 1.0, 0.0, 0.0, 0.0).picture(steps), steps)


def test_a_quarter_turn_of_a_map_is_that_of_the_array() -> None:
    maps = torch.rand(1, 3, 8, 8, generator=generator())
    turned = moved(maps, torch.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]]))
    torch.testing.assert_close(turned, torch.rot90(maps, 1, (2, 3)), rtol=0, atol=1e-5)
    assert Jitter().drawn(3, (8, 8), generator()) is None


def test_a_quarter_turn_of_a_bar_keeps_its_length_and_width_where_sides_differ() -> None:
    chance = float(torch.rand(1, 4, generator=generator())[0, 0]) * 2 - 1
    bar, turned = torch.zeros(2, 1, 3, 64, 128)
    bar[..., 30:34, 44:84] = 1
    turned[..., 12:52, 62:66] = 1
    quarter = Jitter(turn=90 / chance).drawn(1, (64, 128), generator())
    torch.testing.assert_close(moved(bar, quarter), turned, rtol=0, atol=1e-3)


def test_a_share_of_the_moves_is_that_of_smaller_ones_and_none_leaves_maps_where_they_are() -> None:
    whole = Jitter(0.2, 90.0, 0.5)
    torch.testing.assert_close(
        whole.drawn(5, (8, 8), generator(), 0.5),
        Jitter(0.1, 45.0, 0.25).drawn(5, (8, 8), generator()),
        rtol=0,
        atol=1e-6,
    )
    maps = torch.rand(5, 3, 8, 8, generator=generator())
    torch.testing.assert_close(moved(maps, whole.drawn(5, (8, 8), generator(), 0.0)), maps, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(8, 8), (9, 14)])
def test_each_map_moved_to_the_same_places_is_what_it_is_when_moved_alone(size: tuple[int, int]) -> None:
    maps = torch.randn(3, 3, *size, generator=generator())
    places = Jitter(0.2, 180.0, 0.4).drawn(4, size, generator())
    assert places is not None
    weights = torch.randn(12, 3, *size, generator=generator())
    leaf = maps.clone().requires_grad_()
    with torch.enable_grad():
        together = moved_each(leaf, places, 4)
        (slope,) = torch.autograd.grad(together, leaf, weights)
    for number, one in enumerate(maps):
        alone = one[None].clone().requires_grad_()
        with torch.enable_grad():
            placed = moved(alone.expand(4, -1, -1, -1), places)
            (apart,) = torch.autograd.grad(placed, alone, weights[4 * number : 4 * number + 4])
        torch.testing.assert_close(together[4 * number : 4 * number + 4], placed)
        torch.testing.assert_close(slope[number], apart[0])
    torch.testing.assert_close(moved_each(maps, None, 2), maps.repeat_interleave(2, 0))


def test_fresh_samples_are_those_of_their_seed_with_noise_of_unit_length() -> None:
    first, again, other = (FreshSamples.drawn(samples.gaussian, (6, 7), seed, 3) for seed in (1, 1, 2))
    assert torch.equal(first.samples, again.samples)
    assert torch.equal(first.noise, again.noise)
    assert not torch.equal(first.noise, other.noise)
    assert first.samples.shape == (3, 3, 6, 7)
    assert float(first.noise.norm()) == pytest.approx(1, abs=1e-5)


def test_the_region_is_that_of_otsus_threshold() -> None:
    grid = torch.cat([torch.randn(200, generator=generator()), 6 + torch.randn(56, generator=generator(1))]).view(
        16, 16
    )
    expected = grid.numpy() > threshold_otsu(grid.numpy(), nbins=4096)
    assert np.array_equal(region(grid, (16, 16)).numpy() > 0.5, expected)
    assert torch.equal(region(torch.ones(4, 4), (8, 8)), torch.ones(8, 8))


def test_a_region_is_strengthened_within_the_ball() -> None:
    maps, regions = torch.ones(1, 3, 4, 4), torch.zeros(1, 4, 4)
    regions[0, :2] = 1
    stronger = strengthened(maps, regions, 0.5, 100.0)
    assert stronger[0, :, :2].unique().tolist() == [1.5]
    assert stronger[0, :, 2:].unique().tolist() == [1.0]
    assert float(strengthened(maps, regions, 0.5, 1.0).norm()) == pytest.approx(1.0)
