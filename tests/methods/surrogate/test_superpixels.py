"""Methods on superpixels: Captum's called directly, closed forms, and plain versions."""

from __future__ import annotations

import itertools
import math

import captum.attr as captum
import numpy as np
import pytest
import torch

from decam.classifier import FunctionClassifier, wrap
from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.images.superpixels import superpixels
from decam.masking import fill
from decam.methods import METHODS
from decam.methods.surrogate.regression import WeightedRegression
from decam.methods.surrogate.superpixels import nearness, shapley_sets, shuffled

SIZE = (32, 32)
REGIONS = 9


@pytest.fixture(scope="module")
def view() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def regions(view: np.ndarray) -> np.ndarray:
    return superpixels(view, REGIONS)


@pytest.fixture(scope="module")
def linear() -> FunctionClassifier:
    """A probability that is a weighted sum of the pixels, so that every region has its exact share."""
    weights = torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(1)) / (3 * SIZE[0] * SIZE[1])

    def answer(images: torch.Tensor) -> torch.Tensor:
        share = (images * weights).sum((1, 2, 3))
        return torch.stack([1 - share, share], dim=1)

    return wrap(answer, labels=["no", "yes"], input_size=SIZE, mean=(0.0, 0.0, 0.0), name="linear")


@pytest.fixture(scope="module")
def bent() -> FunctionClassifier:
    """One that is no sum: its left half counts only with its right half."""

    def answer(images: torch.Tensor) -> torch.Tensor:
        left, right = images[..., :16].mean((1, 2, 3)), images[..., 16:].mean((1, 2, 3))
        share = (left * right).sqrt()
        return torch.stack([1 - share, share], dim=1)

    return wrap(answer, labels=["no", "yes"], input_size=SIZE, mean=(0.0, 0.0, 0.0), name="bent")


def explained(net: FunctionClassifier, view: np.ndarray, method: str, **given: int | float | str | bool) -> np.ndarray:
    chosen = METHODS[method].settings.from_mapping({"regions": REGIONS} | given)
    return last(explain_view(net, view, method, chosen, 1, seed=2)).saliency


def shares(net: FunctionClassifier, view: np.ndarray, regions: np.ndarray, filling: torch.Tensor) -> np.ndarray:
    """How far the probability falls without each region, one after the other."""
    image = torch.from_numpy(view).permute(2, 0, 1) / 255
    whole = net.answer(image.unsqueeze(0))[0, 1]
    fallen = []
    for region in range(REGIONS):
        hidden = torch.where(torch.from_numpy(regions == region), filling, image)
        fallen.append(float(whole - net.answer(hidden.unsqueeze(0))[0, 1]))
    return np.array(fallen)


@pytest.mark.parametrize("name", ["black", "blur"])
def test_ablation_is_how_far_the_probability_falls(
    linear: FunctionClassifier, view: np.ndarray, regions: np.ndarray, name: str
) -> None:
    filling = fill(name, torch.from_numpy(view).permute(2, 0, 1) / 255, linear.mean)
    expected = shares(linear, view, regions, filling)[regions]
    np.testing.assert_allclose(explained(linear, view, "feature-ablation", fill=name), expected, atol=1e-6)


@pytest.mark.parametrize("method", ["kernel-shap", "lime"])
def test_a_sum_is_shared_out_exactly(
    method: str, linear: FunctionClassifier, view: np.ndarray, regions: np.ndarray
) -> None:
    """Shapley values of a sum are its summands; LIME's penalty shrinks them."""
    filling = torch.zeros(3, *SIZE)
    expected = shares(linear, view, regions, filling)[regions]
    got = explained(linear, view, method, fill="black", budget=400)
    if method == "kernel-shap":
        np.testing.assert_allclose(got, expected, atol=1e-4 * np.abs(expected).max())
    else:
        assert np.corrcoef(got.ravel(), expected.ravel())[0, 1] > 0.999


@pytest.mark.slow
def test_shapley_values_are_means_over_all_orders(
    bent: FunctionClassifier, view: np.ndarray, regions: np.ndarray
) -> None:
    """All 2⁹ sets of regions, by the formula."""
    image = torch.from_numpy(view).permute(2, 0, 1) / 255

    def worth(chosen: frozenset[int]) -> float:
        seen = torch.from_numpy(np.isin(regions, list(chosen)))
        return float(bent.answer((image * seen).unsqueeze(0))[0, 1])

    known = {
        frozenset(chosen): worth(frozenset(chosen))
        for count in range(REGIONS + 1)
        for chosen in itertools.combinations(range(REGIONS), count)
    }
    expected = np.zeros(REGIONS)
    for chosen in known:
        for one in set(range(REGIONS)) - chosen:
            weight = math.factorial(len(chosen)) * math.factorial(REGIONS - len(chosen) - 1) / math.factorial(REGIONS)
            expected[one] += weight * (known[chosen | {one}] - known[chosen])
    got = explained(bent, view, "kernel-shap", fill="black", budget=5000)
    found = np.array([got[regions == one][0] for one in range(REGIONS)])
    np.testing.assert_allclose(found, expected, atol=0.05 * np.abs(expected).max())
    assert found.sum() == pytest.approx(known[frozenset(range(REGIONS))] - known[frozenset()], abs=1e-3)


def test_lime_is_captums(bent: FunctionClassifier, view: np.ndarray, regions: np.ndarray) -> None:
    image = torch.from_numpy(view).permute(2, 0, 1) / 255
    mask = torch.from_numpy(regions).expand(1, 3, *SIZE)
    direct = captum.Lime(
        lambda images: bent.answer(images)[:, 1],
        interpretable_model=WeightedRegression(1.0),
        similarity_func=lambda *given, **_: nearness(0.25, *given[:3]),
    )
    torch.manual_seed(2)
    expected = direct.attribute(image.unsqueeze(0), baselines=0.0, feature_mask=mask, n_samples=60)
    got = explained(bent, view, "lime", fill="black", budget=60)
    np.testing.assert_allclose(got, expected[0, 0].numpy(), atol=1e-5 * float(expected.abs().max()))


def test_kernel_shap_is_captums(bent: FunctionClassifier, view: np.ndarray, regions: np.ndarray) -> None:
    image = torch.from_numpy(view).permute(2, 0, 1) / 255
    direct = captum.KernelShap(lambda images: bent.answer(images)[:, 1])
    direct.interpretable_model = WeightedRegression()  # Captum's own wants scikit-learn
    torch.manual_seed(2)
    mask = torch.from_numpy(regions).expand(1, 3, *SIZE)
    expected = direct.attribute(image.unsqueeze(0), baselines=0.0, feature_mask=mask, n_samples=80)
    got = explained(bent, view, "kernel-shap", fill="black", budget=80)
    np.testing.assert_allclose(got, expected[0, 0].numpy(), atol=1e-5 * float(expected.abs().max()))


@pytest.mark.slow
def test_sets_of_regions_are_drawn_by_the_weights_of_shapley_values() -> None:
    """All and none first, then each size k with its share of Σ 1 / (k (D − k)), and every region equally often."""
    count, draws = 7, 20_000
    sets = shapley_sets(torch.empty(0), generator=torch.Generator().manual_seed(1), num_interp_features=count)
    assert int(next(sets).sum()) == count and int(next(sets).sum()) == 0
    drawn = torch.cat(list(itertools.islice(sets, draws))).numpy()
    weights = np.array([1 / (k * (count - k)) for k in range(1, count)])
    expected = weights / weights.sum()
    found = np.bincount(drawn.sum(1), minlength=count)[1:] / draws
    assert np.abs(found - expected).max() < 5 * np.sqrt(0.25 / draws)
    assert np.abs(drawn.mean(0) - 0.5).max() < 5 * np.sqrt(0.25 / draws)


def test_ablation_is_captums(bent: FunctionClassifier, view: np.ndarray, regions: np.ndarray) -> None:
    image = (torch.from_numpy(view).permute(2, 0, 1) / 255).unsqueeze(0)
    mask = torch.from_numpy(regions).expand(1, 3, *SIZE)
    direct = captum.FeatureAblation(lambda images: bent.answer(images)[:, 1])
    expected = direct.attribute(image, baselines=0.0, feature_mask=mask)[0, 0].numpy()
    got = explained(bent, view, "feature-ablation", fill="black")
    np.testing.assert_allclose(got, expected, atol=1e-5 * np.abs(expected).max())


def test_permutation_is_captums(linear: FunctionClassifier, view: np.ndarray, regions: np.ndarray) -> None:
    image = (torch.from_numpy(view).permute(2, 0, 1) / 255).unsqueeze(0)
    mask = torch.from_numpy(regions).expand(1, 3, *SIZE)
    generator = torch.Generator().manual_seed(2)
    direct = captum.FeaturePermutation(
        lambda images: linear.answer(images)[:, 1], perm_func=lambda images, mask: shuffled(images, mask, generator)
    )
    direct._min_examples_per_batch_grouped = None  # else it wants two pictures to shuffle among
    expected = direct.attribute(image, feature_mask=mask)[0, 0].numpy()
    got = explained(linear, view, "feature-permutation")
    np.testing.assert_allclose(got, expected, atol=1e-5 * np.abs(expected).max())
    assert expected.max() > expected.min()


def test_shuffling_moves_pixels_within_their_region_with_their_colours() -> None:
    generator = torch.Generator().manual_seed(0)
    images, mask = torch.rand(1, 3, 12, 12, generator=generator), torch.zeros(1, 3, 12, 12, dtype=torch.bool)
    mask[..., 2:9, 3:7] = True
    moved = shuffled(images, mask, generator)
    assert torch.equal(moved[~mask], images[~mask]) and not torch.equal(moved[mask], images[mask])
    before, after = (set(map(tuple, one[0][:, mask[0, 0]].T.tolist())) for one in (images, moved))
    assert before == after


def test_permutation_sees_structure_and_not_colour(linear: FunctionClassifier, view: np.ndarray) -> None:
    """The mean of all pixels does not change however they are shuffled."""

    def mean(images: torch.Tensor) -> torch.Tensor:
        share = images.mean((1, 2, 3))
        return torch.stack([1 - share, share], dim=1)

    flat = wrap(mean, labels=["no", "yes"], input_size=SIZE, mean=(0.0, 0.0, 0.0), name="mean")
    assert np.abs(explained(flat, view, "feature-permutation")).max() < 1e-5
    assert np.abs(explained(linear, view, "feature-permutation")).max() > 1e-5


def test_pictures_with_more_switched_off_count_less() -> None:
    switched = torch.tensor([[1.0] * 10, [1.0] * 7 + [0.0] * 3, [1.0] + [0.0] * 9])
    weights = [float(nearness(0.25, torch.empty(0), torch.empty(0), row.unsqueeze(0))) for row in switched]
    assert weights[0] == 1.0 and weights == sorted(weights, reverse=True)
    cosine = 7 / math.sqrt(7 * 10)
    assert weights[1] == pytest.approx(math.sqrt(math.exp(-(((1 - cosine) / 0.25) ** 2))))


@pytest.mark.parametrize("ridge", [0.0, 1.0])
def test_the_regression_is_the_normal_equations(ridge: float) -> None:
    rng = np.random.default_rng(0)
    inputs, outputs, weights = rng.random((50, 4)), rng.random(50), rng.random(50)
    regression = WeightedRegression(ridge)
    batches = [
        tuple(torch.from_numpy(part[i : i + 10]) for part in (inputs, outputs, weights)) for i in range(0, 50, 10)
    ]
    regression.fit(batches)
    design = np.column_stack([inputs, np.ones(50)])
    penalty = ridge * np.diag([1.0, 1, 1, 1, 0])
    expected = np.linalg.solve(design.T @ (design * weights[:, None]) + penalty, design.T @ (weights * outputs))[:4]
    np.testing.assert_allclose(regression.representation()[0].numpy(), expected, rtol=1e-5)
