"""How sure the ranks are: against slow plain versions, and halves against fits to the same halves."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from decam.methods.de_cam.encoding import Encoding
from decam.methods.de_cam.expected_drop import ExpectedDrop
from decam.methods.de_cam.fitness import FitnessEstimator, Shares, standardised
from decam.methods.de_cam.halves import half_of
from decam.methods.de_cam.seeding import SmoothRidge
from decam.methods.de_cam.stability import HALVES, halved, in_words, rank_errors
from decam.methods.de_cam.surrogate import Surrogate

SIDE = 28


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 6), st.floats(0, 3))
def test_errors_are_the_root_mean_square_of_each_places_departures(first: int, count: int, noise: float) -> None:
    rng = np.random.default_rng(first)
    own = rng.integers(0, 40, (SIDE, SIDE)).astype(np.float32)  # with ties
    replicates = [(own + noise * rng.standard_normal((SIDE, SIDE))).astype(np.float32) for _ in range(count)]
    found = rank_errors(own, replicates)
    ranked = [rankdata(one.ravel()) for one in (own, *replicates)]
    for place in range(0, SIDE * SIDE, 97):
        squares = [(other[place] - ranked[0][place]) ** 2 for other in ranked[1:]]
        expected = math.sqrt(sum(squares) / count) / SIDE**2
        assert abs(float(found.ravel()[place]) - expected) < 1e-6
    assert 0 <= found.min() <= found.max() <= 1


def test_the_errors_of_a_mean_are_its_standard_error() -> None:
    """On places whose means are evenly spread a rank moves as the value does, so the closed form σ/√n is known."""
    rng = np.random.default_rng(0)
    answers, spread = 400, 0.3
    truth = rng.permutation(SIDE * SIDE).reshape(SIDE, SIDE) / SIDE**2
    seen = truth + spread * rng.standard_normal((answers, SIDE, SIDE))
    generator = torch.Generator().manual_seed(0)
    replicates = [seen[half_of(answers, generator).numpy()].mean(0).astype(np.float32) for _ in range(100)]
    found = rank_errors(seen.mean(0).astype(np.float32), replicates)
    inner = (truth > 0.1) & (truth < 0.9)  # at the ends ranks cannot move both ways
    assert abs(found[inner].mean() / (spread / math.sqrt(answers)) - 1) < 0.1


def test_the_sentence_has_the_mean_as_its_one_number() -> None:
    said = in_words(np.array([[0.02, 0.06]], np.float32))
    assert said.startswith("A place's rank is known to ±4.0 % of all places on average")


def test_a_half_is_half_of_all_without_repetition_and_differs_from_draw_to_draw() -> None:
    generator = torch.Generator().manual_seed(0)
    for count in (1, 2, 7, 100):
        kept = half_of(count, generator)
        assert len(kept) == len(set(kept.tolist())) == math.ceil(count / 2)
        assert kept.tolist() == sorted(kept.tolist()) and set(kept.tolist()) <= set(range(count))
    assert half_of(100, generator).tolist() != half_of(100, generator).tolist()


def twins() -> tuple[torch.Generator, torch.Generator]:
    """Two generators that draw the same."""
    return torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)


def test_half_a_ridge_and_half_a_surrogate_are_those_of_half_the_answers() -> None:
    generator, same = twins()
    seen, answers = torch.rand(90, 16, generator=generator), torch.rand(90, generator=generator)
    ridge, other = SmoothRidge(4), SmoothRidge(4)
    ridge.add(seen[:40], answers[:40])
    ridge.add(seen[40:], answers[40:])
    by, again = twins()
    kept = half_of(90, again)
    other.add(seen[kept], answers[kept])
    torch.testing.assert_close(ridge.half(by).fit().mean, other.fit().mean)

    points = torch.rand(90, 49, generator=same)
    surrogate, fresh = Surrogate(), Surrogate()
    surrogate.add(points, answers)
    surrogate.fit()
    before = surrogate.predict(points)
    by, again = twins()
    fresh.add(points[half_of(90, again)], answers[half_of(90, torch.Generator().manual_seed(3))])
    fresh.fit()
    torch.testing.assert_close(surrogate.half(by).predict(points), fresh.predict(points))
    torch.testing.assert_close(surrogate.predict(points), before)


def test_half_a_drop_keeps_its_noises_and_leaves_the_whole_as_it_is() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(3, 56, 56, generator=generator)
    masks = (torch.rand(80, 8, 8, generator=generator) < 0.5).repeat_interleave(7, 1).repeat_interleave(7, 2)
    drop = ExpectedDrop(image, follow_edges=True)
    drop.add(masks, masks[:, :20, :20].float().mean((1, 2)))
    whole = drop.fit()
    half = drop.half(torch.Generator().manual_seed(1))
    assert half._noises is drop._noises and len(half._noises) == 3
    assert not torch.equal(half.fit().places, whole.places)
    assert np.corrcoef(half.fit().places.flatten(), whole.places.flatten())[0, 1] > 0.5
    torch.testing.assert_close(drop.fit().places, whole.places)


def slow_half(estimator: FitnessEstimator, generator: torch.Generator) -> torch.Tensor:
    """The mean of the best of half the candidates, found one by one with a surrogate that learned from half."""
    kept = half_of(len(estimator._tried), generator)
    surrogate = estimator._surrogate.half(generator)
    worth = []
    for place in kept.tolist():
        expected = surrogate.predict(estimator._places[place].reshape(-1, 49)).view(2, -1).mean(1)
        worth.append((float(expected[0] - expected[1]), place))
    best = [place for _, place in sorted(worth, key=lambda pair: -pair[0])[: max(16, len(estimator._tried) // 10) // 2]]
    return standardised(estimator._tried[best]).mean(0)


def test_half_of_a_search_is_the_mean_of_the_best_of_half_its_candidates() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(3, 64, 64, generator=generator)
    estimator = FitnessEstimator(Encoding(6, image, follow_edges=False))
    for _ in range(3):
        shares = Shares.drawn(generator)
        candidates = torch.randn(16, 36, generator=generator)
        estimator.observe(candidates, shares, torch.rand(16, len(shares.kept + shares.removed), generator=generator))
    by, again = twins()
    torch.testing.assert_close(estimator.half(by), slow_half(estimator, again), atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_as_many_replicates_are_made_as_the_error_needs_each_from_another_half() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(3, 56, 56, generator=generator)
    drop = ExpectedDrop(image, follow_edges=False)
    drop.add(torch.rand(40, 56, 56, generator=generator), torch.rand(40, generator=generator))
    drop.fit()

    def half(by: torch.Generator) -> torch.Tensor:
        return torch.randn(56 * 56, generator=by)

    def read(genotype: torch.Tensor) -> np.ndarray:
        return genotype.view(56, 56).numpy()

    made, again = ([one.tobytes() for one in halved(half, read, drop, seed=5)] for _ in range(2))
    assert len(set(made)) == HALVES and made == again
