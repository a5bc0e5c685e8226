"""The expected drop: against a plain Gaussian process written out, and on answers whose right map is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from decam.masking import upsample
from decam.methods.de_cam.expected_drop import (
    LINEAR,
    MOST,
    PLACES,
    REACH,
    TRUSTED,
    Drop,
    ExpectedDrop,
    _combined,
    _Fit,
    _Regression,
)


def random_masks(count: int, size: int = 56, seed: int = 0, cells: int = 7) -> Tensor:
    grids = (torch.rand(count, cells, cells, generator=torch.Generator().manual_seed(seed)) < 0.5).float()
    return upsample(grids, (size, size))[:, 0]


def share_of(masks: Tensor, box: tuple[slice, slice]) -> Tensor:
    return masks[(slice(None), *box)].mean((1, 2))


def plain(seen: np.ndarray, prior: np.ndarray, noise: float, wanted: np.ndarray):  # type: ignore[no-untyped-def,type-arg]
    """Covariance of two sets of masks, and a prediction from some of them, term by term."""
    centred = seen - seen.mean(0)
    count = len(seen)
    linear = np.array([[one @ prior @ other for other in centred] for one in centred])
    scale = np.mean([linear[place, place] for place in range(count)])
    apart = np.array([[(one - other) @ prior @ (one - other) / scale for other in centred] for one in centred])
    width = 2 * REACH**2 * np.sort(apart.ravel())[(count**2 - 1) // 2]  # torch's median is the lower one

    def expected(point: np.ndarray, used: np.ndarray) -> float:  # type: ignore[type-arg]
        def covariance(one: np.ndarray, other: np.ndarray) -> float:  # type: ignore[type-arg]
            gap = one - other
            return float(LINEAR * (one @ prior @ other) / scale + np.exp(-(gap @ prior @ gap) / scale / width))

        own = np.array([[covariance(centred[i], centred[j]) for j in used] for i in used])
        weights = np.linalg.solve(own + noise * np.eye(len(used)), wanted[used])
        return float(np.array([covariance(point, centred[i]) for i in used]) @ weights)

    return centred, expected


@pytest.mark.slow
def test_left_out_answers_and_slopes_are_those_of_a_plain_regression() -> None:
    count, noise = 8, 0.05
    seen = random_masks(count, PLACES).flatten(1)
    steps = (torch.arange(PLACES) + 0.5) / PLACES
    grid = torch.cartesian_prod(steps, steps)
    prior = torch.exp(torch.cdist(grid, grid).square() / (-2 * 0.1**2))
    answers = torch.rand(count, 1, generator=torch.Generator().manual_seed(1))
    wanted = (answers - answers.mean()) / answers.std(correction=0)
    found = _Regression(seen, prior).fit(wanted, noise)

    given_answers = wanted[:, 0].double().numpy()
    centred, expected = plain(seen.double().numpy(), prior.double().numpy(), noise, given_answers)
    everyone = np.arange(count)
    missed = [given_answers[i] - expected(centred[i], np.delete(everyone, i)) for i in everyone]
    assert found.missed == pytest.approx(np.mean(np.square(missed)), rel=1e-3)
    for place in (0, 300, 450, 783):
        step = np.zeros(PLACES**2)
        step[place] = 1e-3
        slopes = [(expected(point + step, everyone) - expected(point - step, everyone)) / 2e-3 for point in centred]
        assert float(found.slopes[place]) == pytest.approx(np.mean(slopes), rel=1e-2, abs=1e-4)


def test_fits_count_by_the_inverse_of_what_each_misses() -> None:
    random = torch.Generator().manual_seed(0)
    slopes = [torch.randn(PLACES**2, generator=random) for _ in range(3)]
    left_out = [scale * torch.randn(40, generator=random) for scale in (0.1, 0.2, 1.0)]
    found = _combined([_Fit(*each) for each in zip(slopes, left_out, strict=True)], torch.tensor(0.5))
    inverse = np.array([1 / np.mean(each.double().numpy() ** 2) for each in left_out])
    shares = inverse / inverse.sum()
    expected = 0.5 * sum(share * each.double().numpy() for share, each in zip(shares, slopes, strict=True))
    together = sum(share * each.double().numpy() for share, each in zip(shares, left_out, strict=True))
    assert np.allclose(found.places.flatten(), expected, atol=1e-5)
    assert found.missed == pytest.approx(np.mean(together**2), rel=1e-5)
    alone = _combined([_Fit(slopes[0], torch.zeros(40)), _Fit(slopes[1], left_out[2])], torch.tensor(1.0))
    assert torch.allclose(alone.places.flatten(), slopes[0], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("joined", [False, True])
def test_parts_that_decide_are_found_alone_and_together(joined: bool) -> None:
    first, second = (slice(8, 24), slice(8, 24)), (slice(32, 48), slice(30, 50))
    drop = ExpectedDrop(torch.rand(3, 56, 56, generator=torch.Generator().manual_seed(2)), follow_edges=True)
    for seed in range(4):
        masks = random_masks(100, seed=seed)
        shares = share_of(masks, first), share_of(masks, second)
        drop.add(masks, shares[0] * shares[1] if joined else shares[0])
    found = drop.fit()
    inside = torch.zeros(56, 56, dtype=torch.bool)
    inside[first] = True
    if joined:
        inside[second] = True
    values = found.map((56, 56))
    best = values.flatten().topk(int(inside.sum())).indices
    assert inside.flatten()[best].float().mean() > 0.8
    assert inside.flatten()[int(values.argmax())]
    assert found.missed < 0.05


@pytest.mark.slow
def test_a_part_that_speaks_against_has_a_drop_below_zero() -> None:
    masks = random_masks(300)
    drop = ExpectedDrop(torch.zeros(3, 56, 56), follow_edges=False)
    good, bad = (slice(4, 20), slice(4, 20)), (slice(36, 52), slice(36, 52))
    drop.add(masks, (1 + share_of(masks, good) - share_of(masks, bad)) / 2)
    values = drop.fit().map((56, 56))
    assert values[good].mean() > 0 > values[bad].mean()
    assert abs(values[good].mean()) > 5 * abs(values[24:32, 24:32].mean())


@pytest.mark.slow
def test_colours_are_followed_where_that_predicts_the_answers_and_nowhere_if_edges_are_not() -> None:
    half = torch.zeros(3, 56, 56)
    half[0, :, :28] = 0.9
    masks = random_masks(200)
    asked = {}
    for follow in (True, False):
        drop = ExpectedDrop(half, follow)
        drop.add(masks, masks[:, :, :28].mean((1, 2)))
        asked[follow] = drop.fit()
    step = {follow: found.places[:, 13].mean() - found.places[:, 14].mean() for follow, found in asked.items()}
    assert step[True] > 1.5 * step[False] > 0
    assert asked[True].missed < asked[False].missed
    elsewhere = ExpectedDrop(half.flip(2).roll(9, 2), False)
    elsewhere.add(masks, masks[:, :, :28].mean((1, 2)))
    assert torch.equal(elsewhere.fit().places, asked[False].places)


def test_answers_that_never_change_have_no_drop() -> None:
    drop = ExpectedDrop(torch.zeros(3, 56, 56), follow_edges=True)
    assert not drop
    drop.add(random_masks(20), torch.full((20,), 0.4))
    found = drop.fit()
    assert drop and found.missed == 1 and not found.places.any()


@pytest.mark.slow
def test_of_very_many_answers_a_part_is_kept() -> None:
    drop = ExpectedDrop(torch.zeros(3, 28, 28), follow_edges=False)
    masks = random_masks(500, 28)
    for _ in range(20):
        drop.add(masks, share_of(masks, (slice(0, 9), slice(0, 9))))
    assert sum(map(len, drop._answers)) <= 4 * MOST
    assert int(drop.fit().places.argmax()) // PLACES < 10


@pytest.mark.slow
@given(st.floats(0, 1))
def test_the_drop_counts_by_what_it_misses(missed: float) -> None:
    random = torch.Generator().manual_seed(0)
    ranking, places = torch.rand(28, 28, generator=random), torch.rand(PLACES, PLACES, generator=random)
    both = Drop(places, missed).beside(ranking)
    order = torch.tensor([float((places < value).sum()) for value in places.flatten()]).view(28, 28)
    own, other, ordered = ((one - one.mean()) / one.std(correction=0) for one in (places, ranking, order))
    trust = TRUSTED / max(missed, 1e-6)
    expected = (other + trust * ordered + trust**4 * own) / (1 + trust + trust**4)
    assert torch.allclose(both, expected, rtol=1e-3, atol=1e-3)


def test_a_flat_drop_leaves_the_ranking() -> None:
    ranking = torch.rand(40, 30)
    both = Drop(torch.zeros(PLACES, PLACES), 1.0).beside(ranking)
    assert torch.equal(both.flatten().argsort(), ranking.flatten().argsort())
