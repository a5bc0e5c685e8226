"""What is wrong with a map is said in words, and nothing is said of a sound one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats

import decam
from decam.classifier import to_tensor
from decam.experiments.diagnostics import PIXELS, flaws, remarks, resemblances
from decam.images.scenes.scene import scene
from decam.methods import METHODS

SIZE = (128, 128)


def noise(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).random(size, dtype=np.float32)


def peaks() -> np.ndarray:
    """Nothing but ten pixels."""
    saliency = np.zeros(SIZE, np.float32)
    saliency[60, 20:30] = np.arange(1, 11)
    return saliency


def control(name: str, classifier, image: np.ndarray) -> np.ndarray:
    return decam.explain(classifier, image, name).saliency


def scene_image(classifier, seed: int) -> tuple[np.ndarray, torch.Tensor]:
    image = scene(seed).image
    return image, to_tensor(classifier, classifier.view(Image.fromarray(image)))


@pytest.mark.parametrize(
    ("saliency", "word"),
    [
        (np.full(SIZE, 3.0, np.float32), "The map is constant"),
        (np.where(noise(0) < 0.001, np.nan, noise(1)).astype(np.float32), "not finite"),
        (np.minimum(noise(0), 0.4), "saturated: 60 % of the image has its highest value"),
        (1 / (1 + np.exp(-40 * (noise(0) - 0.2))), "saturated: "),  # a sigmoid that reaches 1 nowhere
        (peaks(), "nearly empty: 16 of 16,384 pixels hold 99 %"),
        (peaks() + 4, "nearly empty"),
    ],
)
def test_a_map_that_says_too_little_is_told_so_once(saliency: np.ndarray, word: str) -> None:
    said = remarks(saliency)
    assert len(said) == 1 and word in said[0] and said[0].endswith(".")


def superpixels(values: np.ndarray) -> np.ndarray:
    return np.kron(values.astype(np.float32), np.ones((16, 16), np.float32))


@pytest.mark.parametrize(
    "saliency",
    [
        noise(0),
        noise(0) - 0.5,
        np.maximum(noise(0) - 0.9, 0),  # sparse: nine tenths at the minimum
        superpixels(np.eye(8)),  # a binary map of superpixels
        superpixels(np.arange(64).reshape(8, 8) == 9),  # a single superpixel
        superpixels(np.sign(noise(1, (8, 8)) - 0.6)),  # few levels with less than half at the highest
    ],
)
def test_a_sound_map_passes_without_a_word(saliency: np.ndarray) -> None:
    assert remarks(saliency) == ()


@pytest.mark.parametrize("size", [(1, 2), (4, 4), (20, 20), (31, 32)])
def test_small_maps_are_not_called_empty_for_having_few_pixels(size: tuple[int, int]) -> None:
    saliency = np.zeros(size, np.float32)
    saliency[0, 0] = 1
    assert size[0] * size[1] * PIXELS < 1
    assert remarks(saliency) == ()


@pytest.mark.parametrize("name", ["centre", "edges"])
@pytest.mark.parametrize("change", [lambda m: m, lambda m: 3 * m**2 + 1, lambda m: -m])
def test_a_map_that_ranks_as_a_control_does_is_told_which(name: str, change, embedded) -> None:
    image, tensor = scene_image(embedded, 7)
    said = remarks(change(control(name, embedded, image)), tensor)
    assert len(said) == 1 and f"“{METHODS[name].title}”" in said[0] and "(Spearman 1.00)" in said[0]


def test_noise_on_a_control_is_told_until_it_is_a_map_of_its_own(embedded) -> None:
    image, tensor = scene_image(embedded, 8)
    centre = control("centre", embedded, image)
    assert remarks(centre + 0.05 * noise(0), tensor)
    assert remarks(centre + 2 * noise(0), tensor) == ()


def test_resemblance_is_the_rank_correlation_of_scipy(embedded) -> None:
    image, tensor = scene_image(embedded, 9)
    saliency = noise(4) + control("edges", embedded, image)
    for found, name in zip(resemblances(saliency, tensor), ("centre", "edges"), strict=True):
        expected = stats.spearmanr(saliency.ravel(), control(name, embedded, image).ravel()).statistic
        assert found.spearman == pytest.approx(expected, abs=1e-9)


def test_a_thinned_large_map_resembles_as_the_whole_one_does() -> None:
    image = torch.rand(3, 224, 224, generator=torch.Generator().manual_seed(0))
    rows, columns = np.mgrid[-1:1:224j, -1:1:224j]
    saliency = (np.exp(-(rows**2) - 2 * columns**2) + 0.2 * noise(5, (224, 224))).astype(np.float32)
    centre = np.exp(-(rows**2) - columns**2)
    expected = stats.spearmanr(saliency.ravel(), centre.ravel()).statistic
    assert resemblances(saliency, image)[0].spearman == pytest.approx(expected, abs=0.01)


def test_a_picture_without_edges_resembles_nothing() -> None:
    found = resemblances(noise(0), torch.full((3, *SIZE), 0.5))
    assert np.isnan(found[1].spearman)
    assert remarks(noise(0), torch.full((3, *SIZE), 0.5)) == ()


def test_controls_are_not_told_that_they_are_controls_but_flat_ones_are(embedded) -> None:
    image = scene(3).image
    for name in ("random", "centre", "edges"):
        assert decam.explain(embedded, image, name).notes == ()
    (note,) = decam.explain(embedded, np.full((128, 128, 3), 90, np.uint8), "edges").notes
    assert "constant" in note
    assert flaws(noise(0)) == ()


@pytest.mark.parametrize("name", ["grad-cam", "gradient", "integrated-gradients", "occlusion", "guided-backprop"])
@pytest.mark.slow
def test_maps_of_working_methods_on_scenes_pass_without_a_word(name: str, embedded) -> None:
    for seed in (11, 12):
        assert decam.explain(embedded, scene(seed).image, name).notes == ()
