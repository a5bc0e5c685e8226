"""ROAD against a dense solution written from the paper, and models whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decam.classifier import probabilities
from decam.metrics import METRICS
from decam.metrics.road import imputed
from tests.tools.cases import SIZE, WHITE, bent, case, constant, run, saliency, signed, values, view, weighted

SMALL = (6, 5)


def slow(image: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Every hidden pixel is the weighted mean of its neighbours: one dense system, one equation a pixel."""
    height, width = hidden.shape
    unknown = [(y, x) for y in range(height) for x in range(width) if hidden[y, x]]
    matrix, right = np.zeros((len(unknown), len(unknown))), np.zeros((len(unknown), 3))
    for row, (y, x) in enumerate(unknown):
        near = [(y + i, x + j, 1 / 12 if i and j else 1 / 6) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
        near = [(v, u, weight) for v, u, weight in near if 0 <= v < height and 0 <= u < width]
        matrix[row, row] = sum(weight for *_, weight in near)
        for v, u, weight in near:
            if hidden[v, u]:
                matrix[row, unknown.index((v, u))] -= weight
            else:
                right[row] += weight * image[:, v, u]
    filled = image.copy()
    for (y, x), colour in zip(unknown, np.linalg.solve(matrix, right), strict=True):
        filled[:, y, x] = colour
    return filled


@pytest.mark.slow
@settings(max_examples=40)
@given(hidden=arrays(np.bool_, SMALL).filter(lambda mask: not mask.all()), seed=st.integers(0, 9))
def test_imputation_solves_the_papers_system(hidden: np.ndarray, seed: int) -> None:
    image = np.random.default_rng(seed).random((3, *SMALL))
    got = imputed(image, hidden, 0.0, np.random.default_rng(0))
    np.testing.assert_allclose(got, slow(image, hidden) if hidden.any() else image, atol=1e-9)


def test_what_is_even_or_a_ramp_is_put_back() -> None:
    ramp = np.broadcast_to(np.linspace(0, 1, 20), (3, 20, 20)).copy()
    hidden = np.zeros((20, 20), bool)
    hidden[4:15, 5:12] = True
    for image in (np.full((3, 20, 20), 0.3), ramp):
        np.testing.assert_allclose(imputed(image, hidden, 0.0, np.random.default_rng(0)), image, atol=1e-9)


def test_noise_is_on_imputed_pixels_alone_and_pictures_stay_in_range() -> None:
    image = np.ones((3, 40, 40))
    hidden = np.zeros((40, 40), bool)
    hidden[:20] = True
    got = imputed(image * 0.5, hidden, 0.05, np.random.default_rng(0))
    assert got[:, hidden].std() == pytest.approx(0.05, rel=0.1)
    assert (got[:, ~hidden] == 0.5).all()
    assert imputed(image, hidden, 0.5, np.random.default_rng(0)).max() == 1.0


@pytest.mark.parametrize("scores", [saliency(3), signed(4)], ids=["positive", "signed"])
def test_the_value_is_half_the_difference_of_the_two_orders(scores: np.ndarray) -> None:
    judged = case(bent(), view(), [scores])
    image = judged.question.image.numpy().astype(np.float64)
    order = np.argsort(-scores.ravel(), kind="stable")
    means = []
    for one in (order, order[::-1]):
        asked = []
        for tenth in range(1, 10):
            hidden = np.zeros(order.size, bool)
            hidden[one[: round(tenth / 10 * order.size)]] = True
            asked.append(slow(image, hidden.reshape(SIZE)))
        pictures = judged.question.image.new_tensor(np.stack(asked))
        means.append(float(probabilities(judged.question.classifier, pictures)[:, 0].mean()))
    assert values(judged, "road", noise=0.0) == pytest.approx([(means[1] - means[0]) / 2], abs=1e-6)
    assert judged.question.ledger.evaluations == 18


def test_the_curve_is_half_the_difference_at_each_level_and_the_value_its_mean() -> None:
    scores = signed(4)
    judged = case(bent(), view(), [scores, saliency(2)])
    found, _ = run(judged, "road", noise=0.0, levels=4)
    image = judged.question.image.numpy().astype(np.float64)
    order = np.argsort(-scores.ravel(), kind="stable")
    expected = []
    for level in range(1, 5):
        answers = []
        for one in (order[::-1], order):
            hidden = np.zeros(order.size, bool)
            hidden[one[: round(level / 5 * order.size)]] = True
            picture = judged.question.image.new_tensor(slow(image, hidden.reshape(SIZE))[None])
            answers.append(float(probabilities(judged.question.classifier, picture)[0, 0]))
        expected.append((answers[0] - answers[1]) / 2)
    np.testing.assert_allclose(found.curve.shares, [0.2, 0.4, 0.6, 0.8], atol=1e-7)
    np.testing.assert_allclose(found.curve.values, expected, atol=1e-6)
    assert found.value == pytest.approx(found.curve.values.mean(), abs=1e-7)
    assert found.curve.top is None and found.curve.top_values is None
    axes = METRICS["road"].axes
    assert axes is not None and (axes.low, axes.high) == (METRICS["road"].low, METRICS["road"].high)


def test_a_constant_model_and_an_even_picture_lose_nothing() -> None:
    assert values(case(constant(0.3), view(), [saliency()]), "road") == [0.0]
    assert values(case(weighted(), WHITE, [saliency()]), "road", noise=0.0) == pytest.approx([0.0], abs=1e-6)


def test_the_map_that_finds_the_object_wins_and_its_negative_loses() -> None:
    truth = np.zeros((16, 16), np.float32)
    truth[4:9, 5:11] = 1
    picture = (truth[..., None] * 255).astype(np.uint8).repeat(3, axis=2)
    judged = case(weighted(truth, (16, 16)), picture, [truth, -truth])
    good, bad = values(judged, "road")
    assert good > 0.15
    assert bad < -0.15


@pytest.mark.slow
def test_the_same_seed_gives_the_same_noise_for_every_map() -> None:
    maps = [saliency(1), saliency(2)]
    together = values(case(bent(), view(), maps, seed=3), "road", noise=0.2)
    alone = [values(case(bent(), view(), [one], seed=3), "road", noise=0.2)[0] for one in maps]
    assert together == pytest.approx(alone, abs=1e-7)
    assert together != pytest.approx(values(case(bent(), view(), maps, seed=4), "road", noise=0.2), abs=1e-7)


def test_a_broken_map_is_judged_with_a_note() -> None:
    broken = saliency()
    broken[0, 0] = np.nan
    (found,) = run(case(bent(), view(), [broken]), "road", levels=2)
    assert np.isfinite(found.value)
    assert "not finite" in found.note
