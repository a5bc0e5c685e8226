"""The black-box variant and the methods that maps are compared with."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from decam.classifier import FunctionClassifier
from decam.errors import SettingError
from decam.explanation import ClassQuestion, last
from decam.methods.class_level import samples
from decam.methods.class_level.base import OneClass
from decam.methods.class_level.black_box import BlackBoxSettings, Waves, black_box
from decam.methods.class_level.common import stage_seed
from decam.methods.class_level.evolved import _DRAWING, EvolvedSettings, evolved, fittest
from decam.methods.class_level.mean_of_maps import MeanOfMapsSettings, mean_of_maps
from decam.methods.class_level.phase import picture_of
from decam.methods.class_level.samples import radial_frequency
from decam.methods.class_level.universal import step_to
from decam.methods.support.seeded_globals import generator_of
from decam.settings import Settings

SIDE = 16


def ramp(pictures: Tensor) -> Tensor:
    """Two classes: is the left half lighter than the right one?"""
    lightness = pictures.mean((1, 2))
    odds = 20 * (lightness[:, : SIDE // 2].mean(1) - lightness[:, SIDE // 2 :].mean(1))
    return torch.softmax(torch.stack([odds, -odds], 1), 1)


@pytest.mark.parametrize(
    ("search", "settings"),
    [
        (black_box, BlackBoxSettings(budget=600, waves=3, window=0.0, fresh=16, samples="gaussian", pairs=10, pool=8)),
        (
            evolved,
            EvolvedSettings(budget=600, waves=3, window=0.0, fresh=16, samples="gaussian", batch=2, population=10),
        ),
    ],
)
def test_answers_alone_lead_to_the_side_that_must_be_lighter_and_every_picture_is_counted(
    search: Callable[[ClassQuestion, Settings], OneClass], settings: Settings
) -> None:
    seen: list[int] = []

    def counted(pictures: Tensor) -> Tensor:
        seen.append(len(pictures))
        return ramp(pictures)

    question = ClassQuestion(FunctionClassifier(counted, ["left", "right"], (SIDE, SIDE), batch_size=8), (0,))
    found = last(search(question, settings))
    assert found.fidelity > 0.95
    assert found.pattern[:, :, :8].mean() > 0.1 + found.pattern[:, :, 8:].mean()
    assert question.ledger.evaluations == sum(seen)
    again = ClassQuestion(question.classifier, (0,))
    assert (last(search(again, settings)).pattern == found.pattern).all()


def moody(pictures: Tensor) -> Tensor:
    """Two classes whose odds rise and fall so fast that vectors that are sure of some samples miss others."""
    lightness = pictures.mean((1, 2))
    odds = 6 * torch.sin(200 * (lightness[:, : SIDE // 2].mean(1) - lightness[:, SIDE // 2 :].mean(1)))
    return torch.softmax(torch.stack([odds, -odds], 1), 1)


@pytest.mark.parametrize("seed", range(3))
def test_the_curve_of_an_evolved_map_is_that_of_the_map_and_ends_the_search(seed: int) -> None:
    settings = EvolvedSettings(budget=960, waves=3, window=0.0, samples="gaussian", batch=4, population=12, goal=0.8)
    question = ClassQuestion(FunctionClassifier(moody, ["up", "down"], (SIDE, SIDE)), (0,), seed)
    drawn = samples.sampler("gaussian", None)(4, (SIDE, SIDE), generator_of(stage_seed(seed, _DRAWING)))
    told = []
    for event in fittest(question, settings):
        if event.pattern is not None:
            answers = moody((drawn + torch.from_numpy(event.pattern)).clamp(0, 1))[:, 0]
            told.append((event.curves["fidelity"], event.curves["best"]))
            assert told[-1] == pytest.approx((float(answers.mean()), float(answers.log().mean())), abs=1e-4)
    fidelity = [value for value, _ in told]
    assert all(value < settings.goal for value in fidelity[:-1])
    assert fidelity[-1] >= settings.goal or len(told) == 20


def test_waves_are_cosines_that_fall_with_their_order() -> None:
    waves = Waves((8, 8), 2, 0.0, 0.0)
    assert waves.dimensions == 4
    shown = waves.pictures(torch.tensor([[0.0, 1.0, 0.0, 0.0]]))
    expected = torch.cos(torch.pi * (torch.arange(8) + 0.5) / 8).expand(3, 8, 8) / 6**0.5
    torch.testing.assert_close(shown[0], expected)


def test_waves_are_those_of_a_plain_loop_in_all_axes_of_colour() -> None:
    waves, drawn = Waves((5, 7), 3, 0.5, 0.4), torch.randn(2, 27, generator=torch.Generator().manual_seed(1))
    axes = torch.tensor([[1.0, 1.0, 1.0], [0.5, -0.5, 0.0], [0.25, 0.25, -0.5]])
    axes = axes / axes.norm(dim=1, keepdim=True) * torch.tensor([[1.0], [0.5], [0.5]])
    rows, columns = (torch.arange(5) + 0.5) / 5, (torch.arange(7) + 0.5) / 7
    window = torch.exp(-((((rows[:, None] - 0.5) ** 2 + (columns[None] - 0.5) ** 2).sqrt() / 0.4) ** 4))
    expected = torch.zeros(2, 3, 5, 7)
    for place, weights in enumerate(drawn.view(2, 3, 3, 3)):
        for axis in range(3):
            for j in range(3):
                for k in range(3):
                    wave = torch.cos(torch.pi * j * rows)[:, None] * torch.cos(torch.pi * k * columns)[None]
                    size = weights[axis, j, k] / (1 + j * j + k * k) ** 0.5
                    expected[place] += size * axes[axis].view(3, 1, 1) * wave * window
    torch.testing.assert_close(waves.pictures(drawn), expected)


def test_a_black_box_map_depends_on_its_seed_and_never_passes_its_norm() -> None:
    settings = BlackBoxSettings(budget=200, samples="gaussian", waves=3, norm=0.1, fresh=8, pairs=10, pool=8, goal=1.0)
    box = FunctionClassifier(ramp, ["left", "right"], (SIDE, SIDE), batch_size=8)
    first, again, other = (last(black_box(ClassQuestion(box, (1,), seed), settings)) for seed in (1, 1, 2))
    assert (first.pattern == again.pattern).all()
    assert (first.pattern != other.pattern).any()
    assert first.norm <= 0.1 * (3 * SIDE * SIDE) ** 0.5 * (1 + 1e-5)


def test_a_black_box_that_cannot_be_led_is_said() -> None:
    deaf = FunctionClassifier(lambda pictures: torch.full((len(pictures), 2), 0.5), ["a", "b"], (SIDE, SIDE))
    question = ClassQuestion(deaf, (0,))
    found = last(black_box(question, BlackBoxSettings(budget=100, samples="gaussian", pairs=10, pool=4, fresh=4)))
    assert found.fidelity == pytest.approx(0.5)
    assert any("below the goal of 0.95" in note for note in question.ledger.notes)


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
    with pytest.raises(SettingError, match="There are no images of 'left'"):
        last(mean_of_maps(question, MeanOfMapsSettings()))
