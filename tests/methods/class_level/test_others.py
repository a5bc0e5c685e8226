"""The black-box variant and the methods that maps are compared with."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from decam.classifier import FunctionClassifier
from decam.errors import SettingError
from decam.explanation import ClassQuestion, last
from decam.methods.class_level.black_box import BlackBoxSettings, Waves, black_box
from decam.methods.class_level.mean_of_maps import MeanOfMapsSettings, mean_of_maps
from decam.methods.class_level.phase import picture_of
from decam.methods.class_level.samples import radial_frequency
from decam.methods.class_level.universal import step_to

SIDE = 16


def ramp(pictures: Tensor) -> Tensor:
    """Two classes: is the left half lighter than the right one?"""
    lightness = pictures.mean((1, 2))
    odds = 20 * (lightness[:, : SIDE // 2].mean(1) - lightness[:, SIDE // 2 :].mean(1))
    return torch.softmax(torch.stack([odds, -odds], 1), 1)


def test_the_black_box_variant_finds_the_side_that_must_be_lighter_and_counts_every_picture() -> None:
    seen: list[int] = []

    def counted(pictures: Tensor) -> Tensor:
        seen.append(len(pictures))
        return ramp(pictures)

    question = ClassQuestion(FunctionClassifier(counted, ["left", "right"], (SIDE, SIDE), batch_size=8), (0,))
    settings = BlackBoxSettings(budget=600, samples="gaussian", waves=3, window=0.0, fresh=16, batch=2, population=10)
    found = last(black_box(question, settings))
    assert found.fidelity > 0.95
    assert found.pattern[:, :, :8].mean() > 0.1 + found.pattern[:, :, 8:].mean()
    assert question.ledger.evaluations == sum(seen)


def test_waves_are_cosines_at_the_radius() -> None:
    waves = Waves((8, 8), 2, 0.0, 0.0)
    assert waves.dimensions == 4
    shown = waves.maps(torch.tensor([[0.0, 1.0, 0.0, 0.0]]), 3.0)
    expected = torch.cos(torch.pi * (torch.arange(8) + 0.5) / 8).expand(3, 8, 8)
    torch.testing.assert_close(shown[0], expected / expected.norm() * 3)


def test_phases_do_not_change_the_spectrum() -> None:
    phases = torch.rand(3, 16, 9, generator=torch.Generator().manual_seed(0)) * 6
    amplitude = torch.fft.rfft2(picture_of(phases, (16, 16))).abs()[:, 1:8, 1:8]
    product = amplitude * radial_frequency((16, 16))[1:8, 1:8]
    torch.testing.assert_close(product, product.mean().expand_as(product), rtol=1e-4, atol=1e-4)


def test_a_step_without_overshoot_ends_on_the_boundary() -> None:
    generator = torch.Generator().manual_seed(0)
    target, rival = torch.randn(2, 3, 4, 4, generator=generator)
    moved = step_to(target, rival, 1.7, 0.0)
    assert float(((target - rival) * moved).sum()) == pytest.approx(1.7, rel=1e-5)


def test_the_mean_of_maps_needs_pictures_of_the_class() -> None:
    question = ClassQuestion(FunctionClassifier(ramp, ["left", "right"], (SIDE, SIDE)), (0,))
    with pytest.raises(SettingError, match="There are no pictures of 'left'"):
        last(mean_of_maps(question, MeanOfMapsSettings()))
