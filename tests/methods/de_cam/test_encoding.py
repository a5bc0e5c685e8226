"""What genotypes are read as, and what their ranking shows of a picture."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.masking import upsample
from decam.methods.de_cam.encoding import Encoding, rank_masks
from decam.methods.de_cam.guided_filter import Guide

KEPT, REMOVED = (0.10, 0.25, 0.50), (0.05, 0.15, 0.30)


def picture(height: int = 48, width: int = 48) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(3))


def test_without_edges_a_genotype_is_interpolated() -> None:
    genotypes = torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
    expected = upsample(genotypes.view(3, 4, 4), (30, 20))[:, 0]
    assert torch.equal(Encoding(4, picture(30, 20), follow_edges=False).maps(genotypes), expected)


def test_with_edges_it_is_fitted_to_the_picture() -> None:
    genotypes = torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
    guide = Guide(picture())
    expected = guide.fitted(guide.slopes(upsample(genotypes.view(3, 4, 4), guide.size)[:, 0]))
    got = Encoding(4, picture(), follow_edges=True).maps(genotypes)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("follow_edges", [False, True])
def test_thumbnails_are_small_copies_of_the_maps(follow_edges: bool) -> None:
    encoding = Encoding(5, picture(112, 168), follow_edges)
    genotypes = torch.randn(2, 25, generator=torch.Generator().manual_seed(1))
    small = encoding.thumbnails(genotypes)
    assert small.shape == (2, 56, 84)
    pooled = torch.nn.functional.avg_pool2d(encoding.maps(genotypes), 2)
    assert torch.corrcoef(torch.stack([small.flatten(), pooled.flatten()]))[0, 1] > 0.99
    sketched = encoding.sketches(genotypes)
    assert sketched.shape == (2, 28, 42)
    pooled = torch.nn.functional.avg_pool2d(small, 2)
    assert torch.corrcoef(torch.stack([sketched.flatten(), pooled.flatten()]))[0, 1] > 0.99


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.booleans())
def test_rank_masks_keep_and_remove_the_top_shares(seed: int, ties: bool) -> None:
    maps = torch.randn(3, 30, 20, generator=torch.Generator().manual_seed(seed))
    maps = maps.round() if ties else maps
    got = rank_masks(maps, KEPT, REMOVED).view(3, 6, 600)
    for values, masks in zip(maps.flatten(1).tolist(), got, strict=True):
        ordered = sorted(values, reverse=True)
        for j, share in enumerate((*KEPT, *REMOVED)):
            last = ordered[round(share * 600) - 1]
            assert masks[j].tolist() == [(value >= last) == (j < len(KEPT)) for value in values]


@pytest.mark.parametrize("threads", [1, 2])
@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(1, 5), st.booleans())
def test_few_shares_are_found_without_sorting_as_by_sorting(threads: int, seed: int, rows: int, ties: bool) -> None:
    maps = torch.randn(rows, 30, 20, generator=torch.Generator().manual_seed(seed))
    maps = maps.round() if ties else maps
    usual = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        few = rank_masks(maps, KEPT[:1], REMOVED[2:])
    finally:
        torch.set_num_threads(usual)
    assert torch.equal(few, rank_masks(maps, KEPT, REMOVED)[:, [0, 5]])


def test_a_share_too_small_for_one_pixel_is_one_pixel() -> None:
    maps = torch.arange(16.0).view(1, 4, 4)
    assert rank_masks(maps, (0.01,), (0.01,)).sum((2, 3)).tolist() == [[1, 15]]


def test_only_the_ranking_of_a_genotype_counts() -> None:
    genotypes = torch.randn(2, 49, generator=torch.Generator().manual_seed(1))
    encoding = Encoding(7, picture(), follow_edges=False)
    once, again = (rank_masks(encoding.maps(values), KEPT, REMOVED) for values in (genotypes, 4 * genotypes))
    assert torch.equal(once, again)
