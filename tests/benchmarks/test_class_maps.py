"""Matching maps to shapes and to each other, and the lines that a report says of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from benchmarks import class_maps
from benchmarks.class_maps import fidelities, fidelity_heads, matched
from benchmarks.class_matching import lightness, likeness, seed_scores, shape_scores, silhouettes
from decam.explanation import ClassMap
from decam.images.scenes.rng import PortableRng
from decam.images.scenes.scene import CLASSES
from decam.images.scenes.shapes import TARGETS

SIDE = 128


def drawn(name: str, place: tuple[float, float], radius: float, degrees: float, sign: float) -> NDArray[np.float32]:
    """A map (3×128×128) that shows one shape and nothing else."""
    down, across = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    down, across = (down - place[0]) / radius, (across - place[1]) / radius
    cosine, sine = np.float32(math.cos(math.radians(degrees))), np.float32(math.sin(math.radians(degrees)))
    distance = TARGETS[name](across * cosine + down * sine, down * cosine - across * sine, PortableRng(7)) * radius
    shape = sign * np.clip(0.5 - distance, 0, 1)
    return np.repeat(shape[None], 3, axis=0).astype(np.float32)


def a_field() -> list[NDArray[np.float32]]:
    """Each shape at a place, size, turn and sign of its own."""
    generator = np.random.default_rng(3)
    return [
        drawn(
            name,
            tuple(generator.uniform(50, 78, 2)),
            generator.uniform(14, 26),
            generator.uniform(0, 360),
            float(generator.choice([-1, 1])),
        )
        for name in CLASSES
    ]


def noise() -> torch.Tensor:
    """Smooth maps of nothing."""
    drawn_noise = np.random.default_rng(0).normal(size=(12, 3, SIDE, SIDE)).astype(np.float32)
    return lightness(list(drawn_noise))


@pytest.mark.slow
def test_a_shape_matches_its_own_silhouette_whatever_its_place_size_turn_and_sign() -> None:
    shapes = lightness(a_field())
    plain = torch.stack([likeness(shapes, silhouettes(name)) for name in CLASSES], dim=1)
    assert matched(plain.numpy())[0] >= 9
    _, assigned = matched(shape_scores(shapes, noise()).numpy())  # in deviations, three are closer to another shape
    assert assigned == 10


@pytest.mark.slow
def test_the_correlation_is_that_of_the_formula() -> None:
    one = lightness([drawn("heart", (60, 70), 20, 30, 1)])
    kernels, within = silhouettes("heart")[3]
    side = within.shape[0]
    down, across = np.gradient(one[0].numpy())
    squares, half, best = down**2 + across**2, side // 2, 0.0
    padded = [np.pad(values, half) for values in (down, across, squares)]
    windows = [np.lib.stride_tricks.sliding_window_view(values, (side, side)) for values in padded]
    energy = (windows[2] * within.numpy()).sum((-1, -2))
    for kernel in kernels.numpy():
        product = (windows[0] * kernel[0]).sum((-1, -2)) + (windows[1] * kernel[1]).sum((-1, -2))
        best = max(best, float((np.abs(product) / np.sqrt(energy + energy.max() / 4)).max()))
    assert float(likeness(one, silhouettes("heart")[3:4])) == pytest.approx(best, abs=1e-4)


@pytest.mark.slow
def test_a_map_that_is_moved_turned_and_inverted_is_closest_to_itself() -> None:
    names = ("star", "cross", "arrow", "crescent")
    ones = [drawn(name, (60, 66), 18, 10, 1) for name in names]
    others = [drawn(name, (72, 58), 20, 100, -1) for name in names]
    scores = seed_scores(lightness(ones), lightness(others)).numpy()
    assert matched(scores)[0] == len(names)
    # No map is closer to all others than another one is.
    assert np.ptp(scores.mean(0)) == pytest.approx(0, abs=1e-5)
    assert np.ptp(scores.mean(1)) == pytest.approx(0, abs=1e-5)


def test_matches_are_counted_alone_and_as_an_assignment() -> None:
    scores = np.array([[3.0, 2.9, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert matched(np.eye(4)) == (4, 4)
    assert matched(scores) == (2, 1)
    assert matched(np.array([[3.0, 0.0], [2.0, 1.0]])) == (1, 2)


def test_the_worst_of_each_figure_is_said() -> None:
    shape = np.zeros((3, 2, 2), np.float32)
    maps = [ClassMap(shape, fidelity, 0.1, control, 1.0) for fidelity, control in ((0.95, 0.05), (0.85, 0.15))]
    said = dict(zip(fidelity_heads(0.9), fidelities(maps, 0.9), strict=True))
    assert said["lowest"] == "0.85"
    assert said["mean [95 %]"].startswith("0.90 [0.85, 0.95]")
    assert said["at 0.9"] == "1 of 2"
    assert (said["control, highest"], said["baseline, highest"]) == ("0.15", "0.10")


@pytest.mark.slow
def test_the_quick_part_says_its_tables(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_maps, "FRESH", 2)
    monkeypatch.setattr(class_maps, "NOISES", 3)
    monkeypatch.setattr(class_maps, "OTHERS", ("scenes", "gaussian"))
    few = {"budget": 32, "refinements": 0, "fresh": 2}
    monkeypatch.setattr(class_maps, "WAYS", (class_maps.Way("short", class_maps.OWN, few),))
    class_maps.main(["--quick"])
    said = capsys.readouterr().out
    assert "| short |" in said
    assert "| gaussian |" in said
