"""Cropped or fitted: the whole picture is there, its bars are nothing to the model, outlines and masks go along."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from decam.classifier import FunctionClassifier
from decam.errors import ImageError, SettingError
from decam.images import ground_truth
from decam.images.framing import FIT, FRAMINGS, checked, framed, mask_of, padded, part_of
from tests.tools.networks import small_classifier

SIDES = st.integers(8, 400)
MEAN = (0.2, 0.4, 0.6)
RED = (255, 0, 0)


def classifier(size: tuple[int, int] = (40, 60)) -> FunctionClassifier:
    return FunctionClassifier(lambda images: images.mean((2, 3)), list("abc"), size, mean=MEAN)


@settings(max_examples=40, deadline=None)
@given(SIDES, SIDES, st.integers(16, 80), st.integers(16, 80))
def test_all_of_a_picture_is_shown_in_its_proportions_and_the_rest_has_the_mean_colour(
    height: int, width: int, rows: int, columns: int
) -> None:
    view = padded(Image.new("RGB", (width, height), RED), (rows, columns), MEAN)
    assert view.shape == (rows, columns, 3)
    picture = (view == RED).all(2)
    assert (view[~picture] == [51, 102, 153]).all()
    down, across = picture.any(1).sum(), picture.any(0).sum()
    assert picture.sum() == down * across, "one rectangle"
    assert down == rows or across == columns, "as large as fits"
    scale = min(rows / height, columns / width)
    assert (down, across) == pytest.approx((max(1, height * scale), max(1, width * scale)), abs=0.51)
    top, left = (int(np.argmax(picture.any(axis))) for axis in (1, 0))
    assert abs(top - (rows - down) / 2) <= 0.5
    assert abs(left - (columns - across) / 2) <= 0.5


def test_the_bars_are_zero_after_the_models_normalisation() -> None:
    model = small_classifier()
    view = framed(model, Image.new("RGB", (80, 20), RED), FIT)
    bar = model.normalise(torch.from_numpy(view[:1].copy()).permute(2, 0, 1).unsqueeze(0) / 255)
    assert float(bar.abs().max()) < 0.01


def test_a_crop_is_the_models_own_view_and_of_a_picture_in_the_inputs_shape_both_are_alike() -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 50, 3), dtype=np.uint8))
    np.testing.assert_array_equal(framed(classifier(), picture), classifier().view(picture))
    same = picture.resize((60, 40))
    np.testing.assert_array_equal(framed(classifier(), same, FIT), np.asarray(same))
    np.testing.assert_array_equal(framed(classifier(), same), np.asarray(same))


@settings(max_examples=40, deadline=None)
@given(SIDES, SIDES)
def test_an_outline_on_the_view_comes_back_from_the_picture_and_the_pictures_corners_are_where_it_is(
    height: int, width: int
) -> None:
    model = classifier((64, 64))
    part = part_of(model, (height, width), FIT)
    view = padded(Image.new("RGB", (width, height), RED), (64, 64), MEAN)
    picture = (view == RED).all(2)
    rows, columns = np.flatnonzero(picture.any(1)), np.flatnonzero(picture.any(0))
    ((left, top), (right, bottom)) = part.inward(((0.0, 0.0), (1.0, 1.0)))
    assert (top * 64, bottom * 64) == pytest.approx((rows[0], rows[-1] + 1), abs=1e-6)
    assert (left * 64, right * 64) == pytest.approx((columns[0], columns[-1] + 1), abs=1e-6)
    outline = ((0.1, 0.2), (0.9, 0.3), (0.5, 0.8))
    back = part.inward(part.outward(outline))
    np.testing.assert_allclose(back, outline, atol=1e-9)


def test_a_mask_goes_where_its_object_goes_and_bars_are_no_object() -> None:
    light = FunctionClassifier(lambda images: images.mean((2, 3)), list("abc"), (60, 60), mean=(1.0, 1.0, 1.0))
    truth = np.zeros((30, 120), bool)
    truth[10:20, 0:12] = True  # at the edge, which a crop loses
    seen = mask_of(light, truth, FIT)
    picture = np.zeros((30, 120, 3), np.uint8)
    picture[truth] = 255
    view = framed(light, Image.fromarray(picture), FIT)
    inside = (view[22:37] > 127).all(2)
    assert (seen[22:37] == inside).mean() > 0.99
    assert not seen[:22].any()
    assert not seen[38:].any()
    with pytest.raises(ImageError, match="marks nothing"):
        ground_truth.seen(truth, light)


@pytest.mark.parametrize("framing", ["", "stretch", "Fit", None, 1])
def test_a_framing_that_does_not_exist_is_one_sentence(framing: object) -> None:
    with pytest.raises(SettingError, match=r"There is no framing .+ there are: crop, fit"):
        checked(framing)
    assert [checked(one) for one in FRAMINGS] == list(FRAMINGS)
