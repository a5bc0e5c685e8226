"""What rankings are worth: against a model whose answers are known, asked at a few shares."""

import itertools

import numpy as np
import pytest
import torch

from decam.methods.de_cam.encoding import Encoding, rank_masks
from decam.methods.de_cam.fitness import ESTIMATED, KEPT, REMOVED, FitnessEstimator, Shares, standardised
from decam.methods.de_cam.surrogate import Surrogate

CELLS, SIDE = 6, 56
OBJECT = torch.zeros(SIDE, SIDE)
OBJECT[10:30, 20:44] = 1


def answer(masks: torch.Tensor) -> torch.Tensor:
    """A model that sees how much of the object is visible."""
    return 0.05 + 0.9 * (masks.float() * OBJECT).sum((-2, -1)) / OBJECT.sum()


def worth(encoding: Encoding, genotypes: torch.Tensor) -> torch.Tensor:
    """The truth: all shares asked."""
    answers = answer(rank_masks(encoding.maps(genotypes), ESTIMATED, ESTIMATED))
    return answers[:, : len(ESTIMATED)].mean(1) - answers[:, len(ESTIMATED) :].mean(1)


def drawn(count: int, seed: int) -> torch.Tensor:
    return torch.randn(count, CELLS**2, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def taught() -> tuple[Encoding, FitnessEstimator]:
    encoding = Encoding(CELLS, torch.rand(3, SIDE, SIDE), follow_edges=False)
    estimator, generator = FitnessEstimator(encoding), torch.Generator().manual_seed(0)
    for turn in range(8):
        genotypes, shares = drawn(16, turn), Shares.drawn(generator)
        estimator.observe(genotypes, shares, answer(rank_masks(encoding.maps(genotypes), shares.kept, shares.removed)))
    return encoding, estimator


def test_shares_lie_in_every_band_equally_often_and_anywhere_within() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = [Shares.drawn(generator) for _ in range(900)]
    for shares, edges in (([one.kept for one in drawn], KEPT), ([one.removed for one in drawn], REMOVED)):
        for low, high in itertools.pairwise(edges):
            within = [(share - low) / (high - low) for (share,) in shares if low <= share < high]
            assert len(within) == pytest.approx(300, abs=45), "three standard deviations"
            assert min(within) < 0.05 and max(within) > 0.95 and abs(np.mean(within) - 0.5) < 0.05


def test_it_knows_what_rankings_are_worth_that_were_never_asked(taught: tuple[Encoding, FitnessEstimator]) -> None:
    encoding, estimator = taught
    new = drawn(60, 99)
    assert np.corrcoef(estimator.predict(new), worth(encoding, new))[0, 1] > 0.85


def test_it_expects_a_share_kept_alone_as_the_model_would_answer(taught: tuple[Encoding, FitnessEstimator]) -> None:
    encoding, estimator = taught
    new = drawn(40, 98)
    truth = answer(rank_masks(encoding.maps(new), (0.25,), ()))[:, 0].numpy()
    expected = [estimator.kept(genotype, 0.25) for genotype in new]
    assert np.corrcoef(expected, truth)[0, 1] > 0.8


def test_the_best_is_the_mean_of_the_best_tenth_of_all_that_was_observed(
    taught: tuple[Encoding, FitnessEstimator],
) -> None:
    _, estimator = taught
    tried = torch.cat([drawn(16, turn) for turn in range(8)])
    worth = estimator.predict(tried).tolist()
    order = sorted(range(128), key=lambda i: -worth[i])
    torch.testing.assert_close(estimator.best(again=True), standardised(tried[order[:16]]).mean(0))


@pytest.mark.slow
def test_memory_does_not_grow_with_what_was_tried_and_the_best_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    encoding = Encoding(CELLS, torch.rand(3, SIDE, SIDE), follow_edges=False)
    shares = Shares(KEPT[1:], REMOVED[1:])

    def observed(most: int, turns: int) -> FitnessEstimator:
        monkeypatch.setattr("decam.methods.de_cam.fitness.MOST", most)
        made = FitnessEstimator(encoding)
        for turn in range(turns):
            genotypes = drawn(16, turn)
            made.observe(genotypes, shares, answer(rank_masks(encoding.maps(genotypes), shares.kept, shares.removed)))
        return made

    short, whole = observed(32, 12), observed(1000, 12)
    assert len(short._tried) <= 80 and len(whole._tried) == 192
    torch.testing.assert_close(short.best(), whole.best())


class Bookkeeper(FitnessEstimator):
    """What a genotype is worth stands at its first place, so that only what is kept of them is left to look at."""

    def _at(self, genotypes: torch.Tensor, shares: Shares) -> torch.Tensor:
        return genotypes[:, :1].repeat_interleave(len(shares.kept + shares.removed), 0)

    def _worth(self, at: torch.Tensor, *_: object) -> torch.Tensor:
        return at.view(len(at), -1)[:, 0]


@pytest.mark.parametrize("again", [False, True])
def test_the_map_of_a_long_search_is_made_from_the_best_alone(again: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Surrogate, "fit", lambda _: None)
    estimator = Bookkeeper(Encoding(CELLS, torch.rand(3, SIDE, SIDE), follow_edges=False))
    tried = drawn(30_000, 0)
    for some in tried.split(64):
        estimator.observe(some, Shares((0.1,), (0.1,)), torch.zeros(len(some), 2))
    best = tried[tried[:, 0].argsort(descending=True)[:1024]]
    torch.testing.assert_close(estimator.best(again), standardised(best).mean(0))


def test_the_best_is_better_than_what_it_was_made_from(taught: tuple[Encoding, FitnessEstimator]) -> None:
    encoding, estimator = taught
    tried = torch.cat([drawn(16, turn) for turn in range(8)])
    assert worth(encoding, estimator.best().unsqueeze(0)) > worth(encoding, tried).max()


def test_random_masks_teach_it_too() -> None:
    encoding = Encoding(CELLS, torch.rand(3, SIDE, SIDE), follow_edges=False)
    estimator = FitnessEstimator(encoding)
    masks = (torch.rand(300, 7, 7, generator=torch.Generator().manual_seed(1)) < 0.5).float()
    masks = torch.nn.functional.interpolate(masks.unsqueeze(1), size=(SIDE, SIDE), mode="nearest")[:, 0]
    estimator.observe_seed(masks, answer(masks))
    first, shares = drawn(16, 0), Shares.drawn(torch.Generator().manual_seed(0))
    observed = estimator.observe(first, shares, answer(rank_masks(encoding.maps(first), shares.kept, shares.removed)))
    assert torch.equal(observed, estimator.predict(first)), "what was observed is estimated by all that is known then"
    new = drawn(60, 99)
    assert np.corrcoef(estimator.predict(new), worth(encoding, new))[0, 1] > 0.8


def test_standardised_genotypes_rank_as_before() -> None:
    got = standardised(3 * drawn(4, 5) + 2)
    torch.testing.assert_close(got.mean(1), torch.zeros(4), atol=1e-6, rtol=0)
    torch.testing.assert_close(got.std(1, correction=0), torch.ones(4))
    assert torch.equal(got.argsort(), drawn(4, 5).argsort())
    assert not standardised(torch.full((1, 9), 2.0)).any(), "a flat one stays flat"
