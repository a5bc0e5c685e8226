"""Partly hidden training pictures ask for the objects that are still visible."""

from __future__ import annotations

import pytest
import torch

from decam.masking import fill
from decam.models.networks.embedded import MEAN
from decam.training import hiding


def test_a_visible_object_is_asked_for_and_a_hidden_one_is_not() -> None:
    labels = torch.tensor([[3, -1], [3, -1], [2, 5], [2, 5], [2, 5]])
    shares = torch.tensor([[1.0, 0.0], [0.1, 1.0], [0.9, 0.8], [1.0, 0.0], [0.2, 0.1]])
    asked = hiding.answers(labels, shares)
    assert torch.allclose(asked.sum(1), torch.ones(5))
    assert asked[0, 3] == 1
    assert torch.allclose(asked[1], torch.full((10,), 0.1))
    assert asked[2, 2] == asked[2, 5] == 0.5
    assert asked[3, 2] == 1
    assert torch.allclose(asked[4], torch.full((10,), 0.1))


def test_half_visible_lies_between() -> None:
    asked = hiding.answers(torch.tensor([[3, -1]]), torch.tensor([[0.5, 0.0]]))
    assert float(asked[0, 3]) == pytest.approx(0.5 + 0.5 / 10)


def test_hidden_pixels_show_a_fill_and_shares_count_what_is_left() -> None:
    random = torch.Generator().manual_seed(0)
    images = torch.rand(64, 3, 128, 128, generator=random)
    masks = torch.zeros(64, 2, 16, 16)
    masks[:, 0, 4:10, 4:10] = 1
    veiled, shares = hiding.hidden(images, masks, random)
    assert veiled.shape == images.shape
    assert (shares[:, 1] == 0).all()
    assert float(shares.min()) >= 0
    assert float(shares.max()) <= 1
    # Chance both shows and hides the object, not always in between.
    assert (shares[:, 0] > 0.7).sum() > 8
    assert (shares[:, 0] < 0.3).sum() > 8
    # Where an object is hidden whole, its pixels are not the picture's; where it is shown whole, they are.
    change = (veiled - images).abs()[:, :, 32:80, 32:80].mean((1, 2, 3))
    assert change[shares[:, 0] > 0.99].max() < 0.02
    assert change[shares[:, 0] < 0.01].min() > 0.15


def test_the_blur_is_that_of_the_masks_methods_use() -> None:
    image = torch.nn.functional.interpolate(
        torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1)), (128, 128), mode="bilinear"
    )
    ours = hiding._blurred(image)[0]
    theirs = fill("blur", image[0], MEAN)
    apart = (ours - theirs).abs()
    assert float(apart[:, 16:-16, 16:-16].max()) < 0.02
    assert float(apart.max()) < 0.05  # edges are reflected at a quarter of the resolution


def test_turning_takes_the_masks_along() -> None:
    random = torch.Generator().manual_seed(5)
    coarse = (torch.rand(6, 1, 16, 16, generator=random) > 0.5).float()
    images = coarse.repeat_interleave(8, 2).repeat_interleave(8, 3).expand(-1, 3, -1, -1)
    seen = set()
    for _ in range(40):
        turned, masks = hiding.turned(images, coarse.expand(-1, 2, -1, -1), random)
        assert torch.equal(turned[:, 0, ::8, ::8], masks[:, 0])
        seen.add(masks[0].numpy().tobytes())
    assert len(seen) == 8


def test_objects_share_the_answer_by_how_much_of_each_is_visible() -> None:
    asked = hiding.answers(torch.tensor([[2, 5], [2, 5]]), torch.tensor([[0.9, 0.5], [0.5, 0.4]]))
    assert asked[0, 2] == pytest.approx(2 / 3) and asked[0, 5] == pytest.approx(1 / 3)
    assert asked[1, 2] == pytest.approx(0.5 * 2 / 3 + 0.5 / 10) and asked[1, 5] == pytest.approx(0.5 / 3 + 0.5 / 10)
