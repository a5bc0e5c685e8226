"""Which part of a picture a model sees: against crops known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from decam.classifier.base import fit
from decam.images.seen_part import Part, seen_part


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.integers(60, 900), st.integers(60, 900))
def test_a_centre_crop_is_found_whatever_the_size(height: int, width: int) -> None:
    found = seen_part(lambda image: np.asarray(fit(image, (224, 224)).convert("RGB")), (height, width))
    # Scaled until both sides reach 224, so that the centre of the longer side is left.
    down, across = min(1.0, width / height), min(1.0, height / width)
    expected = ((1 - down) / 2, (1 - across) / 2, (1 + down) / 2, (1 + across) / 2)
    assert (found.top, found.left, found.bottom, found.right) == pytest.approx(expected, abs=0.01)


def test_a_crop_off_the_centre_and_all_of_a_picture_are_told_apart() -> None:
    def corner(image: Image.Image) -> np.ndarray:
        width, height = image.size
        return np.asarray(image.crop((0, height // 2, width // 4, height)).resize((64, 64)))

    found = seen_part(corner, (400, 800))
    assert (found.top, found.left, found.bottom, found.right) == pytest.approx((0.5, 0.0, 1.0, 0.25), abs=0.005)
    assert not found.whole
    assert seen_part(lambda image: np.asarray(image.resize((64, 64))), (400, 800)).whole


def test_a_part_is_cut_out_of_the_picture_itself() -> None:
    picture = np.arange(200 * 100, dtype=np.uint32).reshape(200, 100).astype(np.uint8)
    cut = Part(0.25, 0.5, 0.75, 1.0).of(Image.fromarray(picture))
    assert (np.asarray(cut) == picture[50:150, 50:]).all()


@pytest.mark.parametrize("shape", [(300, 300), (200, 400), (513, 257), (30, 90), (2000, 1500)])
@pytest.mark.parametrize(
    ("whole", "crop"), [((256, 256), (224, 224)), ((128, 128), (128, 128)), ((232, 232), (224, 224))]
)
def test_the_part_that_a_model_sees_is_the_one_of_its_resizing_and_cropping(
    shape: tuple[int, int], whole: tuple[int, int], crop: tuple[int, int]
) -> None:
    """Worked out by hand: the shorter side becomes `whole`, the centre of it is cut out."""

    def see(image: Image.Image) -> np.ndarray:
        large = fit(image, whole)
        left, top = (whole[1] - crop[1]) // 2, (whole[0] - crop[0]) // 2
        return np.asarray(large.crop((left, top, left + crop[1], top + crop[0])))

    found = seen_part(see, shape)
    shorter = min(shape)
    wide, high = (crop[1] / whole[1] * shorter / shape[1], crop[0] / whole[0] * shorter / shape[0])
    expected = ((1 - wide) / 2, (1 - high) / 2, wide, high)
    sides = (found.right - found.left, found.bottom - found.top)
    np.testing.assert_allclose((found.left, found.top, *sides), expected, atol=0.006)


@pytest.mark.slow
@given(
    st.floats(0, 0.4),
    st.floats(0, 0.4),
    st.floats(0.3, 0.6),
    st.floats(0.3, 0.6),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=6),
)
def test_an_outline_that_goes_to_the_whole_picture_and_back_is_where_it_was(
    left: float, top: float, width: float, height: float, outline: list[tuple[float, float]]
) -> None:
    part = Part(top, left, top + height, left + width)
    np.testing.assert_allclose(part.inward(part.outward(outline)), outline, atol=1e-9)


def test_what_lies_outside_of_the_part_is_drawn_to_its_edge() -> None:
    part = Part(0.0, 0.25, 1.0, 0.75)
    assert part.inward(((0.0, 0.0), (0.5, 0.5), (1.0, 1.0))) == ((0.0, 0.0), (0.5, 0.5), (1.0, 1.0))


def test_the_rounding_of_levels_does_not_move_a_part() -> None:
    """Views of 256 pixels, of which 224 are left, are as fine as the 255 levels of a byte."""

    def see(image: Image.Image) -> np.ndarray:
        return np.asarray(image.resize((256, 256), Image.Resampling.BILINEAR).crop((16, 16, 240, 240)))

    found = seen_part(see, (480, 640))
    assert (found.top, found.left, found.bottom, found.right) == pytest.approx(
        (1 / 16, 1 / 16, 15 / 16, 15 / 16), abs=1e-3
    )
