"""Deletion and insertion against a plain version written from the definition, and against closed forms."""

import itertools

import numpy as np
import pytest
import torch

from decam.api import measure
from decam.classifier import Classifier, probabilities, to_tensor, wrap
from decam.errors import SettingError
from decam.experiments.evaluate import curves_view
from decam.explanation import Question, last
from decam.masking import FILLS, fill, step_picture, to_pixels
from decam.metrics import METRICS, Case, FaithfulnessSettings

SIZE = (12, 10)
CURVES = ("deletion", "insertion")


def linear() -> Classifier:
    """Probability = mean brightness: it falls linearly with the hidden share of a white picture."""

    def function(images: torch.Tensor) -> torch.Tensor:
        share = images.mean(dim=(1, 2, 3))
        return torch.stack([share, 1 - share], dim=1)

    return wrap(function, labels=["bright", "dark"], input_size=SIZE, batch_size=7)


def constant(value: float) -> Classifier:
    def function(images: torch.Tensor) -> torch.Tensor:
        return torch.tensor([value, 1 - value]).repeat(len(images), 1)

    return wrap(function, labels=["a", "b"], input_size=SIZE)


WHITE = np.full((*SIZE, 3), 255, dtype=np.uint8)


def curve(classifier: Classifier, view: np.ndarray, saliency: np.ndarray, metric: str, **settings: int | str):
    chosen = FaithfulnessSettings.from_mapping(settings)
    (found,) = last(curves_view(classifier, view, [saliency], 0, metric, chosen))
    return found.curve


def saliency(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(SIZE).astype(np.float32)


@pytest.mark.parametrize("metric", CURVES)
@pytest.mark.parametrize("filling", FILLS)
def test_the_curve_is_the_one_drawn_step_by_step(metric: str, filling: str) -> None:
    view = np.random.default_rng(1).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    scores = saliency()
    classifier = linear()
    got = curve(classifier, view, scores, metric, steps=9, fill=filling)
    image = to_tensor(classifier, view)
    other = fill(filling, image, classifier.mean)
    current, final = (image.clone(), other) if metric == "deletion" else (other.clone(), image)
    flat = scores.reshape(-1)
    order = sorted(range(flat.size), key=lambda i: (-flat[i], i))
    expected = []
    for step in range(10):
        changed = round(step / 9 * flat.size)
        for place in order[:changed]:
            row, column = divmod(place, SIZE[1])
            current[:, row, column] = final[:, row, column]
        expected.append(float(probabilities(classifier, current.unsqueeze(0))[0, 0]))
    np.testing.assert_allclose(got.values, expected, atol=1e-6)
    area = sum((a + b) / 2 / 9 for a, b in itertools.pairwise(expected))
    assert got.area == pytest.approx(area, abs=1e-6)


@pytest.mark.parametrize("metric", CURVES)
def test_a_model_that_is_linear_in_the_visible_share_has_an_area_of_one_half(metric: str) -> None:
    assert curve(linear(), WHITE, saliency(), metric, fill="black", steps=60).area == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("metric", CURVES)
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_a_constant_model_returns_its_constant(metric: str, value: float) -> None:
    assert curve(constant(value), WHITE, saliency(), metric).area == pytest.approx(value, abs=1e-6)


def test_only_the_ranking_counts() -> None:
    scores = saliency()
    view = np.random.default_rng(2).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    one = curve(linear(), view, scores, "deletion")
    two = curve(linear(), view, np.exp(5 * scores), "deletion")
    np.testing.assert_array_equal(one.values, two.values)


def test_the_prediction_at_each_step_is_kept() -> None:
    got = curve(linear(), WHITE, saliency(), "deletion", fill="black", steps=10)
    assert got.top.tolist() == [0] * 5 + [got.top[5]] + [1] * 5
    np.testing.assert_allclose(got.top_values, np.maximum(got.values, 1 - got.values), atol=1e-6)


def test_several_maps_are_measured_in_one_call() -> None:
    maps = [saliency(seed) for seed in range(3)]
    view = np.random.default_rng(3).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    settings = FaithfulnessSettings(steps=8)
    together = last(curves_view(linear(), view, maps, 0, "insertion", settings))
    alone = [curve(linear(), view, scores, "insertion", steps=8).area for scores in maps]
    assert [found.value for found in together] == alone


def test_the_cost_is_one_evaluation_a_point() -> None:
    events = list(curves_view(linear(), WHITE, [saliency()], 0, "deletion", FaithfulnessSettings(steps=20)))
    assert events[-1].evaluations == METRICS["deletion"].cost(FaithfulnessSettings(steps=20)) == 21


def test_measure_uses_each_metrics_own_fill_where_none_is_given() -> None:
    view = np.random.default_rng(4).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    scores = saliency()
    got = measure(linear(), view, scores, target=0)
    assert got == {
        "deletion": curve(linear(), view, scores, "deletion", fill="black", steps=196).area,
        "insertion": curve(linear(), view, scores, "insertion", fill="box-blur", steps=196).area,
    }
    other = measure(linear(), view, scores, target=0, metrics=["deletion"], fill="blur", steps=20)
    assert other == {"deletion": curve(linear(), view, scores, "deletion", fill="blur", steps=20).area}


def test_a_map_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(SettingError, match=r"The map has shape \(3, 3\)"):
        measure(linear(), WHITE, np.zeros((3, 3), np.float32), target=0)


def test_values_that_are_not_finite_rank_last() -> None:
    view = np.random.default_rng(5).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    broken = saliency()
    broken[0, 0] = np.nan
    lowest = broken.copy()
    lowest[0, 0] = -1
    one = curve(linear(), view, broken, "deletion")
    two = curve(linear(), view, lowest, "deletion")
    np.testing.assert_array_equal(one.values, two.values)


@pytest.mark.parametrize("kind", CURVES)
@pytest.mark.parametrize("steps", [14, 42, 98])
def test_the_picture_of_each_step_is_the_one_asked_where_a_step_changes_half_a_pixel(kind: str, steps: int) -> None:
    size = (21, 21)  # an odd number of pixels, so that steps fall on halves and the last bit of a share rounds them
    seen: list[torch.Tensor] = []

    def function(images: torch.Tensor) -> torch.Tensor:
        seen.extend(images.clone())
        return torch.full((len(images), 2), 0.5)

    classifier = wrap(function, labels=["a", "b"], input_size=size, batch_size=7)
    image = to_tensor(classifier, np.random.default_rng(0).integers(1, 256, (*size, 3), dtype=np.uint8))
    saliency = np.random.default_rng(1).random(size).astype(np.float32)
    row = METRICS[kind]
    judged = Case(Question(classifier, image, 0), (saliency,))
    last(row.run(judged, row.settings(steps=steps, fill="black")))
    for step, asked in enumerate(seen[-steps - 1 :]):
        pixels = step_picture(image, saliency, torch.zeros_like(image), step / steps, kind)
        assert np.array_equal(pixels, to_pixels(asked)), step
